"""The strong plain baseline of a language model: counts of what followed the last few tokens.

A token after a long context is judged by how often it came there, mixed with how often it came
after ever shorter ones (interpolated modified Kneser-Ney). Nothing is tuned by hand but the order.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


class _Counts(NamedTuple):
    """Counts of runs of one length; a run is one number, its tokens the digits in base V."""

    grams: Ints  # (G,), ascending, so that runs with one context lie together
    kept: Floats  # (G,), counts less their discounts
    contexts: Ints  # (C,), ascending
    totals: Ints  # (C,), counts of all that follows a context
    freed: Floats  # (C,), what the discounts leave for shorter contexts


class NGram:
    """A language model that counts: the next token is looked up by the `order - 1` before it.

    Parameters
    ----------
    ids : int array of shape (n_tokens,)
        The text to count in.
    vocab_size : int
    order : int
        Length of the longest runs counted; 2 is a bigram model.

    Raises
    ------
    ValueError
        If the text is shorter than one run, an id is not in the vocabulary, or `vocab_size **
        order` does not fit into 63 bits.

    References
    ----------
    Chen and Goodman 1999, "An empirical study of smoothing techniques for language modeling",
    eq. 26 for the discounts.

    Examples
    --------
    >>> text = [0, 1, 2] * 9 + [0, 1, 3]                     # 2 follows 1 nine times, 3 once
    >>> model = NGram(text, vocab_size=4, order=2)
    >>> after_1 = model.probabilities([[1, 0], [1, 1], [1, 2], [1, 3]])[:, 0]
    >>> round(float(after_1.sum()), 6), int(after_1.argmax())
    (1.0, 2)
    """

    def __init__(self, ids: Any, vocab_size: int, order: int) -> None:
        tokens = np.asarray(ids, dtype=np.int64)
        if order < 1 or len(tokens) < order:
            raise ValueError(
                f"order must be at least 1 and at most the {len(tokens)} tokens of the text, "
                f"got {order}."
            )
        if vocab_size**order >= 2**63:
            longest = int(63 / np.log2(vocab_size))
            raise ValueError(
                f"Runs of {order} tokens out of {vocab_size} do not fit into 63 bits: "
                f"take an order of at most {longest}."
            )
        if tokens.min() < 0 or tokens.max() >= vocab_size:
            raise ValueError(
                f"ids must be in [0, vocab_size={vocab_size}), got {tokens.min()} to "
                f"{tokens.max()}."
            )
        self.vocab_size = vocab_size
        self.order = order
        self._counts = []
        run = tokens
        for length in range(1, order + 1):
            if length < order:
                longer = run[:-1] * vocab_size + tokens[length:]
                # a short run counts once for each different token before it (Kneser-Ney):
                # "Francisco" is frequent, but only after "San"
                shorter = np.unique(longer) % vocab_size**length
                grams, counts = np.unique(shorter, return_counts=True)
                run = longer
            else:
                grams, counts = np.unique(run, return_counts=True)
            self._counts.append(_discounted(grams, counts, vocab_size))

    def probabilities(self, ids: Any) -> Floats:
        """How likely each token but the first is, given those before it.

        Parameters
        ----------
        ids : int array of shape (..., T)
            Texts, or windows: each row begins without a past.

        Returns
        -------
        float64 array of shape (..., T - 1)
        """
        tokens = np.asarray(ids, dtype=np.int64)
        T, V = tokens.shape[-1], self.vocab_size
        if T < 2:
            raise ValueError(f"A probability needs a token and one before it, got {T} tokens.")
        p = np.full((*tokens.shape[:-1], T - 1), 1 / V)
        run = tokens
        for length, counts in enumerate(self._counts[:T], start=1):
            if length > 1:
                run = run[..., :-1] * V + tokens[..., length - 1 :]
            grams = run if length > 1 else run[..., 1:]  # the first token is not predicted
            shorter = p[..., max(0, length - 2) :]  # a view: what is set below is set in p
            gram, known = _find(counts.grams, grams)
            context, seen = _find(counts.contexts, grams // V)
            share = np.where(known, counts.kept[gram], 0) + counts.freed[context] * shorter
            shorter[...] = np.where(seen, share / counts.totals[context], shorter)
        return p

    def next_token(self, before: Any) -> Floats:
        """How likely each token of the vocabulary is after each context.

        Parameters
        ----------
        before : int array of shape (N, T)
            Only the last `order - 1` tokens of a row count.

        Returns
        -------
        float64 array of shape (N, V)
            Each row sums to 1.

        Examples
        --------
        >>> NGram([0, 1, 2] * 50, vocab_size=3, order=2).next_token([[0, 1]]).argmax(axis=1)
        array([2])
        """
        every = np.arange(self.vocab_size)[:, None]
        p = np.empty((len(before), self.vocab_size))
        for row, context in zip(p, before, strict=True):  # one at a time: N * V rows would be large
            last = np.asarray(context, dtype=np.int64)[-max(1, self.order - 1) :]
            texts = np.hstack([np.tile(last, (self.vocab_size, 1)), every])
            row[...] = self.probabilities(texts)[:, -1]
        return p

    def loss(self, ids: Any) -> float:
        """Nats per token over a text, as `evaluate.text_loss` measures them.

        The counts look back across the places where that cuts its windows: a small advantage.

        Examples
        --------
        >>> text = [0, 1, 2] * 50
        >>> NGram(text, vocab_size=3, order=2).loss(text) < 0.1   # what follows is certain
        True
        """
        return float(-np.log(self.probabilities(ids)).mean())


def _discounted(grams: Ints, counts: Ints, vocab_size: int) -> _Counts:
    contexts = grams // vocab_size
    start = np.flatnonzero(np.diff(contexts, prepend=-1))
    discount = _discounts(counts)[np.minimum(counts, 3)]
    return _Counts(
        grams,
        counts - discount,
        contexts[start],
        np.add.reduceat(counts, start),
        np.add.reduceat(discount, start),
    )


def _discounts(counts: Ints) -> Floats:
    """What is taken from a count of 1, of 2, and of 3 or more (index 0 is not used)."""
    n = [int((counts == k).sum()) for k in range(5)]
    share = n[1] / (n[1] + 2 * n[2]) if n[1] else 0.5
    found = [k - (k + 1) * share * n[k + 1] / n[k] if n[k] else share for k in (1, 2, 3)]
    # tiny texts give wild values: with no discount, what was never seen would be impossible, and
    # with a whole one, what came again would count for nothing
    return np.array([0.0, *np.clip(found, 0.1, (1, 1.8, 2.7))])


def _find(table: Ints, wanted: Ints) -> tuple[Ints, NDArray[np.bool_]]:
    """Where each number is in the sorted table, and whether it is."""
    place = np.minimum(np.searchsorted(table, wanted), len(table) - 1)
    return place, table[place] == wanted
