"""The exercises of lesson 01: right answers pass, each kind of wrong one hears what is wrong."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.judging import judged


def others(w: Any, age: float, male: float) -> Any:
    return w[0] + w[1] * (age - 40) / 10 + w[2] * male


def by_loop(w: Any, gradient: Any, rate: float, decay: float) -> list[float]:
    return [a - rate * (g + decay * a) for a, g in zip(w, gradient, strict=True)]


def index_shuffle(labels: Any, rng: Any) -> Any:
    return [labels[place] for place in rng.permutation(len(labels))]


@pytest.mark.parametrize(
    ("id", "answer"),
    [
        ("01.1", lambda w, age, male: 50_000 - 20_000 * others(w, age, male) / w[3]),
        ("01.1", lambda w, age, male: np.array([50_000 - 20_000 * others(w, age, male) / w[3]])),
        ("01.1", lambda w, age, male: round(50_000 - 20_000 * others(w, age, male) / w[3])),
        ("01.2", lambda labels, rng: rng.permutation(labels)),
        ("01.2", index_shuffle),
        ("01.3", lambda w, g, rate, decay: (1 - rate * decay) * w - rate * g),
        ("01.3", by_loop),
    ],
)
def test_every_way_of_being_right_passes(id: str, answer: Callable[..., Any]) -> None:
    assert judged(id, answer)[0] == "passed"


def test_a_step_with_decay_is_that_of_pytorch() -> None:
    import torch

    def with_torch(w: Any, gradient: Any, rate: float, decay: float) -> Any:
        weights = torch.nn.Parameter(torch.tensor(w))
        weights.grad = torch.tensor(gradient)
        torch.optim.SGD([weights], lr=rate, weight_decay=decay).step()
        return weights.detach().numpy()

    assert judged("01.3", with_torch)[0] == "passed"


def in_place(labels: Any, rng: Any) -> Any:
    rng.shuffle(labels)
    return labels


def nothing_back(labels: Any, rng: Any) -> None:
    rng.shuffle(labels)


def own_seed(labels: Any, rng: Any) -> Any:
    return np.random.default_rng(7).permutation(labels)


def own_chance(labels: Any, rng: Any) -> Any:
    return np.random.default_rng().permutation(labels)


def coins(labels: Any, rng: Any) -> Any:
    return rng.integers(0, 4, len(labels))


def overwrite(w: Any, gradient: Any, rate: float, decay: float) -> Any:
    w -= rate * gradient + rate * decay * w
    return w


@pytest.mark.parametrize(
    ("id", "answer", "said"),
    [
        ("01.1", lambda w, a, m: 50_000 + 20_000 * others(w, a, m) / w[3], "sign"),
        ("01.1", lambda w, a, m: -20_000 * others(w, a, m) / w[3], "how far it lies from 50,000"),
        ("01.1", lambda w, a, m: -others(w, a, m) / w[3], "steps of 20,000 from 50,000"),
        ("01.1", lambda w, a, m: 50_000 - others(w, a, m) / w[3], "not undone"),
        ("01.1", lambda w, a, m: 50_000 - 20_000 * others(w, a, 0) / w[3], "being male"),
        ("01.1", lambda w, a, m: 50_000 - 20_000 * others(w, a, m), r"`w\[3\]`, is not in it"),
        (
            "01.1",
            lambda w, a, m: 50_000 - 20_000 * others(w, 10 * a - 360, m) / w[3],
            "years from 40",
        ),
        ("01.1", lambda w, a, m: 50_000, "the score is"),
        ("01.1", lambda w, a, m: "rich", "one number"),
        ("01.1", lambda w, a, m: 1 / 0, "stopped with `ZeroDivisionError"),
        ("01.1", 64_000, "Pass the function itself"),
        ("01.2", lambda labels, rng: labels, "order in which they were"),
        ("01.2", lambda labels, rng: labels[::-1], "reverse"),
        ("01.2", in_place, "array that you were given is changed"),
        ("01.2", coins, "other labels"),
        ("01.2", lambda labels, rng: rng.choice(labels, len(labels)), "other labels"),
        ("01.2", own_seed, "Two different generators"),
        ("01.2", own_chance, "nobody can repeat"),
        ("01.2", lambda labels, rng: rng.permutation(labels)[1:], "shape"),
        ("01.2", nothing_back, "`return` missing"),
        ("01.3", lambda w, g, rate, decay: w + rate * g - rate * decay * w, "uphill"),
        ("01.3", lambda w, g, rate, decay: w - rate * g, "without decay"),
        ("01.3", lambda w, g, rate, decay: w - rate * g - decay * w, "multiplied by the rate"),
        ("01.3", lambda w, g, rate, decay: w - rate * g + rate * decay * w, "larger"),
        ("01.3", lambda w, g, rate, decay: w - rate * g - rate * decay, "same amount"),
        ("01.3", lambda w, g, rate, decay: w - rate * g * (1 - decay), "of the step"),
        ("01.3", lambda w, g, rate, decay: (w - rate * g) * (1 - rate * decay), "off the new"),
        ("01.3", lambda w, g, rate, decay: w - 0.1 * g - 0.03 * w, "expected"),
        ("01.3", overwrite, "`w -= …` writes into"),
    ],
)
def test_each_kind_of_wrong_answer_hears_what_is_wrong(id: str, answer: Any, said: str) -> None:
    state, text = judged(id, answer)
    assert state == "failed"
    assert re.search(said, text), text
