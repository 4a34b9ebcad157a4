"""Checks of lesson 07: the majority, conflicts, and one step of the label model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llmtrain101.course.checks import Wrong, exercise, number


@exercise(
    "07.1",
    title="The majority",
    minutes=6,
    difficulty=1,
    hints=[
        "First drop the -1s: who abstains has no vote. Then count what is left.",
        "`collections.Counter(votes).most_common(2)` gives the two labels with most votes.",
    ],
)
def majority(answer: Callable[[list[int]], Any]) -> str:
    """The answer maps the votes on one text to a label or -1."""
    for votes, right, slip in (
        ([1, 0, 1], 1, "two of the three say 1"),
        ([2], 2, "one vote is a majority if nobody says otherwise"),
        ([0, -1, -1], 0, "a rule that abstains has no vote, however many they are"),
        ([1, 0], -1, "that is a tie: nobody can say which, so say nothing"),
        ([0, 1, 0, 1, 2], -1, "two labels share the first place"),
        ([-1, -1], -1, "nobody has voted"),
        ([], -1, "there is no rule at all"),
        ([3, 0, 2, 3], 3, "half of the votes is enough if no other label has as many"),
        ([0, 1, 0], 0, "0 is a label like others; `if vote` takes it for nothing"),
    ):
        found = number(answer(list(votes)))
        if found != right:
            raise Wrong(f"`majority_of({votes})` is {found:g}, not {right}: {slip}.")
    return "A tie is not a vote for the label that happens to come first."


@exercise(
    "07.2",
    title="Conflict",
    minutes=8,
    difficulty=2,
    hints=[
        "Two things must hold for an item: this rule votes, and some other vote is neither -1 "
        "nor the same.",
        "`votes[:, [number]]` keeps its shape of one column, so that it compares with all columns.",
    ],
)
def conflict(answer: Callable[[Any, int], Any]) -> str:
    """The answer maps votes and a rule's number to a share of all items."""
    import numpy as np

    small = np.array(
        [[0, 1, -1], [0, 0, -1], [0, -1, -1], [1, 1, 0], [-1, 1, 0], [-1, 0, 0], [-1, 1, 1]]
    )  # such that every slip below gives another number
    rng = np.random.default_rng(0)
    for votes in (small, rng.integers(-1, 3, (40, 4)), np.array([[0], [1]])):
        given = votes.copy()
        for rule in range(votes.shape[1]):
            own = votes[:, [rule]]
            spoke, others = own[:, 0] != -1, np.delete(votes, rule, axis=1)
            against = ((others != -1) & (others != own)).any(axis=1)
            right = float((spoke & against).mean())
            found = number(answer(given, rule))
            if not np.array_equal(given, votes):
                raise Wrong("The table of votes is changed: others still need it.")
            if abs(found - right) < 1e-9:
                continue
            slips = {
                "that is the overlap: votes that agree are no conflict": (
                    spoke & (others != -1).any(axis=1)
                ).mean(),
                "a rule that abstains contradicts nobody: leave its -1 out": (
                    spoke & (others != own).any(axis=1)
                ).mean(),
                "where the rule itself abstains it is in no conflict": against.mean(),
                "that is the share of the items for which the rule votes; the share of *all* items "
                "is asked for": right * len(votes) / max(1, spoke.sum()),
                "that is a number of items, not a share": right * len(votes),
            }
            said = next((slip for slip, value in slips.items() if abs(found - value) < 1e-9), "")
            shown = votes.tolist() if len(votes) < 9 else "a table of 40 items"
            raise Wrong(
                f"For rule {rule} of {shown} it gives {found:.4g}, not {right:.4g}"
                f"{': ' + said if said else ''}."
            )
    return (
        "Conflicts are where rules can be told apart: without them no label model learns a thing."
    )


@exercise(
    "07.3",
    title="The chance of spam",
    minutes=10,
    difficulty=2,
    hints=[
        "Follow both stories: it is spam, and it is ham. How likely is each, votes and all?",
        "If it is spam, a vote of 1 has the chance `hit` and one of 0 the chance `1 - hit`. A -1 "
        "changes neither story.",
        "Multiply up `yes`, beginning with `share`, and `no`, beginning with `1 - share`; the "
        "answer is `yes / (yes + no)`.",
    ],
)
def chance_of_spam(answer: Callable[[Any, Any, Any, float], Any]) -> str:
    """The answer maps votes, hits, alarms and the share of spam to a chance."""
    import numpy as np

    rng = np.random.default_rng(0)
    for votes, share in (
        ([1], 0.5), ([0], 0.5), ([1], 0.1), ([1, -1], 0.3), ([-1, -1], 0.3), ([1, 0, 1, -1, 0], 0.2)
    ):  # fmt: skip
        hits, alarms = rng.uniform(0.5, 0.95, len(votes)), rng.uniform(0.05, 0.5, len(votes))
        given = np.array(votes)
        right, yes, no = _posterior(given, hits, alarms, share)
        found = number(answer(given, hits, alarms, share))
        if abs(found - right) < 1e-9:
            continue
        silent = _posterior(np.where(given == -1, 0, given), hits, alarms, share)[0]
        loud = _posterior(np.where(given == -1, 1, given), hits, alarms, share)[0]
        even = _posterior(given, hits, alarms, 0.5)[0]
        only_yes = _posterior(np.where(given == 0, -1, given), hits, alarms, share)[0]
        slips = {
            "a rule that says nothing is taken for one that says “ham”": silent,
            "a rule that says nothing is taken for one that says “spam” (in Python, -1 counts as "
            "true)": loud,
            "the share of spam is left out: before any vote the chance is `share`": even,
            "that is the chance of *spam and these votes*; divide by that of the votes": yes,
            "that is `yes / no`, odds and not a chance: divide by `yes + no`": yes / no,
            "that is the chance of ham": 1 - right,
            "a vote for ham is a vote too: its chance is `1 - hit` and `1 - alarm`": only_yes,
        }
        said = next((slip for slip, value in slips.items() if abs(found - value) < 1e-9), "")
        raise Wrong(
            f"For the votes {votes}, hits {_list(hits)}, alarms {_list(alarms)} and share {share} "
            f"it gives {found:.4g}, not {right:.4g}{': ' + said if said else ''}."
        )
    alone, copied = (
        number(answer(np.ones(n, dtype=int), np.full(n, 0.6), np.full(n, 0.4), 0.5)) for n in (1, 5)
    )
    return (
        "Each vote multiplies the odds by hit / alarm: a rule with both the same tells nothing. "
        f"One vote of a rule with 0.6 and 0.4 gives yours a chance of {alone:.2f}, the same vote "
        f"copied five times {copied:.2f}, and nothing new was said: copies fool the weighing."
    )


def _posterior(votes: Any, hits: Any, alarms: Any, share: float) -> tuple[float, float, float]:
    import numpy as np

    spoke = votes != -1
    yes = share * np.where(votes == 1, hits, 1 - hits)[spoke].prod()
    no = (1 - share) * np.where(votes == 1, alarms, 1 - alarms)[spoke].prod()
    return float(yes / (yes + no)), float(yes), float(no)


def _list(values: Any) -> str:
    return str([round(float(value), 2) for value in values])
