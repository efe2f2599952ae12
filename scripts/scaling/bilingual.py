#!/usr/bin/env python3
"""The Transformer beside the bilingual network: of the same size, on as many bytes of the same text, scored on the same sittings.

    bilingual.py FOLDER [--rate 0.003] [--steps 4600] [--threads 1]

FOLDER is that of `scripts/bilingual`. Trains `gpt.GPT` of 819 200 parameters, or nearly, on random blocks of FOLDER/train.txt (512 bytes, 4 at a time), and scores the
first `--bytes` of FOLDER/test.txt in blocks of 512 (`--block`), each from an empty context. `hatchling step` scores the network in the same blocks:

    split -b 512 -d -a 4 <(head -c 400000 FOLDER/test.txt) FOLDER/block-
    hatchling step FOLDER/block-* --quiet --model FOLDER/europarl.safetensors

Needs PyTorch.
"""
import argparse
import json
import pathlib

import torch

import gpt

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("folder", type=pathlib.Path)
parser.add_argument("--parameters", type=int, default=819_200)
parser.add_argument("--layers", type=int, default=4)
parser.add_argument("--heads", type=int, default=4)
parser.add_argument("--rate", type=float, default=0.003)
parser.add_argument("--steps", type=int, default=4600)
parser.add_argument("--block", type=int, default=512)
parser.add_argument("--batch", type=int, default=4)
parser.add_argument("--seed", type=int, default=7)
parser.add_argument("--bytes", type=int, default=400_000)
parser.add_argument("--threads", type=int, default=1)
options = parser.parse_args()

torch.set_num_threads(options.threads)
torch.manual_seed(options.seed)


def tokens(name, most=None):
    return torch.frombuffer(bytearray((options.folder / name).read_bytes()[:most]), dtype=torch.uint8)


model = gpt.GPT(gpt.width_for(options.parameters, options.layers, options.heads), options.layers, options.heads)
seconds = gpt.train(
    model, tokens("train.txt"), block=options.block, batch=options.batch, steps=options.steps, peak=options.rate,
    seed=options.seed,
)
test = tokens("test.txt", options.bytes)
# Blocks do not overlap; the first byte of each is given, as `step` has it.
test = test[: len(test) // options.block * options.block].view(-1, options.block)
model.eval()
print(json.dumps({
    "parameters": model.parameters_count, "rate": options.rate, "tokens": options.steps * options.block * options.batch,
    "seconds": round(seconds), "loss": gpt.evaluate(model, test), "blocks": len(test), "block": options.block,
}))
