"""Writing and reading labelled texts: our formats against the libraries that people use, one run.

50,000 rows of a text, an integer and a float, to and from Python dicts, in one thread. The texts
are those of `--texts FILE` (a line each; `sms_spam.tsv` for instance), else first paragraphs of
docstrings. Each file is flushed to the disk, which ours are anyway: they take the place of the old
file only once they are whole. `--gigabyte` reads 1 GB of each format instead, and says how much
memory that takes.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pandas as pd
import pyarrow as pa
from pyarrow import csv, parquet

from llmtrain101 import formats, sources
from llmtrain101.formats import tfrecord

pa.set_cpu_count(1)
TYPES = {"text": str, "label": int, "score": float}
KINDS = {"text": "byte", "label": "int", "score": "float"}
ONE_THREAD = csv.ReadOptions(use_threads=False)
Row = dict[str, Any]


def make_rows(texts: list[str], count: int) -> list[Row]:
    rng = random.Random(0)
    return [
        {"text": rng.choice(texts), "label": rng.randrange(10), "score": rng.random()}
        for _ in range(count)
    ]


def peers(
    folder: Path,
) -> dict[str, dict[str, tuple[Callable[[list[Row]], Any], Callable[[], Any]]]]:
    """By format and library: how it writes rows, and how it reads them."""

    def at(name: str) -> Path:
        return folder / name

    def ours(name: str, **options: Any) -> tuple[Callable[[list[Row]], Any], Callable[[], Any]]:
        return (
            lambda rows: formats.write(at(name), rows),
            lambda: list(formats.read(at(name), **options)),
        )

    def orjson_write(rows: list[Row]) -> None:
        with at("peer.jsonl").open("wb") as file:
            for row in rows:
                file.write(orjson.dumps(row) + b"\n")

    def orjson_read() -> list[Row]:
        with at("peer.jsonl").open("rb") as file:
            return [orjson.loads(line) for line in file]

    newlines = csv.ParseOptions(newlines_in_values=True)
    found: dict[str, Any] = {
        "CSV": {
            "ours": ours("a.csv", types=TYPES),
            "pyarrow": (
                lambda rows: csv.write_csv(pa.Table.from_pylist(rows), at("arrow.csv")),
                lambda: csv.read_csv(
                    at("arrow.csv"), ONE_THREAD, parse_options=newlines
                ).to_pylist(),
            ),
            "pandas": (
                lambda rows: pd.DataFrame(rows).to_csv(at("pandas.csv"), index=False),
                lambda: pd.read_csv(at("pandas.csv"), keep_default_na=False).to_dict("records"),
            ),
        },
        "JSON Lines": {
            "ours": ours("a.jsonl"),
            "orjson": (orjson_write, orjson_read),
        },
        "JSON Lines, gaps": {  # every tenth text is None
            "ours": ours("gaps.jsonl"),
            "orjson": (orjson_write, orjson_read),
        },
        "TFRecord": {"ours": ours("a.tfrecord")},
        "Parquet": {
            "ours": ours("a.parquet"),
            "pyarrow": (
                lambda rows: parquet.write_table(
                    pa.Table.from_pylist(rows), at("peer.parquet"), compression="zstd"
                ),
                lambda: parquet.read_table(at("peer.parquet"), use_threads=False).to_pylist(),
            ),
        },
    }
    if importlib.util.find_spec("tfrecord"):
        found["TFRecord"]["tfrecord"] = package_tfrecord(at("peer.tfrecord"))
    if importlib.util.find_spec("tensorflow"):
        found["TFRecord, columns"] = {
            "ours": (lambda rows: None, lambda: list(tfrecord.read_columns(at("a.tfrecord")))),
            "tensorflow": (lambda rows: None, tensorflow_columns(at("a.tfrecord"))),
        }
    return found


def package_tfrecord(path: Path) -> tuple[Callable[[list[Row]], Any], Callable[[], Any]]:
    import tfrecord as package

    def write(rows: list[Row]) -> None:
        writer = package.TFRecordWriter(str(path))
        for row in rows:
            text = row["text"].encode()
            writer.write(
                {"text": (text, "byte"), "label": (row["label"], "int"),
                 "score": (row["score"], "float")}
            )  # fmt: skip
        writer.close()

    return write, lambda: list(package.tfrecord_loader(str(path), None, KINDS))


def tensorflow_columns(path: Path) -> Callable[[], Any]:
    import tensorflow as tf

    features = {
        "text": tf.io.FixedLenFeature([], tf.string),
        "label": tf.io.FixedLenFeature([], tf.int64),
        "score": tf.io.FixedLenFeature([], tf.float32),
    }

    def read() -> list[Any]:
        batches = tf.data.TFRecordDataset(str(path)).batch(1024)
        parsed = batches.map(lambda batch: tf.io.parse_example(batch, features))
        return list(parsed.as_numpy_iterator())

    return read


def flush(folder: Path) -> None:
    """Wait until the newest file is on the disk, as our writers do by themselves."""
    newest = max(folder.iterdir(), key=lambda path: path.stat().st_mtime_ns)
    with newest.open("rb+") as file:
        os.fsync(file.fileno())


def milliseconds(run: Callable[[], Any]) -> float:
    start = time.perf_counter()
    run()
    return 1e3 * (time.perf_counter() - start)


def check(rows: list[Row], found: list[Row]) -> None:
    """All came back; a TFRecord holds 32 bits of a float."""
    assert len(found) == len(rows), f"{len(found):,} rows of {len(rows):,}"
    for row, back in zip(rows, found, strict=True):
        assert row | {"score": 0} == back | {"score": 0}, f"{row} came back as {back}"
        assert abs(row["score"] - back["score"]) < 1e-7, f"{row} came back as {back}"


BOUNDS = {
    "CSV": 1 / 1.3,
    "JSON Lines": 1 / 1.3,
    "JSON Lines, gaps": 1 / 1.3,
    "TFRecord": 3.5,
    "TFRecord, columns": 0.5,
}


def compare(rows: list[Row], rounds: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        gaps = [row | {"text": None} if n % 10 == 0 else row for n, row in enumerate(rows)]
        for format_, libraries in peers(folder).items():
            given = gaps if "gaps" in format_ else rows
            times: dict[str, list[tuple[float, float]]] = {library: [] for library in libraries}
            for _ in range(rounds):  # in turn, so that a busy moment meets all of them
                for library, (write, read) in libraries.items():
                    start = time.perf_counter()
                    write(given)
                    flush(folder)
                    written = 1e3 * (time.perf_counter() - start)
                    times[library].append((written, milliseconds(read)))
            if "columns" not in format_:
                check(given, libraries["ours"][1]())
            # the best round of each: what else the machine does only ever adds
            best = {
                library: tuple(min(column) for column in zip(*pairs, strict=True))
                for library, pairs in times.items()
            }
            for library, (write_ms, read_ms) in best.items():
                print(f"{format_:18} {library:10} write {write_ms:7.1f} ms  read {read_ms:7.1f} ms")
            for verb, place in (("write", 0), ("read", 1)):
                others = [m[place] for library, m in best.items() if library != "ours"]
                if not others or not max(others) > 0.01:
                    continue
                ratio = min(others) / best["ours"][place]
                bound = BOUNDS.get(format_)
                verdict = "" if bound is None else "holds" if ratio >= bound else "falls short"
                against = "" if bound is None else f" (bound {bound:.2f})"
                print(f"{'':18} {verb}: {ratio:.2f} times the best peer's speed{against} {verdict}")
        print()
        for path in sorted(folder.iterdir()):
            print(f"{path.name:18} {path.stat().st_size:12,} bytes")
        columns = milliseconds(lambda: list(tfrecord.read_columns(folder / "a.tfrecord")))
        print(f"TFRecord read into columns: {columns:.1f} ms")
        random_access(folder, len(rows))


def random_access(folder: Path, count: int) -> None:
    places = random.Random(1).sample(range(count), 1000)
    with tfrecord.Records(folder / "a.tfrecord") as records:
        spent = milliseconds(lambda: [records[place] for place in places])
    print(f"TFRecord, 1,000 random rows: {spent:.1f} ms")


# --- a gigabyte ---------------------------------------------------------------------------------

READ = """
import json, sys, time
import psutil
from llmtrain101 import formats
path, types = sys.argv[1], {"text": str, "label": int, "score": float}
for _ in formats.read(sys.argv[2], types=types): pass
held = psutil.Process().memory_info  # ru_maxrss would begin with what the parent held
before = most = held().rss
start, count = time.perf_counter(), 0
for row in formats.read(path, types=types):
    count += 1
    if count % 5_000 == 0: most = max(most, held().rss)
