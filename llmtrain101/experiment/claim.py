"""A claim, stated before anything runs, and what came of it."""

from __future__ import annotations

import html
import math
import operator
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import BrokenExecutor
from dataclasses import KW_ONLY, dataclass
from typing import Any

from llmtrain101 import progress
from llmtrain101.experiment import cache as kept
from llmtrain101.experiment import parallel, source
from llmtrain101.experiment.cache import Run
from llmtrain101.experiment.fingerprint import Fingerprint
from llmtrain101.experiment.results import Results

Arm = Callable[[int], Any]


class ArmFailed(RuntimeError):
    """A run raised an exception, or returned what is no finite number.

    Attributes
    ----------
    arm : str
    seed : int
    """

    def __init__(self, message: str, arm: str, seed: int) -> None:
        super().__init__(message)
        self.arm = arm
        self.seed = seed


@dataclass(frozen=True)
class Claim:
    """What is predicted, against what, measured how, and from what size on it matters.

    Parameters
    ----------
    prediction : str
        One sentence, as you would tell it: "easy examples first beat a random order".
    control, treatment : str
        The names of the two arms that are compared.
    metric : str
        What is measured, and on what: "accuracy on 1,000 held-out texts".
    smallest_effect : float
        The smallest difference worth having, in the unit of the metric. Below what one run can
        resolve (1 point of accuracy on 1,800 texts) more seeds are needed than you may think.
    unit : str
        The unit of the metric, if it has one: "nats per token".
    higher_is_better : bool
        False for losses, errors and times.
    baselines : tuple of str
        Further arms that must be there; they are drawn, and have no part in the verdict.
    lesson : str
        Where it belongs, for the record.

    Raises
    ------
    ValueError
        If a field is empty or makes no sense.

    Examples
    --------
    >>> claim = Claim(
    ...     "doubling beats adding one",
    ...     control="add one", treatment="double", metric="result", smallest_effect=0.5,
    ... )
    >>> results = claim.run(
    ...     {"add one": lambda seed: seed + 1.0, "double": lambda seed: seed * 2.0},
    ...     seeds=range(4, 8), processes=1, cache=False, show=False,
    ... )
    >>> results.verdict
    supported (4 seeds)
    >>> round(results.difference, 2)
    4.5
    """

    prediction: str
    _: KW_ONLY
    control: str
    treatment: str
    metric: str
    smallest_effect: float
    unit: str = ""
    higher_is_better: bool = True
    baselines: tuple[str, ...] = ()
    lesson: str = ""

    def __post_init__(self) -> None:
        for name in ("prediction", "control", "treatment", "metric"):
            if not getattr(self, name).strip():
                raise ValueError(f"{name} must say something, got {getattr(self, name)!r}.")
        if isinstance(self.baselines, str):
            raise ValueError(f"baselines must be a tuple of names, got {self.baselines!r}.")
        arms = (self.control, self.treatment, *self.baselines)
        if len(set(arms)) < len(arms):
            raise ValueError(f"each arm needs a name of its own, got {arms}.")
        if not (self.smallest_effect > 0 and math.isfinite(self.smallest_effect)):
            raise ValueError(
                "smallest_effect must be above 0, the smallest difference worth having, got "
                f"{self.smallest_effect}; for a metric where less is better say "
                "higher_is_better=False."
            )

    def __str__(self) -> str:
        better = "higher" if self.higher_is_better else "lower"
        return (
            f"Claim: {self.prediction.rstrip('.')}.\n"
            f"Measured: {self.metric} ({better} is better), {self.treatment!r} against "
            f"{self.control!r}; {self.smallest} or more counts."
        )

    def _repr_html_(self) -> str:
        return html.escape(str(self)).replace("\n", "<br>")

    @property
    def smallest(self) -> str:
        """The smallest effect of interest with its unit."""
        return f"{self.smallest_effect:g} {self.unit}".strip()

    def digits(self, value: float, *, sign: bool = False) -> str:
        """A value of the metric, written to a hundredth of the smallest effect.

        Examples
        --------
        >>> claim = Claim("b wins", control="a", treatment="b", metric="loss",
        ...               smallest_effect=0.05, unit="nats")
        >>> claim.digits(0.123456), claim.digits(0.123456, sign=True)
        ('0.1235', '+0.1235')
        """
        places = max(0, 2 - math.floor(math.log10(self.smallest_effect)))
        return f"{value:{'+' if sign else ''}z.{places}f}"  # z: no minus before a zero

    def run(
        self,
        arms: Mapping[str, Arm],
        seeds: Iterable[int],
        *,
        constants: Mapping[str, float] | None = None,
        processes: int | None = None,
        cache: bool = True,
        config: object = None,
        data: object = None,
        minutes: float | None = None,
        show: bool = True,
    ) -> Results:
        """Run every arm with every seed, and judge.

        A run is made once: later it comes from the cache, unless the code that it reaches, the
        values that this code uses, `config`, `data`, the seed, the version of a package or of
        llmtrain101's own code has changed. `llmtrain101.experiment.fingerprint` says what of that
        is seen and what is not. The wording of the claim, its smallest effect and other arms may
        change without a new run.

        Parameters
        ----------
        arms : mapping from name to function of the seed
            Each returns the metric as a number, or a dict with it under "value"; what else is in
            the dict (numbers, text, lists) is kept in `Results.details`. The same seed must mean
            the same split and the same initial weights in every arm: that makes the runs pairs.
        seeds : iterable of int
            At least 3; 5 or more are better.
        constants : mapping from name to float, optional
            Baselines in which nothing is random; drawn as lines.
        processes : int, optional
            How many run at once; else as many as there are cores and memory for.
        cache : bool
            False makes every run anew, and keeps none; so does a debugger's
            `with joblib.parallel_config(backend="sequential")`, as far as keeping goes.
        config : object, optional
            Settings of the experiment, kept with every result.
        data : object, optional
            What the arms read without the code showing it; a `pathlib.Path` stands for the content
            of that file or folder.
        minutes : float, optional
            About how long it takes on 2 cores, said before it starts.
        show : bool
            Whether to print what is going on.

        Raises
        ------
        ValueError
            If an arm is missing, or there are fewer than 3 seeds, or one comes twice.
        TypeError
            If an arm cannot be sent to another process, or has no fingerprint.
        ArmFailed
            At the first run that fails. No new run is started then; those that were in progress
            are finished and kept.
        """
        seeds = self._check(arms, seeds, constants or {})
        if differing := source.changed(source.setting()):
            raise RuntimeError(
                f"{', '.join(differing)} changed after this kernel had started; restart it, so "
                "that what runs is what is there"
            )
        keep = cache and not parallel.stays_here()
        if show:
            print(_announcement(len(seeds), len(arms), minutes))
        runs, tasks, depends = _plan(arms, seeds, cache, config, data)
        total = len(runs) + len(tasks)
        failures: list[parallel.Failure] = []
        todo = (task for task in tasks if not failures)
        with progress.bar(total, "runs", unit="run", done=len(runs), show=show) as bar:
            try:
                for outcome in parallel.in_processes(todo, processes) if tasks else ():
                    if isinstance(outcome, parallel.Failure):
                        failures.append(outcome)
                        continue
                    run, where = outcome
                    runs.append(run)
                    if keep:
                        kept.keep(depends[run.arm], run, {"config": config, **where})
                    bar.set_postfix_str(f"{run.arm}, seed {run.seed}", refresh=False)
                    bar.update()
            except KeyboardInterrupt:
                print(f"\nStopped. {_stock(len(runs), total, keep)}", flush=True)
                raise KeyboardInterrupt from None  # without the long way through joblib
            except BrokenExecutor as error:
                raise RuntimeError(
                    "a process of the experiment was killed, most often for lack of memory; pass "
                    f"processes=1, or close what you do not need. {_stock(len(runs), total, keep)}"
                ) from error
        if failures:
            first = failures[0]
            message = f"{first}\n{_stock(len(runs), total, keep)}"
            raise ArmFailed(message, first.arm, first.seed)
        order = list(arms)
        runs.sort(key=lambda run: (order.index(run.arm), seeds.index(run.seed)))
        results = Results(self, tuple(runs), dict(constants or {}))
        results.record()
        return results

    def _check(
        self, arms: Mapping[str, Arm], seeds: Iterable[int], constants: Mapping[str, float]
    ) -> list[int]:
        missing = [
            name
            for name in (self.control, self.treatment, *self.baselines)
            if name not in arms and (name not in constants or name not in self.baselines)
        ]
        if missing:
            raise ValueError(f"the claim is about {missing}, but arms has only {list(arms)}.")
        if twice := set(arms) & set(constants):
            raise ValueError(f"{sorted(twice)} cannot be both an arm and a constant.")
        for name, arm in arms.items():
            if not callable(arm):
                raise TypeError(f"arm {name!r} must be a function of the seed, got {arm!r}.")
        if not isinstance(seeds, Iterable):
            raise TypeError(
                f"seeds are several numbers, got {seeds!r}: pass seeds=range({seeds!r})."
            )
        seeds = [operator.index(seed) for seed in seeds]
        if len(set(seeds)) < len(seeds):
            raise ValueError(f"a seed that comes twice is not a second experiment, got {seeds}.")
        if len(seeds) < 3:
            raise ValueError(
                f"a claim needs at least 3 seeds, got {len(seeds)}: one run cannot show how much "
                "chance alone moves the result, and two hardly; pass seeds=range(8)."
            )
        return seeds


