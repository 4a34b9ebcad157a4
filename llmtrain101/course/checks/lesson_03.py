"""Checks of lesson 03: waiting before the next try, yes and no, what may be trained on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llmtrain101.course.checks import Wrong, exercise


@exercise(
    "03.1",
    title="How long to wait",
    minutes=8,
    difficulty=2,
    hints=[
        "The first try that failed is followed by `first` seconds, the second by twice that, the "
        "third by four times that: which power of 2 is it for try number `attempt`?",
        "`most` bounds your own wait, not what the server asks for: first the smaller of two, "
        "then the larger of two.",
        "`max(min(most, first * 2 ** (attempt - 1)), told or 0)`",
    ],
)
def wait_before_next(answer: Callable[..., float]) -> str:
    """The answer maps the number of a try, and what the server said, to seconds."""
    own = [_number(answer(attempt), f"wait_before_next({attempt})") for attempt in (1, 2, 3, 4)]
    slips = {
        "the first wait is already doubled: `attempt` begins with 1": [1.0, 2.0, 4.0, 8.0],
        "it grows by the same amount each time; it should double": [0.5, 1.0, 1.5, 2.0],
        "it does not grow: a server that is overloaded needs longer and longer pauses": [0.5] * 4,
        "it grows, but squared, not doubled": [0.5, 2.0, 4.5, 8.0],
    }
    for slip, values in slips.items():
        if own == values:
            raise Wrong(f"After tries 1 to 4 it waits {own} seconds: {slip}.")
    if own != [0.5, 1.0, 2.0, 4.0]:
        raise Wrong(
            f"After tries 1 to 4 it waits {own} seconds; with first=0.5 that should be "
            "[0.5, 1.0, 2.0, 4.0]."
        )
    late = _number(answer(30), "wait_before_next(30)")
    if late > 60:
        raise Wrong(f"After try 30 it waits {late:,.0f} seconds: `most` (60) is not kept to.")
    if late != 60:
        raise Wrong(f"After try 30 it waits {late:g} seconds; it should be `most`, 60.")
    told = _number(answer(1, 7), "wait_before_next(1, 7)")
    if told == 0.5:
        raise Wrong(
            "`wait_before_next(1, 7)` is 0.5: the server said 7 seconds, and you knock after half "
            "of one. So it goes on until it shuts you out."
        )
    if told == 7.5:
        raise Wrong("`wait_before_next(1, 7)` is 7.5: take the longer of the two, not their sum.")
    if told != 7:
        raise Wrong(f"`wait_before_next(1, 7)` is {told:g}; the server said 7, longer than 0.5.")
    short = _number(answer(5, 1), "wait_before_next(5, 1)")
    if short == 1:
        raise Wrong(
            "`wait_before_next(5, 1)` is 1: what the server says is the least. This try is the "
            "fifth that failed, and your own wait is by now 8 seconds."
        )
    if short != 8:
        raise Wrong(f"`wait_before_next(5, 1)` is {short:g}; expected 8, longer than the 1 told.")
    long = _number(answer(1, 300), "wait_before_next(1, 300)")
    if long == 60:
        raise Wrong(
            "`wait_before_next(1, 300)` is 60: `most` bounds your own wait. Whoever asks you to "
            "wait five minutes means it."
        )
    if long != 300:
        raise Wrong(f"`wait_before_next(1, 300)` is {long:g}; the server said 300.")
    other = [_number(answer(a, first=3, most=10), f"first=3, most=10, try {a}") for a in (1, 2, 3)]
    if other != [3, 6, 10]:
        raise Wrong(
            f"With first=3 and most=10 the first waits are {other}, expected [3, 6, 10]: are "
            "`first` and `most` used, or are 0.5 and 60 written into it?"
        )
    if _number(answer(1, 0), "wait_before_next(1, 0)") != 0.5:
        raise Wrong("When the server says 0, your own wait still counts: expected 0.5.")
    return "With waits that double, a server that is down for a minute is asked seven times."


@exercise(
    "03.2",
    title="One standard form for yes and no",
    minutes=8,
    difficulty=1,
    hints=[
        "Make one text of every value first: `str(value).strip().lower()`.",
        "Then look it up in a dict of the eight words; `raise ValueError(...)` if it is not there.",
    ],
)
def yes_no(answer: Callable[[Any], Any]) -> str:
    """The answer maps a value to True or False, or raises ValueError."""
    for right, values in {
        True: ("yes", "y", "true", "1", True, 1),
        False: ("no", "n", "false", "0", False, 0),
    }.items():
        for value in values:
            found = _asked(answer, value)
            if found is ValueError:
                kind = "text" if isinstance(value, str) else type(value).__name__
                raise Wrong(
                    f"`yes_no({value!r})` raises ValueError; this {kind} is known: {right}."
                )
            if isinstance(found, str):
                raise Wrong(
                    f"`yes_no({value!r})` is the text {found!r}. `bool('False')` is True: give the "
                    "values True and False, not their names."
                )
            if not isinstance(found, bool):
                raise Wrong(f"`yes_no({value!r})` is {found!r}; it should be {right}.")
            if found is not right:
                more = " Any text with something in it is true in Python, `'no'` too."
                raise Wrong(
                    f"`yes_no({value!r})` is {found}; it should be {right}."
                    f"{more if found and isinstance(value, str) else ''}"
                )
    for value, right in {"YES": True, "No": False, " y ": True, "False\n": False}.items():
        found = _asked(answer, value)
        if found is not right:
            said = "raises ValueError" if found is ValueError else f"is {found!r}"
            raise Wrong(
                f"`yes_no({value!r})` {said}; case and blanks around it should not count: {right}."
            )
    for value in ("maybe", "", "yess", "nope", 2, "10", "ja"):
        try:
            found = _asked(answer, value)
        except Wrong as error:
            if error.__context__ is None:  # nothing was raised: it is about None
                raise Wrong(
                    f"`yes_no({value!r})` gives back None; a value that is not known must raise "
                    "ValueError: is a `raise` missing?"
                ) from None
            raise
        if isinstance(found, ValueError):
            raise Wrong(
                f"`yes_no({value!r})` gives a ValueError back, like any other value: `raise` it."
            )
        if found is not ValueError:
            raise Wrong(
                f"`yes_no({value!r})` is {found!r}. That is a guess, and nobody will ever see that "
                "it was one: raise a ValueError, so that the row is dropped and counted."
            )
    return "What is not known is said, not guessed."


@exercise(
    "03.3",
    title="Mend the split",
    minutes=10,
    difficulty=2,
    hints=[
        "`group[test]` are the numbers of all groups that have a text in the test part.",
        "`np.isin(a, b)` says for each value of `a` whether it is one of `b`; `~` turns True and "
        "False round.",
    ],
)
def may_train(answer: Callable[[Any, Any], Any]) -> str:
    """The answer maps groups and a mask to a mask."""
    import numpy as np

    group = np.array([0, 1, 0, 2, 3, 3, 4, 1, 5, 3])
    test = np.array([True, False, False, True, False, False, False, True, False, False])
    kept, given = group.copy(), test.copy()
    found = np.asarray(answer(kept, given))
    if not (np.array_equal(kept, group) and np.array_equal(given, test)):
        raise Wrong("One of the arrays that you were given is changed; make a new one.")
    if found.shape != test.shape or found.dtype != bool:
        hint = (
            " Places of texts are given; a mask is asked for." if found.dtype.kind in "iu" else ""
        )
        raise Wrong(
            f"It gives an array of {found.dtype} and shape {found.shape}; it should be True or "
            f"False for each of the {len(test)} texts.{hint}"
        )
    right = ~np.isin(group, group[test])
    first = np.zeros(len(group), bool)
    first[np.unique(group, return_index=True)[1]] = True
    alone = np.bincount(group)[group] == 1
    slips = {
        "those are the texts that may *not* be trained on": ~right,
        "the near-duplicates of test texts are still in it: that is the leak": ~test,
        "texts of the test part may be trained on": right | test,
        "every text with a near-duplicate is out, also where all of these are in training: you "
        "throw away texts that leak nothing": ~test & alone,
        "only one text of each group is in: copies within training are no leak": right & first,
        "group numbers are taken for places of texts": ~np.isin(np.arange(len(group)), group[test]),
    }
    for slip, value in slips.items():
        if np.array_equal(found, value):
            raise Wrong(f"For group={group.tolist()} it gives {np.flatnonzero(found)}: {slip}.")
    rng = np.random.default_rng(0)
    for _ in range(20):
        group, test = rng.integers(0, 12, 30), rng.random(30) < 0.3
        right = ~np.isin(group, group[test])
        found = np.asarray(answer(group.copy(), test.copy()))
        if not np.array_equal(found, right):
            (wrong,) = np.flatnonzero(found != right)[:1]
            raise Wrong(
                f"Text {wrong}, of group {group[wrong]}, may {'' if right[wrong] else 'not '}be "
                f"trained on; test texts are of the groups {sorted(set(group[test].tolist()))}."
            )
    return "What is dropped are training texts; the test part stays as it was."


def _asked(answer: Callable[[Any], Any], value: Any) -> Any:
    """What it gives, or ValueError if it raises that; any other failure stays one."""
    try:
        return answer(value)
    except Wrong as error:  # what the learner's function raises comes as one
        if isinstance(error.__context__, ValueError):
            return ValueError
        raise


def _number(value: Any, call: str) -> float:
    import numpy as np

    number = np.asarray(value)
    if number.size != 1 or number.dtype.kind not in "iuf":
        raise Wrong(f"`{call}` gives {value!r}; it should be a number of seconds.")
    return float(number.reshape(()))
