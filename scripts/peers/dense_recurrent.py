#!/usr/bin/env python3
"""Peer: one token at a time as a dense recurrence in PyTorch, on the processor, float32, no Python in the inner products.

    dense_recurrent.py MODEL.safetensors --threads 2

The strongest form we know without custom kernels: inference mode, weights contiguous in the orientation that the product runs fastest
in, the state updated in place, phases of all positions computed beforehand. Because which product is fastest differs between
PyTorch builds, several formulations are timed on the first tokens and the fastest is kept.
"""
import argparse
import itertools

import protocol

parser = argparse.ArgumentParser()
parser.add_argument("model")
parser.add_argument("--threads", type=int, default=2)
options = parser.parse_args()
try:
    import numpy
    import torch
except ImportError as error:
    protocol.skip(f"PyTorch is not installed ({error})")
import tensors

torch.set_num_threads(options.threads)
torch.set_num_interop_threads(1)


class Recurrence:
    """The released rule, one stream. `layout` says how each product is done."""

    @torch.inference_mode()
    def __init__(self, path, positions, layout):
        weights, metadata = tensors.load(path)
        weights = {key: torch.from_numpy(value) for key, value in weights.items()}
        if metadata.get("variant", "released") != "released":
            raise ValueError("only the released rule has a peer")
        self.layers = int(metadata["n_layer"])
        self.heads, self.d, self.per_head = weights["encoder"].shape
        self.n = self.heads * self.per_head
        self.drive, self.read, self.write = layout
        # encoder as it lies in the file, (H, d, N), and as (n, d) rows.
        self.dx = weights["encoder"].contiguous()
        self.dy = weights["encoder_v"].contiguous()
        if self.drive == "rows":
            self.dx = self.dx.transpose(1, 2).reshape(self.n, self.d).contiguous()
            self.dy = self.dy.transpose(1, 2).contiguous()
        elif self.drive == "columns":
            self.dx = self.dx.permute(1, 0, 2).reshape(self.d, self.n).contiguous()
        self.encoder = weights["decoder"].contiguous()
        self.embedding, self.readout = weights["embed.weight"].contiguous(), weights["lm_head"].contiguous()
        damping = weights.get("attn.damping")
        self.keep = None if damping is None else (1 - damping).reshape(self.heads, self.per_head, 1)
        turns = weights["attn.freqs"].double().reshape(1, -1) * torch.arange(positions).double().reshape(-1, 1)
        angle = turns.frac() * (2 * numpy.pi)
        self.cosine, self.sine = angle.cos().float(), angle.sin().float()
        self.sine[:, ::2] *= -1  # (u, w) -> (u cos - w sin, w cos + u sin)
        self.state = torch.zeros(self.layers, self.heads, self.per_head, self.d)
        self.reset()

    @torch.inference_mode()
    def reset(self):
        self.position = 0
        self.state.zero_()

    def norm(self, v):
        return torch.nn.functional.layer_norm(v, (self.d,))

    def rotate(self, x):
        """(H, N) -> (H, N): neuron pairs turned by their phases."""
        swapped = x.view(self.heads, -1, 2).flip(-1).view(self.heads, -1)
        return torch.addcmul(x * self.cosine[self.position], swapped, self.sine[self.position])

    @torch.inference_mode()
    def step(self, token):
        v = self.norm(self.embedding[token])
        for layer in range(self.layers):
            state = self.state[layer]
            if self.drive == "rows":
                x = torch.relu_(torch.mv(self.dx, v)).view(self.heads, self.per_head)
            elif self.drive == "columns":
                x = torch.relu_(torch.mm(v.view(1, -1), self.dx)).view(self.heads, self.per_head)
            else:
                x = torch.relu_(torch.matmul(v.view(1, -1), self.dx)).view(self.heads, self.per_head)
            turned = self.rotate(x)
            if self.read == "batched":
                a = torch.bmm(turned.view(self.heads, 1, -1), state)
            else:
                a = torch.stack([torch.mv(state[head].t(), turned[head]) for head in range(self.heads)]).unsqueeze(1)
            if self.write == "rank one":
                state.view(self.n, self.d).addr_(turned.view(-1), v)
            else:
                state.addcmul_(turned.unsqueeze(-1), v.view(1, 1, -1))
            if self.keep is not None:
                state.mul_(self.keep)
            heard = self.norm(a)
            if self.drive == "rows":
                y = torch.bmm(self.dy, heard.transpose(1, 2)).squeeze(-1)
            else:
                y = torch.bmm(heard, self.dy).squeeze(1)
            y = torch.relu_(y).mul_(x)
            v = self.norm(v + self.norm(torch.mm(y.view(1, -1), self.encoder).view(-1)))
        self.position += 1
        return v @ self.readout


def fastest(path, positions):
    best = None
    for layout in itertools.product(("rows", "columns", "file"), ("batched", "by head"), ("rank one", "broadcast")):
        recurrence = Recurrence(path, positions, layout)
        for token in (10, 32):
            recurrence.step(token)
        took = min(protocol.seconds(lambda: [recurrence.step(token) for token in (65, 66, 67)]) for _ in range(2))
        if best is None or took < best[0]:
            best = (took, layout)
        del recurrence
    return Recurrence(path, positions, best[1]), best[1]


recurrence, layout = fastest(options.model, 4096)


def run(tokens):
    recurrence.reset()
    return protocol.seconds(lambda: [recurrence.step(token) for token in tokens])


def check(request):
    recurrence.reset()
    logits = numpy.stack([recurrence.step(token).numpy() for token in request["tokens"]])
    return {"difference": protocol.largest_difference(numpy.load(request["logits"]), logits)}


protocol.serve(
    f"PyTorch {torch.__version__}, {options.threads} threads, dense recurrence (drive {layout[0]}, read {layout[1]}, "
    f"write {layout[2]})",
    {"check": check, "step": lambda request: {"seconds": run(request["tokens"])}},
)
