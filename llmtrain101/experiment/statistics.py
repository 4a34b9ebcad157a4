"""The paired difference with its interval, and the verdict that follows from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

Word = Literal["supported", "not supported", "no effect found", "undecided"]

MEANING: dict[Word, str] = {
    "supported": "the whole interval lies at or beyond the smallest effect of interest, so even "
    "its cautious end is an effect worth having",
    "no effect found": "the whole interval lies within plus and minus the smallest effect of "
    "interest: there may be a difference, but not one that would matter, either way",
    "not supported": "the whole interval lies below the smallest effect of interest, and reaches "
    "down to where the treatment does harm: what was predicted is ruled out",
    "undecided": "the interval holds both effects that would matter and effects that would not: "
    "these seeds cannot tell; take more of them",
}


@dataclass(frozen=True)
class Verdict:
    """What the interval says about the claim; prints as `supported (8 seeds)`.

    `word` is what to compare with: "supported" is also a part of "not supported".

    Examples
    --------
    >>> print(Verdict("undecided", 5))
    undecided (5 seeds)
    """

    word: Word
    n: int

    def __str__(self) -> str:
        return f"{self.word} ({self.n} seeds)"

    __repr__ = __str__

    @property
    def meaning(self) -> str:
        """One sentence that says why this word and not another."""
        return MEANING[self.word]


def paired_interval(differences: ArrayLike, confidence: float = 0.95) -> tuple[Any, Any, Any]:
    """The mean of paired differences and the ends of its Student t interval.

    Pairing (the same seed, hence the same split and the same initial weights, in both arms) takes
    out of the comparison what the two arms share, so that fewer seeds are needed.

    Parameters
    ----------
    differences : array of shape (..., n)
        One difference a seed, n of at least 3; leading axes are experiments of their own.
    confidence : float
        The share of experiments whose interval holds the true difference.

    Returns
    -------
    mean, low, high : floats, or arrays of shape (...)
        In the unit of the differences. Where all n are the same the interval has no length.

    Raises
    ------
    ValueError
        If there are fewer than 3 differences, or one is not a finite number.

    Notes
    -----
    The interval is exact for normally distributed differences. Of 200,000 simulated experiments
    each, this share of the 95 % intervals held the true difference:

    ===========================================  =====  =====  ======
    differences                                  n = 5  n = 8  n = 12
    ===========================================  =====  =====  ======
    normal                                        0.95   0.95    0.95
    of two accuracies, on 50 or on 1,000 texts    0.95   0.95    0.95
    both arms lognormal (skewed alike)            0.97   0.97    0.97
    exponential                                   0.88   0.89    0.91
    lognormal                                     0.82   0.83    0.85
    one run in ten far off, by 10 deviations      0.76   0.71    0.75
    ===========================================  =====  =====  ======

    So it falls short where one arm alone now and then goes far astray: look at the picture, in
    which every seed is drawn, before you trust an interval; a few more seeds do not mend this.

    Examples
    --------
    >>> mean, low, high = paired_interval([0.02, 0.03, 0.01, 0.04])
    >>> round(mean, 4), round(low, 4), round(high, 4)
    (0.025, 0.0045, 0.0455)
    """
    import numpy as np
    from scipy.special import stdtrit  # the t quantile; scipy.stats takes ten times as long to load

    values = np.asarray(differences, dtype=float)
    n = values.shape[-1] if values.ndim else 0
    if n < 3:
        raise ValueError(
            f"an interval needs at least 3 seeds, got {n}: from 2 the 95 % interval is 9 standard "
            "deviations long on either side, from 1 there is none; pass seeds=range(8)"
        )
    if not np.isfinite(values).all():
        raise ValueError(f"every difference must be a finite number, got {values.tolist()}")
    mean = values.mean(axis=-1)
    half = stdtrit(n - 1, (1 + confidence) / 2) * values.std(axis=-1, ddof=1) / n**0.5
    if values.ndim == 1:
        return float(mean), float(mean - half), float(mean + half)
    return mean, mean - half, mean + half


def judge(low: float, high: float, smallest_effect: float) -> Word:
    """The verdict on an interval; differences are signed so that + is what the claim predicts.

    The four cases exclude one another and leave none out:

    - low ≥ s: "supported". Even the cautious end is an effect worth having. An interval that only
      excludes zero isn't enough: with seeds enough, an effect that nobody would notice does.
    - high < s and low > −s: "no effect found". Not "we could not tell": effects large enough to
      matter are ruled out, in both directions.
    - high < s otherwise: "not supported". The predicted effect is ruled out, harm is not.
    - else "undecided": both an effect that matters and one that does not fit what was seen.

    Parameters
    ----------
    low, high : float
        The interval of the paired difference.
    smallest_effect : float
        s, the smallest effect of interest, above 0.

    Examples
    --------
    >>> judge(0.03, 0.05, 0.02), judge(-0.01, 0.01, 0.02)
    ('supported', 'no effect found')
    >>> judge(-0.05, 0.01, 0.02), judge(-0.01, 0.04, 0.02)
    ('not supported', 'undecided')
    """
    # 0.6 - 0.5 falls short of 0.1 by a rounding error, which must not decide anything
    slack = 1e-9 * smallest_effect
    if low >= smallest_effect - slack:
        return "supported"
    if high >= smallest_effect - slack:
        return "undecided"
    return "no effect found" if low > -smallest_effect + slack else "not supported"
