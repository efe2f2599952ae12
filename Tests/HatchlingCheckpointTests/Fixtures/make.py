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

# Files that people have. Each holds the network of plain.pt and three layers, unless said; see `PeoplesFilesTests.swift`.
import argparse
import collections
import dataclasses
import enum
import sys
import types
import zipfile

import numpy

cases = here / "cases"
cases.mkdir(exist_ok=True)


def save(name, content, **options):
    torch.save(content, cases / (name + ".pt"), **options)


three = {"n_layer": 3}
doubled = {k: v if k == "attn.freqs" else 2 * v for k, v in weights.items()}
save("two-networks", {"model": weights, "ema": {"module." + k: v for k, v in doubled.items()}, "config": three})
save("top-and-ema", {**weights, "ema": doubled, "n_layer": 3})
save("network-and-half", {"model": weights, "half": {"encoder": weights["encoder"]}, "config": three})
save("probe", {"model": weights, "a_probe": {"n_layer": 12}, "config": three})
save("own-config", {"model": weights, "ema": doubled, "model_args": three, "n_layer": 3, "ema_probe": {"n_layer": 9}})
save("two-configs", {"model": weights, "config": three, "args": {"n_layer": 4}})
save("only-a-probe", {"model": weights, "a_probe": {"n_layer": 3}})
save("two-probes", {"model": weights, "a_probe": {"n_layer": 3}, "b_probe": {"n_layer": 4}})

bare = {k: v for k, v in weights.items() if k != "attn.freqs"}
per_layer = [weights["attn.freqs"].clone() for _ in range(3)]
save("layers-frequencies", {"model": {**bare, **{f"attns.{i}.freqs": f for i, f in enumerate(per_layer)}}, "config": three})
per_layer[2] = per_layer[2] * 1.5
save("layers-other-frequencies", {**bare, **{f"attns.{i}.freqs": f for i, f in enumerate(per_layer)}, "n_layer": 3})
save("gate", {"model": {**weights, "lm_gate": torch.zeros(4, 1)}, "config": three})

# Everything that torch.load(weights_only=True) takes.
imaginary = torch.conj(torch.complex(torch.ones(3), torch.ones(3))).imag
assert imaginary.is_neg()
counter = collections.Counter("abba")
accepted = {
    "seed": 2**63 + 12345, "negative": -(2**63) - 1, "long": 10**60, "size": torch.Size([2, 3]), "set": {1, 2},
    "float8": torch.ones(3).to(torch.float8_e4m3fn), "uint16": torch.ones(3, dtype=torch.uint16),
    "complex": torch.ones(2, dtype=torch.complex64), "number": 1 + 2j, "dtype": torch.bfloat16, "device": torch.device("cpu"),
    "bytes": b"\x00\xff", "bytearray": bytearray(b"ab"), "counter": counter, "negated": imaginary,
    "sparse": torch.eye(3).to_sparse(), "csr": torch.eye(3).to_sparse_csr(), "meta": torch.ones(3, device="meta"),
    "quantized": torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.qint8),
    "none": None, "tuple": (1, [2, {3: 4}]), "layout": torch.strided, "empty": torch.ones(0, 5),
    "huge": torch.ones(1).expand(10**5, 10**5), "ordered": collections.OrderedDict(a=1),
}
for protocol in (2, 4, 5):
    save(f"accepted-{protocol}", {"model": weights, "config": three, **accepted}, pickle_protocol=protocol)
torch.load(cases / "accepted-2.pt", weights_only=True)
save("pair", (weights, {"n_layer": 3}))


class Embedding(torch.nn.Module):
    pass


class BDH(torch.nn.Module):
    def __init__(self, config):
        super().__init__()
        self.config, self.owner = config, [self]
        self.embed, self.attn = Embedding(), Embedding()
        for key in ("encoder", "encoder_v", "decoder", "lm_head"):
            setattr(self, key, torch.nn.Parameter(weights[key]))
        self.embed.weight = torch.nn.Parameter(weights["embed.weight"])
        self.attn.register_buffer("freqs", weights["attn.freqs"])


@dataclasses.dataclass
class BDHConfig:
    n_layer: int = 3
    n_head: int = 2


class Slots:
    __slots__ = ("n_layer", "name")

    def __init__(self):
        self.n_layer, self.name = 3, "slots"


