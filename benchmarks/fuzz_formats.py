"""Broken files for every reader: each gives rows or a FormatError, in bounded time and memory.

`python benchmarks/fuzz_formats.py --inputs 200000` is the whole of it, some minutes a reader on one
core; `tests/test_formats_fuzz.py` runs a few hundred. Inputs are good files of each format with
bytes flipped, cut, repeated, swapped and spliced in from others, and pure noise. Whatever is read
without an error is written and read again: both readings must agree.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

from llmtrain101 import formats
from llmtrain101.formats import FormatError

SLOWEST = 5.0  # seconds that one input of some kilobytes may take
LARGEST = 1 << 16  # bytes of one record here; a claim of more must be refused
MEMORY = 512 << 20  # bytes that all inputs of a reader together may add to the process

TEXTS = [
    "plain", "", "zero\0byte", "two\nlines\r\nand more", 'a "quote", and, commas', "tab\there",
    "<script>alert(1)</script>", "=cmd|' /C calc'!A0", "\u202eright to left\u202c", "日本語 😀",
    "\ufeffmark", "\u2028", "'", "x" * 300, "-1", "+", "@", "NULL", "?", "0x1f",
]  # fmt: skip
NUMBERS = [0, 1, -1, 2**63 - 1, -(2**63), 12345678901234567]
FLOATS = [0.0, -0.0, 1.5, 0.1, 1e300, 5e-324, -2.25]


def rows(rng: random.Random) -> list[dict[str, Any]]:
    """A few rows of a text, a label and a score."""
    return [
        {"text": rng.choice(TEXTS), "label": rng.choice(NUMBERS), "score": rng.choice(FLOATS)}
        for _ in range(rng.randrange(1, 12))
    ]


def sentences(rng: random.Random) -> list[dict[str, Any]]:
    words = ["Ada", "#", "#1", "of", "日本", "a b", "\u202e", "<b>", "=1", "“"]
    tags = ["O", "B-PER", "I-PER", "B-LOC"]
    lengths = [rng.randrange(1, 6) for _ in range(rng.randrange(1, 6))]
    return [{"tokens": rng.choices(words, k=n), "tags": rng.choices(tags, k=n)} for n in lengths]


def questions(rng: random.Random) -> list[dict[str, Any]]:
    made = []
    for number in range(rng.randrange(1, 5)):
        context = " ".join(rng.choices(["Ada", "日本語", "😀", "wrote", "it", "<b>"], k=8))
        start = rng.randrange(len(context))
        answer = {"text": [context[start : start + 5]], "answer_start": [start]}
        made.append(
            {"id": str(number), "title": "t", "context": context, "question": "Who?",
             "answers": answer, "is_impossible": False}
        )  # fmt: skip
    return made


def labelled(rng: random.Random) -> list[dict[str, Any]]:
    return [
        {"label": rng.choice("0123"), "text": rng.choice(["How far ?", "Où ?", "x  y", "😀"])}
        for _ in range(rng.randrange(1, 12))
    ]


def pairs(rng: random.Random) -> list[dict[str, Any]]:
    texts = ["Go.", "Va !", "Cours\u202f!", '"', "a b", "😀"]
    return [
        {"source": rng.choice(texts), "target": rng.choice(texts)}
        for _ in range(rng.randrange(1, 9))
    ]


def plain(rng: random.Random) -> list[dict[str, Any]]:
    """Rows whose text fits into one line without quotes."""
    kept = [t for t in TEXTS if not {"\t", "\n", "\r"} & set(t)]
    return [row | {"text": rng.choice(kept)} for row in rows(rng)]


TYPES: dict[str, Any] = {"text": str, "label": int, "score": float}
Maker = Callable[[random.Random], list[dict[str, Any]]]
# name of the reader: file name, rows, options for reading, options for writing
READERS: dict[str, tuple[str, Maker, dict[str, Any], dict[str, Any]]] = {
    "csv": ("a.csv", rows, {"types": TYPES}, {}),
    "csv untyped": ("a.csv", rows, {}, {}),
    "csv careful": ("a.csv", rows, {"spaces": True, "missing": ["?", "NULL"]}, {}),
    "csv formulas": ("a.csv", rows, {"formulas": True}, {"formulas": True}),
    "tsv": ("a.tsv", plain, {"types": TYPES}, {}),
    "jsonlines": ("a.jsonl", rows, {"types": TYPES}, {}),
    "json array": ("a.json", rows, {"layout": "array"}, {"layout": "array"}),
    "json object": ("a.json", rows, {"layout": "object"}, {"layout": "array"}),
    "tfrecord": ("a.tfrecord", rows, {}, {}),
    "tfrecord typed": ("a.tfrecord", rows, {"types": TYPES}, {}),
    "tfrecord gzip": ("a.tfrecord.gz", rows, {}, {}),
    "tfrecord payload": ("a.tfrecord", rows, {}, {}),
    "parquet": ("a.parquet", rows, {}, {}),
    "conll": ("a.conll", sentences, {}, {}),
    "squad": ("a.json", questions, {}, {}),
    "lines typed": ("a.txt", labelled, {"label": True, "types": {"label": int}}, {}),
    "lines": ("a.txt", labelled, {"label": True}, {}),
    "pairs": ("a.en-fr.tsv", pairs, {}, {}),
}
MODULES = {"csv": "tabular", "tsv": "tabular", "json": "jsonlines"}


def module(reader: str) -> Any:
    word = reader.split()[0]
    return getattr(formats, MODULES.get(word, word))


def good_files(reader: str, folder: Path, rng: random.Random, count: int = 40) -> list[bytes]:
    """What mutations begin with: files that we wrote, and real ones where there are any."""
    name, make, _, writing = READERS[reader]
    found = []
    for _ in range(count):
        made = make(rng)
        if reader.startswith("tfrecord"):
            made = [row | {"score": row["score"] if abs(row["score"]) < 1e38 else 0.5}
                    for row in made]  # fmt: skip
        module(reader).write(folder / name, made, **writing)
        found.append((folder / name).read_bytes())
    if reader == "json object":
        found = [b'{"entries": ' + data + b', "n": 1}' for data in found]
    for path in sorted(REAL.glob("*")) + sorted(REAL.glob("tfrecord/*.tfrecord")):
        fits = path.is_file() and path.suffix == Path(name).suffix
        if fits or (
            reader == "conll" and "conll" in path.suffix + "conll" * ("iob" in path.suffix)
        ):
            data = path.read_bytes()
            found += [data[:600], data[5_000:6_000]]
    return found


REAL = Path(__file__).resolve().parents[2] / "shared" / "data"


def mutate(data: bytes, others: list[bytes], rng: random.Random) -> bytes:
    """Up to three accidents."""
    made = bytearray(data)
    for _ in range(rng.randrange(4)):
        at = rng.randrange(len(made) + 1)
        match rng.randrange(10):
            case 0 if made:
                made[at % len(made)] ^= 1 << rng.randrange(8)
            case 1:
                del made[at:]
            case 2:
                del made[at : at + rng.randrange(1, 20)]
            case 3:
                made[at:at] = made[at : at + rng.randrange(1, 40)]
            case 4:
                other = rng.choice(others)
                start = rng.randrange(len(other) + 1)
                made[at:at] = other[start : start + rng.randrange(80)]
            case 5:
                made[at : at + 1] = rng.choice(
                    [b'"', b"\n", b"\r", b"\t", b",", b"\0", b"\xff", b"{", b"]", b"\\", b"\x1f",
                     b"\xef\xbb\xbf", b"\xed\xa0\x80", b"NaN", b"1e999", b"9" * 30, b"_", b"#"]
                )  # fmt: skip
            case 6:
                made[at : at + 8] = rng.randbytes(8)
            case 7:
                made[at : at + 8] = rng.choice([2**40, 2**63, 2**31 - 1, 0]).to_bytes(8, "little")
            case 8:
                made = bytearray(rng.randbytes(rng.randrange(64)))
            case _:
                made += rng.choice(others)[: rng.randrange(200)]
    return bytes(made)


def outcome(reader: str, path: Path, errors: str) -> tuple[str, list[dict[str, Any]]]:
    """Read once: "rows" or "error", and the rows there were."""
    options = READERS[reader][2] | ({"largest": LARGEST} if reader != "parquet" else {})
    found: list[dict[str, Any]] = []
    try:
        read = module(reader).read(path, errors=errors, **options)
        for row in read:
            found.append(row)
    except FormatError as error:
        assert str(path) in str(error), f"the error names no file: {error}"
        return "error", found
    if errors == "report":
        assert read.report.rows == len(found), "the report counts other rows"
    return "rows", found


def once(reader: str, path: Path, data: bytes) -> str:
    """Read one input in both ways; what came of it. An exception is a finding."""
    path.write_bytes(data)
    began = time.perf_counter()
    first, found = outcome(reader, path, "raise")
    second, more = outcome(reader, path, "report")
    if second == "rows":
        assert len(more) >= len(found) or reader == "parquet", "reporting gave fewer rows"
    if first == "rows":
        assert second == "rows", "an error with errors='report' only"
        assert repr(more) == repr(found), "the two ways of reading differ"
    seconds = time.perf_counter() - began
    assert seconds < SLOWEST, f"{seconds:.1f} s"
    return first


def by_hand(reader: str, path: Path) -> None:
    """What is quick must read as the plain way does: no arrow, no columns at once."""
    quick = outcome(reader, path, "raise")
    plainly = {"_in_order": lambda *_: False} if "tfrecord" not in reader else {}
    owner = formats.tabular._Reader if plainly else formats.tfrecord.Decoder
    with mock.patch.multiple(owner, **(plainly or {"_learn": lambda *_: None})):
        slow = outcome(reader, path, "raise")
    assert repr(quick) == repr(slow), f"{brief(quick)} is by hand {brief(slow)}"


def reframed(data: bytes, others: list[bytes], rng: random.Random) -> bytes:
    """Accidents within the data of records whose checksums are then right."""
    made = b""
    for record in records(data):
        made += formats.tfrecord.frame(mutate(record, others, rng))
    return made


def records(data: bytes) -> list[bytes]:
    found, at = [], 0
    while at + 16 <= len(data):
        length = int.from_bytes(data[at : at + 8], "little")
        found.append(data[at + 12 : at + 12 + length])
        at += 16 + length
    return found


def again(reader: str, folder: Path, path: Path) -> bool:
    """What was read without an error is written and read: it must be the same."""
    name, _, _, writing = READERS[reader]
    _, found = outcome(reader, path, "raise")
    back = folder / f"again-{name}"
    try:
        module(reader).write(back, found, **writing)
    except FormatError:
        return False  # for example a carriage return that a text format cannot hold
    _, second = outcome(reader, back, "raise")
    assert repr(second) == repr(found), f"{brief(found)} came back as {brief(second)}"
    return True


def brief(value: object) -> str:
    return repr(value)[:500]


def fuzz(reader: str, inputs: int, seed: int = 0) -> Counter[str]:
    """Run one reader; AssertionError or whatever it raised, with the input kept, if it fails."""
    rng = random.Random(f"{reader}/{seed}")
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(dir=_memory_disk()) as name:
        folder = Path(name)
        good = good_files(reader, folder, rng)
        path = folder / READERS[reader][0]
        for _ in range(inputs):
            data = rng.choice(good)
            if reader == "tfrecord payload":
                data = reframed(data, sum(map(records, good[:5]), []), rng)
            else:
                data = mutate(data, good, rng)
            try:
                result = once(reader, path, data)
                counts[result] += 1
                if reader.startswith(("csv", "tsv", "tfrecord")):
                    by_hand(reader, path)
                if result == "rows" and rng.random() < 0.1 and reader != "json object":
                    counts["written and read again"] += again(reader, folder, path)
            except BaseException:
                kept = Path(tempfile.gettempdir()) / f"fuzz-{path.name}"
                kept.write_bytes(data)
                print(f"{reader}: the input is kept as {kept}", file=sys.stderr)
                raise
    return counts


def _memory_disk() -> str | None:
    """Millions of small files are for memory, not for a disk."""
    return "/dev/shm" if os.path.isdir("/dev/shm") else None


def memory() -> int:
    """The most bytes that the process has held."""
    scale = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=200_000, help="for each reader")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("readers", nargs="*", help=f"of {list(READERS)}")
    chosen = parser.parse_args()
    for reader in chosen.readers or READERS:
        fuzz(reader, 50, seed=-1)  # imports and buffers are there before memory is measured
        began, before = time.perf_counter(), memory()
        counts = fuzz(reader, chosen.inputs, chosen.seed)
        grown = memory() - before
        seconds = time.perf_counter() - began
        verdict = "holds" if grown < MEMORY else "falls short"
        print(
            f"{reader}: {chosen.inputs:,} inputs in {seconds:.0f} s: {counts['rows']:,} read, "
            f"{counts['error']:,} refused, {counts['written and read again']:,} of the read ones "
            f"written and read again; {grown >> 20} MiB more memory: {verdict}",
            flush=True,
        )


if __name__ == "__main__":
    main()
