#!/usr/bin/env python3
"""Measures the numbers of docs/meaning.md again, fills in its tables and draws its pictures.

    python3 scripts/meaning-page.py [--binary .build/release/hatchling] [--data FOLDER] [--tokens 8192]

Networks: the shipped one, an untrained one of its sizes and, where --data has what they read, the two reference checkpoints and the bilingual
network, trained and untrained (docs/data.md says what that folder holds; it is $HATCHLING_DATA, else shared/data beside the checkout).
--network NAME=FILE adds a row for another one, with --network-text NAME=FILE the text that it reads. The small network of the memorising task is
trained first, by the command that the page names, unless --work has it. Everything random is seeded: a second run changes nothing unless a
network or the program did, except what depends on that small network, which another processor's rounding makes another one.
"""

import argparse
import csv
import json
import os
import pathlib
import re
import shutil
import subprocess

import held_out

ROOT = pathlib.Path(__file__).resolve().parent.parent
PICTURES = ROOT / "docs" / "pictures" / "meaning"
PAGE = ROOT / "docs" / "meaning.md"

TRAINING = (
    "train task.txt --out task.safetensors --n 1024 --d 32 --heads 4 --layers 4 --block 128 --batch 8 --lr 0.003 "
    "--steps 1800 --warmup 100 --dropout 0 --threads 1 --sample 0 --validate-every 300 --log task.csv"
).split()
# The pictures that the page shows.
SHOWN = {"shipped": ["surprise", "clocks", "overlap"]}
EPISODES = {"task.txt": (100000, 1, []), "shown.txt": (301, 2, []), "fresh.txt": (301, 3, ["--fresh"])}


def text_for(name, data, tokens):
    """Held-out text: the last tenth of what the network was trained on."""
    source = data / ("europarl-en-fr.txt" if name.startswith("europarl") else "shakespeare.txt")
    whole = source.read_bytes() if source.exists() else (ROOT / "examples" / "sample.txt").read_bytes()
    start = len(whole) * 9 // 10 if source.exists() else 0
    return whole[start : start + tokens]


def number(value, places=3):
    return "–" if value is None else f"{value:.{places}f}"


def interval(estimate, places=3, sign=False):
    if estimate is None or estimate["value"] is None:
        return "–"
    form = f"{'+' if sign else ''}.{places}f"
    value = format(estimate["value"], form)
    if estimate.get("low") is None:
        return value
    return f"{value} ({format(estimate['low'], form)}, {format(estimate['high'], form)})"


def percent(value, places=1):
    return "–" if value is None else f"{100 * value:.{places}f} %"


def rows(report, quantity=None, bucket=None):
    return [
        row
        for row in report["surprise"]
        if (quantity is None or row["quantity"] == quantity) and row["bucket"] == bucket
    ]


