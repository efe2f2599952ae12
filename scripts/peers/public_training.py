#!/usr/bin/env python3
"""Peer: training steps of the public code's model with AdamW, gradient clipping and dropout, float32, on the processor.

    public_training.py MODEL.safetensors TEXT --public-code DIR --block 256 --batch 8 --threads 2

The public training script compiles its model for a GPU; here the model runs as it is, which is what a processor gets without a
compiler at hand.
"""
import argparse
import os
import sys

import protocol

parser = argparse.ArgumentParser()
parser.add_argument("model")
parser.add_argument("text")
parser.add_argument("--public-code", default="")
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--block", type=int, default=256)
parser.add_argument("--batch", type=int, default=8)
parser.add_argument("--dropout", type=float, default=0.1)
parser.add_argument("--fresh", action="store_true", help="random weights of the model's sizes instead of its own")
options = parser.parse_args()
try:
    import numpy
    import torch
except ImportError as error:
    protocol.skip(f"PyTorch is not installed ({error})")
if not os.path.exists(os.path.join(options.public_code, "bdh.py")):
    protocol.skip("no public code: PUBLIC_CODE names a folder with bdh.py of github.com/pathwaycom/bdh")
sys.path.append(options.public_code)
import bdh  # noqa: E402
import tensors  # noqa: E402

torch.set_num_threads(options.threads)
torch.manual_seed(1)
weights, metadata = tensors.load(options.model)
damped = "attn.damping" in weights and bool((weights.pop("attn.damping") != 0).any())
heads, d, per_head = weights["encoder"].shape
config = bdh.BDHConfig(
    n_layer=int(metadata["n_layer"]), n_embd=d, dropout=options.dropout, n_head=heads,
    mlp_internal_dim_multiplier=heads * per_head // d, vocab_size=weights["embed.weight"].shape[0])
model = bdh.BDH(config)
if not options.fresh:
    model.load_state_dict({key: torch.from_numpy(value.copy()) for key, value in weights.items()})
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3 if options.fresh else 1e-6, weight_decay=0.1)
text = torch.from_numpy(numpy.fromfile(options.text, dtype=numpy.uint8).astype(numpy.int64))


def update():
    starts = torch.randint(len(text) - options.block - 1, (options.batch,)).tolist()
    inputs = torch.stack([text[start:start + options.block] for start in starts])
    targets = torch.stack([text[start + 1:start + 1 + options.block] for start in starts])
    _, loss = model(inputs, targets)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()


def train(request):
    model.train()
    return {"seconds": protocol.seconds(lambda: [update() for _ in range(request["updates"])])}


def check(request):
    if damped or options.fresh:
        return {"loss": float("nan")}
    model.eval()
    with torch.inference_mode():
        tokens = torch.tensor([request["tokens"]])
        return {"loss": model(tokens[:, :-1], tokens[:, 1:].contiguous())[1].item()}


protocol.serve(
    f"public code on PyTorch {torch.__version__}, {options.threads} threads, block {options.block}, batch {options.batch}",
    {"check": check, "train": train},
)
