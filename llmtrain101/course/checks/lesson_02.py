"""Checks of lesson 02: the dumb baseline, the chance of a word, reading a learning curve."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from typing import Any

from llmtrain101.course.checks import Wrong, brief, exercise, number


@exercise(
    "02.1",
    title="The dumb baseline",
    minutes=5,
    difficulty=1,
    hints=[
        "Two steps: which label is most frequent in *training*; then, how many of the *new* "
        "labels are that one?",
        "`Counter(training_labels).most_common(1)[0][0]` is the label.",
    ],
)
def dumb(answer: Callable[[list[str], list[str]], Any]) -> str:
    """The answer maps training labels and new labels to a share."""
    training, new = ["a", "b", "a", "c", "a", "b"], ["b", "b", "a", "b", "c"]
    found = number(answer(list(training), list(new)))
    slips = {
        "that is the share of the most frequent label among the *new* rows: nobody knows those "
        "labels beforehand": 3 / 5,
        "that is its share in training; how many of the new rows are right?": 3 / 6,
        "that is the number of rows that are right; the share is asked for": 1.0,
        "that is the share that is *wrong*": 4 / 5,
        "it is in per cent; a share lies between 0 and 1": 20.0,
        "it is divided by the number of training rows; it is a share of the new ones": 1 / 6,
    }
    call = f"`dumb({training}, {new})`"
    for slip, value in slips.items():
        if abs(found - value) < 1e-9:
            raise Wrong(f"{call} is {found:g}: {slip}.")
    cases: tuple[tuple[list[Any], list[Any], float], ...] = (
        (training, new, 0.2),
        (["x"], ["x", "x"], 1.0),
        (["x", "y", "y"], ["x"], 0.0),
        ([1, 2, 2], [2, 2, 1, 2], 0.75),
    )
    for shown, asked, right in cases:
        found = number(answer(list(shown), list(asked)))
        if abs(found - right) > 1e-9:
            raise Wrong(f"`dumb({shown}, {asked})` is {found:g}; expected {right:g}.")
    return "Print it beside every score: without it nobody knows what the score is worth."


@exercise(
    "02.2",
    title="The chance of a word",
    minutes=7,
    difficulty=2,
    hints=[
        "Above the line: how often the word came, plus `added`. Below it: how many words there "
        "are in all, plus `added` for each word that there could be.",
        "`(counted[word] + added) / (sum(counted.values()) + added * len(vocabulary))`",
    ],
)
def chance_of(answer: Callable[[str, Counter[str], list[str], float], Any]) -> str:
    """The answer maps a word, counts, the vocabulary and what is added to a chance."""
    counted = Counter({"fine": 3, "day": 2, "a": 5})
    vocabulary = ["fine", "day", "a", "bad", "rain"]
    added = 0.5
    found = number(answer("fine", counted.copy(), list(vocabulary), added))
    n, size = 10, len(vocabulary)
    slips = {
        "nothing is added, so that a word that never came would make every text with it "
        "impossible": [3 / n],
        "something is added above the line, and not below: the chances of all words must add up "
        "to 1": [3.5 / n],
        "below the line `added` counts once for each word of the vocabulary, not once": [
            3.5 / (n + added)
        ],
        "below the line is the number of different words; it is to be how often words came": [
            3.5 / (len(counted) + added * size),
            3 / len(counted),
        ],
        "`added` counts for the words that came; a word that did not come needs its share too": [
            3.5 / (n + added * len(counted))
        ],
        "1 is added, whatever `added` says": [4 / (n + size)],
    }
    call = f"`chance_of('fine', {dict(counted)}, {vocabulary}, {added})`"
    for slip, values in slips.items():
        if any(abs(found - value) < 1e-9 for value in values):
            raise Wrong(f"{call} is {found:.4f}: {slip}.")
    total = sum(
        number(answer(word, counted.copy(), list(vocabulary), added)) for word in vocabulary
    )
    if abs(total - 1) > 1e-9:
        raise Wrong(
            f"The chances of all {size} words of the vocabulary add up to {total:.3f}, not to 1."
        )
    for word, counts, words, more in (
        ("fine", counted, vocabulary, 0.5),
        ("bad", counted, vocabulary, 0.5),
        ("x", Counter(), ["x", "y", "z"], 0.3),
        ("x", Counter(x=4), ["x", "y"], 1),
    ):
        right = (counts[word] + more) / (sum(counts.values()) + more * len(words))
        found = number(answer(word, counts.copy(), list(words), more))
        if abs(found - right) > 1e-9:
            raise Wrong(
                f"`chance_of({word!r}, {dict(counts)}, {words}, {more})` is {found:.4f}; expected "
                f"{right:.4f}."
            )
    return "With more added, all words become alike; with less, the counts have the last word."


@exercise(
    "02.3",
    title="How many labels for that?",
    minutes=8,
    difficulty=2,
    hints=[
        "Go through the numbers of labels from the largest to the smallest, as long as the score "
        "is good enough.",
        "`for n in sorted(curve, reverse=True):` and stop at the first that is below `wanted`; "
        "the one before it is the answer.",
    ],
)
def labels_for(answer: Callable[[dict[int, float], float], Any]) -> str:
    """The answer maps a curve and a wanted score to a number of labels, or to infinity."""
    curve = {100: 0.5, 10: 0.62, 1000: 0.7, 30: 0.4, 300: 0.6}
    found = answer(dict(curve), 0.6)
    if found == 10:
        raise Wrong(
            f"`labels_for({curve}, 0.6)` is 10. There the score is good by luck: at 30 and at 100 "
            "it is lower again. From the answer on, *every* score must be good."
        )
    if found == 100:
        raise Wrong(
            f"`labels_for({curve}, 0.6)` is 100, where the score is still below 0.6: one too few."
        )
    if found == 1000:
        raise Wrong(
            f"`labels_for({curve}, 0.6)` is 1000. At 300 the score is 0.6 already: “at least” "
            "holds for equal ones too."
        )
    for given, wanted, right in (
        (curve, 0.6, 300),
        (curve, 0.71, math.inf),
        (curve, 0.3, 10),
        ({5: 0.9}, 0.5, 5),
        ({10: 0.9, 20: 0.8, 40: 0.2}, 0.5, math.inf),
        ({}, 0.5, math.inf),
    ):
        found = answer(dict(given), wanted)
        if found != right or isinstance(found, bool):
            raise Wrong(f"`labels_for({given}, {wanted})` is {brief(found)}; expected {right}.")
    return "So you can say what a point of accuracy costs before you order labels."
