"""Small state dicts as PyTorch writes them; every number follows from its place, see `LayoutTests.swift`."""

import pathlib
import torch

here = pathlib.Path(__file__).parent
H, d, N, V = 2, 4, 6, 5


def numbers(first, *shape):
    count = torch.Size(shape).numel()
    return (torch.arange(first, first + count, dtype=torch.float32) / 64).reshape(shape)


weights = {
    "encoder": numbers(0, H, d, N),
    "encoder_v": numbers(50, H, d, N),
    "decoder": numbers(100, H * N, d),
    "embed.weight": numbers(150, V, d),
    "lm_head": numbers(170, d, V),
    # Frequencies that no formula gives, as a merged model has them.
    "attn.freqs": torch.tensor([0.5, 0.25, 0.5, 0.25, 0.125, 0.375]).reshape(1, 1, 1, N),
}
torch.save(weights, here / "plain.pt")
torch.save({"model": {"_orig_mod." + k: v for k, v in weights.items()}, "step": 7, "lr": 1e-3}, here / "wrapped.pt")
torch.save({"state_dict": {k: v.to(torch.bfloat16) for k, v in weights.items()}}, here / "bfloat16.pt")
torch.save({k: v.to(torch.float16) for k, v in weights.items()}, here / "float16.pt")
strided = weights["encoder"].permute(2, 1, 0).contiguous().permute(2, 1, 0)
torch.save(dict(weights, encoder=strided), here / "strided.pt")
