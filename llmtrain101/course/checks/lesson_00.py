"""The exercises of lesson 00: easy ones that show how checks, hints and solutions work."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import fields

from llmtrain101.course.checks import Wrong, exercise
from llmtrain101.train import TrainConfig

FIRST_STEPS = 300  # of the lesson's first training

VERDICTS = ("supported", "no effect found", "not supported", "undecided")


@exercise(
    "00.1",
    title="Twice as long",
    minutes=2,
    difficulty=1,
    hints=[
        "The first training was given `TrainConfig(max_steps=300)`.",
        "Write `longer = TrainConfig(max_steps=…)`, with twice that number.",
    ],
)
def longer(answer: TrainConfig) -> str:
    """Settings that differ in one thing."""
    steps, wanted = answer.max_steps, 2 * FIRST_STEPS
    if steps == FIRST_STEPS:
        raise Wrong(f"`max_steps` is {steps}, as in the first training: this is not longer.")
    if steps != wanted:
        how = "less" if steps < wanted else "more"
        raise Wrong(
            f"`max_steps` is {steps}: {how} than twice the {FIRST_STEPS} of the first training."
        )
    usual = TrainConfig(max_steps=wanted)
    others = [
        field.name
        for field in fields(TrainConfig)
        if getattr(answer, field.name) != getattr(usual, field.name)
    ]
    if others:
        changed = " and ".join(f"`{name}`" for name in others)
        raise Wrong(
            f"The steps are right, but you changed {changed} too. With two changes at once, "
            "nobody can tell which of them did it: change one."
        )
    return "One thing changed, all else as it was: that is what makes two trainings comparable."


@exercise(
    "00.2",
    title="Surprise",
    minutes=3,
    difficulty=1,
    hints=[
        "Look at the cell that prints `-log(p)` for four chances.",
        "The function needs one line, and it begins with `return`.",
    ],
)
def surprised(answer: Callable[[float], float]) -> str:
    """-log(p), in nats."""
    value = _number(answer(0.25), "surprised(0.25)")
    mistakes = {
        math.log(0.25): "it is negative, so the minus sign is missing",
        2.0: "that is `-log2(p)`, which counts in bits; here the natural `log` is meant",
        -math.log10(0.25): "that is `-log10(p)`; here the natural `log` is meant",
        0.75: "that is `1 - p`: it could never be more than 1, but what a model holds to be "
        "all but impossible surprises it without limit",
        4.0: "that is `1 / p`, among how many characters it chose; take the logarithm of it",
        0.25: "that is the chance itself: it grows when the surprise should shrink",
    }
    for wrong, why in mistakes.items():
        if math.isclose(value, wrong, rel_tol=1e-3):
            raise Wrong(f"`surprised(0.25)` is {value:.2f}: {why}.")
    for p in (0.25, 0.9, 0.003):
        value, right = _number(answer(p), f"surprised({p})"), -math.log(p)
        if not math.isclose(value, right, rel_tol=0.005, abs_tol=0.005):
            raise Wrong(f"`surprised({p})` is {value:.2f}, and should be {right:.2f}.")
    return "Averaged over a text, this is the loss that every language model is trained to lower."


@exercise(
    "00.3",
    title="Be the judge",
    minutes=6,
    difficulty=2,
    hints=[
        "Draw a line with the marks -smallest, 0 and +smallest, and lay the interval on it.",
        "*supported* looks at `low` only: even the cautious end must matter.",
        "Ask in this order: `low >= smallest`; then both ends between -smallest and +smallest; "
        "then `high < smallest`; else it is undecided.",
    ],
)
def judge(answer: Callable[[float, float, float], str]) -> str:
    """The four verdicts, from intervals on every side of the marks."""
    cases: list[tuple[float, float, float, str, str]] = [
        (0.3, 0.5, 0.1, "supported", "even its lower end is a difference that matters"),
        (0.1, 0.5, 0.1, "supported", "its lower end just matters, which is enough"),
        (0.02, 0.3, 0.1, "undecided", "it lies above 0, and its lower end is too small to matter"),
        (-0.2, 0.3, 0.1, "undecided", "it holds both a harm and a gain that matter"),
        (-0.05, 0.05, 0.1, "no effect found", "nothing in it matters, in either direction"),
        (0.02, 0.05, 0.1, "no effect found", "it is surely above 0, and surely too small"),
        (-0.5, -0.3, 0.1, "not supported", "all of it is harm"),
        (-0.3, 0.02, 0.1, "not supported", "a gain that matters is ruled out, a harm is not"),
        (-2.0, 2.0, 5.0, "no effect found", "with a smallest difference of 5, 2 does not matter"),
    ]
    for low, high, smallest, right, why in cases:
        said = answer(low, high, smallest)
        if said not in VERDICTS:
            words = ", ".join(f'"{word}"' for word in VERDICTS)
            raise Wrong(
                f"`judge({low}, {high}, {smallest})` is {said!r}; the verdicts are {words}."
            )
        if said != right:
            raise Wrong(
                f'You call the interval from {low} to {high} "{said}" where {smallest} or more '
                f"matters. But {why}."
            )
    return "You judge as `llmtrain101.experiment.judge` does, which gives every verdict here."


def _number(value: object, call: str) -> float:
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        kind = type(value).__name__
        raise Wrong(f"`{call}` gives back a `{kind}`; it should be a number.") from None
