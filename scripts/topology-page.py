#!/usr/bin/env python3
"""Draws the pictures of docs/topology.md again and fills in its tables.

    python3 scripts/topology-page.py [--binary .build/release/hatchling] [--data FOLDER] [--bootstrap 1000]

Models: the shipped one and, where --data has what they read, the two reference checkpoints and the bilingual network; docs/data.md says what
that folder holds. It is $HATCHLING_DATA, else shared/data beside the checkout, as for the tests. Everything random is seeded, so a second run
changes nothing unless a model or the program did.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

import held_out

ROOT = pathlib.Path(__file__).resolve().parent.parent
PICTURES = ROOT / "docs" / "pictures" / "topology"
PAGE = ROOT / "docs" / "topology.md"

# What to look at: arguments, and which pictures the page shows.
VIEWS = {
    "head": (["--graph", "x", "--head", "0", "--uncentred"], ["entries", "degrees", "modularity"]),
    "x": (["--graph", "x"], ["degrees", "modularity"]),
    "y": (["--graph", "y"], ["degrees"]),
    "sigma": (["--graph", "sigma", "--head", "0"], ["entries", "degrees"]),
    "sigma-strong": (["--graph", "sigma", "--head", "0", "--edges", "PER NEURON"], ["degrees", "modularity"]),
}
COUNTS = "1024,4096,16384,65536,262144,1048576"
SHORT_COUNTS = "256,1024,4096,16384,65536"


def text_for(model, binary, data, folder):
    """2000 bytes of held-out text: the last tenth of what the model was trained on, or later sittings."""
    if model == "bilingual":
        return held_out.bilingual(binary, data, folder).read_bytes()[:2000]
    source = data / ("europarl-en-fr.txt" if model == "europarl" else "shakespeare.txt")
    if not source.exists():
        return (ROOT / "examples" / "sample.txt").read_bytes()[:2000]
    whole = source.read_bytes()
    start = len(whole) * 9 // 10
    return whole[start : start + 2000]


def number(value, places=3):
    return "–" if value is None else f"{value:.{places}f}"


def law(degree):
    fit = degree.get("power_law")
    if fit is None:
        return "nothing to fit"
    if fit["verdict"] == "too few to judge":
        return f"too few to judge ({fit['tail']} in the tail)"
    ratios = f"{fit['versus_log_normal']['ratio']:+.1f} / {fit['versus_exponential']['ratio']:+.1f}"
    return (
        f"α {fit['alpha']:.2f} from {fit['x_min']} ({fit['tail']} neurons), KS {fit['ks']:.3f}, "
        f"p {number(fit.get('p'), 2)}, {ratios}: {fit['verdict']}"
    )


def table(results):
    lines = [
        "| model | graph | neurons (connected) | edges | largest in-degree | largest out-degree | in-degree fit | out-degree fit |",
        "|---|---|---|---|---|---|---|---|",
    ]
    names = {"head": "D_x E, head 0", "x": "G_x", "y": "G_y", "sigma": "σ, head 0", "sigma-strong": "σ, head 0, strongest"}
    for (model, view), s in results.items():
        lines.append(
            f"| {model} | {names[view]} | {s['nodes']} ({s['connected_nodes']}) | {s['edges']} | {s['in_degree']['max']} "
            f"| {s['out_degree']['max']} | {law(s['in_degree'])} | {law(s['out_degree'])} |"
        )
    lines += [
        "",
        "| model | graph | skewness of entries | symmetric part | Louvain (communities) | Leiden | G(n, m) | Gaussian product "
        "| reciprocity | largest core |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for (model, view), s in results.items():
        m, e = s["modularity"], s["entries"]
        core = s["k_cores"][-1] if s["k_cores"] else {"k": 0, "nodes": 0}
        lines.append(
            f"| {model} | {names[view]} | {e['skewness']:.2f} | {number(e.get('symmetric_fraction'))} "
            f"| {number(m.get('louvain'))} ({len(m['communities'])}) | {number(m.get('leiden'))} | {number(m.get('uniform'))} "
            f"| {number(m.get('product'))} | {number(s.get('reciprocity'))} | k = {core['k']}, {core['nodes']} neurons |"
        )
    return lines


def profile(results):
    lines = ["| model | edges | G_x | G(n, m) | Gaussian product |", "|---|---|---|---|---|"]
    for (model, view), s in results.items():
        if view == "x":
            for row in s["modularity"]["profile"]:
                lines.append(
                    f"| {model} | {row['edges']} | {number(row.get('graph'))} | {number(row.get('uniform'))} "
                    f"| {number(row.get('product'))} |"
                )
    return lines


def pair_table(results):
    lines = [
        "| model | into head | from head | skewness of entries | largest entry | largest in-degree | largest out-degree | in-degree fit | out-degree fit "
        "| Louvain | G(n, m) |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]

    def short(degree):
        fit = degree.get("power_law")
        if fit is None or fit["verdict"] == "too few to judge":
            return "–"
        return f"α {fit['alpha']:.2f} from {fit['x_min']} ({fit['tail']}), p {number(fit.get('p'), 2)}"

    for (model, head, sender), s in results.items():
        entries, modularity = s["entries"], s["modularity"]
        lines.append(
            f"| {model} | {head} | {sender} | {entries['skewness']:+.2f} | {entries['maximum']:.2f} | {s['in_degree']['max']} | {s['out_degree']['max']} "
            f"| {short(s['in_degree'])} | {short(s['out_degree'])} | {number(modularity.get('louvain'))} | {number(modularity.get('uniform'))} |"
        )
    return lines


def pictures(results):
    lines = []
    captions = {
        "head": "D_x E of head 0, uncentred (the paper's G*)",
        "x": "G_x, all heads, centred",
        "y": "G_y, all heads, centred",
        "sigma": "σ, head 0, after 2000 bytes of held-out text, positive entries above their 5 % quantile",
        "sigma-strong": "the same σ, as many of the strongest entries per neuron as in Fig. 10",
    }
    for model in dict.fromkeys(model for model, _ in results):
        lines += [f"### {model}", ""]
        for view, (_, shown) in VIEWS.items():
            lines.append(f"{captions[view]}:")
            lines.append("")
            for name in shown:
                lines.append(f"![{name} of {captions[view]}, {model}](pictures/topology/{model}-{view}-{name}.svg)")
            lines.append("")
    return lines[:-1]


def fill(page, name, lines):
    pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end of {name} -->)", re.S)
    assert pattern.search(page), f"docs/topology.md has no place for {name}"
    return pattern.sub(lambda match: match.group(1) + "\n".join(lines) + "\n" + match.group(2), page)


def views(model, where, folder, arguments):
    """All views of one model: their summaries, and their pictures copied to where the page shows them."""
    text = folder / f"{model}.text"
    text.write_bytes(text_for(model, arguments.binary, arguments.data, folder))
    results = {}
    for view, (what, shown) in VIEWS.items():
        out = folder / f"{model}-{view}"
        command = [arguments.binary, "degrees", *where, *what, "--out", str(out), "--threads", "1"]
        command += ["--bootstrap", arguments.bootstrap]
        command += ["--modularity-edges", COUNTS if view == "x" else SHORT_COUNTS]
        if view.startswith("sigma"):
            command.append(str(text))
        if "PER NEURON" in command:
            nodes = results[model, "head"]["nodes"]
            command[command.index("PER NEURON")] = str(round(nodes * 46820 / 8192))
        print(" ".join(command[1:]), flush=True)
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        results[model, view] = json.loads((out / "summary.json").read_text())
        for name in shown:
            shutil.copy(out / f"{name}.svg", PICTURES / f"{model}-{view}-{name}.svg")
            if arguments.png:
                shutil.copy(out / f"{name}.png", arguments.png / f"{model}-{view}-{name}.png")
    return results


def pairs(model, where, folder, arguments):
    """G^(ab) of §5.5: every head's encoder with every head's decoder."""
    results = {}
    for head in range(4):
        for sender in range(4):
            out = folder / f"{model}-{head}-{sender}"
            command = [arguments.binary, "degrees", *where, "--head", str(head), "--from-head", str(sender), "--uncentred", "--out", str(out)]
            command += ["--bootstrap", "100", "--modularity-edges", "4096", "--threads", "1"]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            results[model, head, sender] = json.loads((out / "summary.json").read_text())
    return results


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default=str(ROOT / ".build" / "release" / "hatchling"))
    data = os.environ.get("HATCHLING_DATA", ROOT.parent / "shared" / "data")
    parser.add_argument("--data", type=pathlib.Path, default=data, help="the folder with reference checkpoints and texts")
    parser.add_argument("--bootstrap", default="1000")
    parser.add_argument("--png", type=pathlib.Path, help="a folder for the same pictures as PNG")
    arguments = parser.parse_args()
    models = {"shipped": []}
    for name, file, extra in [
        ("shakespeare", "reference-shakespeare.safetensors", []),
        ("europarl", "reference-europarl.pt", ["--layers", "3"]),
    ]:
        if (arguments.data / file).exists():
            models[name] = ["--model", str(arguments.data / file), *extra]
    if held_out.parts(arguments.data):
        models["bilingual"] = ["--model", str(ROOT / "models" / "europarl.safetensors")]
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(2) as pool:
        look = lambda model: views(model, models[model], pathlib.Path(folder), arguments)
        results = {key: summary for part in pool.map(look, models) for key, summary in part.items()}
        of_pairs = {}
        for model in models:
            # Networks of four heads.
            if model != "europarl":
                of_pairs.update(pairs(model, models[model], pathlib.Path(folder), arguments))
    page = PAGE.read_text()
    page = fill(page, "numbers", table(results))
    page = fill(page, "profile", profile(results))
    page = fill(page, "pairs", pair_table(of_pairs))
    page = fill(page, "pictures", pictures(results))
    PAGE.write_text(page)


main()