def _plan(
    arms: Mapping[str, Arm], seeds: list[int], cache: bool, config: object, data: object
) -> tuple[list[Run], list[parallel.Task], dict[str, str]]:
    """What is there already, what is to be made, and what the runs of each arm depend on."""
    runs: list[Run] = []
    tasks: list[tuple[int, parallel.Task]] = []
    depends: dict[str, str] = {}
    setting = source.setting()
    for name, arm in arms.items():
        seen = Fingerprint()
        try:
            depends[name], seen = kept.dependencies(arm, config, data)
        except TypeError as error:
            if cache:
                raise TypeError(f"arm {name!r}: {error}") from None
        found = {seed: kept.find(depends[name], seed) for seed in seeds} if cache else {}
        runs += [Run(name, seed, *result) for seed, result in found.items() if result]
        missing = [place for place, seed in enumerate(seeds) if not found.get(seed)]
        if not missing:
            continue
        try:
            function = arm if parallel.stays_here() else parallel.pack(arm, seen)
        except TypeError as error:
            raise TypeError(f"arm {name!r}: {error}") from None
        torch = parallel.may_need_torch(seen.packages)
        for place in missing:
            task = parallel.Task(name, seeds[place], function, torch, setting)
            tasks.append((place, task))
    # all arms of one seed before the next: whoever stops early has whole pairs
    return runs, [task for _, task in sorted(tasks, key=lambda pair: pair[0])], depends


def _announcement(n_seeds: int, n_arms: int, minutes: float | None) -> str:
    """The same on every machine and in every run, so that notebooks can be compared."""
    text = f"{n_seeds} seeds × {n_arms} arms"
    if minutes is None:
        return text
    seconds = 60 * minutes
    about = f"{max(5, 5 * round(seconds / 5))} s" if seconds < 100 else f"{minutes:.0f} minutes"
    return f"{text}, about {about} on 2 cores; cached afterwards"


def _stock(finished: int, total: int, kept: bool) -> str:
    runs = f"{finished} of {total} runs are finished"
    return f"{runs} and kept: run the claim again to go on." if kept else f"{runs}; none is kept."
