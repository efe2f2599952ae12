#!/usr/bin/env python3
"""How a model reads on and on: the loss over one long stream, and ten passages scored after a short and after a long context.

    evaluate_stream.py HATCHLING TEXT [--model MODEL] [--fraction 0.1] [--json FILE]

The last `--fraction` of TEXT is read as one stream from an empty state. Reported: the mean loss in nats per byte, the first 500 bytes not
counted; the same by stretch of the stream; ten passages of 1000 bytes, each scored after the 500 bytes before it (state empty before those)
and where it stands in the stream, after 50 000 bytes or more; the mean paired difference with its standard error.

Needs numpy. Losses are those of the command `hatchling step` (float32 graph), taken from its `--json` lines.
"""
import argparse
import json
import subprocess
import tempfile

import numpy as np

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("hatchling")
parser.add_argument("text")
parser.add_argument("--model")
parser.add_argument("--fraction", type=float, default=0.1)
parser.add_argument("--json")
arguments = parser.parse_args()

with open(arguments.text, "rb") as file:
    text = file.read()
held_out = text[len(text) - int(len(text) * arguments.fraction):]


def losses(content):
    """Nats of every byte but the first; loss t belongs to byte t + 1."""
    with tempfile.NamedTemporaryFile(suffix=".txt") as file:
        file.write(content)
        file.flush()
        command = [arguments.hatchling, "step", file.name, "--json"]
        if arguments.model:
            command += ["--model", arguments.model]
        lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    values = [record["loss"] for record in map(json.loads, lines) if "summary" not in record]
    assert len(values) == len(content) and values[0] is None, "one line per byte was expected"
    result = np.array(values[1:])
    assert np.isfinite(result).all()
    return result


stream = losses(held_out)
report = {"bytes": len(held_out), "loss": float(stream[499:].mean())}
print(f"one stream of {len(held_out)} bytes, from byte 500 on: {report['loss']:.4f} nats per byte")
edges = [64, 128, 256, 512, 1024, 4096, 16384, 65536, len(held_out)]
for first, last in zip(edges, edges[1:]):
    if last <= len(held_out):
        print(f"  bytes {first:6d} to {last:6d}: {stream[first - 1:last - 1].mean():.4f}")

places = np.linspace(50_500, len(held_out) - 1_000, 10).astype(int)
short, long = [], []
for place in places:
    short.append(losses(held_out[place - 500:place + 1000])[499:].mean())
    long.append(stream[place - 1:place + 999].mean())
difference = np.array(long) - np.array(short)
report |= {
    "places": places.tolist(), "after_500": short, "after_50000": long,
    "mean_difference": float(difference.mean()), "standard_error": float(difference.std(ddof=1) / np.sqrt(len(places))),
}
print("passages of 1000 bytes, after 500 bytes and in the stream:")
for place, a, b in zip(places, short, long):
    print(f"  at {place:6d}: {a:.4f} {b:.4f}  {b - a:+.4f}")
print(f"mean paired difference {report['mean_difference']:+.4f} ± {report['standard_error']:.4f} nats")
if arguments.json:
    with open(arguments.json, "w") as file:
        json.dump(report, file, indent=1)
