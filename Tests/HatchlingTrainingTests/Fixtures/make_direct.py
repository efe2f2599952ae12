"""Gradients of a small direct graph (Eq. 6 with its gains) by PyTorch's autograd in float64, as dense masked tensors.

    pip install torch safetensors numpy; python make_direct.py

Writes direct.safetensors: the graph, tokens, and for both plasticities (complete; kept, on the synapses of G_x) loss and gradients, with
gains and readout through hubs, and without hubs (local.…: a pool's own squares, and R from every node). carried.…: the same block behind
another one, whose traces and activity count as constants.
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


def pool(values, log_gain, count):
    """A normaliser that hears its pool of `count` particles: sqrt(k^2 |w|^2 / N + eps)."""
    return torch.sqrt(torch.exp(2 * log_gain) * (values**2).sum(-1, keepdim=True) / count + 1e-5)


def loss_of(p, kept, local=False, before=None, text=None):
    """The loss, and X~ and z of every layer. `before`: those of the block before, of other tokens."""
    if local:
        kappa = p["log_gains"]
        first, after = (lambda w: pool(w, kappa[0], M)), (lambda w: pool(w, kappa[H + 2], M))
        encoding = lambda w: pool(w, kappa[H + 1], M)
        # Of what drives a head those neurons count that listen, X > 0.
        attention = lambda h, drive, a, x: pool(drive * (x > 0), kappa[1 + h], N)
    else:
        field = p["field"]
        first = after = encoding = lambda w: gain(w @ field)
        attention = lambda h, drive, a, x: gain(a @ field)
    t = torch.arange(T).double() + (0 if before is None else T)
    text, met = tokens if text is None else text, []
    turns = t[:, None] * p["frequencies"]
    phase = 2 * math.pi * (turns - torch.floor(turns))
    z = torch.nn.functional.one_hot(n + text, M).double()
    z = z / first(z)
    distance = (t[:, None] - t[None, :]).clamp(min=0)
    earlier = (t[:, None] > t[None, :]).double()
    keep = (1 - p["damping"])[None, None, :] ** distance[:, :, None] * earlier[:, :, None]  # (T, T, n)
    since, until = torch.arange(T).double(), T - torch.arange(T).double()
    since = (1 - p["damping"])[None, :] ** since[:, None]
    until = (1 - p["damping"].detach())[None, :] ** until[:, None]
    for layer in range(L):
        x = torch.relu(z @ p["x"].T)
        even, odd = x[..., 0::2], x[..., 1::2]
        c, s = torch.cos(phase), torch.sin(phase)
        rotated = torch.stack(
            [even * c[:, 0::2] - odd * s[:, 0::2], odd * c[:, 1::2] + even * s[:, 1::2]], -1
        ).reshape(B, T, n)
        met.append((rotated.detach(), z.detach()))
        y = []
        for h in range(H):
            own = slice(h * N, (h + 1) * N)
            pairs = torch.einsum("btj,bsj,tsj->btsj", rotated[..., own], rotated[..., own], keep[..., own])
            exists = mask[own] if kept else torch.ones(N, M)
            a = torch.einsum("btsj,bsi,ji->bti", pairs, z, exists)
            if before is not None:
                old, trace = before[layer]
                pairs = torch.einsum("btj,bsj->btsj", rotated[..., own] * since[:, own], old[..., own] * until[:, own])
                a = a + torch.einsum("btsj,bsi,ji->bti", pairs, trace, exists)
            drive = a @ p["y"][own].T
            y.append(torch.relu(drive) / attention(h, drive, a, x[..., own]) * x[..., own])
        y = torch.cat([torch.cat(y, -1), torch.zeros(B, T, V)], -1)
        z = z + y / encoding(y)
        z = z / after(z)
    logits = z @ p["node_readout"] if local else z @ field @ p["readout"]
    return torch.nn.functional.cross_entropy(logits.reshape(-1, V), targets.reshape(-1)), met


arrays["log_gains"], arrays["node_readout"] = draw(H + 3, scale=0.4), draw(M, V, scale=0.4)
out = {name: value.contiguous() for name, value in arrays.items()}
out["tokens"], out["targets"] = tokens, targets
out["earlier"] = earlier_tokens = torch.randint(0, V, (B, T))
for local, kept, carried in (
    (False, False, False), (False, True, False), (True, False, False), (True, True, False),
    (False, True, True), (True, True, True),
):
    parameters = {name: value.double().requires_grad_() for name, value in arrays.items()}
    before = loss_of(parameters, kept, local, text=earlier_tokens)[1] if carried else None
    loss = loss_of(parameters, kept, local, before)[0]
    loss.backward()
    word = ("carried." if carried else "") + ("local." if local else "") + ("kept" if kept else "complete")
    out[word + ".loss"] = loss.detach().reshape(1)
    own = ("log_gains", "node_readout") if local else ("field", "readout")
    for name in ("x", "y", "damping") + own:
        out[f"{word}.{name}"] = parameters[name].grad
    print(word, loss.item())
save_file(out, "direct.safetensors")
