"""What came of a claim: every run, the paired difference with its interval, the verdict."""

from __future__ import annotations

import functools
import html
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmtrain101.experiment.cache import Run
from llmtrain101.experiment.statistics import Verdict, judge, paired_interval

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from llmtrain101.experiment.claim import Claim

RECORD = "LLMTRAIN101_RECORD"


@dataclass(frozen=True, repr=False)
class Results:
    """The runs of a claim, and what follows from them.

    Prints as the claim and its verdict, which hold on every machine; digits are in `summary()`.

    Attributes
    ----------
    claim : Claim
    runs : tuple of Run
        By arm, then by seed.
    constants : dict of str to float
        Baselines in which nothing is random.
    """

    claim: Claim
    runs: tuple[Run, ...]
    constants: Mapping[str, float] = field(default_factory=dict)

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds, each of which every arm was run with."""
        return tuple(run.seed for run in self.runs if run.arm == self.claim.control)

    @property
    def n(self) -> int:
        """The number of pairs."""
        return len(self.seeds)

    @property
    def values(self) -> dict[str, list[float]]:
        """The metric of each arm, in the order of the seeds."""
        values: dict[str, list[float]] = {}
        for run in self.runs:
            values.setdefault(run.arm, []).append(run.value)
        return values

    @property
    def differences(self) -> list[float]:
        """Treatment against control for each seed, signed so that + is what the claim predicts."""
        sign = 1 if self.claim.higher_is_better else -1
        values = self.values
        pairs = zip(values[self.claim.treatment], values[self.claim.control], strict=True)
        return [sign * (treatment - control) for treatment, control in pairs]

    @functools.cached_property
    def _interval(self) -> tuple[float, float, float]:
        return paired_interval(self.differences)

    @property
    def difference(self) -> float:
        """The mean paired difference; + is what the claim predicts, also where less is better."""
        return self._interval[0]

    @property
    def interval(self) -> tuple[float, float]:
        """The ends of the 95 % interval of `difference`; see `paired_interval` on when it holds."""
        return self._interval[1:]

    @property
    def verdict(self) -> Verdict:
        """What the interval says about the claim; see `judge` for the rule."""
        return Verdict(judge(*self.interval, self.claim.smallest_effect), self.n)

    @property
    def seconds(self) -> float:
        """What all runs took together when they were made, one thread each."""
        return sum(run.seconds for run in self.runs)

    @property
    def details(self) -> dict[tuple[str, int], dict[str, Any]]:
        """What else the arms returned, by arm and seed."""
        return {(run.arm, run.seed): run.details for run in self.runs}

    @property
    def table(self) -> pd.DataFrame:
        """One row a run: arm, seed, value, seconds, and those details that are single values."""
        import pandas as pd

        rows = [
            {"arm": run.arm, "seed": run.seed, "value": run.value, "seconds": run.seconds}
            | {key: each for key, each in run.details.items() if not isinstance(each, list | dict)}
            for run in self.runs
        ]
        return pd.DataFrame(rows)

    def __repr__(self) -> str:
        return f"{self.claim}\nVerdict: {self.verdict}"

    def _repr_html_(self) -> str:
        verdict = html.escape(f"{self.verdict}: {self.verdict.meaning}")
        return f"{self.claim._repr_html_()}<br><b>{verdict}</b>"

    def summary(self) -> str:
        """Everything with its digits, which differ between machines."""
        digits, unit = self.claim.digits, self.claim.unit
        mean, low, high = (digits(value, sign=True) for value in self._interval)
        lines = [
            f"{self.verdict}: difference {mean} {unit}".strip() + " (+ is as predicted), "
            f"95 % interval [{low}, {high}], of interest from {self.claim.smallest} on"
        ]
        if max(self.differences) - min(self.differences) <= 1e-9 * self.claim.smallest_effect:
            lines.append(
                "Every seed gave the same difference: nothing in it is random, or the metric is "
                "too coarse to show it. The interval then says nothing about chance."
            )
        width = max(map(len, [*self.values, *self.constants]))
        for arm, values in self.values.items():
            mean = digits(sum(values) / len(values))
            spread = f"{digits(min(values))} to {digits(max(values))}"
            lines.append(f"{arm:<{width}}  mean {mean} ({spread})")
        lines += [f"{name:<{width}}  {digits(value)}" for name, value in self.constants.items()]
        return "\n".join(lines)

    def alt_text(self) -> str:
        """What the picture shows, in words that are the same on every machine."""
        claim = self.claim
        others = [name for name in self.values if name not in (claim.control, claim.treatment)]
        others += self.constants
        beside = f", beside them {' and '.join(others)}" if others else ""
        return (
            f"{claim.metric}, one dot for each of {self.n} seeds, for {claim.control} and "
            f"{claim.treatment}, dots of the same seed joined{beside}. On the right the paired "
            f"differences, their mean and its 95 % interval, against the smallest effect of "
            f"interest, {claim.smallest}. Verdict: {self.verdict}."
        )

    def plot(self, ax: Axes | None = None) -> Axes:
        """Every seed, pairs joined, and the interval of the difference beside them."""
        from llmtrain101 import plots  # the one import that goes up: drawn only when asked for

        return plots.paired(self, ax=ax)

    def record(self) -> None:
        """Append one line of JSON to the file that LLMTRAIN101_RECORD names, if it does."""
        if not (path := os.environ.get(RECORD)):
            return
        claim, (low, high) = self.claim, self.interval
        line = {
            "lesson": claim.lesson,
            "claim": claim.prediction,
            "control": claim.control,
            "treatment": claim.treatment,
            "metric": claim.metric,
            "unit": claim.unit,
            "smallest_effect": claim.smallest_effect,
            "effect": self.difference,
            "low": low,
            "high": high,
            "n": self.n,
            "verdict": self.verdict.word,
            "seconds": round(self.seconds, 1),
        }
        with Path(path).open("a", encoding="utf-8", newline="\n") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
