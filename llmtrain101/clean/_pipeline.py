"""Rules in order, and an account of each: what it saw, changed and dropped, with examples."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from llmtrain101.clean._rules import Drop, Row, Rule

if TYPE_CHECKING:
    import pandas as pd

EXAMPLES = 3


class Dropped(NamedTuple):
    """A row that a rule dropped: its place in what was given, the rule, the reason, the row."""

    place: int
    rule: str
    why: str
    row: Row


class _State(NamedTuple):
    """What is left before or after a rule, and which of the given rows each was."""

    places: list[int]
    rows: list[Row]


class Pipeline:
    """Rules that are run one after the other.

    Parameters
    ----------
    rules : iterable of rules
        Functions from a list of rows to as many rows, some of them a `Drop`. The name of a rule is
        that of the function.

    Examples
    --------
    >>> from llmtrain101 import clean
    >>> pipeline = clean.Pipeline([
    ...     clean.column("text", clean.whitespace),
    ...     clean.drop_duplicates("text"),
    ... ])
    >>> cleaned = pipeline.run([{"text": "One  text"}, {"text": "One text"}, {"text": "Two"}])
    >>> cleaned.rows, cleaned.places
    ([{'text': 'One text'}, {'text': 'Two'}], [0, 2])
    >>> cleaned.report[["rule", "seen", "changed", "dropped"]].values.tolist()
    [['text: whitespace', 3, 1, 0], ['drop duplicates of text', 3, 0, 1]]
    >>> cleaned.dropped[0].row
    {'text': 'One text'}
    >>> len(cleaned.undo("drop duplicates of text").rows)
    3
    """

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.rules = list(rules)
        self.names: list[str] = []
        for rule in self.rules:
            if not callable(rule):
                raise TypeError(f"a rule is a function from rows to rows, got {rule!r}.")
            name = getattr(rule, "__name__", type(rule).__name__)
            again = self.names.count(name) and sum(n.startswith(name) for n in self.names) + 1
            self.names.append(f"{name} ({again})" if again else name)

    def __repr__(self) -> str:
        return "\n".join(["Pipeline:", *(f"  {name}" for name in self.names)])

    def run(self, rows: Iterable[Row] | pd.DataFrame) -> Cleaned:
        """Run all rules. What was given stays as it is.

        Parameters
        ----------
        rows : iterable of dicts, or DataFrame
            Missing values of a DataFrame become None.
        """
        given = _rows(rows)
        return self._from(0, [], [_State(list(range(len(given))), given)])

    def _from(self, start: int, steps: list[_Step], states: list[_State]) -> Cleaned:
        for name, rule in zip(self.names[start:], self.rules[start:], strict=True):
            step, state = _apply(name, rule, states[-1])
            steps.append(step)
            states.append(state)
        return Cleaned(self, steps, states)


@dataclass(frozen=True)
class _Step:
    rule: str
    seen: int
    changed: list[tuple[int, Row, Row]]
    dropped: list[Dropped]


def _apply(name: str, rule: Rule, state: _State) -> tuple[_Step, _State]:
    # shallow copies, so that a rule may write into the rows it is given
    try:
        answer = rule([dict(row) for row in state.rows])
    except Exception as error:
        error.add_note(f"in the rule {name!r}")
        raise
    if not isinstance(answer, Sequence) or len(answer) != len(state.rows):
        size = len(answer) if isinstance(answer, Sequence) else type(answer).__name__
        raise ValueError(
            f"the rule {name!r} was given {len(state.rows)} rows and returned {size}: return as "
            "many, with Drop('why') in the place of one that is to go."
        )
    step, after = _Step(name, len(state.rows), [], []), _State([], [])
    for place, old, new in zip(state.places, state.rows, answer, strict=True):
        if isinstance(new, Drop):
            step.dropped.append(Dropped(place, name, str(new), old))
            continue
        if not isinstance(new, dict):
            raise TypeError(f"the rule {name!r} returned {new!r:.60} for a row, no dict or Drop.")
        same = new == old and all(type(new[name]) is type(old[name]) for name in old)
        if not same:
            step.changed.append((place, old, new))
        after.places.append(place)
        after.rows.append(old if same else new)
    return step, after


class Cleaned:
    """What a pipeline left, what it dropped, and how it came to that.

    Attributes
    ----------
    rows : list of dict
    places : list of int
        Which of the given rows each of `rows` was.
    dropped : list of Dropped
        Every row that is gone, with the rule and the reason, as it was when it was dropped.
    """

    def __init__(self, pipeline: Pipeline, steps: list[_Step], states: list[_State]) -> None:
        self.pipeline = pipeline
        self._steps = steps
        self._states = states
        self.places, self.rows = states[-1]
        self.dropped = [row for step in steps for row in step.dropped]

    @property
    def table(self) -> pd.DataFrame:
        """The rows as a DataFrame, whose index says which of the given rows each was."""
        import pandas as pd

        return pd.DataFrame(self.rows, index=self.places)

    @property
    def report(self) -> pd.DataFrame:
        """One line for each rule: rule, seen, changed, dropped (numbers of rows), examples."""
        import pandas as pd

        lines = [
            (step.rule, step.seen, len(step.changed), len(step.dropped), "; ".join(_examples(step)))
            for step in self._steps
        ]
        return pd.DataFrame(lines, columns=["rule", "seen", "changed", "dropped", "examples"])

    def changes(self, rule: str) -> list[tuple[int, Row, Row]]:
        """Each row that a rule changed: its place in what was given, before, after."""
        return list(self._steps[self._place(rule)].changed)

    def undo(self, rule: str) -> Cleaned:
        """The same without one rule; those after it are run again on what it had taken away.

        Raises
        ------
        KeyError
            If the pipeline has no such rule.
        """
        place = self._place(rule)
        rest = Pipeline(self.pipeline.rules[:place] + self.pipeline.rules[place + 1 :])
        rest.names = self.pipeline.names[:place] + self.pipeline.names[place + 1 :]
        return rest._from(place, self._steps[:place], self._states[: place + 1])

    def _place(self, rule: str) -> int:
        if rule not in self.pipeline.names:
            known = "; ".join(self.pipeline.names)
            raise KeyError(f"there is no rule {rule!r}; there are: {known}")
        return self.pipeline.names.index(rule)

    def __repr__(self) -> str:
        given = len(self._states[0].rows)
        return f"{len(self.rows):,} of {given:,} rows kept by {len(self._steps)} rules"


def _rows(rows: Iterable[Row] | pd.DataFrame) -> list[Row]:
    if hasattr(rows, "to_dict"):
        table: Any = rows
        names = list(map(str, table))
        values = [table[name].astype(object).where(table[name].notna(), None) for name in table]
        return [dict(zip(names, row, strict=True)) for row in zip(*values, strict=True)]
    given = list(rows)
    for place, row in enumerate(given):
        if not isinstance(row, dict):
            raise TypeError(f"rows[{place}] is {row!r:.60}, no dict of column to value.")
    return [dict(row) for row in given]


def _examples(step: _Step) -> list[str]:
    found = []
    for _, old, new in step.changed[:EXAMPLES]:
        names = [n for n in new if n not in old or new[n] is not old[n]]
        if not names:
            gone = [str(name) for name in old if name not in new]
            found.append(visible(f"without {', '.join(gone)}"))
            continue
        name = next((n for n in names if n not in old or old[n] != new[n]), names[0])
        found.append(_difference(old.get(name), new[name]))
    return (found + [visible(row.why) for row in step.dropped])[:EXAMPLES]


def _difference(old: Any, new: Any) -> str:
    """Where two values part, with a little around it."""
    if not (isinstance(old, str) and isinstance(new, str)):
        return f"{visible(repr(old))[:40]} → {visible(repr(new))[:40]}"
    same = len(os.path.commonprefix([old, new]))
    start = max(0, same - 12)
    dots = "…" if start else ""
    parts = [
        f"{dots}{text[start : same + 18]}{'…' if text[same + 18 :] else ''}" for text in (old, new)
    ]
    return " → ".join(f"'{visible(part)}'" for part in parts)


def visible(text: str) -> str:
    """The text with what cannot be seen, or turns the line round, written out as a code.

    Examples
    --------
    >>> visible("a\\x00b\\u202ec\\n")
    'a\\\\x00b\\\\u202ec\\\\n'
    """
    return "".join(
        ascii(char)[1:-1]
        if unicodedata.category(char) in {"Cc", "Cf", "Co", "Cn", "Zl", "Zp"}
        else char
        for char in text
    )
