"""Checks of lesson 05: κ from a table of pairs, one label of several, a third where two differ."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llmtrain101.course.checks import Wrong, exercise, number


@exercise(
    "05.1",
    title="κ from a table",
    minutes=10,
    difficulty=2,
    hints=[
        "Divide all counts by their sum first. Where in the table are the texts on which both "
        "agree?",
        "The shares of the first person are the sums of the rows, those of the second the sums of "
        "the columns. Chance is the sum of row share times column share, label by label.",
        "`share = np.array(counts) / np.sum(counts)`, `agree = share.trace()`, `chance = "
        "share.sum(axis=1) @ share.sum(axis=0)`.",
    ],
)
def kappa_of(answer: Callable[[Any], float]) -> str:
    """The answer maps a square table of counts to κ."""
    import numpy as np

    given = [[20, 5, 3], [10, 15, 2], [1, 4, 40]]
    found = number(answer([list(row) for row in given]))
    share = np.array(given) / np.sum(given)
    agree, rows, columns = share.trace(), share.sum(1), share.sum(0)
    chance = float(rows @ columns)
    both = (rows + columns) / 2
    slips = {
        "that is plain agreement: subtract what chance alone would give, and divide": agree,
        "that is agreement minus chance; it is still to be divided by the most that could be "
        "gained, 1 - chance": agree - chance,
        "that is what chance gives": chance,
        "chance was taken as 1 over the number of labels; each person has shares of their own": (
            agree - 1 / 3
        )
        / (1 - 1 / 3),
        "the shares of both people were mixed (that is Scott's π): Cohen keeps each person's own": (
            agree - both @ both
        )
        / (1 - both @ both),
        "it was divided by chance, not by 1 - chance": (agree - chance) / chance,
        "it was divided by 1 - agreement": (agree - chance) / (1 - agree),
        "the row shares were multiplied with themselves; the second person's are the sums of the "
        "columns": (agree - rows @ rows) / (1 - rows @ rows),
        "the column shares were multiplied with themselves; the first person's are the sums of "
        "the rows": (agree - columns @ columns) / (1 - columns @ columns),
    }
    right = (agree - chance) / (1 - chance)
    for slip, value in slips.items():
        if abs(found - value) < 1e-6 and abs(found - right) > 1e-6:
            raise Wrong(f"`kappa_of({given})` is {found:.3f}: {slip}.")
    for table in (given, [[5, 0], [0, 5]], [[0, 3], [7, 0]], [[81, 9], [9, 1]]):
        found = number(answer([list(row) for row in table]))
        share = np.array(table) / np.sum(table)
        chance = float(share.sum(1) @ share.sum(0))
        right = (share.trace() - chance) / (1 - chance)
        if abs(found - right) > 1e-6:
            raise Wrong(f"`kappa_of({table})` is {found:.3f}; expected {right:.3f}.")
    return "82 of 100 the same, and κ is 0: the last table that was tried was two coins."


@exercise(
    "05.2",
    title="One label of several",
    minutes=8,
    difficulty=1,
    hints=[
        "Take the `None`s out first: they are no votes. What is left may be nothing.",
        "Count each label, find the largest count, and look how many labels have it.",
        "`Counter(given).most_common(2)` gives the two most frequent with their counts: is the "
        "second as frequent as the first?",
    ],
)
def one_label(answer: Callable[[list[Any]], Any]) -> str:
    """The answer maps a list of labels to one of them, or to "?"."""
    cases: list[tuple[list[Any], Any, str]] = [
        (["a", "b", "b"], "b", "most people said 'b'"),
        (
            ["b", "a", "a", "b"],
            "?",
            "two labels have the most votes; to take one of them is to decide by the order in "
            "which people answered, and in another order it would be the other",
        ),
        (
            [None, None, "b"],
            "b",
            "`None` is somebody who did not answer, and no label; only one vote was given",
        ),
        (["a", None, "b", None], "?", "without those who did not answer it is a tie"),
        (
            ["a", "b", "c", "a"],
            "a",
            "the most votes are wanted, not more than half of them: 'a' has two, the others one "
            "each",
        ),
        ([None, None], "?", "nobody answered"),
        ([], "?", "there is nobody"),
        ([0, 0, 1], 0, "a label may be the number 0, which is a label like others"),
        (["mixed"], "mixed", "one person is a majority of one"),
    ]
    for given, right, why in cases:
        handed = list(given)
        found = answer(handed)
        if handed != given:
            raise Wrong(f"The list that you were given is changed, from {given} to {handed}.")
        if found != right:
            raise Wrong(f"`one_label({given})` is {found!r}; expected {right!r}: {why}.")
    return "A tie goes to a person, and not silently to the first in the alphabet."


@exercise(
    "05.3",
    title="A third only where two differ",
    minutes=12,
    difficulty=3,
    hints=[
        "With two labels there are three cases: both right, both wrong, and one of each. How "
        "likely is each?",
        "They differ with chance `2 * p * (1 - p)`: the first may be the one who is wrong, or the "
        "second.",
        "Where both are right the label is right. Where they differ the third decides, and is "
        "right with chance `p`.",
    ],
)
def third_where_needed(answer: Callable[[float], Any]) -> str:
    """The answer maps the chance of being right to labels per text and chance of a right label."""
    for p in (0.8, 0.9, 1.0, 0.5, 0.65):
        found = answer(p)
        if not isinstance(found, tuple | list) or len(found) != 2:
            raise Wrong("Return two numbers: labels for each text, and how likely it is right.")
        cost, right = number(found[0]), number(found[1])
        differ = 2 * p * (1 - p)
        call = f"`third_where_needed({p})`"
        costs = {
            "somebody is asked a third time for each text; only where two differ, please": 3.0,
            "the two whom everybody needs are missing: count them too": differ,
            "they differ in two ways, since either of them may be the one who is wrong": 2
            + p * (1 - p),
            "that is how likely they *agree*": 2 + 1 - differ,
            "that is how likely one of them is wrong at least; both wrong is no difference": 2
            + 1
            - p * p,
        }
        if abs(cost - 2 - differ) > 1e-9:
            for slip, value in costs.items():
                if abs(cost - value) < 1e-9:
                    raise Wrong(f"{call} costs {cost:.3f} labels: {slip}.")
            raise Wrong(f"{call} costs {cost:.3f} labels; expected {2 + differ:.3f}.")
        rights = {
            "that counts only the texts on which both are right; where they differ the third may "
            "save it": p * p,
            "a third who is asked is not always right": p * p + differ,
            "where the two agree they may both be wrong": 1 - differ + differ * p,
            "that is one person alone": p,
            "they differ in two ways, since either of them may be wrong": p * p + p * (1 - p) * p,
        }
        if abs(right - p * p - differ * p) > 1e-9:
            for slip, value in rights.items():
                if abs(right - value) < 1e-9:
                    raise Wrong(f"{call} is right with chance {right:.3f}: {slip}.")
            raise Wrong(
                f"{call} is right with chance {right:.3f}; expected {p * p + differ * p:.3f}."
            )
    return (
        "Exactly as often right as a majority of three, for 2.2 instead of 3 labels where each is "
        "right 9 times in 10."
    )