def surprise_table(reports):
    lines = [
        "| network | loss | layer | active y | ρ, all bytes | ρ, same byte | p | ρ, same two bytes | surprising / expected |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, report in reports.items():
        for row in rows(report, "y"):
            lines.append(
                f"| {name} | {number(report['loss']['value'])} | {row['layer']} | {percent(row['active']['value'])} "
                f"| {interval(row['overall'], 2, True)} | {interval(row['same_byte'], 2, True)} "
                f"| {number(row['same_byte']['p'])} | {interval(row['same_two_bytes'], 2, True)} "
                f"| {interval(row['surprising_to_expected'], 2)} |"
            )
    return lines


def surprise_x_table(reports):
    lines = ["| network | layer | active x | ρ, all bytes | ρ, same byte | surprising / expected |", "|---|---|---|---|---|---|"]
    for name, report in reports.items():
        for row in rows(report, "x"):
            lines.append(
                f"| {name} | {row['layer']} | {percent(row['active']['value'])} | {interval(row['overall'], 2, True)} "
                f"| {interval(row['same_byte'], 2, True)} | {interval(row['surprising_to_expected'], 2)} |"
            )
    return lines


def ranks(values):
    """Mid-ranks, centred, in units of how many there are, as the program takes them inside a stratum."""
    order = sorted(range(len(values)), key=values.__getitem__)
    result, start = [0.0] * len(values), 0
    while start < len(order):
        end = start
        while end < len(order) and values[order[end]] == values[order[start]]:
            end += 1
        for place in order[start:end]:
            result[place] = ((start + end + 1) / 2 - (len(values) + 1) / 2) / len(values)
        start = end
    return result


def next_byte(folder, report, column):
    """Rank correlation of activity at a byte with the surprise of the *next* one, inside equal bytes, from tokens.csv."""
    strata, since = {}, 0
    with open(folder / "tokens.csv") as file:
        table = list(csv.DictReader(file))
    for row, after in zip(table, table[1:]):
        since = since + 1 if row["surprise"] else 0
        if since >= max(1, report["left_out"]) and after["surprise"]:
            strata.setdefault(row["token"], []).append((float(row[column]), float(after["surprise"])))
    sums = [0.0, 0.0, 0.0]
    for pairs in strata.values():
        if len(pairs) >= 10:
            for a, b in zip(ranks([pair[0] for pair in pairs]), ranks([pair[1] for pair in pairs])):
                sums = [sums[0] + a * b, sums[1] + a * a, sums[2] + b * b]
    norm = (sums[1] * sums[2]) ** 0.5
    return sums[0] / norm if norm > 0 else None


def next_table(reports, work):
    lines = ["| network | x, by layer | y, by layer |", "|---|---|---|"]
    for name, report in reports.items():
        layers = sorted({row["layer"] for row in report["surprise"]})
        cells = []
        for quantity in ("x", "y"):
            own = [next_byte(work / name, report, f"{quantity}_{layer}") for layer in layers]
            cells.append(", ".join("–" if value is None else f"{value:+.2f}" for value in own))
        lines.append(f"| {name} | {cells[0]} | {cells[1]} |")
    return lines


def clock_table(reports):
    lines = ["| network | layer | active y by clock, fast to slow (%) | ρ, same byte, fast to slow |", "|---|---|---|---|"]
    for name, report in reports.items():
        buckets = sorted({row["bucket"] for row in report["surprise"] if row["bucket"] is not None})
        for layer in sorted({row["layer"] for row in report["surprise"]}):
            own = [
                row for bucket in buckets for row in rows(report, "y", bucket) if row["layer"] == layer
            ]
            active = " ".join(f"{100 * row['active']['value']:.1f}" for row in own)
            rho = " ".join("–" if row["same_byte"]["value"] is None else f"{row['same_byte']['value']:+.2f}" for row in own)
            lines.append(f"| {name} | {layer} | {active} | {rho} |")
    return lines


def tail(test):
    if test is None:
        return "–"
    ratios = "/".join("–" if test[key] is None else f"{test[key]:+.0f}" for key in ["versus_log_normal", "versus_exponential"])
    return f"α {test['alpha']:.2f} from {test['x_min']}, p {number(test['p'], 2)}, {ratios}"


def intervals_table(reports):
    lines = [
        "| network | of | layer | intervals | distance | one token | long | tail | tail by chance | single trains: geometric, power law |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, report in reports.items():
        for own in report["intervals"]:
            lines.append(
                f"| {name} | {own['what']} | {own['layer']} | {own['intervals']} | {number(own['distance_to_chance'], 2)} "
                f"| {number(own['one_token_to_chance'], 2)} | {number(own['long_to_chance'], 2)} | {tail(own['tail'])} "
                f"| {tail(own['tail_by_chance'])} | {own['geometric_trains']}, {own['power_law_trains']} of {own['judged_trains']} |"
            )
    return lines


def memory_table(reports):
    def tokens(value):
        return "–" if value is None else f"{value:.0f}" if value >= 10 else f"{value:.1f}"

    lines = [
        "| network | half-life by damping: 5, 50, 95 % of neurons (tokens) | undamped | half of ρ left after, by layer "
        "| Gini of abs ρ, by layer | largest 1 % of abs ρ |",
        "|---|---|---|---|---|---|",
    ]
    for name, report in reports.items():
        memory = report["memory"]
        quantiles = [memory["half_life_quantiles"][place] for place in (0, 2, 4)]
        lines.append(
            f"| {name} | {', '.join('never' if value is None else tokens(value) for value in quantiles)} "
            f"| {percent(memory['undamped'])} "
            f"| {', '.join('longer' if value is None else tokens(value) for value in memory['measured_half_life'])} "
            f"| {', '.join(number(own['gini'], 2) for own in memory['rho'])} "
            f"| {', '.join(percent(own['top_percent_share'], 0) for own in memory['rho'])} |"
        )
    return lines


def sigma_table(reports):
    lines = [
        "| network | layer | tokens read | Gini of abs σ | largest 1 % | positive | largest in-, out-degree | in-degree | out-degree |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, report in reports.items():
        for row in report["sigma"]:
            own, degrees = row["concentration"], row["degrees"] or {}
            lines.append(
                f"| {name} | {row['layer']} | {row['tokens']} | {number(own['gini'], 2)} | {percent(own['top_percent_share'], 0)} "
                f"| {percent(row['positive'] / own['entries'], 0)} | {degrees.get('largest_in', '–')}, {degrees.get('largest_out', '–')} "
                f"| {degrees.get('in_law', '–')} | {degrees.get('out_law', '–')} |"
            )
    return lines


def task_table(reports):
    lines = [
        "| network and text | layer | warm-up | first showing | second | third | last | first / later | loss: warm-up, first, second, last |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, report in reports.items():
        episodes = report["episodes"]
        showings = {row["number"]: row for row in episodes["by_showing"]}
        last = max(showings)
        loss = ", ".join(f"{showings[key]['loss']:.2f}" for key in (0, 1, 2, last))
        count = len(episodes["first_to_later"]) // 2
        for layer in range(count):
            place = count + layer
            active = [percent(showings[key]["active"][place]) for key in (0, 1, 2, 3, last)]
            lines.append(
                f"| {name} | {layer + 1} | {' | '.join(active)} | {interval(episodes['first_to_later'][place], 2)} "
                f"| {loss if layer == 0 else ''} |"
            )
    return lines


def fill(page, name, lines):
    pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end of {name} -->)", re.S)
    assert pattern.search(page), f"docs/meaning.md has no place for {name}"
    return pattern.sub(lambda match: match.group(1) + "\n".join(lines) + "\n" + match.group(2), page)


def run(binary, arguments, folder):
    print("hatchling " + " ".join(map(str, arguments)), flush=True)
    subprocess.run([binary, *map(str, arguments)], check=True, cwd=folder, stdout=subprocess.DEVNULL)


def look(binary, folder, name, arguments, pictures, reuse):
    """One report; its pictures are copied to where the page shows them."""
    out = folder / name
    if not (reuse and (out / "summary.json").exists()):
        run(binary, ["activity", *arguments, "--threads", "1", "--out", out], folder)
    for picture in pictures:
        if (out / f"{picture}.svg").exists():
            shutil.copy(out / f"{picture}.svg", PICTURES / f"{name}-{picture}.svg")
    return json.loads((out / "summary.json").read_text())


def networks(arguments, work):
    """Arguments of every network, in the order of the page."""
    anew = ["--anew", "--segment", "128"]
    found = {"shipped": [], "shipped-untrained": ["--untrained", "1"]}
    for name, file, extra in [
        ("shakespeare", "reference-shakespeare.safetensors", anew),
        ("europarl", "reference-europarl.pt", ["--layers", "3", *anew]),
    ]:
        if (arguments.data / file).exists():
            found[name] = ["--model", arguments.data / file, *extra]
    texts = dict(part.split("=", 1) for part in arguments.network_text)
    if held_out.parts(arguments.data):
        tagged = held_out.bilingual(arguments.binary, arguments.data, work)
        for name, extra in [("bilingual", []), ("bilingual-untrained", ["--untrained", "1"])]:
            found[name] = ["--model", ROOT / "models" / "europarl.safetensors", *extra]
            texts.setdefault(name, tagged)
    for name, file in (part.split("=", 1) for part in arguments.network):
        found[name] = ["--model", pathlib.Path(file).resolve()]
    for name in found:
        text = work / f"{name}.text"
        text.write_bytes(
            pathlib.Path(texts[name]).read_bytes()[: arguments.tokens]
            if name in texts
            else text_for(name, arguments.data, arguments.tokens)
        )
        found[name] = [text, *found[name]]
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default=str(ROOT / ".build" / "release" / "hatchling"))
    data = os.environ.get("HATCHLING_DATA", ROOT.parent / "shared" / "data")
    parser.add_argument("--data", type=pathlib.Path, default=data, help="the folder with reference checkpoints and texts")
    parser.add_argument("--tokens", type=int, default=8192)
    parser.add_argument("--work", type=pathlib.Path, default=ROOT / ".build" / "meaning", help="where reports and the task network lie")
    parser.add_argument("--network", action="append", default=[], metavar="NAME=FILE")
    parser.add_argument("--network-text", action="append", default=[], metavar="NAME=FILE")
    parser.add_argument("--reuse", action="store_true", help="take the reports that --work has")
    arguments = parser.parse_args()
    arguments.binary = str(pathlib.Path(arguments.binary).resolve())
    arguments.data = arguments.data.resolve()
    work = arguments.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    PICTURES.mkdir(parents=True, exist_ok=True)

    reports = {
        name: look(arguments.binary, work, name, what, SHOWN.get(name, []), arguments.reuse)
        for name, what in networks(arguments, work).items()
    }
    for file, (episodes, seed, extra) in EPISODES.items():
        run(arguments.binary, ["memorise-corpus", "--out", file, "--episodes", episodes, "--seed", seed, *extra], work)
    if not (work / "task.safetensors").exists():
        run(arguments.binary, TRAINING, work)
    model = ["--as-task", "--model", "task.safetensors", "--leave-out", "77", "--pairs", "200"]
    model += ["--sigma-after", "64", "--resamples", "400"]
    tasks = {
        "task, words shown again": look(arguments.binary, work, "task", ["shown.txt", *model], ["episodes"], arguments.reuse),
        "task, new words": look(arguments.binary, work, "task-fresh", ["fresh.txt", *model], ["episodes"], arguments.reuse),
        "untrained, words shown again": look(
            arguments.binary, work, "task-untrained", ["shown.txt", *model, "--untrained", "1"], [], arguments.reuse
        ),
    }

    page = PAGE.read_text()
    for name, lines in [
        ("surprise", surprise_table(reports)),
        ("surprise of x", surprise_x_table(reports)),
        ("next byte", next_table(reports, work)),
        ("clocks", clock_table(reports)),
        ("intervals", intervals_table(reports)),
        ("memory", memory_table(reports)),
        ("sigma", sigma_table(reports)),
        ("task", task_table(tasks)),
    ]:
        page = fill(page, name, lines)
    PAGE.write_text(page)


main()
