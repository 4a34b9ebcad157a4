"""Checks of lesson 04: a bag of words, the rarity of a word, a word cut by merges."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from llmtrain101.course.checks import Wrong, brief, exercise


@exercise(
    "04.1",
    title="A bag of words",
    minutes=5,
    difficulty=1,
    hints=[
        "Cut the text first (`text.lower().split()`), then ask for each of the given words how "
        "often it is among the cut ones.",
        "`Counter(…)` of a list counts, and answers 0 for what is not there.",
    ],
)
def bag(answer: Callable[[str, list[str]], Any]) -> str:
    """The answer maps a text and the words that have a column to counts."""
    text = "The cat saw the cat that THE catalogue shows to the cats"
    words = ["cat", "dog", "the", "a"]
    given = list(words)
    found = _numbers(answer(text, given), len(words))
    if given != words:
        raise Wrong("The list of words that you were given is changed; leave it as it is.")
    right = [2, 0, 4, 0]
    call = f"`bag({text!r}, {words})` gives {[round(each, 3) for each in found]}"
    slips = {
        "a word within another one counts there; “catalogue” has no “cat” as a word": [
            text.lower().count(word) for word in words
        ],
        "“The” and “THE” are not counted as “the”: bring the text to lower case": [2, 0, 2, 0],
        "that says whether each word is there, not how often": [1, 0, 1, 0],
    }
    for slip, value in slips.items():
        if found == value:
            raise Wrong(f"{call}: {slip}.")
    if found != right and sorted(found) == sorted(right):
        raise Wrong(f"{call}: the columns are to be in the order of the words.")
    for line, columns, expected in (
        (text, words, right),
        ("", ["x", "y"], [0, 0]),
        ("b a b\nb\ta", ["a", "b", "c"], [2, 3, 0]),
        ("A fine day", [], []),
    ):
        found = _numbers(answer(line, list(columns)), len(columns))
        if found != expected:
            raise Wrong(f"`bag({line!r}, {columns})` gives {found}; expected {expected}.")
    return "That row, for every text, is all that a bag of words knows."


@exercise(
    "04.2",
    title="How rare is a word?",
    minutes=5,
    difficulty=1,
    hints=[
        "Count the texts that have the word, not the times it occurs: "
        "`sum(word in text.split() for text in texts)`.",
        "`np.log((1 + len(texts)) / (1 + with_it)) + 1`",
    ],
)
def rarity_of(answer: Callable[[str, list[str]], Any]) -> str:
    """The answer maps a word and texts to the weight of the word."""
    texts = ["a cat and a cat", "the cat", "a dog", "a catalogue", "concatenate it", "no"]
    n, with_it, times, within = len(texts), 2, 3, 4
    found = _numbers([answer("cat", list(texts))], 1)[0]
    slips = {
        "it counts how often the word occurs; a text counts once, however often it has it": [
            math.log((1 + n) / (1 + times)) + 1
        ],
        "“cat” within “catalogue” counts as the word there": [
            math.log((1 + n) / (1 + within)) + 1,
            math.log((1 + n) / (1 + within + 1)) + 1,
        ],
        "the fraction stands on its head, so that frequent words weigh more": [
            math.log((1 + with_it) / (1 + n)) + 1
        ],
        "the 1 that is added at the end is missing: a word that is in every text would weigh "
        "nothing": [math.log((1 + n) / (1 + with_it))],
        "nothing is added within the fraction: a word that no text has would divide by 0": [
            math.log(n / with_it) + 1
        ],
        "the logarithm is not the natural one": [
            math.log10((1 + n) / (1 + with_it)) + 1,
            math.log2((1 + n) / (1 + with_it)) + 1,
        ],
        "the logarithm is missing": [(1 + n) / (1 + with_it) + 1],
    }
    for slip, values in slips.items():
        if any(abs(found - value) < 1e-9 for value in values):
            raise Wrong(f"`rarity_of('cat', {texts})` is {found:.3f}: {slip}.")
    for word, given in (
        ("cat", texts),
        ("a", texts),
        ("unicorn", texts),
        ("the", ["the"] * 4),
        ("x", ["x x x", "y"]),
    ):
        right = math.log((1 + len(given)) / (1 + sum(word in t.split() for t in given))) + 1
        found = _numbers([answer(word, list(given))], 1)[0]
        if abs(found - right) > 1e-9:
            raise Wrong(f"`rarity_of({word!r}, {given})` is {found:.4f}; expected {right:.4f}.")
    return "A word in every text weighs 1; one that you have never met weighs most."


@exercise(
    "04.3",
    title="Cut a new word",
    minutes=12,
    difficulty=2,
    hints=[
        "Two loops: over the merges in their order, and within each over the places of the word "
        "from left to right.",
        "`merge` of the section “Pieces of words” does the inner loop: "
        "`parts = merge(parts, pair)` for each pair, starting from `tuple(word)`.",
    ],
)
def tokenize(answer: Callable[[str, list[tuple[str, str]]], Any]) -> str:
    """The answer maps a word and merges to pieces."""
    merges = [("e", "s"), ("es", "t"), ("l", "o"), ("lo", "w"), ("t", "s")]
    given = list(merges)
    found = _pieces(answer("lowests", given))
    if given != merges:
        raise Wrong("The merges that you were given are changed; the next word needs them too.")
    right = ["low", "est", "s"]
    if found == list("lowests"):
        raise Wrong("“lowests” comes back in single letters: no merge is applied.")
    if found in (["lo", "w", "es", "ts"], ["lo", "w", "es", "t", "s"]):
        raise Wrong(
            f"“lowests” becomes {found}: a merge must be able to join what an earlier merge made."
        )
    if "".join(found) != "lowests":
        raise Wrong(f"“lowests” becomes {found}: joined again, the pieces must give the word.")
    if found != right:
        raise Wrong(
            f"“lowests” becomes {found}; expected {right}. The merges are to be applied one after "
            "the other in their order, not by which of them fits first from the left."
        )
    pairs = [("a", "a")]
    if (found := _pieces(answer("aaaaa", list(pairs)))) != ["aa", "aa", "a"]:
        once = found == ["aa", "a", "a", "a"]
        why = (
            "a merge joins every occurrence, not only the first"
            if once
            else "from left to right, and a letter that is joined is not there any more"
        )
        raise Wrong(f"With the one merge a + a, “aaaaa” becomes {found}: {why}.")
    for word, pairs, right in (
        ("", merges, []),
        ("x", merges, ["x"]),
        ("abab", [("b", "a"), ("a", "b")], ["a", "ba", "b"]),
        ("newest", [("w", "e"), ("e", "s"), ("we", "s")], ["n", "e", "wes", "t"]),
        ("aab", [("a", "b"), ("aa", "b")], ["a", "ab"]),
        ("low low", [("l", "o"), ("o", "w"), ("lo", "w")], ["low", " ", "low"]),
    ):
        found = _pieces(answer(word, list(pairs)))
        if found != right:
            raise Wrong(
                f"With {pairs}, {word!r} becomes {found}; expected {right}: the merges are applied "
                "one after the other, in their order."
            )
    return "It can cut any word, known or not: at worst into its letters."


def _numbers(value: Any, n: int) -> list[float]:
    import numpy as np

    try:
        array = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        raise Wrong(f"It gives {brief(value)}; numbers are expected.") from None
    if array.shape != (n,):
        raise Wrong(
            f"It gives {brief(value)}; expected {n} number{'s' if n != 1 else ''}"
            + (", one for each word." if n != 1 else ".")
        )
    return [float(each) for each in array]


def _pieces(value: Any) -> list[str]:
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise Wrong(f"It gives {brief(value)}; a list of pieces is expected.")
    if not all(isinstance(piece, str) for piece in value):
        raise Wrong(f"It gives {brief(value)}; each piece is to be a text.")
    return list(value)
