"""Cleaning every docstring of the installed packages, near-duplicates with it, and how many of
these are found: precision and recall against every pair of a sample compared word run by word run.
"""

from __future__ import annotations

import argparse
import re
import time
from itertools import combinations

import numpy as np

from llmtrain101 import clean, seeds, sources

SECONDS = 20.0
THRESHOLD = 0.5


def shingles(text: str, words: int = 3) -> frozenset[tuple[str, ...]]:
    """The runs of words of a text, by the definition, not by the code that is measured."""
    found = re.findall(r"\w+", text.lower()) or [text]
    runs = range(max(1, len(found) - words + 1))
    return frozenset(tuple(found[start : start + words]) for start in runs)


def exact_pairs(texts: list[str]) -> set[tuple[int, int]]:
    """Every pair whose Jaccard similarity reaches the threshold, found by comparing all pairs."""
    runs = [shingles(text) for text in texts]
    sizes = np.array([len(each) for each in runs])
    pairs = set()
    for a, b in combinations(range(len(runs)), 2):
        low, high = sorted((sizes[a], sizes[b]))
        if low < THRESHOLD * high:  # then even a part of the larger one is not similar enough
            continue
        shared = len(runs[a] & runs[b])
        if shared >= THRESHOLD * (len(runs[a]) + len(runs[b]) - shared):
            pairs.add((a, b))
    return pairs


def chained(pairs: set[tuple[int, int]], n: int) -> set[tuple[int, int]]:
    """All pairs that a chain of pairs links."""
    group = list(range(n))
    for a, b in sorted(pairs):
        old, new = group[b], group[a]
        group = [new if each == old else each for each in group]
    return same_group(np.array(group))


def same_group(group: np.ndarray) -> set[tuple[int, int]]:
    found = set()
    for number in np.unique(group):
        found |= set(combinations(np.flatnonzero(group == number).tolist(), 2))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=int, default=2_000, help="texts compared pair by pair")
    sample_size = parser.parse_args().sample

    table = sources.docstrings(show=False)
    rules = [
        *(
            clean.column("text", rule)
            for rule in (
                clean.normalise,
                clean.repair_encoding,
                clean.strip_markup,
                clean.whitespace,
                clean.mask_personal,
            )
        ),
        clean.drop_missing("text", "package"),
        clean.keep_length("text", 3, 5_000),
        clean.keep_language("text"),
        clean.drop_duplicates("text"),
        clean.drop_near_duplicates("text"),
    ]
    for rule in rules:
        start = time.perf_counter()
        clean.Pipeline([rule]).run(table[["text", "package"]])
        print(f"{rule.__name__:<36} {time.perf_counter() - start:6.2f} s alone")
    begin = time.perf_counter()
    cleaned = clean.Pipeline(rules).run(table[["text", "package", "module", "name"]])
    whole = time.perf_counter() - begin
    print(cleaned.report[["rule", "seen", "changed", "dropped"]].to_string(index=False))
    per = 49_000 / len(table) * whole
    print(
        f"{len(table):,} docstrings: {whole:.1f} s, {per:.1f} s for each 49,000 "
        f"(bound {SECONDS:.0f}): {'holds' if per <= SECONDS else 'falls short'}"
    )

    # half of the sample from modules next to each other, where near-duplicates are
    rng = seeds.rng(0, "sample")
    start = int(rng.integers(len(table) - sample_size // 2))
    places = np.union1d(
        np.arange(start, start + sample_size // 2),
        rng.choice(len(table), sample_size // 2, replace=False),
    )
    texts = table.text.iloc[places].tolist()
    pairs = exact_pairs(texts)
    true, found = chained(pairs, len(texts)), same_group(clean.near_duplicates(texts))
    right = len(true & found)
    print(
        f"{len(texts):,} texts, {len(pairs):,} pairs at Jaccard ≥ {THRESHOLD}, {len(true):,} with "
        f"chains; found {len(found):,}: precision {right / len(found):.4f}, "
        f"recall {right / len(true):.4f}: {'holds' if true == found else 'falls short'}"
    )


if __name__ == "__main__":
    main()
