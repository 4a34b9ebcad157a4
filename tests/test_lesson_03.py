"""The exercises of lesson 03: right answers pass, each kind of wrong one hears what is wrong."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.judging import judged


def wait_by_loop(attempt: int, told: Any = None, first: float = 0.5, most: float = 60) -> float:
    wait = first
    for _ in range(attempt - 1):
        wait = min(most, wait * 2)
    return wait if told is None or told < wait else told


def yes_no_by_lists(value: Any) -> bool:
    word = str(value).strip().casefold()
    if word in ("yes", "y", "true", "1"):
        return True
    if word in ("no", "n", "false", "0"):
        return False
    raise ValueError(value)


def may_train_by_loop(group: Any, test: Any) -> list[bool]:
    taken = {number for number, inside in zip(group.tolist(), test, strict=True) if inside}
    return [number not in taken for number in group.tolist()]


@pytest.mark.parametrize(
    ("id", "answer"),
    [
        ("03.1", wait_by_loop),
        ("03.1", lambda a, told=None, first=0.5, most=60: max(
            min(most, first * 2 ** (a - 1)), told or 0)),
        ("03.2", yes_no_by_lists),
        ("03.3", lambda group, test: ~np.isin(group, group[test])),
        ("03.3", may_train_by_loop),
    ],
)  # fmt: skip
def test_every_way_of_being_right_passes(id: str, answer: Callable[..., Any]) -> None:
    state, text = judged(id, answer)
    assert state == "passed", text


def wait(formula: str) -> Any:
    return eval(f"lambda attempt, told=None, first=0.5, most=60: {formula}")


def guesses(value: Any) -> bool:
    return str(value).strip().lower() in ("yes", "y", "true", "1")


def case_counts(value: Any) -> bool:
    known = {"yes": True, "y": True, "true": True, "1": True}
    known |= {"no": False, "n": False, "false": False, "0": False}
    if str(value).lower() not in known:
        raise ValueError(value)
    return known[str(value).lower()]


def texts_only(value: Any) -> bool:
    if not isinstance(value, str):
        raise ValueError(value)
    return yes_no_by_lists(value)


def raise_forgotten(value: Any) -> bool | None:
    try:
        return yes_no_by_lists(value)
    except ValueError:
        return None


def given_back(value: Any) -> bool | ValueError:
    try:
        return yes_no_by_lists(value)
    except ValueError as error:
        return error


def shared(group: Any, test: Any) -> Any:
    test |= np.isin(group, group[test])
    return ~test


@pytest.mark.parametrize(
    ("id", "answer", "said"),
    [
        ("03.1", wait("first * 2 ** attempt"), "already doubled"),
        ("03.1", wait("first * attempt"), "same amount each time"),
        ("03.1", wait("first"), "does not grow"),
        ("03.1", wait("first * attempt ** 2"), "squared"),
        ("03.1", wait("max(first * 2 ** (attempt - 1), told or 0)"), "`most` .60. is not kept"),
        ("03.1", wait("min(most, first * 2 ** (attempt - 1))"), "you knock after half"),
        ("03.1", wait("min(most, first * 2 ** (attempt - 1)) + (told or 0)"), "not their sum"),
        ("03.1", wait("told or min(most, first * 2 ** (attempt - 1))"), "is the least"),
        ("03.1", wait("min(most, max(first * 2 ** (attempt - 1), told or 0))"), "means it"),
        ("03.1", wait("max(min(60, 0.5 * 2 ** (attempt - 1)), told or 0)"), "written into it"),
        ("03.1", wait("0 if told == 0 else max(min(most, first * 2 ** (attempt - 1)), told or 0)"),
         "says 0"),
        ("03.1", wait("'soon'"), "a number of seconds"),
        ("03.2", bool, "something in it is true"),
        ("03.2", guesses, "is a guess"),
        ("03.2", case_counts, "blanks around it"),
        ("03.2", texts_only, "this bool is known"),
        ("03.2", lambda value: str(yes_no_by_lists(value)), "not their names"),
        ("03.2", raise_forgotten, "not known must raise"),
        ("03.2", given_back, "`raise` it"),
        ("03.2", lambda value: int(yes_no_by_lists(value)), "it should be True"),
        ("03.3", lambda group, test: np.isin(group, group[test]), "may .not. be trained on"),
        ("03.3", lambda group, test: ~test, "that is the leak"),
        ("03.3", lambda group, test: ~np.isin(group, group[test]) | test, "test part may be"),
        ("03.3", lambda group, test: ~test & (np.bincount(group)[group] == 1), "throw away"),
        ("03.3", lambda group, test: np.flatnonzero(~np.isin(group, group[test])), "a mask"),
        ("03.3", lambda group, test: ~np.isin(np.arange(len(group)), group[test]), "for places"),
        ("03.3", shared, "you were given is changed"),
    ],
)  # fmt: skip
def test_each_kind_of_wrong_answer_hears_what_is_wrong(id: str, answer: Any, said: str) -> None:
    state, text = judged(id, answer)
    assert state == "failed"
    assert re.search(said, text), text
