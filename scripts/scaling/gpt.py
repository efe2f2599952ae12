"""A small GPT-2-like Transformer over bytes: the peer of `scaling.py`. Pre-LayerNorm blocks, GELU.

Positions are rotary, as BDH's are. GPT-2's learned ones were tried first: in runs as short as these the network does not learn to
tell positions apart and stays near the loss of byte pairs, 2.42 nats.
"""

import math
import time

import torch
from torch import nn
from torch.nn import functional


def rotated(x):
    """RoPE over the last dimension of (batch, heads, length, width), base 10 000."""
    length, width = x.shape[-2:]
    rates = 10_000.0 ** (-torch.arange(0, width, 2) / width)
    phases = torch.arange(length)[:, None] * rates
    cosines, sines = phases.cos(), phases.sin()
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack((even * cosines - odd * sines, odd * cosines + even * sines), -1).flatten(-2)


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.before_attention = nn.LayerNorm(width)
        self.attention = nn.Linear(width, 3 * width)
        self.project = nn.Linear(width, width)
        self.before_expansion = nn.LayerNorm(width)
        self.expand = nn.Linear(width, 4 * width)
        self.contract = nn.Linear(4 * width, width)

    def forward(self, x):
        batch, length, width = x.shape
        parts = self.attention(self.before_attention(x)).view(batch, length, 3, self.heads, width // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        query, key = rotated(query), rotated(key)
        read = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        x = x + self.project(read.transpose(1, 2).reshape(batch, length, width))
        return x + self.contract(functional.gelu(self.expand(self.before_expansion(x))))


class GPT(nn.Module):
    def __init__(self, width, layers, heads, vocabulary=256):
        super().__init__()
        self.token = nn.Embedding(vocabulary, width)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(layers))
        self.last = nn.LayerNorm(width)
        self.readout = nn.Linear(width, vocabulary, bias=False)
        for name, parameter in self.named_parameters():
            if parameter.dim() > 1:
                # As GPT-2 begins: what adds to the residual stream is smaller, the deeper the network.
                residual = "project" in name or "contract" in name
                nn.init.normal_(parameter, std=0.02 / (math.sqrt(2 * layers) if residual else 1))
            elif name.endswith("bias"):
                nn.init.zeros_(parameter)

    def forward(self, tokens):
        x = self.token(tokens)
        for block in self.blocks:
            x = block(x)
        return self.readout(self.last(x))

    @property
    def parameters_count(self):
        return sum(p.numel() for p in self.parameters())


def width_for(parameters, layers, heads):
    """The multiple of 2 · heads that comes nearest to the wanted number of parameters."""
    widths = range(2 * heads, 1024, 2 * heads)
    return min(widths, key=lambda w: abs(count(w, layers) - parameters))


def count(width, layers, vocabulary=256):
    per_block = 12 * width * width + 13 * width
    return layers * per_block + 2 * vocabulary * width + 2 * width


def rate(step, steps, peak):
    """Warm-up of min(1000, 5 %) steps, then linearly down to a tenth: what `hatchling train` does. Steps count from 1."""
    warmup = min(1000, steps // 20)
    if step <= warmup:
        return peak * step / warmup
    return peak + (peak / 10 - peak) * min(1, (step - warmup) / max(1, steps - warmup))


def train(model, text, *, block, batch, steps, peak, seed, decay=0.1, clip=1.0):
    """Random blocks of `text` (uint8). Returns seconds."""
    matrices = [p for p in model.parameters() if p.dim() > 1]
    others = [p for p in model.parameters() if p.dim() <= 1]
    optimizer = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": decay}, {"params": others, "weight_decay": 0.0}],
        lr=peak, betas=(0.9, 0.999), eps=1e-8,
    )
    random = torch.Generator().manual_seed(seed)
    begin = time.perf_counter()
    for step in range(1, steps + 1):
        starts = torch.randint(len(text) - block, (batch,), generator=random).tolist()
        window = torch.stack([text[s : s + block + 1] for s in starts]).long()
        for group in optimizer.param_groups:
            group["lr"] = rate(step, steps, peak)
        logits = model(window[:, :-1])
        loss = functional.cross_entropy(logits.reshape(-1, logits.shape[-1]), window[:, 1:].reshape(-1))
        if not math.isfinite(loss.item()):
            return time.perf_counter() - begin
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), clip)
        optimizer.step()
    return time.perf_counter() - begin


@torch.no_grad()
def evaluate(model, blocks):
    """Mean loss in nats over blocks (count, block + 1), every block from an empty context."""
    losses = []
    for part in blocks.split(16):
        logits = model(part[:, :-1].long())
        losses.append(
            functional.cross_entropy(
                logits.reshape(-1, logits.shape[-1]), part[:, 1:].reshape(-1).long(), reduction="none"
            )
        )
    return torch.cat(losses).double().mean().item()
