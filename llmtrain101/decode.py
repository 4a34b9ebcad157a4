"""One more token, quickly: the model's own formulas with what never changes worked out beforehand.

A tiny model's step is a few dozen operations of a few microseconds, so what counts is how many
there are. Here each norm's factor is folded into the matrix after it, each residual is added by the
product that makes it, and a rotation is one complex product. `tests/test_decode.py` holds the
logits equal to the model's.
"""

from __future__ import annotations

import torch
from torch import Tensor

from llmtrain101.kernels import EPSILON, rms_norm
from llmtrain101.model import Attention, Block, Cache, FeedForward, LanguageModel


class Decoder:
    """Continues texts token by token; always in float32.

    Parameters
    ----------
    model : LanguageModel
        Causal. Its weights are copied: a decoder does not see later training.
    batch_size : int
        Texts that are continued at once.

    Examples
    --------
    >>> from llmtrain101.model import ModelConfig
    >>> from llmtrain101.seeds import generator
    >>> model = LanguageModel(ModelConfig.tiny(65), generator=generator(0, "init"))
    >>> decoder = Decoder(model, batch_size=1)
    >>> tuple(decoder.begin(torch.tensor([[1, 2, 3]])).shape), tuple(decoder.step([4]).shape)
    ((1, 65), (1, 65))
    """

    @torch.no_grad()
    def __init__(self, model: LanguageModel, batch_size: int) -> None:
        config, weight = model.config, model.embed.weight
        self.model, self.length, self.capacity = model, 0, config.context_length
        self._shape = batch_size, 2, config.n_heads, config.d_head // 2, 2
        root = config.d_model**0.5
        self._embed = rms_norm(weight)
        self._head = (model.head.weight * root).t().contiguous()
        self._blocks = [_transposed(block, root) for block in model.blocks]
        # rms_norm(x) is root * x / hypot(|x|, tiny): the root is in the matrices above
        self._tiny = weight.new_tensor((EPSILON * config.d_model) ** 0.5)
        self._tiny_head = weight.new_tensor((EPSILON * config.d_head) ** 0.5)
        cos, sin = model.waves
        wave = torch.complex(cos, -sin)  # (C, d_head / 2)
        # the root that a query's norm leaves out and the one that attention divides by cancel
        self._waves = torch.stack([wave, wave * config.d_head**0.5], dim=1).unsqueeze(2)
        rows = batch_size * config.n_heads
        stored = weight.new_empty(config.n_layers, 2, rows, self.capacity, config.d_head)
        self._keys = [layer.mT for layer in stored[:, 0]]  # (rows, d_head, C) each
        self._values = list(stored[:, 1])  # (rows, C, d_head) each
        # views cost as much as small products, so they are made once
        self._key_at = [keys.unbind(2) for keys in self._keys]
        self._value_at = [values.unbind(1) for values in self._values]

    @torch.no_grad()
    def begin(self, ids: Tensor) -> Tensor:
        """Forget what was there and read the prompts, (B, T); the logits after them, (B, V)."""
        model, before = self.model, self.model.compute_dtype
        model.compute_dtype = torch.float32
        try:
            cache = Cache(model, len(ids), self.capacity)
            logits = model(ids, cache=cache)[:, -1]
        finally:
            model.compute_dtype = before
        self.length = ids.shape[1]
        for layer, (keys, values) in enumerate(cache.stored[..., : self.length, :]):
            self._keys[layer][..., : self.length] = _paired(keys).flatten(0, 1).mT
            self._values[layer][:, : self.length] = values.flatten(0, 1)
        return logits

    def step(self, ids: Tensor | list[int]) -> Tensor:
        """Read one token more of each text, (B,); the logits after it, (B, V).

        Raises
        ------
        IndexError
            If the context is full: `begin` again with the last tokens.
        """
        position, end = self.length, self.length + 1
        B, _, H, half, _ = self._shape
        rows, d_head, d_model = B * H, 2 * half, 2 * H * half
        ids = torch.as_tensor(ids, device=self._embed.device)
        x = self._embed.index_select(0, ids)  # (B, D)
        wave = self._waves[position]
        for layer, (qkv, out, up, down) in enumerate(self._blocks):
            mixed = torch.mm(_scaled(x, self._tiny), qkv)  # (B, 3 D)
            qk, v = mixed.narrow(1, 0, 2 * d_model), mixed.narrow(1, 2 * d_model, d_model)
            qk = _scaled(qk.view(B, 2 * H, d_head), self._tiny_head)
            turned = torch.view_as_real(torch.view_as_complex(qk.view(self._shape)) * wave)
            q, k = turned.unbind(1)  # (B, H, d_head / 2, 2) each
            self._key_at[layer][position].copy_(k.reshape(rows, d_head))
            self._value_at[layer][position].copy_(v.reshape(rows, d_head))
            scores = torch.bmm(q.reshape(rows, 1, d_head), self._keys[layer].narrow(2, 0, end))
            heads = torch.bmm(scores.softmax(-1), self._values[layer].narrow(1, 0, end))
            x = torch.addmm(x, heads.view(B, d_model), out)
            wide = torch.mm(_scaled(x, self._tiny), up).relu_()
            x = torch.addmm(x, wide.mul_(wide), down)
        self.length = end
        logits: Tensor = torch.mm(_scaled(x, self._tiny), self._head)
        return logits


def _scaled(x: Tensor, tiny: Tensor) -> Tensor:
    """`rms_norm(x)` over the root of the number of its entries."""
    length: Tensor = torch.linalg.vector_norm(x, dim=-1, keepdim=True)
    scaled: Tensor = x / length.hypot_(tiny)
    return scaled


def _transposed(block: Block | torch.nn.Module, root: float) -> tuple[Tensor, ...]:
    """The four matrices of a block, ready to be multiplied from the right."""
    attention, feed_forward = block.attention, block.feed_forward
    assert isinstance(attention, Attention) and isinstance(feed_forward, FeedForward)
    D = attention.out.weight.shape[0]
    q, k, v = attention.qkv.weight.view(3, attention.n_heads, D // attention.n_heads, D)
    qkv = torch.cat([_paired(q.mT).mT, _paired(k.mT).mT, v]).reshape(3 * D, D)
    wide = (qkv * root, attention.out.weight, feed_forward.up.weight * root)
    return tuple(matrix.t().contiguous() for matrix in (*wide, feed_forward.down.weight))


def _paired(x: Tensor) -> Tensor:
    """Put the two numbers that a rotation turns beside each other: a complex number's parts.

    A query and a key in another order, the same for both, still have the same product.
    """
    pairs: Tensor = x.unflatten(-1, (2, x.shape[-1] // 2)).transpose(-1, -2)
    return pairs.flatten(-2)
