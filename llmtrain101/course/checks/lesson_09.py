"""Checks of lesson 09: the loss, a mix of counts, attention, the temperature."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from llmtrain101.course.checks import Wrong, exercise

if TYPE_CHECKING:
    import torch


@exercise(
    "09.1",
    title="The loss of a model",
    minutes=5,
    difficulty=1,
    hints=[
        "First for one position: under “By hand: counting” it is `-log(p)`.",
        "Then the mean over the positions, not of the probabilities.",
    ],
)
def loss_of(answer: Callable[[list[float]], float]) -> str:
    """The answer maps the probabilities of the tokens that came to nats per token."""
    given = [0.5, 0.1, 0.25]
    losses = [-math.log(p) for p in given]
    right, n = sum(losses) / len(given), len(given)
    found = _number(answer(list(given)), "a loss")
    slips = {
        "the sign is turned round: a loss is never negative": -right,
        "that is the sum over the positions; the mean is asked for": sum(losses),
        "that is the loss of the mean probability. Take `-log` of each first, then the mean: "
        "one very bad guess must count": -math.log(sum(given) / n),
        "that is in bits (`log2`); nats are asked for": right / math.log(2),
        "that is with the logarithm to base 10; nats are asked for": right / math.log(10),
        "that is the perplexity, `exp(loss)`": math.exp(right),
        "that is the mean probability, without a logarithm": sum(given) / n,
    }
    _same(f"`loss_of({given})`", found, right, slips)
    for sure in ([1.0], [0.01] * 4, [0.9, 0.2]):
        right = sum(-math.log(p) for p in sure) / len(sure)
        _same(f"`loss_of({sure})`", _number(answer(list(sure)), "a loss"), right, {})
    return "`exp` of it says between how many tokens the model hesitates."


@exercise(
    "09.2",
    title="A mix of counts",
    minutes=15,
    difficulty=2,
    hints=[
        "Make three lists or counters: all words, the words that follow `before`, and how often "
        "`word` is in each of the two.",
        "Bigrams: `follows.count(word) / len(follows)`. Frequency: `words.count(word) / "
        "len(words)`. Take the pairs line by line, or the end of one sentence is followed by "
        "the start of the next.",
        "`share * bigram + (1 - share) * frequency`, and only the frequency if `follows` is empty.",
    ],
)
def mixed(answer: Callable[[list[str], str, str, float], float]) -> str:
    """The answer maps sentences, the word before, a word and a share to a probability."""
    sentences = ["a b a c d", "c c a", "b a b a"]  # each slip below gives another number
    call = "`mixed({}, {!r}, {!r}, {})`".format

    def ask(before: str, word: str, share: float) -> float:
        return _number(answer(list(sentences), before, word, share), "a probability")

    lines = [line.split() for line in sentences]
    words = [word for line in lines for word in line]

    def parts(before: str, word: str, lines: list[list[str]] = lines) -> tuple[float, float]:
        follows = [b for line in lines for a, b in zip(line, line[1:], strict=False) if a == before]
        frequency = words.count(word) / len(words)
        return (follows.count(word) / len(follows) if follows else frequency), frequency

    bigram, frequency = parts("a", "b")
    across, _ = parts("a", "b", [words])
    together = bigram * sum(line[:-1].count("a") for line in lines)  # how often "a b" occurs
    pairs = sum(len(line) - 1 for line in lines)
    slips = {
        "the share went to the frequency and the rest to the bigrams; it is the other way round": (
            0.3 * bigram + 0.7 * frequency
        ),
        "those are the bigrams alone": bigram,
        "that is the frequency alone": frequency,
        "the two are added without weights": bigram + frequency,
        "the weight of the frequency is not `1 - share`": 0.7 * bigram + frequency,
        "the pairs run across the end of a sentence: the a that ends one is not followed by the "
        "b that begins the next": 0.7 * across + 0.3 * frequency,
        "you divided by how often `before` occurs, not by how often something follows it: at the "
        "end of a sentence nothing does": 0.7 * together / words.count("a") + 0.3 * frequency,
        "the pairs run across the end of a sentence, and you divided by how often `before` "
        "occurs, not by how often something follows it": (
            0.7 * across * words[:-1].count("a") / words.count("a") + 0.3 * frequency
        ),
        "the pairs were divided by all pairs, not by those that begin with `before`": (
            0.7 * together / pairs + 0.3 * frequency
        ),
    }
    _same(call(sentences, "a", "b", 0.7), ask("a", "b", 0.7), 0.7 * bigram + 0.3 * frequency, slips)
    _same(
        call(sentences, "z", "a", 0.7),
        ask("z", "a", 0.7),
        words.count("a") / len(words),
        {
            "`z` was never followed by anything, so all the weight goes to the frequency": (
                0.3 * words.count("a") / len(words)
            ),
            "after an unknown word something must still come: use the frequency": 0.0,
        },
    )
    _same(
        call(sentences, "d", "a", 0.7),
        ask("d", "a", 0.7),
        words.count("a") / len(words),
        {
            "`d` occurs, but nothing ever follows it, so all the weight goes to the frequency": (
                0.3 * words.count("a") / len(words)
            ),
        },
    )
    for before in ("a", "b", "c"):
        for word in ("a", "b", "c", "z"):
            bigram, frequency = parts(before, word)
            right = 0.2 * bigram + 0.8 * frequency
            _same(call(sentences, before, word, 0.2), ask(before, word, 0.2), right, {})
    return (
        "Do it again for three words, four, and so on, and choose the shares by what validation "
        "says: that is the rival of claim 1."
    )


@exercise(
    "09.3",
    title="Attention that looks back only so far",
    minutes=15,
    difficulty=3,
    hints=[
        "Number the places: `place = torch.arange(len(scores))`. Then `place[:, None] - place` is, "
        "for each row, how far back each column lies; it is negative in the future.",
        "Hidden is what lies in the future, and what lies `width` or more back. Combine the two "
        "conditions with `|`.",
        "As under “By hand”: `scores.masked_fill(hidden, -torch.inf).softmax(-1) @ values`.",
    ],
)
def local_attention(answer: Callable[[Any, Any, int], Any]) -> str:
    """The answer maps scores (T, T), values (T, D) and a width to weighted means (T, D)."""
    import torch

    draw = torch.Generator().manual_seed(9)
    scores, values = torch.randn(6, 6, generator=draw), torch.randn(6, 3, generator=draw)
    back = torch.arange(6)[:, None] - torch.arange(6)
    given = scores.clone(), values.clone()

    def ask(scores: torch.Tensor, values: torch.Tensor, width: int) -> torch.Tensor:
        return _means(answer(scores, values, width), values)

    def mean(hidden: torch.Tensor, fill: float = -math.inf, dim: int = -1) -> torch.Tensor:
        return scores.masked_fill(hidden, fill).softmax(dim) @ values

    found = ask(scores, values, 3)
    if not (torch.equal(scores, given[0]) and torch.equal(values, given[1])):
        raise Wrong(
            "What you were given is changed. `masked_fill_` and `scores[…] = …` write into it; "
            "`masked_fill` makes a new one."
        )
    future, far = back < 0, back >= 3
    slips = {
        "nothing is hidden, neither the future nor what lies far back": mean(back > 9),
        "only the future is hidden; what lies `width` or more back is still seen": mean(future),
        "the future is seen, and it would give the answer away": mean(far),
        "past and future are the wrong way round": mean((back > 0) | (back <= -3)),
        "it looks one token too far back: a width of 3 is itself and the two before it": mean(
            future | (back > 3)
        ),
        "it looks one token too little back: a width of 3 is itself and the two before it": mean(
            future | (back >= 2)
        ),
        "what is hidden got a score of 0, which still leaves it a weight: `exp(0)` is 1": mean(
            future | far, fill=0
        ),
        "the weights were set to 0 *after* the softmax, so that those of a row no longer sum to "
        "1": scores.softmax(-1).masked_fill(future | far, 0) @ values,
        "the softmax runs down the columns; each *row* must sum to 1": mean(future | far, dim=0),
        "that is the sum of what is seen, all with the same weight: the scores are not in it": (
            (~(future | far)).float() @ values
        ),
        "that is the plain mean of what is seen: the scores are not in it": (
            (scores * 0).masked_fill(future | far, -math.inf).softmax(-1) @ values
        ),
    }
    call = "With 6 tokens and a width of 3"
    for slip, wrong in slips.items():
        if torch.allclose(found, wrong, atol=1e-5):
            raise Wrong(f"{call}: {slip}.")
    if bool(found.isnan().any()):
        raise Wrong(
            f"{call}, some numbers are nan: a row in which all is hidden. Each token sees itself."
        )
    for moved in range(1, 6):  # whatever stands in the future must not matter
        other = values.clone()
        other[moved] += 100
        if not torch.allclose(ask(scores, other, 3)[:moved], found[:moved], atol=1e-4):
            raise Wrong(
                f"{call}: another value for token {moved} changes what earlier tokens get. They "
                "must not see it."
            )
    for T, width in ((6, 3), (5, 1), (4, 9), (1, 2)):
        scores, values = torch.randn(T, T, generator=draw), torch.randn(T, 2, generator=draw)
        back = torch.arange(T)[:, None] - torch.arange(T)
        if not torch.allclose(
            ask(scores, values, width), mean((back < 0) | (back >= width)), atol=1e-5
        ):
            raise Wrong(
                f"With {T} tokens and a width of {width} the result is not the mean of the values, "
                "weighted by the softmax of the scores that are not hidden."
            )
    return (
        "Models for long texts have such layers: the cost no longer grows with all that was read."
    )


@exercise(
    "09.4",
    title="Another temperature",
    minutes=10,
    difficulty=2,
    hints=[
        "Scores are logarithms of the probabilities, but for a constant. Divide those by the "
        "temperature, and take the softmax.",
        "`exp(log(p) / temperature)` is `p ** (1 / temperature)`.",
        "Divide each of these by their sum.",
    ],
)
def at_temperature(answer: Callable[[list[float], float], Sequence[float]]) -> str:
    """The answer maps probabilities at temperature 1, and a temperature, to probabilities."""
    given, temperature = [0.5, 0.3, 0.2], 0.5
    call = f"`at_temperature({given}, {temperature})`"

    def ask(given: list[float], temperature: float) -> list[float]:
        return _row(answer(list(given), temperature), len(given))

    def scaled(values: list[float]) -> list[float]:
        return [value / sum(values) for value in values]

    found = ask(given, temperature)
    slips = {
        "the powers are right; they are not yet scaled so that they sum to 1": [
            p ** (1 / temperature) for p in given
        ],
        "the exponent is upside down: a *low* temperature makes the likely likelier": scaled(
            [p**temperature for p in given]
        ),
        "the probabilities were taken for scores: take their logarithms first": scaled(
            [math.exp(p / temperature) for p in given]
        ),
        "nothing changed. Dividing probabilities by a number and scaling them back does nothing: "
        "the *scores* are divided": given,
        "the probabilities themselves were divided; it is the scores that are": [
            p / temperature for p in given
        ],
    }
    for slip, values in slips.items():
        if _close(found, values):
            raise Wrong(f"{call} is {_written(found)}: {slip}.")
    for row, t in ((given, 0.5), ([0.9, 0.1], 2.0), ([0.25] * 4, 0.1), ([0.6, 0.3, 0.1], 1.0)):
        right, found = scaled([p ** (1 / t) for p in row]), ask(row, t)
        if abs(sum(found) - 1) > 1e-6:
            raise Wrong(
                f"`at_temperature({row}, {t})` is {_written(found)}, which sums to "
                f"{sum(found):.3f}: probabilities sum to 1."
            )
        if not _close(found, right):
            raise Wrong(
                f"`at_temperature({row}, {t})` is {_written(found)}, and should be "
                f"{_written(right)}."
            )
    return "The order never changes, only how much the first is ahead."


def _same(call: str, found: float, right: float, slips: dict[str, float]) -> None:
    if math.isclose(found, right, rel_tol=1e-6, abs_tol=1e-9):
        return
    for slip, value in slips.items():
        if math.isclose(found, value, rel_tol=1e-6, abs_tol=1e-9):
            raise Wrong(f"{call} is {found:.4g}: {slip}.")
    raise Wrong(f"{call} is {found:.4g}, and should be {right:.4g}.")


def _number(found: Any, what: str) -> float:
    try:
        return float(found)
    except (TypeError, ValueError):
        kind = type(found).__name__
        raise Wrong(f"Your function returns a `{kind}`; {what} is asked for.") from None


def _row(found: Any, n: int) -> list[float]:
    try:
        row = [float(value) for value in found]
    except (TypeError, ValueError):
        kind = type(found).__name__
        raise Wrong(f"Your function returns a `{kind}`; a list of numbers is asked for.") from None
    if len(row) != n:
        raise Wrong(f"For {n} probabilities your function returns {len(row)} numbers.")
    return row


def _means(found: Any, like: torch.Tensor) -> torch.Tensor:
    import torch

    try:
        matrix = torch.as_tensor(found, dtype=torch.float32)
    except (TypeError, ValueError, RuntimeError):
        kind = type(found).__name__
        raise Wrong(f"Your function returns a `{kind}`; a tensor is asked for.") from None
    if matrix.shape != like.shape:
        raise Wrong(
            f"Your function returns the shape {tuple(matrix.shape)}; for values of shape "
            f"{tuple(like.shape)} it should be the same: a weighted mean of them for each token."
        )
    return matrix


def _close(a: list[float], b: list[float]) -> bool:
    return all(math.isclose(x, y, rel_tol=1e-5, abs_tol=1e-9) for x, y in zip(a, b, strict=True))


def _written(row: list[float]) -> str:
    return "[" + ", ".join(f"{value:.3g}" for value in row) + "]"
