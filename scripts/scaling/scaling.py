#!/usr/bin/env python3
"""BDH against a GPT-2-like Transformer of the same size (Fig. 7 of the paper, in small).

    scripts/scaling/scaling.py --text FILE --out DIR [--tokens N] [--budget MINUTES] [--threads N]

Both families read the same bytes (the first 90 % of FILE) in random blocks of the same length, the same number of tokens,
with the same schedule, decay and clipping, and are scored on the same blocks of the last 10 %, every block from an empty
context. Sizes: about 0.1, 0.4 and 1.6 million parameters. The learning rate is the best of three on the first seed, per
family and size; the second seed runs with that one. BDH is trained and scored by the `hatchling` binary, the Transformer by
`gpt.py`. Needs Python with torch and, for the picture, matplotlib.

Every finished run is a line of DIR/runs.jsonl; started again, the script goes on with what is missing. With --budget it
starts no further run once that many minutes of training are spent (those of earlier calls included). Writes DIR/table.md
and DIR/scaling.svg from whatever is there.
"""

import argparse
import json
import math
import pathlib
import subprocess
import time

import torch

import gpt

RATES = (1e-3, 3e-3, 1e-2)
SEEDS = (1, 2)
# Name: BDH (n, d, H, L), Transformer (layers, heads). Same parameters, not the same arithmetic: BDH uses its weights L times a token.
SIZES = {
    "0.1 M": ((896, 32, 2, 4), (2, 2)),
    "0.4 M": ((1920, 64, 4, 4), (3, 4)),
    "1.6 M": ((5376, 96, 4, 4), (4, 8)),
}
FAMILIES = {"bdh": "BDH", "transformer": "Transformer"}


def bdh_parameters(n, d):
    return 3 * n * d + 2 * 256 * d


def grouped(count):
    return f"{count:,}".replace(",", " ")


def command(*parts):
    return [str(part) for part in parts]


