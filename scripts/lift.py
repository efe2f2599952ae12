#!/usr/bin/env python3
"""Makes a larger network out of a small trained one, for measuring speed with activity that looks trained.

    scripts/lift.py SMALL.safetensors LARGE.safetensors --copies 16 --d 256 --jitter 0.01

Without jitter the new network computes the old one's logits, up to rounding:

- the field becomes v' = Q v · sqrt(d'/d), where the columns of Q (d', d) are orthonormal and Q maps the constant vector to a
  constant vector, so that LayerNorm commutes with it; every tensor with a d dimension is carried along;
- each neuron becomes `copies` neurons inside its head, with its clock; D_x and E are divided by sqrt(copies), so that the sums
  over neurons (attention and E y) come out the same.

The public code has no damping: `--without-damping` makes a network that it can run too (another network than the source, then).

`--jitter R` multiplies every copied weight by 1 + R · noise: then no two neurons are copies and the logits are only close.
Needs numpy and safetensors.
"""
import argparse

import numpy
from peers.tensors import load
from safetensors.numpy import save_file


def orthonormal_with_constant_first(rows, columns, seed):
    """(rows, columns) with orthonormal columns; the first one is constant."""
    matrix = numpy.random.default_rng(seed).standard_normal((rows, columns))
    matrix[:, 0] = 1
    q, r = numpy.linalg.qr(matrix)
    return q * numpy.where(numpy.diag(r) < 0, -1.0, 1.0)


def lift(weights, copies, wide, jitter, seed):
    """The lifted tensors, in float64."""
    heads, d, per_head = weights["encoder"].shape
    if wide < d or copies < 1:
        raise SystemExit(f"lift.py: d {wide} and copies {copies} must be at least {d} and 1")
    stretch = numpy.sqrt(wide / d)
    # Q = B_wide B_smallᵀ: both bases start with their constant vector, so constants go to constants.
    if wide == d:
        q = numpy.eye(d)
    else:
        q = orthonormal_with_constant_first(wide, d, seed) @ orthonormal_with_constant_first(d, d, seed + 1).T
    up, down = stretch * q, q / stretch  # field to field', and back: down.T @ up = identity
    copied = {
        "encoder": numpy.tile(down @ weights["encoder"], (1, 1, copies)) / numpy.sqrt(copies),
        "encoder_v": numpy.tile(down @ weights["encoder_v"], (1, 1, copies)),
        "decoder": numpy.tile(
            (weights["decoder"] @ up.T).reshape(heads, per_head, wide), (1, copies, 1)
        ) / numpy.sqrt(copies),
    }
    noise = numpy.random.default_rng(seed + 2)
    if jitter:
        for name in copied:
            copied[name] *= 1 + jitter * noise.standard_normal(copied[name].shape)
    copied["decoder"] = copied["decoder"].reshape(heads * copies * per_head, wide)
    if "attn.freqs" in weights:
        frequencies = weights["attn.freqs"].reshape(-1)
    else:
        even = numpy.arange(per_head) // 2 * 2
        frequencies = 1 / (65536.0 ** (even / per_head) * 2 * numpy.pi)
    copied["attn.freqs"] = numpy.tile(frequencies, copies).reshape(1, 1, 1, -1)
    if "attn.damping" in weights:
        damping = weights["attn.damping"].reshape(heads, per_head)
        copied["attn.damping"] = numpy.tile(damping, (1, copies)).reshape(-1)
    copied["embed.weight"] = weights["embed.weight"] @ up.T
    copied["lm_head"] = down @ weights["lm_head"]
    return copied


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source")
    parser.add_argument("target")
    parser.add_argument("--copies", type=int, default=16, help="neurons per neuron, inside its head")
    parser.add_argument("--d", type=int, help="the new synaptic dimension; default: the source's")
    parser.add_argument("--jitter", type=float, default=0.0, help="relative noise on every copied weight")
    parser.add_argument("--without-damping", action="store_true", help="leave attn.damping out, as the public code needs it")
    parser.add_argument("--layers", type=int, help="record this number of layers instead of the source's")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    weights, metadata = load(options.source, numpy.float64)
    if options.without_damping:
        weights.pop("attn.damping", None)
    wide = options.d or weights["encoder"].shape[1]
    lifted = lift(weights, options.copies, wide, options.jitter, options.seed)
    if options.layers:
        metadata["n_layer"] = str(options.layers)
    tensors = {name: numpy.ascontiguousarray(tensor, dtype=numpy.float32) for name, tensor in lifted.items()}
    save_file(tensors, options.target, metadata)
    n, d = tensors["decoder"].shape
    print(f"{options.target}: n {n}, d {d}, {metadata.get('n_layer', 'unrecorded')} layers")


if __name__ == "__main__":
    main()
