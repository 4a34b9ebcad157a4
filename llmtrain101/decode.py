"""One more token, quickly: the model's own formulas with what never changes worked out beforehand.

A tiny model's step is a few dozen operations of a microsecond or two, so what counts is how many
there are and what calling one costs: numpy's cost half of torch's. Each norm's factor is folded
into the matrix after it, and a rotation is one complex product. `tests/test_decode.py` holds the
logits equal to the model's.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from llmtrain101.kernels import EPSILON, rms_norm
from llmtrain101.model import Attention, Block, Cache, FeedForward, LanguageModel

Array = NDArray[np.float32]


class CachedModel:
    """Continues texts token by token with the model itself, on the device where it is.

    Parameters
    ----------
    model : LanguageModel
        Causal.
    batch_size : int
        Texts that are continued at once.

    Examples
    --------
    >>> from llmtrain101.model import ModelConfig
    >>> from llmtrain101.seeds import generator
    >>> model = LanguageModel(ModelConfig.tiny(65), generator=generator(0, "init"))
    >>> cached = CachedModel(model, batch_size=1)
    >>> tuple(cached.begin(torch.tensor([[1, 2, 3]])).shape)
    (1, 65)
    >>> tuple(cached.step(torch.tensor([4])).shape), cached.length
    ((1, 65), 4)
    """

    def __init__(self, model: LanguageModel, batch_size: int) -> None:
        self.model, self.batch_size, self.length = model, batch_size, 0
        self.capacity = model.config.context_length

    @torch.no_grad()
    def begin(self, ids: Tensor) -> Tensor:
        """Forget what was there and read the prompts, (B, T); the logits after them, (B, V).

        Raises
        ------
        ValueError
            If T is not from 1 to the context's length, or B is not `batch_size`.
        """
        _check_prompts(self, ids)
        self._cache = Cache(self.model, self.batch_size, self.capacity)
        return self._read(ids)

    @torch.no_grad()
    def step(self, ids: Tensor) -> Tensor:
        """Read one token more of each text, (B,); the logits after it, (B, V).

        Raises
        ------
        ValueError
            If nothing was begun, the context is full, or B is not `batch_size`.
        """
        if not 0 < self.length < self.capacity or ids.shape != (self.batch_size,):
            raise _refused(self, ids)
        return self._read(ids.unsqueeze(1))

    def _read(self, ids: Tensor) -> Tensor:
        logits = self.model(ids, cache=self._cache)[:, -1]
        self.length = self._cache.length
        return logits.float()


class Decoder:
    """The same for a model on the processor, several times as quick; always in float32.

    Parameters
    ----------
    model, batch_size
        As `CachedModel`; the weights are copied, so a decoder does not see later training.

    Examples
    --------
    >>> from llmtrain101.model import ModelConfig
    >>> from llmtrain101.seeds import generator
    >>> model = LanguageModel(ModelConfig.tiny(65), generator=generator(0, "init"))
    >>> decoder = Decoder(model, batch_size=1)
    >>> tuple(decoder.begin(torch.tensor([[1, 2, 3]])).shape)
    (1, 65)
    >>> tuple(decoder.step(torch.tensor([4])).shape), decoder.length
    ((1, 65), 4)
    """

    @torch.no_grad()
    def __init__(self, model: LanguageModel, batch_size: int) -> None:
        config, weight = model.config, model.embed.weight
        self.model, self.batch_size, self.length = model, batch_size, 0
        self.capacity = config.context_length
        self._shape = batch_size, 2, config.n_heads, config.d_head // 2
        root = config.d_model**0.5
        self._embed: Array = rms_norm(weight).numpy()
        self._head: Array = (model.head.weight * root).t().contiguous().numpy()
        self._blocks = [_transposed(block, root) for block in model.blocks]
        # rms_norm(x) is root * x / sqrt(x·x + tiny): the root is in the matrices above
        self._tiny, self._tiny_head = EPSILON * config.d_model, EPSILON * config.d_head
        cos, sin = model.waves
        wave = torch.complex(cos, -sin)  # (C, d_head / 2)
        # the root that a query's norm leaves out and the one that attention divides by cancel
        waves = torch.stack([wave, wave * config.d_head**0.5], dim=1).unsqueeze(2)
        self._waves: list[NDArray[np.complex64]] = list(waves.numpy())  # (2, 1, d_head / 2) each
        rows = batch_size * config.n_heads
        shape = (config.n_layers, rows, self.capacity, config.d_head)
        self._keys, self._values = np.empty(shape, np.float32), np.empty(shape, np.float32)

    @torch.no_grad()
    def begin(self, ids: Tensor) -> Tensor:
        """Forget what was there and read the prompts; see `CachedModel.begin`."""
        _check_prompts(self, ids)
        model, before = self.model, self.model.compute_dtype
        model.compute_dtype = torch.float32
        try:
            cache = Cache(model, len(ids), self.capacity)
            logits = model(ids, cache=cache)[:, -1]
        finally:
            model.compute_dtype = before
        self.length = ids.shape[1]
        for layer, (keys, values) in enumerate(cache.stored[..., : self.length, :]):
            self._keys[layer, :, : self.length] = _paired(keys).flatten(0, 1).numpy()
            self._values[layer, :, : self.length] = values.flatten(0, 1).numpy()
        return logits

    def step(self, ids: Tensor) -> Tensor:
        """Read one token more of each text; see `CachedModel.step`."""
        if not 0 < self.length < self.capacity or ids.shape != (self.batch_size,):
            raise _refused(self, ids)
        position, end = self.length, self.length + 1
        B, _, H, half = self._shape
        rows, d_head, d_model = B * H, 2 * half, 2 * H * half
        wave = self._waves[position]
        x = self._embed[ids.numpy()]  # (B, D)
        for (qkv, out, up, down), keys, values in zip(
            self._blocks, self._keys, self._values, strict=True
        ):
            mixed = _scaled(x, self._tiny) @ qkv  # (B, 3 D)
            qk = _scaled(mixed[:, : 2 * d_model].reshape(-1, d_head), self._tiny_head)
            turned = (qk.view(np.complex64).reshape(self._shape) * wave).view(np.float32)
            keys[:, position] = turned[:, 1].reshape(rows, d_head)
            values[:, position] = mixed[:, 2 * d_model :].reshape(rows, d_head)
            scores = keys[:, :end] @ turned[:, 0].reshape(rows, d_head, 1)
            # normalised queries and keys keep a score below root(d_head): exp cannot overflow
            chances = np.exp(scores.reshape(rows, 1, end))
            chances /= np.add.reduce(chances, axis=2, keepdims=True)
            x = x + (chances @ values[:, :end]).reshape(B, d_model) @ out
            wide = _scaled(x, self._tiny) @ up
            np.maximum(wide, 0, out=wide)
            wide *= wide
            x += wide @ down
        self.length = end
        return torch.from_numpy(_scaled(x, self._tiny) @ self._head)


def _check_prompts(decoder: CachedModel | Decoder, ids: Tensor) -> None:
    B, context = decoder.batch_size, decoder.capacity
    if ids.ndim != 2 or len(ids) != B or not 1 <= ids.shape[1] <= context:
        raise ValueError(
            f"ids must have shape (batch_size, T) = ({B}, 1 to {context}), got {tuple(ids.shape)}."
        )


def _refused(decoder: CachedModel | Decoder, ids: Tensor) -> ValueError:
    """Why a step cannot be made; found out only then, so that the other steps are quick."""
    if not decoder.length:
        return ValueError("step() goes on from a prompt: call begin() first.")
    if decoder.length >= decoder.capacity:
        return ValueError(
            f"the context of {decoder.capacity} tokens is full: begin() again with the last ones."
        )
    return ValueError(
        f"ids must have shape (batch_size,) = ({decoder.batch_size},), got {tuple(ids.shape)}."
    )


def _scaled(x: Array, tiny: float) -> Array:
    """`rms_norm(x)` over the root of the number of its entries; x is (rows, entries)."""
    length = np.einsum("ij,ij->i", x, x)
    length += tiny
    scaled: Array = x / np.sqrt(length, out=length)[:, None]
    return scaled


def _transposed(block: Block | torch.nn.Module, root: float) -> tuple[Array, ...]:
    """The four matrices of a block, ready to be multiplied from the right."""
    attention, feed_forward = block.attention, block.feed_forward
    assert isinstance(attention, Attention) and isinstance(feed_forward, FeedForward)
    D = attention.out.weight.shape[0]
    q, k, v = attention.qkv.weight.view(3, attention.n_heads, D // attention.n_heads, D)
    qkv = torch.cat([_paired(q.mT).mT, _paired(k.mT).mT, v]).reshape(3 * D, D)
    wide: tuple[Any, ...] = (qkv * root, attention.out.weight, feed_forward.up.weight * root)
    return tuple(m.t().contiguous().numpy() for m in (*wide, feed_forward.down.weight))


def _paired(x: Tensor) -> Tensor:
    """Put the two numbers that a rotation turns beside each other: a complex number's parts.

    A query and a key in another order, the same for both, still have the same product.
    """
    pairs: Tensor = x.unflatten(-1, (2, x.shape[-1] // 2)).transpose(-1, -2)
    return pairs.flatten(-2)