class Kind(enum.Enum):
    small = 1


class Attributes(dict):
    pass


# As if they came from a module of their own, which is not there when the file is read.
module = types.ModuleType("people")
for cls in (Embedding, BDH, BDHConfig, Slots, Kind, Attributes):
    cls.__module__ = "people"
    setattr(module, cls.__name__, cls)
sys.modules["people"] = module
network = BDH(BDHConfig())
save("keep-vars", {"model": network.state_dict(keep_vars=True), "config": three})
save("whole-module", network)
save("whole-module-inside", {"net": network, "epoch": 4})
itself = types.SimpleNamespace(n_layer=3)
itself.itself = itself
for name, thing in {
    "dataclass": BDHConfig(), "namespace": argparse.Namespace(n_layer=3), "slots": Slots(), "itself": itself,
    "mapping": Attributes(n_layer=3), "default": collections.defaultdict(int, n_layer=3),
}.items():
    save("config-" + name, {"model": weights, "config": thing})
save("objects", {
    "model": Attributes(weights), "config": three, "loss": numpy.float64(1.5), "array": numpy.arange(3), "kind": Kind.small,
    "path": pathlib.PurePosixPath("a/b"), "function": numpy.mean, "range": range(3), "deque": collections.deque([1, 2]),
    "generator": numpy.random.default_rng(1).bit_generator.state, "lr": numpy.float32(1e-3),
})

# Strides of 0.
save("expanded", {**weights, "decoder": weights["decoder"][:1].expand(H * N, d), "n_layer": 3})
save("expanded-far", {**weights, "decoder": weights["decoder"][:1, :1].expand(10**6, 10**6), "n_layer": 3})

# The right names, other values.
save("sparse-encoder", {**weights, "encoder": weights["encoder"].to_sparse(), "n_layer": 3})
save("float8-encoder", {**weights, "encoder": weights["encoder"].to(torch.float8_e5m2), "n_layer": 3})
save("array-encoder", {**weights, "encoder": weights["encoder"].numpy(), "n_layer": 3})
save("float8-frequencies", {**weights, "attn.freqs": weights["attn.freqs"].to(torch.float8_e5m2), "n_layer": 3})

# Frequencies that went through 16 bits.
def formula(count):
    index = torch.arange(count, dtype=torch.float32)
    return 1 / (65536 ** ((index / 2).floor() * 2 / count)) / (2 * torch.pi)


wide = {**weights, "encoder": numbers(0, H, d, 64), "encoder_v": numbers(50, H, d, 64), "decoder": numbers(100, H * 64, d)}
for name, frequencies in {"formula": formula(64), "merged": torch.cat([formula(24), formula(40)]), "other": formula(64) * 1.1}.items():
    exact = {**wide, "attn.freqs": frequencies.reshape(1, 1, 1, 64)}
    save(f"{name}-float32", exact)
    for kind in (torch.bfloat16, torch.float16):
        short = str(kind).removeprefix("torch.")
        save(f"{name}-{short}", {k: v.to(kind) for k, v in exact.items()})
        save(f"{name}-{short}-widened", {k: v.to(kind).float() for k, v in exact.items()})

# Other containers.
save("legacy", {**weights, "n_layer": 3}, _use_new_zipfile_serialization=False)
torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), str(cases / "script.pt"))


def pack(name, method, extra):
    with zipfile.ZipFile(cases / "probe.pt") as old, zipfile.ZipFile(cases / (name + ".pt"), "w", method) as new:
        for entry in extra:
            new.writestr(entry, b"\0\5\x16\7" if entry[-1] != "/" else b"")
        for entry in old.namelist():
            new.writestr(entry, old.read(entry))


pack("mac", zipfile.ZIP_STORED, ["__MACOSX/probe/._data.pkl", "probe/", "probe/._data.pkl", ".DS_Store"])
pack("compressed", zipfile.ZIP_DEFLATED, [])
pack("two-archives", zipfile.ZIP_STORED, ["other/data.pkl"])
numpy.savez(cases / "arrays.npz", encoder=weights["encoder"].numpy())
numpy.save(cases / "fortran.npy", numpy.asfortranarray(numpy.arange(12, dtype="<i4").reshape(3, 4)))
