"""How good is it? Loss of a language model on a whole text, and scores of a classifier."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from llmtrain101.model import next_token_loss


@torch.inference_mode()
def text_loss(
    model: nn.Module, ids: Any, context_length: int | None = None, batch_size: int = 32
) -> float:
    """Mean loss over a whole text, in nats per token.

    The text is cut into windows that do not overlap. Every token but the first is predicted exactly
    once, from the tokens of its window before it; the last window may be shorter. So the first
    token of each window is predicted from one token only: a larger `context_length` gives a lower
    loss, and only losses of one `context_length` compare.

    Parameters
    ----------
    model : Module
        Logits (B, T, V) for ids (B, T). Its training mode is put back afterwards.
    ids : int array of shape (n_tokens,)
        A list, array, tensor or numpy memory map; only a batch at a time is read.
    context_length : int, optional
        By default the model's own.
    batch_size : int
        Windows at once: changes speed and memory, not the result.

    Raises
    ------
    ValueError
        If there are fewer than two tokens: there is nothing to predict.

    Examples
    --------
    >>> from llmtrain101.model import LanguageModel, ModelConfig
    >>> from llmtrain101.seeds import generator
    >>> model = LanguageModel(ModelConfig.tiny(65), generator=generator(0, "init"))
    >>> round(text_loss(model, range(60)), 4)        # nothing learnt: ln(65)
    4.1744
    """
    ids = np.asarray(ids)
    if len(ids) < 2:
        raise ValueError(f"A loss needs at least two tokens, got {len(ids)}.")
    T = context_length or int(model.config.context_length)  # type: ignore[union-attr, arg-type]
    device = next(model.parameters()).device
    n_windows = (len(ids) - 1) // T
    full = n_windows * T
    windows = [
        (start, min(batch_size, n_windows - start)) for start in range(0, n_windows, batch_size)
    ]
    was_training = model.training
    model.eval()
    total = 0.0
    try:
        for start, rows in windows:
            total += _summed_loss(model, ids[start * T : (start + rows) * T + 1], rows, T, device)
        if full < len(ids) - 1:
            total += _summed_loss(model, ids[full:], 1, len(ids) - 1 - full, device)
    finally:
        model.train(was_training)
    return total / (len(ids) - 1)


def _summed_loss(model: nn.Module, ids: Any, rows: int, T: int, device: torch.device) -> float:
    """Nats over `rows` windows that lie one after the other in `ids`, shape (rows * T + 1,)."""
    row = torch.from_numpy(ids.astype(np.int64)).to(device)
    inputs, targets = row[:-1].view(rows, T), row[1:].view(rows, T)
    return next_token_loss(model(inputs), targets).item() * rows * T


def bits_per_byte(nats_per_token: float, n_tokens: int, n_bytes: int) -> float:
    """A loss that compares across tokenizers: bits needed for each byte of the text.

    Parameters
    ----------
    nats_per_token : float
        From `text_loss`.
    n_tokens : int
        Tokens that were predicted.
    n_bytes : int
        Bytes of UTF-8 text that these tokens stand for.

    Examples
    --------
    >>> bits_per_byte(math.log(256), n_tokens=10, n_bytes=10)      # a uniform guess over bytes
    8.0
    >>> bits_per_byte(math.log(256), n_tokens=10, n_bytes=20)      # two bytes in each token
    4.0
    """
    if n_bytes < 1:
        raise ValueError(f"n_bytes must be at least 1, got {n_bytes}.")
    return nats_per_token * n_tokens / (n_bytes * math.log(2))


def perplexity(nats_per_token: float) -> float:
    """Between how many equally likely tokens the model hesitates.

    Examples
    --------
    >>> round(perplexity(math.log(65)), 6)
    65.0
    """
    return math.exp(nats_per_token)


def accuracy(labels: ArrayLike, predictions: ArrayLike) -> float:
    """Share of predictions that are right.

    Examples
    --------
    >>> accuracy(["spam", "ham", "ham"], ["spam", "spam", "ham"])
    0.6666666666666666
    """
    from sklearn.metrics import accuracy_score

    return float(accuracy_score(labels, predictions))


def macro_f1(labels: ArrayLike, predictions: ArrayLike) -> float:
    """Mean over the classes of F1, the harmonic mean of precision and recall.

    Every class counts the same, however rare: always answering the commonest class scores low. The
    classes are those that occur among labels or predictions; F1 is 0 where a class is never right.

    Examples
    --------
    >>> macro_f1([0, 0, 0, 1], [0, 0, 0, 0])        # accuracy 0.75
    0.42857142857142855
    """
    from sklearn.metrics import f1_score

    return float(f1_score(labels, predictions, average="macro", zero_division=0.0))


def calibration(
    probabilities: ArrayLike | Tensor, labels: ArrayLike | Tensor, n_bins: int = 10
) -> float:
    """Expected calibration error: how far confidence is from the share that is right.

    Predictions are sorted into `n_bins` equal ranges of confidence; in each, mean confidence is
    compared with accuracy, and the differences are averaged, weighted by count (Naeini et al. 2015;
    Guo et al. 2017, eq. 3). 0 is perfect.

    Parameters
    ----------
    probabilities : float array of shape (N, C)
        Each row sums to 1; the largest is the confidence.
    labels : int array of shape (N,)
        Classes in [0, C).
    n_bins : int

    Examples
    --------
    >>> calibration([[0.75, 0.25]] * 4, [0, 0, 0, 1])          # 75 % sure, 75 % right
    0.0
    >>> calibration([[1.0, 0.0]] * 4, [0, 0, 0, 1])            # sure, and 25 % wrong
    0.25
    """
    rows, classes = np.asarray(probabilities, np.float64), np.asarray(labels)
    if rows.ndim != 2 or len(rows) != len(classes) or len(rows) == 0:
        raise ValueError(
            f"probabilities of shape (N, C) need N >= 1 labels, got {rows.shape} and "
            f"{classes.shape}."
        )
    if not np.allclose(rows.sum(axis=1), 1.0, atol=1e-4):
        raise ValueError("Each row of probabilities must sum to 1: take a softmax of logits first.")
    confidence, right = rows.max(axis=1), rows.argmax(axis=1) == classes
    bins = np.minimum((confidence * n_bins).astype(int), n_bins - 1)
    # count / N * |accuracy - confidence| in a bin is |sum of (right - confidence)| / N
    gaps = np.bincount(bins, weights=right - confidence, minlength=n_bins)
    return float(np.abs(gaps).sum() / len(rows))
