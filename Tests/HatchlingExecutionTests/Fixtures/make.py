"""What the public PyTorch code of BDH computes for two small networks: logits, and x, a, y, v of every layer.

    hatchling train shakespeare.txt --out trained.safetensors --n 256 --d 32 --heads 4 --layers 3 --block 256 --batch 8 \\
        --steps 600 --dropout 0 --damping none --no-carry --sample 0 --seed 1
    python3 make.py --public-code DIR --text shakespeare.txt --trained trained.safetensors

DIR holds the public repository's `bdh.py` (github.com/pathwaycom/bdh, commit 714bc80 or one with the same file); the text is
tiny-shakespeare. Writes, beside this script,

trained-model.safetensors   the network that `hatchling train` made, as a state dict of the public code
trained.safetensors         the public code as it is, in float32, over 256 tokens of held-out text
drawn-model.safetensors     a random network, as a state dict, float32
drawn.safetensors           the public code in float64 with exact phases, over 200 random tokens

with `tokens` (T), `logits` (T, V), `loss_per_token` (T − 1, of tokens 1 … T − 1), and of some tokens, whose positions are in `recorded`
(R), for every layer k = 1 … L: `layerk.x` (R, n), `layerk.a` (R, H, d; before its LayerNorm), `layerk.y` (R, n), `layerk.v` (R, d; after
the layer). `trained.safetensors` says in its metadata how far its logits are from those in float64 with exact phases.

Phases are exact in float64, see `public_network.py`.
"""

import pathlib
import sys

import torch
from safetensors import safe_open

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
from public_network import arguments, exact, network, save  # noqa: E402


@torch.no_grad()
def values(model, tokens, recorded):
    """One forward of the public code, listening to its modules: attention takes x and gives a, dropout gets y, and every
    third LayerNorm after the first gives v."""
    heard = {"x": [], "a": [], "y": [], "normalised": []}
    hooks = [
        model.attn.register_forward_pre_hook(
            lambda module, positional, named: heard["x"].append(named["Q"]), with_kwargs=True),
        model.attn.register_forward_hook(lambda module, given, result: heard["a"].append(result)),
        model.drop.register_forward_pre_hook(lambda module, given: heard["y"].append(given[0])),
        model.ln.register_forward_hook(lambda module, given, result: heard["normalised"].append(result)),
    ]
    logits, _ = model(tokens[None])
    for hook in hooks:
        hook.remove()
    heard["v"] = heard.pop("normalised")[3::3]
    layers, count = model.config.n_layer, len(tokens)
    assert all(len(of_layers) == layers for of_layers in heard.values())
    result = {
        "tokens": tokens, "recorded": torch.tensor(recorded), "logits": logits[0],
        "loss_per_token": torch.nn.functional.cross_entropy(logits[0, :-1], tokens[1:], reduction="none"),
    }
    for name, of_layers in heard.items():
        for layer, value in enumerate(of_layers):
            # (1, heads or 1, T, width): the heads of a token side by side, as neurons are counted.
            rows = value[0].transpose(0, 1)[recorded]
            rows = rows if name == "a" else rows.reshape(len(recorded), -1)
            assert value.shape[2] == count and torch.isfinite(rows).all()
            result[f"layer{layer + 1}.{name}"] = rows.contiguous()
    # What a silent network has must not pass for agreement.
    assert all((result[f"layer{layer + 1}.{name}"] != 0).any() for name in "xayv" for layer in range(layers))
    return result


def trained():
    with safe_open(arguments.trained, "pt") as file:
        metadata = file.metadata()
        weights = {key: file.get_tensor(key) for key in file.keys()}
    assert "attn.damping" not in weights and metadata["variant"] == "released"
    heads, d, per_head = weights["encoder"].shape
    model = network(heads * per_head, d, heads, int(metadata["n_layer"]), len(weights["embed.weight"])).eval()
    model.load_state_dict(weights)
    save(model.state_dict(), "trained-model.safetensors", n_layer=metadata["n_layer"], variant="released")
    text = arguments.text.read_bytes()
    tokens = torch.tensor(list(text[len(text) * 9 // 10 :][:256]))
    recorded = [*range(24), 63, 127, 191, 255]
    found = values(model, tokens, recorded)
    right = values(exact(model), tokens, recorded)
    # Over all tokens, and over the first 24, where phases are still small.
    apart = (found["logits"] - right["logits"]).abs().amax(dim=1)
    save(found, "trained.safetensors", text="tiny-shakespeare, the first 256 bytes of its last tenth (public domain)",
         logits_from_exact=f"{apart.max():.2e}", first_logits_from_exact=f"{apart[:24].max():.2e}")
    for layer in range(1, model.config.n_layer + 1):
        active = {name: (found[f"layer{layer}.{name}"] > 0).double().mean().item() for name in "xy"}
        print("trained, layer", layer, "active", active)
    print("loss", found["loss_per_token"].mean().item(), "from exact", apart.max().item(), apart[:24].max().item())


def drawn():
    torch.manual_seed(20_2511)
    model = network(neurons=60, d=10, heads=3, layers=4, vocabulary=24).eval()
    # Larger than the public initialisation, so that every part of the network speaks; float32 numbers, so that nothing is rounded
    # when they are read.
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.normal_(std=1.0 if name == "embed.weight" else 0.3)
    save(model.state_dict(), "drawn-model.safetensors", n_layer=str(model.config.n_layer), variant="released")
    tokens = torch.randint(model.config.vocab_size, (200,))
    found = values(exact(model), tokens, [*range(6), 31, 63, 127, 199])
    save(found, "drawn.safetensors")
    print("drawn, loss", found["loss_per_token"].mean().item())


trained()
drawn()
