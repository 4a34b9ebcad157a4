"""Checks of lesson 01: reading weights, shuffling labels, a step with weight decay."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from llmtrain101.course.checks import Wrong, brief, exercise, number

if TYPE_CHECKING:
    import numpy as np


@exercise(
    "01.1",
    title="Read the relation off the weights",
    minutes=8,
    difficulty=2,
    hints=[
        "The chance is one half where the score is 0: write the score down with the income as an "
        "unknown, as `inputs` builds it.",
        "`w[0] + w[1] * (age - 40) / 10 + w[2] * male + w[3] * (income - 50_000) / 20_000 = 0`",
        "Bring `w[3] * …` to the other side, divide by `w[3]`, then undo the 20,000 and the "
        "50,000.",
    ],
)
def tipping_income(answer: Callable[[Any, float, float], float]) -> str:
    """The answer maps weights, age and gender to an income."""
    import numpy as np

    weights = np.array([0.5, 1.2, -0.7, 2.0])
    age, male = 60, 1
    found = number(answer(weights, age, male), "one number, an income")
    others = weights[0] + weights[1] * (age - 40) / 10 + weights[2] * male
    slips = {
        "its sign is turned round: what is brought to the other side changes its sign, and a "
        "higher age lets a *lower* income do": 50_000 + 20_000 * others / weights[3],
        "that is how far it lies from 50,000; the income itself is asked for": -20_000
        * others
        / weights[3],
        "that still counts in steps of 20,000 from 50,000, not in money": -others / weights[3],
        "the steps of 20,000 are not undone": 50_000 - others / weights[3],
        "the age was taken in years; the weight is for decades from 40": 50_000
        - 20_000 * (weights[0] + weights[1] * age + weights[2] * male) / weights[3],
        "the age was taken in years from 40; the weight is for decades": 50_000
        - 20_000 * (weights[0] + weights[1] * (age - 40) + weights[2] * male) / weights[3],
        "the weight of being male is not in it": 50_000
        - 20_000 * (weights[0] + weights[1] * (age - 40) / 10) / weights[3],
        "the constant, `w[0]`, is not in it": 50_000 - 20_000 * (others - weights[0]) / weights[3],
        "the weight of the income, `w[3]`, is not in it": 50_000 - 20_000 * others,
    }
    call = f"`tipping_income({weights.tolist()}, {age}, {male})`"
    for slip, value in slips.items():
        if abs(found - value) < 1:
            raise Wrong(f"{call} is {found:,.0f}: {slip}.")
    for w, age, male in (
        (weights, 60, 1),
        (np.array([0.0, 1.0, 0.0, 2.0]), 40, 0),
        (np.array([-1.0, 0.3, 0.4, 0.8]), 23, 1),
        (np.array([0.2, 1.0, 0.5, -0.8]), 70, 0),
    ):
        others = w[0] + w[1] * (age - 40) / 10 + w[2] * male
        right = 50_000 - 20_000 * others / w[3]
        found = number(answer(w, age, male), "one number, an income")
        if abs(found - right) > 1:
            score = others + w[3] * (found - 50_000) / 20_000
            raise Wrong(
                f"`tipping_income({w.tolist()}, {age}, {male})` is {found:,.0f}. With that "
                f"income the score is {score:.2f}; it should be 0."
            )
    return "Weights are a relation that you can read: hold it against what you know."


@exercise(
    "01.2",
    title="Shuffle",
    minutes=5,
    difficulty=1,
    hints=[
        "A generator of numpy can do it in one call: see `help(rng.permutation)`, and what "
        "`rng.shuffle` does differently.",
        "`rng.permutation(labels)` makes a new array, in random order.",
    ],
)
def shuffled(answer: Callable[[Any, Any], Any]) -> str:
    """The answer maps labels and a generator to the same labels in random order."""
    import numpy as np

    labels = np.repeat([0, 1, 2, 3], [50, 30, 15, 5])
    given = labels.copy()
    found = _array(answer(given, np.random.default_rng(1)), labels.shape)
    if not np.array_equal(given, labels):
        raise Wrong(
            "The array that you were given is changed. Whoever owns the labels has lost them: "
            "make a new array, or shuffle a copy."
        )
    if np.array_equal(found, labels):
        raise Wrong("The labels come back in the order in which they were: nothing is shuffled.")
    if np.array_equal(found, labels[::-1]):
        raise Wrong("The labels come back in reverse order, which is no random one.")
    if not np.array_equal(np.sort(found), labels):
        before, after = (np.bincount(each.astype(int), minlength=4)[:4] for each in (labels, found))
        raise Wrong(
            "These are other labels, not the same in another order: there were "
            f"{before.tolist()} of the labels 0 to 3, and now there are {after.tolist()}. A "
            "control in which the shares differ too tests two things at once."
        )
    again = _array(answer(labels.copy(), np.random.default_rng(1)), labels.shape)
    other = _array(answer(labels.copy(), np.random.default_rng(2)), labels.shape)
    if not np.array_equal(again, found):
        raise Wrong(
            "The same generator gives another order the second time, so that nobody can repeat "
            "your run: draw from `rng`, not from `np.random` or `random`."
        )
    if np.array_equal(other, found):
        raise Wrong(
            "Two different generators give the same order: draw from `rng`, not from a seed of "
            "your own."
        )
    return "The shares of the labels are as before; only what they had to do with the rows is gone."


@exercise(
    "01.3",
    title="A step with weight decay",
    minutes=8,
    difficulty=2,
    hints=[
        "Without decay it is the step of “By hand”: the weights minus the rate times the gradient.",
        "What is taken off besides is proportional to the weight itself: `rate * decay * w`.",
    ],
)
def decay_step(answer: Callable[[Any, Any, float, float], Any]) -> str:
    """The answer maps weights, gradient, rate and decay to new weights."""
    import numpy as np

    weights, gradient = np.array([1.0, -2.0, 0.0, 4.0]), np.array([0.5, 0.25, -1.0, 0.0])
    rate, decay = 0.1, 0.3
    given = weights.copy()
    found = _array(answer(given, gradient.copy(), rate, decay), weights.shape)
    if not np.array_equal(given, weights):
        raise Wrong(
            "The old weights are changed. `w -= …` writes into the array that you were given; "
            "`w = w - …` makes a new one."
        )
    step, shrink = rate * gradient, rate * decay * weights
    right = weights - step - shrink
    slips = {
        "it goes uphill: the gradient says where the loss grows, so subtract it": [
            weights + step - shrink,
            weights + step,
            weights + step + shrink,
        ],
        "that is the step without decay": [weights - step],
        "that is the decay without the step along the gradient": [weights - shrink],
        "decay makes the weights larger; it is to be taken off": [weights - step + shrink],
        "the decay is not multiplied by the rate: with a rate of 0 nothing may move": [
            weights - step - decay * weights
        ],
        "the same amount is taken off every weight; it should be a share of each, so that a "
        "large weight loses more and 0 stays 0": [weights - step - rate * decay],
        "the decay has lost the sign of the weights: a negative weight must shrink too, that is, "
        "rise towards 0": [weights - step - rate * decay * np.abs(weights)],
        "the share was taken off the new weights, after the step; take it off the old ones": [
            (weights - step) * (1 - rate * decay)
        ],
        "the decay is of the step: it is to be of the weights": [
            weights - step * (1 - decay),
            weights - step * (1 + decay),
        ],
    }
    for slip, values in slips.items():
        if any(np.allclose(found, value) for value in values):
            raise Wrong(f"For the weights {weights.tolist()} it gives {_list(found)}: {slip}.")
    draw = np.random.default_rng(0)
    for rate, decay in ((0.1, 0.3), (0.0, 0.5), (0.5, 0.0), (0.02, 2.0)):
        weights, gradient = draw.normal(size=(2, 3))
        right = weights - rate * gradient - rate * decay * weights
        found = _array(answer(weights.copy(), gradient.copy(), rate, decay), right.shape)
        if not np.allclose(found, right):
            raise Wrong(
                f"With the weights {_list(weights)}, gradient {_list(gradient)}, {rate=} and "
                f"{decay=} it gives {_list(found)}; expected {_list(right)}."
            )
    return (
        "With a gradient of 0 the weights shrink a little at each step: what nobody asks for goes."
    )


def _array(value: Any, shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    import numpy as np

    try:
        array = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        raise Wrong(f"It gives {brief(value)}; it should be an array of numbers.") from None
    if array.shape != shape:
        raise Wrong(f"It gives an array of shape {array.shape}; that of the input is {shape}.")
    return array


def _list(values: Any) -> str:
    return str([round(float(value), 3) for value in values])
