#!/usr/bin/env python3
"""What a network trained on a translation stream does on sittings that it never saw: nats per byte by direction and language, and short translations.

    translation_card.py HATCHLING FOLDER [--model MODEL] [--bytes 400000] [--sentences 200] [--longest 60] [--languages en,fr]

FOLDER is that of `scripts/bilingual`: test.txt is read as one stream from an empty state; test.first and test.second are its sentences.
The sentences that are translated are the first ones of at most `--longest` bytes on both sides, in each direction, each from an empty state and after
`--primed` bytes of the stream of validation, temperature 0. chrF and BLEU are sacrebleu's (pip install sacrebleu); beside them stand what copying the source
gets, and what the reference of the next sentence gets.
"""
import argparse
import json
import math
import pathlib
import re
import subprocess

import sacrebleu

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("hatchling")
parser.add_argument("folder", type=pathlib.Path)
parser.add_argument("--model")
parser.add_argument("--bytes", type=int, default=400_000)
parser.add_argument("--sentences", type=int, default=200)
parser.add_argument("--longest", type=int, default=60)
parser.add_argument("--primed", type=int, default=2000)
parser.add_argument("--languages", default="en,fr")
arguments = parser.parse_args()
model = ["--model", arguments.model or str(arguments.folder / "europarl.safetensors")]
first, second = arguments.languages.split(",")


def run(*command):
    return subprocess.run([arguments.hatchling, *command, *model], check=True, capture_output=True).stdout


def losses_by_side():
    """Nats of every byte of the stream's beginning, by the tag in front of it; bytes of tags count to none."""
    part = arguments.folder / "test-part.txt"
    part.write_bytes((arguments.folder / "test.txt").read_bytes()[: arguments.bytes])
    text = part.read_bytes()
    lines = run("step", str(part), "--json").splitlines()
    # A summary line follows the tokens. The loss at position t is that of byte t.
    loss = [json.loads(line).get("loss") for line in lines[: len(text)]]
    sides = {}
    tags = list(re.finditer(rb"<[FT]:[a-z]+>", text))
    for tag, after in zip(tags, tags[1:] + [None]):
        end = after.start() if after else len(text)
        sides.setdefault(tag.group().decode(), []).extend(x for x in loss[tag.end() : end] if x is not None)
    whole = [x for x in loss if x is not None]
    assert len(whole) >= len(text) - 1 and all(map(math.isfinite, whole)), "a byte has no loss"
    print(f"{len(whole)} bytes, {sum(whole) / len(whole):.4f} nats per byte")
    for name, values in sorted(sides.items()):
        print(f"  after {name:7} {sum(values) / len(values):.4f} nats, {len(values)} bytes")


def translated(source, tags, state):
    prompt = f"{tags[0]}{source}{tags[1]}"
    call = ["generate", "--prompt", prompt, "--count", str(4 * len(source) + 40), "--temperature", "0", "--until", "<F:"]
    if state:
        call += ["--state-in", state]
    return run(*call).decode("utf-8", "replace").split("<F:")[0].strip()


def translations():
    sources = (arguments.folder / "test.first").read_text().splitlines()
    references = (arguments.folder / "test.second").read_text().splitlines()
    short = [(a, b) for a, b in zip(sources, references) if max(len(a.encode()), len(b.encode())) <= arguments.longest]
    pairs = list(dict.fromkeys(short))[: arguments.sentences]
    assert pairs, "no sentence is short enough"
    state = str(arguments.folder / "primed.state")
    before = arguments.folder / "primed.txt"
    stream = (arguments.folder / "validation.txt").read_bytes()
    before.write_bytes(stream[: stream.index(b"<F:", arguments.primed)])
    run("step", str(before), "--quiet", "--state-out", state)
    for one, other, turned in [(first, second, False), (second, first, True)]:
        asked = [(b, a) if turned else (a, b) for a, b in pairs]
        source, reference = [list(x) for x in zip(*asked)]
        tags = (f"<F:{one}>", f"<T:{other}>")
        answers = {
            "from an empty state": [translated(s, tags, None) for s in source],
            f"after {len(before.read_bytes())} bytes": [translated(s, tags, state) for s in source],
            "copying the source": source,
            "the next sentence's reference": reference[1:] + reference[:1],
        }
        print(f"{one} → {other}, {len(pairs)} sentences")
        for name, answer in answers.items():
            chrf = sacrebleu.corpus_chrf(answer, [reference]).score
            bleu = sacrebleu.corpus_bleu(answer, [reference]).score
            exact = sum(a == r for a, r in zip(answer, reference))
            print(f"  {name:32} chrF {chrf:5.1f}  BLEU {bleu:5.1f}  word for word {exact}")
        for s, r, a in list(zip(source, reference, answers["from an empty state"]))[:8]:
            print(f"    {s}\n      reference {r}\n      network   {a}")


losses_by_side()
translations()
