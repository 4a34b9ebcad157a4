"""The exercises of lesson 04: right answers pass, each kind of wrong one hears what is wrong."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.judging import judged


def with_it(word: str, texts: list[str]) -> int:
    return sum(word in text.split() for text in texts)


def rarity(word: str, texts: list[str]) -> float:
    return math.log((1 + len(texts)) / (1 + with_it(word, texts))) + 1


def cut(word: str, merges: list[tuple[str, str]]) -> list[str]:
    parts = list(word)
    for left, right in merges:
        i = 0
        while i < len(parts) - 1:
            if (parts[i], parts[i + 1]) == (left, right):
                parts[i : i + 2] = [left + right]
            i += 1
    return parts


def by_replacing(word: str, merges: list[tuple[str, str]]) -> list[str]:
    """Another right way: pieces between marks that no word has."""
    text = "|" + "|".join(word) + "|"
    for left, right in merges:
        text = re.sub(rf"(?<=\|){re.escape(left)}\|{re.escape(right)}(?=\|)", left + right, text)
    return [part for part in text.split("|") if part]


@pytest.mark.parametrize(
    ("id", "answer"),
    [
        ("04.1", lambda text, words: [text.lower().split().count(word) for word in words]),
        ("04.1", lambda text, words: np.array([Counter(text.lower().split())[w] for w in words])),
        ("04.2", rarity),
        ("04.2", lambda word, texts: np.float64(rarity(word, texts))),
        ("04.3", cut),
        ("04.3", by_replacing),
        ("04.3", lambda word, merges: tuple(cut(word, merges))),
    ],
)
def test_every_way_of_being_right_passes(id: str, answer: Callable[..., Any]) -> None:
    state, text = judged(id, answer)
    assert state == "passed", text


def empties(text: str, words: list[str]) -> list[int]:
    found = [text.lower().split().count(word) for word in words]
    words.clear()
    return found


def first_only(word: str, merges: list[tuple[str, str]]) -> list[str]:
    parts = list(word)
    for left, right in merges:
        for i in range(len(parts) - 1):
            if (parts[i], parts[i + 1]) == (left, right):
                parts[i : i + 2] = [left + right]
                break
    return parts


def letters_only(word: str, merges: list[tuple[str, str]]) -> list[str]:
    """Joins letters, and never what was joined."""
    parts, i = [], 0
    while i < len(word):
        if tuple(word[i : i + 2]) in merges:
            parts.append(word[i : i + 2])
            i += 2
        else:
            parts.append(word[i])
            i += 1
    return parts


def from_the_right(word: str, merges: list[tuple[str, str]]) -> list[str]:
    parts = list(word)
    for left, right in merges:
        for i in range(len(parts) - 2, -1, -1):
            if (parts[i : i + 2]) == [left, right]:
                parts[i : i + 2] = [left + right]
    return parts


def by_place(word: str, merges: list[tuple[str, str]]) -> list[str]:
    """Takes whichever merge fits first from the left, whatever its place in the list."""
    parts, again = list(word), True
    while again:
        again = False
        for i in range(len(parts) - 1):
            if (parts[i], parts[i + 1]) in merges:
                parts[i : i + 2] = ["".join(parts[i : i + 2])]
                again = True
                break
    return parts


def forgetful(word: str, merges: list[tuple[str, str]]) -> list[str]:
    found = cut(word, merges)
    merges.clear()
    return found


@pytest.mark.parametrize(
    ("id", "answer", "said"),
    [
        ("04.1", lambda t, words: [t.lower().count(w) for w in words], "within another one"),
        ("04.1", lambda t, words: [t.split().count(w) for w in words], "lower case"),
        ("04.1", lambda t, words: [int(w in t.lower().split()) for w in words], "not how often"),
        ("04.1", lambda t, words: sorted(t.lower().split().count(w) for w in words), "order"),
        ("04.1", empties, "is changed"),
        ("04.1", lambda t, words: Counter(t.lower().split()), "numbers are expected"),
        ("04.1", lambda t, words: [1], "expected 4 numbers, one for each word"),
        ("04.1", lambda t, words: [t.lower().split(" ").count(w) for w in words], "expected"),
        (
            "04.2",
            lambda w, ts: math.log((1 + len(ts)) / (1 + sum(t.split().count(w) for t in ts))) + 1,
            "counts once",
        ),
        (
            "04.2",
            lambda w, ts: math.log((1 + len(ts)) / (1 + sum(w in t for t in ts))) + 1,
            "catalogue",
        ),
        ("04.2", lambda w, ts: math.log((1 + with_it(w, ts)) / (1 + len(ts))) + 1, "on its head"),
        ("04.2", lambda w, ts: rarity(w, ts) - 1, "added at the end"),
        ("04.2", lambda w, ts: math.log(len(ts) / with_it(w, ts)) + 1, "divide by 0"),
        (
            "04.2",
            lambda w, ts: math.log10((1 + len(ts)) / (1 + with_it(w, ts))) + 1,
            "not the natural one",
        ),
        ("04.2", lambda w, ts: (1 + len(ts)) / (1 + with_it(w, ts)) + 1, "logarithm is missing"),
        ("04.2", lambda w, ts: 2.0, "expected"),
        ("04.2", lambda w, ts: "rare", "numbers are expected"),
        ("04.3", lambda word, merges: list(word), "no merge is applied"),
        ("04.3", letters_only, "what an earlier merge made"),
        ("04.3", first_only, "every occurrence"),
        ("04.3", from_the_right, "from left to right"),
        ("04.3", by_place, "one after the other"),
        ("04.3", lambda word, merges: cut(word, merges)[1:], "must give the word"),
        ("04.3", lambda word, merges: " ".join(cut(word, merges)), "a list of pieces"),
        ("04.3", lambda word, merges: [1, 2], "each piece is to be a text"),
        ("04.3", forgetful, "are changed"),
    ],
)
def test_each_kind_of_wrong_answer_hears_what_is_wrong(id: str, answer: Any, said: str) -> None:
    state, text = judged(id, answer)
    assert state == "failed", text
    assert re.search(said, text), text
