"""The public PyTorch code of BDH, for the scripts that make fixtures with it.

`--public-code` names the folder with the public repository's `bdh.py` (github.com/pathwaycom/bdh, commit 714bc80 or one with the same
file), `--text` tiny-shakespeare.

Phases. The public code forms t·f in float32. Ours are exact: the float32 frequency is widened and t·f formed in float64.
`ExactAttention` replaces the method that forms them; everything else is the public code.
"""

import argparse
import hashlib
import pathlib
import sys

import torch
from safetensors.torch import save_file

here = pathlib.Path(sys.argv[0]).resolve().parent
parser = argparse.ArgumentParser()
parser.add_argument("--public-code", required=True, type=pathlib.Path)
parser.add_argument("--text", required=True, type=pathlib.Path)
parser.add_argument("--trained", type=pathlib.Path)
arguments = parser.parse_args()
sys.path.insert(0, str(arguments.public_code))
import bdh  # noqa: E402

torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)
origin = {
    "public_code_sha256": hashlib.sha256((arguments.public_code / "bdh.py").read_bytes()).hexdigest(),
    "torch": torch.__version__,
    "made_by": "make.py",
}


def network(neurons, d, heads, layers, vocabulary):
    assert neurons % d == 0
    return bdh.BDH(
        bdh.BDHConfig(
            n_layer=layers, n_embd=d, dropout=0.0, n_head=heads,
            mlp_internal_dim_multiplier=neurons // d, vocab_size=vocabulary,
        )
    )


class ExactAttention(bdh.Attention):
    """The public attention with exact phases."""

    def forward(self, Q, K, V):
        assert K is Q and self.freqs.dtype == torch.float32 and Q.dtype == torch.float64
        time = torch.arange(Q.size(2), dtype=torch.float64).view(1, 1, -1, 1)
        rotated = self.rope(time * self.freqs.double(), Q)
        return (rotated @ rotated.mT).tril(diagonal=-1) @ V


def exact(model):
    """`model` in float64 with exact phases; frequencies stay the float32 numbers that they are."""
    frequencies = model.attn.freqs.clone()
    model = model.double()
    model.attn.__class__ = ExactAttention
    model.attn.freqs = torch.nn.Buffer(frequencies)
    return model


def save(tensors, name, **metadata):
    """Writes beside the script that runs."""
    save_file(tensors, here / name, dict(origin, **metadata))
    (here / name).chmod(0o644)


def save_model(model, name):
    tensors = {key: value.detach().float().contiguous() for key, value in model.state_dict().items()}
    save(tensors, name, n_layer=str(model.config.n_layer), variant="released")