class Study:
    def __init__(self, options):
        self.options = options
        self.out = options.out
        self.out.mkdir(parents=True, exist_ok=True)
        text = options.text.read_bytes()
        cut = len(text) * 9 // 10
        (self.out / "training.txt").write_bytes(text[:cut])
        self.training = torch.tensor(list(text[:cut]), dtype=torch.uint8)
        held, length = text[cut:], options.block + 1
        count = min(options.held_out_blocks or len(held), len(held) // length)
        if count < 1:
            raise SystemExit("the text is too short: its last 10 % hold no block")
        self.blocks = [held[i * length : (i + 1) * length] for i in range(count)]
        folder = self.out / "held-out"
        folder.mkdir(exist_ok=True)
        self.block_files = []
        for index, block in enumerate(self.blocks):
            path = folder / f"{index:04}.txt"
            path.write_bytes(block)
            self.block_files.append(str(path))
        self.runs_file = self.out / "runs.jsonl"
        lines = self.runs_file.read_text().splitlines() if self.runs_file.exists() else []
        self.runs = [json.loads(line) for line in lines]
        self.steps = max(1, options.tokens // (options.block * options.batch))

    def find(self, family, size, rate, seed):
        key = self.key(family, size, rate, seed)
        return next((r for r in self.runs if all(r[k] == v for k, v in key.items())), None)

    def key(self, family, size, rate, seed):
        return {
            "family": family, "size": size, "rate": rate, "seed": seed, "steps": self.steps,
            "block": self.options.block, "batch": self.options.batch, "text": self.options.text.name,
            "held_out_blocks": len(self.blocks),
        }

    @property
    def minutes(self):
        return sum(r["seconds"] for r in self.runs) / 60

    def run(self, family, size, rate, seed):
        """One training run with its held-out loss, or what an earlier call found; None when the budget is spent."""
        if done := self.find(family, size, rate, seed):
            return done
        if self.options.budget is not None and self.minutes >= self.options.budget:
            return None
        begin = time.perf_counter()
        parameters, training_seconds, loss = (self.bdh if family == "bdh" else self.transformer)(size, rate, seed)
        result = self.key(family, size, rate, seed) | {
            "parameters": parameters, "loss": loss, "seconds": time.perf_counter() - begin,
            "training_seconds": training_seconds, "threads": self.options.threads,
        }
        self.runs.append(result)
        with self.runs_file.open("a") as file:
            file.write(json.dumps(result) + "\n")
        print(f"{family:12} {size}  rate {rate:g}  seed {seed}: {loss:.4f} nats, {result['seconds']:.0f} s", flush=True)
        return result

    def bdh(self, size, rate, seed):
        (n, d, heads, layers), _ = SIZES[size]
        model = self.out / f"bdh-{size.replace(' ', '')}-{rate:g}-{seed}.safetensors"
        begin = time.perf_counter()
        done = subprocess.run(
            command(
                self.options.hatchling, "train", self.out / "training.txt", "--out", model, "--n", n, "--d", d,
                "--heads", heads, "--layers", layers, "--block", self.options.block, "--batch",
                self.options.batch, "--steps", self.steps, "--lr", rate, "--seed", seed, "--dropout", 0,
                "--no-carry", "--validation", 0, "--sample", 0, "--threads", self.options.threads,
            ),
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )
        seconds = time.perf_counter() - begin
        if "the loss is" in done.stderr or "gradient's norm is" in done.stderr:  # training diverged: no number to compare
            return bdh_parameters(n, d), seconds, math.inf
        if done.returncode != 0:
            raise SystemExit(f"hatchling train failed: {done.stderr.strip()}")
        scored = subprocess.run(
            command(
                self.options.hatchling, "step", "--model", model, "--quiet", "--json", "--engine", "tensor",
                "--threads", self.options.threads, *self.block_files,
            ),
            stdout=subprocess.PIPE, text=True, check=True,
        )
        return bdh_parameters(n, d), seconds, json.loads(scored.stdout)["summary"]["loss"]

    def transformer(self, size, rate, seed):
        (n, d, _, _), (layers, heads) = SIZES[size]
        torch.manual_seed(seed)
        width = gpt.width_for(bdh_parameters(n, d), layers, heads)
        model = gpt.GPT(width, layers, heads)
        seconds = gpt.train(
            model, self.training, block=self.options.block, batch=self.options.batch, steps=self.steps, peak=rate,
            seed=seed,
        )
        blocks = torch.tensor([list(b) for b in self.blocks], dtype=torch.uint8)
        loss = gpt.evaluate(model, blocks)
        return model.parameters_count, seconds, loss if math.isfinite(loss) else math.inf

    def best_rate(self, family, size):
        first = [r for rate in RATES if (r := self.find(family, size, rate, SEEDS[0]))]
        return min(first, key=lambda r: r["loss"])["rate"] if len(first) == len(RATES) else None

    def all(self):
        for size in SIZES:
            for family in FAMILIES:
                for rate in RATES:
                    if self.run(family, size, rate, SEEDS[0]) is None:
                        return False
                for seed in SEEDS[1:]:
                    if self.run(family, size, self.best_rate(family, size), seed) is None:
                        return False
        return True

    def rows(self):
        for size in SIZES:
            for family in FAMILIES:
                rate = self.best_rate(family, size)
                runs = [r for seed in SEEDS if rate and (r := self.find(family, size, rate, seed))]
                if runs:
                    yield size, family, runs

    def write(self):
        tokens = self.steps * self.options.block * self.options.batch
        lines = [
            f"{grouped(tokens)} tokens per run, blocks of {self.options.block}, batch {self.options.batch}, "
            f"{grouped(len(self.blocks) * self.options.block)} held-out bytes.",
            "",
            "| size | family | parameters | best rate | loss of each seed | mean | spread | training, s |",
            "|---|---|---|---|---|---|---|---|",
        ]
        for size, family, runs in self.rows():
            losses = [r["loss"] for r in runs]
            spread = f"{max(losses) - min(losses):.3f}" if len(runs) > 1 else "–"
            lines.append(
                f"| {size} | {FAMILIES[family]} | {grouped(runs[0]['parameters'])} | {runs[0]['rate']:g} | "
                f"{', '.join(f'{x:.3f}' for x in losses)} | {sum(losses) / len(losses):.3f} | {spread} | "
                f"{sum(r['training_seconds'] for r in runs) / len(runs):.0f} |"
            )
        lines += ["", "By learning rate, first seed:", "", "| size | family | " + " | ".join(f"{r:g}" for r in RATES) + " |"]
        lines.append("|---|---|" + "---|" * len(RATES))
        for size in SIZES:
            for family in FAMILIES:
                found = [self.find(family, size, rate, SEEDS[0]) for rate in RATES]
                if any(found):
                    lines.append(
                        f"| {size} | {FAMILIES[family]} | " + " | ".join(f"{r['loss']:.3f}" if r else "–" for r in found) + " |"
                    )
        (self.out / "table.md").write_text("\n".join(lines) + "\n")
        print("\n".join(lines))
        self.draw()

    def draw(self):
        try:
            import matplotlib
        except ImportError:
            print("matplotlib is not there: no picture")
            return
        matplotlib.use("svg")
        from matplotlib import pyplot

        figure, axes = pyplot.subplots(figsize=(6, 4))
        for family, marker in zip(FAMILIES, "os"):
            points = [(runs[0]["parameters"], [r["loss"] for r in runs]) for _, f, runs in self.rows() if f == family]
            if not points:
                continue
            sizes = [p for p, _ in points]
            means = [sum(x) / len(x) for _, x in points]
            axes.errorbar(
                sizes, means, marker=marker, capsize=3, label=FAMILIES[family],
                yerr=[[m - min(x) for m, (_, x) in zip(means, points)], [max(x) - m for m, (_, x) in zip(means, points)]],
            )
        axes.set_xscale("log")
        axes.set_xlabel("parameters")
        axes.set_ylabel("held-out loss, nats per byte")
        axes.legend()
        figure.tight_layout()
        figure.savefig(self.out / "scaling.svg", metadata={"Date": None})


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--text", type=pathlib.Path, required=True)
    arguments.add_argument("--out", type=pathlib.Path, required=True)
    arguments.add_argument("--hatchling", default=".build/release/hatchling")
    arguments.add_argument("--tokens", type=int, default=1_000_000, help="per run")
    arguments.add_argument("--block", type=int, default=256)
    arguments.add_argument("--batch", type=int, default=8)
    arguments.add_argument("--held-out-blocks", type=int, help="score only this many blocks; default: all of the last 10 %%")
    arguments.add_argument("--budget", type=float, help="minutes of training in all; default: as long as it takes")
    arguments.add_argument("--threads", type=int, default=1)
    options = arguments.parse_args()
    torch.set_num_threads(options.threads)
    study = Study(options)
    complete = study.all()
    study.write()
    if not complete:
        print(f"\nstopped by --budget after {study.minutes:.0f} minutes; call again with a larger one to go on")
