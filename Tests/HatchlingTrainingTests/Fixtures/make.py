"""What the public PyTorch code of BDH computes for small networks: gradients in float64, and a loss curve.

    python3 make.py --public-code DIR --text FILE

DIR holds the public repository's `bdh.py` (github.com/pathwaycom/bdh, commit 714bc80 or one with the same file),
FILE is tiny-shakespeare. Writes, beside this script,

gradients-model.safetensors   a random network as a state dict, float32
gradients.safetensors         tokens and targets (B, T), loss, and `gradient.KEY` of every parameter, float64
curve-model.safetensors       the network before the first step, as a state dict
curve.safetensors             the text that was used, where the streams of every batch start (steps, B), and per step the learning
                              rate, the loss before the update and the gradient's global norm before clipping
curve-final.safetensors       the network after the last step

Phases. To compare gradients to 1e-10 the network must run with our exact phases, see `public_network.py`. The loss curve is the
public code as it is, in float32: over 128 tokens its phases move a logit by some 1e-5.

Update of the loss curve. loss = mean cross-entropy over B·T next bytes; gradients clipped to a global norm of 1.0;
torch.optim.AdamW over all parameters, learning rate 1e-3 in every step, β = (0.9, 0.999), ε = 1e-8, decoupled weight decay
0.1, which multiplies by 1 − rate · decay before the Adam step. Dropout 0.
"""

import math
import pathlib
import sys

import numpy
import torch

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
from public_network import arguments, bdh, exact, network, save, save_model  # noqa: E402


def gradients():
    torch.manual_seed(20_2509)
    heads, d, neurons, layers, vocabulary, batch, length = 2, 16, 64, 3, 32, 2, 24
    model = network(neurons, d, heads, layers, vocabulary)
    # Larger than the public initialisation, so that every part of the network speaks; float32 numbers, so that nothing is rounded
    # when they are read.
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.normal_(std=1.0 if name == "embed.weight" else 0.3)
    save_model(model, "gradients-model.safetensors")
    exact(model)
    tokens = torch.randint(vocabulary, (batch, length))
    targets = torch.randint(vocabulary, (batch, length))
    nearest = []
    relu = bdh.F.relu

    def watched(z):
        # Rows of exact zeros come from LN(0) at t = 0: there both sides of the kink are 0 and so is every gradient.
        nearest.append(z[z != 0].abs().min().item())
        return relu(z)

    bdh.F.relu = watched
    _, loss = model(tokens, targets)
    bdh.F.relu = relu
    assert min(nearest) > 1e-6, "a ReLU is at its kink; take another seed"
    loss.backward()
    tensors = {"tokens": tokens, "targets": targets, "loss": loss.detach().view(1)}
    for name, parameter in model.named_parameters():
        assert parameter.grad.abs().max() > 1e-4
        tensors["gradient." + name] = parameter.grad.contiguous()
    save(tensors, "gradients.safetensors")
    print("loss", loss.item(), {k: v.abs().max().item() for k, v in tensors.items() if "grad" in k})


def curve():
    torch.manual_seed(20_2510)
    steps, batch, length, kept = 50, 8, 128, 32_768
    text = torch.tensor(numpy.frombuffer(arguments.text.read_bytes()[:kept], dtype=numpy.uint8).copy())
    model = network(256, 32, 2, 3, 256)
    save_model(model, "curve-model.safetensors")
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.1, foreach=False
    )
    starts = torch.randint(kept - length, (steps, batch))
    losses, norms = [], []
    for step in range(steps):
        window = torch.stack([text[s : s + length + 1] for s in starts[step].tolist()]).long()
        _, loss = model(window[:, :-1].contiguous(), window[:, 1:].contiguous())
        optimizer.zero_grad()
        loss.backward()
        norms.append(torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0, foreach=False).item())
        losses.append(loss.item())
        optimizer.step()
    assert all(map(math.isfinite, losses + norms)) and losses[-1] < losses[0] - 1
    save_model(model, "curve-final.safetensors")
    save(
        {
            "text": text, "starts": starts,
            "learning_rate": torch.full((steps,), 1e-3, dtype=torch.float64),
            "loss": torch.tensor(losses, dtype=torch.float64),
            "gradient_norm": torch.tensor(norms, dtype=torch.float64),
        },
        "curve.safetensors", batch=str(batch), block=str(length),
        text="tiny-shakespeare, its first 32768 bytes (public domain)",
    )
    print("curve", losses[0], losses[1], losses[-1], "norms", norms[0], norms[-1])


gradients()
curve()
