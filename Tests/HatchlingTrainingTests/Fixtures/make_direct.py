"""Gradients of a small direct graph (Eq. 6 with its gains) by PyTorch's autograd in float64, as dense masked tensors.

    pip install torch safetensors numpy; python make_direct.py

Writes direct.safetensors: the graph, tokens, and for both plasticities (complete; kept, on the synapses of G_x) loss and gradients.
Nothing here is shared with the Swift code: matrices are dense, attention is a sum over all pairs of tokens.
"""
import math

import torch
from safetensors.torch import save_file

torch.manual_seed(20261129)
torch.set_default_dtype(torch.float64)
n, V, d, H, L, B, T = 24, 8, 6, 2, 3, 2, 14
N, M = n // H, n + V


def draw(*shape, scale=1.0):
    return (torch.randn(*shape) * scale).to(torch.float32)


mask = torch.ones(n, M)
mask[:, :n] = (torch.rand(n, n) < 0.3).double()
mask_y = torch.ones(n, M)
mask_y[:, :n] = (torch.rand(n, n) < 0.25).double()
arrays = {
    "x": draw(n, M, scale=0.4) * mask.float(),
    "y": draw(n, M, scale=0.4) * mask_y.float(),
    "field": draw(M, d, scale=0.5),
    "readout": draw(d, V, scale=0.5),
    "frequencies": (torch.rand(N // 2) * 0.3).repeat_interleave(2).repeat(H).to(torch.float32),
    "damping": (torch.randint(0, 20, (n,)).double() / 64).to(torch.float32),
}
tokens, targets = torch.randint(0, V, (B, T)), torch.randint(0, V, (B, T))


def gain(values):
    return torch.sqrt((values**2).mean(-1, keepdim=True) + 1e-5)


def loss_of(p, kept):
    field = p["field"]
    t = torch.arange(T).double()
    turns = t[:, None] * p["frequencies"]
    phase = 2 * math.pi * (turns - torch.floor(turns))
    z = torch.nn.functional.one_hot(n + tokens, M).double()
    z = z / gain(z @ field)
    distance = (t[:, None] - t[None, :]).clamp(min=0)
    earlier = (t[:, None] > t[None, :]).double()
    keep = (1 - p["damping"])[None, None, :] ** distance[:, :, None] * earlier[:, :, None]  # (T, T, n)
    for _ in range(L):
        x = torch.relu(z @ p["x"].T)
        even, odd = x[..., 0::2], x[..., 1::2]
        c, s = torch.cos(phase), torch.sin(phase)
        rotated = torch.stack(
            [even * c[:, 0::2] - odd * s[:, 0::2], odd * c[:, 1::2] + even * s[:, 1::2]], -1
        ).reshape(B, T, n)
        y = []
        for h in range(H):
            own = slice(h * N, (h + 1) * N)
            pairs = torch.einsum("btj,bsj,tsj->btsj", rotated[..., own], rotated[..., own], keep[..., own])
            exists = mask[own] if kept else torch.ones(N, M)
            a = torch.einsum("btsj,bsi,ji->bti", pairs, z, exists)
            y.append(torch.relu(a @ p["y"][own].T) / gain(a @ field) * x[..., own])
        y = torch.cat([torch.cat(y, -1), torch.zeros(B, T, V)], -1)
        z = z + y / gain(y @ field)
        z = z / gain(z @ field)
    logits = z @ field @ p["readout"]
    return torch.nn.functional.cross_entropy(logits.reshape(-1, V), targets.reshape(-1))


out = {name: value.contiguous() for name, value in arrays.items()}
out["tokens"], out["targets"] = tokens, targets
for kept in (False, True):
    parameters = {name: value.double().requires_grad_() for name, value in arrays.items()}
    loss = loss_of(parameters, kept)
    loss.backward()
    word = "kept" if kept else "complete"
    out[word + ".loss"] = loss.detach().reshape(1)
    for name in ("x", "y", "field", "readout", "damping"):
        out[f"{word}.{name}"] = parameters[name].grad
    print(word, loss.item())
save_file(out, "direct.safetensors")
