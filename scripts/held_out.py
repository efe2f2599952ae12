"""Text that the bilingual network of models/ never saw, for the pages that measure it."""

import gzip
import itertools
import subprocess


def parts(data):
    """The sittings and the sentences of both languages; nothing where `data` lacks one."""
    files = [data / f"europarl-large.{part}.gz" for part in ("session", "en", "fr")]
    return files if all(file.exists() for file in files) else []


def bilingual(binary, data, work):
    """The first 1000 pairs of sittings behind those that it was trained and chosen on, tagged as scripts/bilingual does: a file in `work`."""
    files = parts(data)
    with gzip.open(files[0], "rt") as sittings, gzip.open(files[1]) as first, gzip.open(files[2]) as second:
        held_out = ((one, other) for sitting, one, other in zip(sittings, first, second) if sitting.strip() >= "ep-00-12-11")
        pairs = list(itertools.islice(held_out, 1000))
    (work / "first.en").write_bytes(b"".join(one for one, _ in pairs))
    (work / "first.fr").write_bytes(b"".join(other for _, other in pairs))
    command = [binary, "translate-corpus", "first.en", "first.fr", "--languages", "en,fr", "--out", "tagged.txt", "--seed", "7"]
    subprocess.run(command, check=True, cwd=work, stdout=subprocess.DEVNULL)
    return work / "tagged.txt"
