"""Masked language modelling: some tokens are hidden, and only those are asked for.

Beside it the rival for filling a gap: a causal model that tries candidates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from llmtrain101.model import IGNORE, LanguageModel
from llmtrain101.seeds import generator
from llmtrain101.train import text_batches


def hide(
    ids: Tensor, mask_id: int, *, generator: torch.Generator, share: float = 0.15
) -> tuple[Tensor, Tensor]:
    """Hide some tokens of each text behind the mask; they are the targets, and nothing else is.

    Every hidden token becomes the mask. (BERT leaves one in ten as it is and replaces another by a
    random token, to prepare for texts without masks; filling gaps, as here, does not need it.)

    Parameters
    ----------
    ids : int64 Tensor of shape (B, T)
    mask_id : int
        `Tokenizer.mask_id` of a tokenizer made with `mask=True`.
    generator : torch.Generator
        Draws what is hidden.
    share : float
        Of the tokens; at least one in each text is hidden.

    Returns
    -------
    inputs, targets : int64 Tensors of shape (B, T)
        In `targets`, `IGNORE` stands where nothing is hidden.

    Examples
    --------
    >>> ids = torch.arange(40).view(2, 20)
    >>> inputs, targets = hide(ids, 99, generator=torch.Generator().manual_seed(0))
    >>> hidden = inputs == 99
    >>> hidden.sum(dim=1).tolist()
    [3, 3]
    >>> bool((targets[hidden] == ids[hidden]).all()), bool((targets[~hidden] == IGNORE).all())
    (True, True)
    """
    if not 0 < share <= 1:
        raise ValueError(f"share must be above 0 and at most 1, got {share}.")
    B, T = ids.shape
    order = torch.rand(B, T, generator=generator).argsort(dim=1)
    hidden = order.argsort(dim=1) < max(1, round(share * T))  # the same number in each text
    return ids.masked_fill(hidden, mask_id), ids.masked_fill(~hidden, IGNORE)


def masked_batches(
    ids: Any,
    batch_size: int,
    context_length: int,
    mask_id: int,
    *,
    seed: int,
    share: float = 0.15,
) -> Iterator[tuple[Tensor, Tensor]]:
    """The windows of `text_batches`, in the same order, with tokens hidden anew each time.

    Yields
    ------
    (inputs, targets), int64 Tensors of shape (batch_size, context_length)

    Examples
    --------
    >>> inputs, targets = next(masked_batches(range(100), 2, 20, mask_id=100, seed=0))
    >>> bool(((inputs == 100) == (targets != IGNORE)).all())
    True
    """
    draws = generator(seed, "mask")
    for windows, _ in text_batches(ids, batch_size, context_length, seed=seed):
        yield hide(windows, mask_id, generator=draws, share=share)


def log_probabilities(
    model: LanguageModel, ids: ArrayLike, *, first: int = 1, batch_size: int = 25
) -> NDArray[np.float32]:
    """Log of the probability that a causal model gives to each token, from `first` on.

    Parameters
    ----------
    model : LanguageModel
    ids : int array of shape (N, T)
    first : int
        The first token that is asked for; it needs one before it.
    batch_size : int
        Texts computed at once; each takes T · V floats some four times over.

    Returns
    -------
    float32 array of shape (N, T - first)

    Examples
    --------
    >>> from llmtrain101.model import ModelConfig
    >>> model = LanguageModel(ModelConfig.tiny(65), generator=generator(0, "init"))
    >>> found = log_probabilities(model, [[1, 2, 3, 4]], first=2)     # it knows nothing: ln(1/65)
    >>> found.shape, round(float(found[0, 0]), 4)
    ((1, 2), -4.1744)
    """
    texts = torch.as_tensor(np.asarray(ids, dtype=np.int64))
    if texts.ndim != 2 or not 1 <= first < texts.shape[1]:
        raise ValueError(
            f"ids must have shape (texts, tokens), and first be a place from 1 on in them, got "
            f"{tuple(texts.shape)} and first={first}."
        )
    found = []
    with torch.inference_mode():
        for part in texts.split(batch_size):
            vectors = model.hidden(part[:, :-1])[:, first - 1 :]  # (B, T - first, D)
            log_p = model.head(vectors).float().log_softmax(-1)  # (B, T - first, V)
            found.append(log_p.gather(-1, part[:, first:, None]).squeeze(-1))
    return torch.cat(found).numpy()


def try_candidates(
    texts: ArrayLike,
    gap: int,
    candidates: ArrayLike,
    log_p: Callable[[NDArray[np.int64]], ArrayLike],
) -> NDArray[np.int64]:
    """Put each candidate into the gap of its text, and keep the one that makes it likeliest.

    Parameters
    ----------
    texts : int array of shape (N, T)
        What stands at place `gap` does not matter.
    gap : int
    candidates : int array of shape (N, K)
    log_p : callable
        From texts of shape (M, T) to an array of shape (M, any) whose row sums tell how likely
        each text is, such as the logs of its tokens' probabilities.

    Returns
    -------
    int64 array of shape (N,)
        One of the candidates of each text.

    Examples
    --------
    >>> smooth = lambda texts: -np.abs(np.diff(texts))             # likely: small steps
    >>> try_candidates([[1, 0, 3], [9, 0, 9]], 1, [[2, 7], [2, 7]], smooth).tolist()
    [2, 7]
    """
    options = np.asarray(candidates, dtype=np.int64)
    filled = np.repeat(np.asarray(texts, dtype=np.int64), options.shape[1], axis=0)  # (N * K, T)
    filled[:, gap] = options.reshape(-1)
    totals = np.asarray(log_p(filled)).sum(axis=1).reshape(options.shape)  # (N, K)
    chosen: NDArray[np.int64] = options[np.arange(len(options)), totals.argmax(axis=1)]
    return chosen


def fill_from_both_sides(
    model: LanguageModel, texts: ArrayLike, gap: int, n_candidates: int = 10
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Fill gaps by a causal model, which reads from the left: it tries what seems likely there.

    Parameters
    ----------
    model : LanguageModel
    texts : int array of shape (N, T)
    gap : int
        A place from 1 on; what stands there is not looked at.
    n_candidates : int

    Returns
    -------
    candidates : int64 array of shape (N, n_candidates)
        The tokens likeliest after the left side, the likeliest first.
    choice : int64 array of shape (N,)
        The one of them with which it and all that follows are likeliest.

    Examples
    --------
    >>> from llmtrain101.model import ModelConfig
    >>> model = LanguageModel(ModelConfig.tiny(65), generator=generator(0, "init"))
    >>> candidates, choice = fill_from_both_sides(model, [[1, 2, 3, 4]], gap=2)
    >>> candidates.shape, bool(choice[0] in candidates[0])
    ((1, 10), True)
    """
    ids = np.asarray(texts, dtype=np.int64)
    with torch.inference_mode():
        vectors = model.hidden(torch.from_numpy(ids[:, :gap]))[:, -1]  # (N, D)
        candidates: NDArray[np.int64] = model.head(vectors).topk(n_candidates).indices.numpy()
    log_p = partial(log_probabilities, model, first=gap)
    return candidates, try_candidates(ids, gap, candidates, log_p)
