#!/usr/bin/env python3
"""Peer: the public BDH code's own forward and generate, from a folder that the user names (`bdh.py` inside), on the processor.

    public_code.py MODEL.safetensors --public-code DIR --threads 2
"""
import argparse
import os
import sys

import protocol

parser = argparse.ArgumentParser()
parser.add_argument("model")
parser.add_argument("--public-code", default="")
parser.add_argument("--threads", type=int, default=2)
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
weights, metadata = tensors.load(options.model)
if "attn.damping" in weights and (weights["attn.damping"] != 0).any():
    protocol.skip("the public code has no damping, so it computes something else than this model")
weights.pop("attn.damping", None)
heads, d, per_head = weights["encoder"].shape
config = bdh.BDHConfig(
    n_layer=int(metadata["n_layer"]), n_embd=d, dropout=0.0, n_head=heads,
    mlp_internal_dim_multiplier=heads * per_head // d, vocab_size=weights["embed.weight"].shape[0])
model = bdh.BDH(config)
model.load_state_dict({key: torch.from_numpy(value.copy()) for key, value in weights.items()})
model.eval()


def forward(tokens):
    with torch.inference_mode():
        return model(torch.tensor([tokens]))[0][0]


def check(request):
    return {"difference": protocol.largest_difference(numpy.load(request["logits"]), forward(request["tokens"]).numpy())}


def generate(request):
    with torch.inference_mode():
        context = torch.tensor([request["tokens"]])
        return {"seconds": protocol.seconds(lambda: model.generate(context, request["count"]))}


protocol.serve(
    f"public code on PyTorch {torch.__version__}, {options.threads} threads",
    {
        "check": check,
        "prefill": lambda request: {"seconds": protocol.seconds(lambda: forward(request["tokens"]))},
        "generate": generate,
    },
)
