"""The interval covers what it promises, and the four verdicts follow from it."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats

from llmtrain101.experiment import Verdict, judge, paired_interval
from llmtrain101.experiment.statistics import MEANING
from llmtrain101.seeds import rng

EXPERIMENTS = 1000


def differences(kind: str, n: int) -> tuple[np.ndarray, float]:
    """1,000 experiments of n paired differences each, and the true difference."""
    draw = rng(0, f"coverage of {kind}, {n}")
    shape = (EXPERIMENTS, n)
    if kind == "normal":
        return draw.normal(0.3, 1.0, shape), 0.3
    if kind == "accuracy":  # bounded, and in steps of 1/50
        return (draw.binomial(50, 0.96, shape) - draw.binomial(50, 0.9, shape)) / 50, 0.06
    if kind == "both arms lognormal":
        return draw.lognormal(0, 1, shape) - draw.lognormal(0, 1, shape), 0.0
    if kind == "exponential":
        return draw.exponential(1.0, shape), 1.0
    if kind == "lognormal":
        return draw.lognormal(0, 1, shape), math.exp(0.5)
    astray = 10 * (draw.random(shape) < 0.1)  # one run in ten
    return draw.normal(0, 1, shape) + astray, 1.0


@pytest.mark.parametrize(
    ("kind", "shares"),
    [  # for n = 5, 8 and 12, as the docstring of paired_interval has them
        ("normal", (0.95, 0.95, 0.95)),
        ("accuracy", (0.95, 0.95, 0.95)),
        ("both arms lognormal", (0.97, 0.97, 0.97)),
        ("exponential", (0.88, 0.89, 0.91)),
        ("lognormal", (0.82, 0.83, 0.85)),
        ("astray", (0.76, 0.71, 0.75)),
    ],
)
def test_the_interval_covers_the_truth_as_often_as_documented(
    kind: str, shares: tuple[float, float, float]
) -> None:
    for n, share in zip((5, 8, 12), shares, strict=True):
        values, truth = differences(kind, n)
        _, low, high = paired_interval(values)
        covered = float(np.mean((low <= truth) & (truth <= high)))
        # 4 standard errors, and half of the last digit written: were the draws new each time, a
        # right interval would fail one of these 18 in a thousand runs of the suite (18 x 6e-5)
        allowed = 4 * math.sqrt(share * (1 - share) / EXPERIMENTS) + 0.005
        assert abs(covered - share) <= allowed, (n, covered)
        shares_in_docstring = (paired_interval.__doc__ or "").split("Examples")[0]
        assert f"{share:.2f}" in shares_in_docstring


def test_an_effect_that_just_does_not_matter_is_seldom_called_supported() -> None:
    values, truth = differences("normal", 8)
    _, low, high = paired_interval(values)
    words = [judge(*ends, truth) for ends in zip(low, high, strict=True)]
    # 25 expected; at most 45 with a false alarm once in 10,000 (binomial tail)
    assert words.count("supported") <= 45
    assert words.count("supported") > 5  # the bound is reached, not avoided


def test_the_interval_is_that_of_scipys_paired_t_test() -> None:
    control, treatment = rng(1, "control").normal(size=8), rng(1, "treatment").normal(0.5, 1, 8)
    mean, low, high = paired_interval(treatment - control)
    theirs = scipy.stats.ttest_rel(treatment, control).confidence_interval(0.95)
    assert mean == pytest.approx((treatment - control).mean())
    assert (low, high) == pytest.approx((theirs.low, theirs.high))


def test_several_experiments_at_once_equal_one_by_one() -> None:
    values = rng(2, "many").normal(size=(4, 6))
    together = np.stack(paired_interval(values))
    assert together.T == pytest.approx(np.array([paired_interval(row) for row in values]))


def test_equal_differences_have_an_interval_without_length() -> None:
    assert paired_interval([0.25, 0.25, 0.25]) == (0.25, 0.25, 0.25)


@pytest.mark.parametrize("n", [0, 1, 2])
def test_too_few_seeds_are_refused_with_the_reason(n: int) -> None:
    with pytest.raises(ValueError, match=f"at least 3 seeds, got {n}: from 2 the"):
        paired_interval([0.1] * n)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_what_is_no_number_is_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        paired_interval([0.1, 0.2, bad])


@pytest.mark.parametrize(
    ("low", "high", "word"),
    [
        (0.02, 0.05, "supported"),  # the end counts
        (0.6 - 0.5 - 0.08, 0.6, "supported"),  # 0.02, but for a rounding error
        (0.019, 0.05, "undecided"),
        (-0.05, 0.05, "undecided"),
        (0.0, 0.02, "undecided"),
        (-0.019, 0.019, "no effect found"),
        (0.001, 0.019, "no effect found"),  # above zero, and too small to matter
        (-0.02, 0.019, "not supported"),
        (-0.5, -0.4, "not supported"),
    ],
)
def test_the_rule(low: float, high: float, word: str) -> None:
    assert judge(low, high, 0.02) == word


def test_the_verdict_prints_its_n_and_says_why() -> None:
    for word, meaning in MEANING.items():
        verdict = Verdict(word, 8)
        assert str(verdict) == repr(verdict) == f"{word} (8 seeds)"
        assert verdict.meaning == meaning
    assert len(set(MEANING.values())) == 4