print(json.dumps([count, time.perf_counter() - start, (most - before) / 2**20]))
"""
MEBIBYTES = 300  # that reading may add


def gigabyte(texts: list[str]) -> None:
    some = make_rows(texts, 50_000)
    with tempfile.TemporaryDirectory() as name:
        for kind in ("csv", "jsonl", "json", "tfrecord", "parquet"):
            small, path = Path(name) / f"small.{kind}", Path(name) / f"a.{kind}"
            formats.write(small, some[:1000])
            formats.write(path, some)
            times = round(1e9 / path.stat().st_size) + 1
            # a running number keeps Parquet from packing all repetitions into one
            rows = (row | {"text": f"{n} {row['text']}"} for n in range(times) for row in some)
            formats.write(path, rows)
            done = subprocess.run(
                [sys.executable, "-c", READ, str(path), str(small)],
                capture_output=True, text=True, check=True,
            )  # fmt: skip
            count, seconds, grown = json.loads(done.stdout)
            assert count == times * len(some), f"{count:,} rows of {times * len(some):,}"
            verdict = "holds" if grown < MEBIBYTES else "falls short"
            print(
                f"{kind:9} {path.stat().st_size / 1e9:.2f} GB, {count:,} rows in {seconds:.0f} s, "
                f"{grown:.0f} MiB more memory (bound {MEBIBYTES}): {verdict}",
                flush=True,
            )
            path.unlink()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=Path, help="a file with a text on each line")
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--gigabyte", action="store_true")
    chosen = parser.parse_args()
    if chosen.texts:
        texts = chosen.texts.read_text(encoding="utf-8").splitlines()
    else:
        texts = [text.split("\n\n")[0] for text in sources.docstrings("numpy").text]
    if chosen.gigabyte:
        gigabyte(texts)
    else:
        compare(make_rows(texts, chosen.rows), chosen.rounds)


if __name__ == "__main__":
    main()
