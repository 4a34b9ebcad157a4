"""Checks of lesson 09: the loss, a mix of counts, the temperature."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from llmtrain101.course.checks import Wrong, exercise


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
    sentences = ["a b a b", "b c a a", "c a b"]
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
    all_as = words.count("a")
    across, _ = parts("a", "b", [words])
    pairs = sum(len(line) - 1 for line in lines)
    together = 3 / pairs  # "a b" occurs three times
    slips = {
        "the share went to the frequency and the rest to the bigrams; it is the other way round": (
            0.3 * bigram + 0.7 * frequency
        ),
        "those are the bigrams alone": bigram,
        "that is the frequency alone": frequency,
        "the two are added without weights": bigram + frequency,
        "the weight of the frequency is not `1 - share`": 0.7 * bigram + frequency,
        "the pairs run across the end of a sentence: “a b” ends with b, and the next begins "
        "with another": 0.7 * across + 0.3 * frequency,
        "the pairs were divided by how often `before` occurs; the last word of a sentence is "
        "followed by nothing": 0.7 * 3 / all_as + 0.3 * frequency,
        "the pairs were divided by all pairs, not by those that begin with `before`": (
            0.7 * together + 0.3 * frequency
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
    title="Another temperature",
    minutes=10,
    difficulty=3,
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


def _close(a: list[float], b: list[float]) -> bool:
    return all(math.isclose(x, y, rel_tol=1e-5, abs_tol=1e-9) for x, y in zip(a, b, strict=True))


def _written(row: list[float]) -> str:
    return "[" + ", ".join(f"{value:.3g}" for value in row) + "]"
