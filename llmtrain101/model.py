"""One Transformer in its plainest modern form, causal or bidirectional, and four heads.

The design is that of nanochat without its extras: RMSNorm without parameters, rotary positions,
query-key norm, squared ReLU, no biases, untied head. `transformers` can represent it exactly as
`NanoChatForCausalLM`, so what is trained here loads there, weight for weight (`checkpoint`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from llmtrain101.kernels import (
    attend,
    queries_keys_values,
    relu_squared,
    rms_norm,
)

IGNORE = -100
"""The target of a position that does not count: padding, a prompt, a token that was not masked."""

THETA = 10_000.0  # the slowest rotary wave is about THETA * 2 pi tokens long


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """The shape of a Transformer; every field but the first is also a `--flag` of the command line.

    Examples
    --------
    >>> config = ModelConfig.tiny(vocab_size=65)
    >>> config.d_head * config.n_heads == config.d_model
    True
    """

    vocab_size: int = field(metadata={"help": "number of different tokens"})
    context_length: int = field(default=64, metadata={"help": "tokens the model sees at once"})
    d_model: int = field(default=128, metadata={"help": "width: numbers that stand for one token"})
    n_layers: int = field(default=2, metadata={"help": "blocks, one after the other"})
    n_heads: int = field(default=2, metadata={"help": "attention heads in a block"})
    d_ff: int = field(default=0, metadata={"help": "feed-forward width; 0 means 4 * d_model"})
    causal: bool = field(default=True, metadata={"help": "see only earlier tokens"})

    def __post_init__(self) -> None:
        if self.d_ff == 0:
            object.__setattr__(self, "d_ff", 4 * self.d_model)
        for name in ("vocab_size", "context_length", "d_model", "n_layers", "n_heads", "d_ff"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}.")
        if self.d_model % self.n_heads or self.d_head % 2:
            raise ValueError(
                "d_model / n_heads must be a whole, even number (rotary positions turn pairs), "
                f"got d_model={self.d_model} and n_heads={self.n_heads}."
            )

    @property
    def d_head(self) -> int:
        """Numbers that one head works with."""
        return self.d_model // self.n_heads

    @classmethod
    def tiny(cls, vocab_size: int, **changes: Any) -> ModelConfig:
        """Some 400 thousand parameters: seconds to train on a laptop, and it spells words."""
        return cls(vocab_size=vocab_size, **changes)

    @classmethod
    def small(cls, vocab_size: int, **changes: Any) -> ModelConfig:
        """Some 3 million parameters: an hour on a laptop, minutes on a GPU."""
        shape = {"context_length": 256, "d_model": 256, "n_layers": 4, "n_heads": 4}
        return cls(vocab_size=vocab_size, **(shape | changes))


def rotary_waves(n_positions: int, d_head: int, device: torch.device | None = None) -> Tensor:
    """Cosine and sine by which each position turns its pairs of numbers, shape (2, T, d_head / 2).

    Pair `i` turns by `position / THETA ** (2 i / d_head)` radians (Su et al. 2021, eq. 15).
    """
    speeds = 1.0 / THETA ** (torch.arange(0, d_head, 2, dtype=torch.float32) / d_head)
    angles = torch.outer(torch.arange(n_positions, dtype=torch.float32), speeds)  # (T, d_head / 2)
    return torch.stack([angles.cos(), angles.sin()]).to(device)


def rotate(x: Tensor, waves: Tensor) -> Tensor:
    """Turn the pairs `(x[i], x[i + d_head / 2])` of each position by minus its angle.

    Only the difference of two positions is left in the product of a query and a key.

    Parameters
    ----------
    x : Tensor of shape (..., T, d_head)
    waves : Tensor of shape (2, T, d_head / 2), or broadcastable to it
    """
    cos, sin = waves
    p, q = x.chunk(2, dim=-1)
    # minus the angle: the sign that NanoChat uses; either works, mixing them does not
    return torch.cat([p * cos + q * sin, q * cos - p * sin], dim=-1)


def causal_mask(T: int, S: int, like: Tensor) -> Tensor:
    """Zeros where position `t` of the last `T` of `S` may look, -1e9 where a key is in its future.

    Examples
    --------
    >>> (causal_mask(2, 3, torch.zeros(())) < 0).tolist()
    [[False, False, True], [False, False, False]]
    """
    hidden = torch.ones(T, S, dtype=torch.bool, device=like.device).triu(S - T + 1)
    return torch.zeros(T, S, dtype=like.dtype, device=like.device).masked_fill_(hidden, -1e9)


def attention(q: Tensor, k: Tensor, v: Tensor, n_heads: int, *, causal: bool = True) -> Tensor:
    """Each position takes a weighted mean of the values, by how well its query fits the keys.

    Parameters
    ----------
    q, k, v : Tensor of shape (B, T, D)
    n_heads : int
        The D numbers are split into so many groups, each with weights of its own.
    causal : bool
        Whether a position sees only itself and what came before.

    Returns
    -------
    Tensor of shape (B, T, D)

    Examples
    --------
    >>> x = torch.randn(1, 3, 4, generator=torch.Generator().manual_seed(0))
    >>> out = attention(x, x, x, n_heads=2)
    >>> bool(torch.allclose(out[:, 0], x[:, 0]))         # the first position sees only itself
    True
    """
    B, T, D = q.shape
    q, k, v = (x.view(B, T, n_heads, D // n_heads).transpose(1, 2) for x in (q, k, v))
    mask = causal_mask(T, T, q) if causal else None
    return attend(q, k, v, mask, causal=causal).transpose(1, 2).reshape(B, T, D)


class Cache:
    """Keys and values of the tokens already seen, so that one more token costs one position.

    `length` counts the tokens stored; there is room for `capacity` in each of `batch_size` rows.
    """

    def __init__(self, model: Transformer, batch_size: int, capacity: int) -> None:
        config, weight = model.config, model.embed.weight
        shape = (config.n_layers, 2, batch_size, config.n_heads, capacity, config.d_head)
        self.stored = torch.empty(shape, dtype=model.compute_dtype, device=weight.device)
        self.waves = rotary_waves(capacity, config.d_head).to(self.stored)
        self.capacity = capacity
        self.length = 0


class Matrix(nn.Module):
    """A linear map without bias that computes in the number type of what comes in.

    The weight stays float32, so that small updates are not rounded away; a bfloat16 input is
    multiplied by a bfloat16 copy of it.
    """

    __call__: Callable[..., Tensor]

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(n_out, n_in))

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight.to(x.dtype))


class Attention(nn.Module):
    """Multi-head attention with rotary positions and normalised queries and keys."""

    __call__: Callable[..., Tensor]

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.n_heads = config.n_heads
        self.qkv = Matrix(config.d_model, 3 * config.d_model)
        self.out = Matrix(config.d_model, config.d_model)

    def forward(self, x: Tensor, seen: Seen, stored: Tensor | None) -> Tensor:
        B, T, D = x.shape
        qkv = self.qkv(x).view(B, T, 3, self.n_heads, D // self.n_heads)
        q, k, v = queries_keys_values(qkv, seen.waves)  # (B, H, T, d_head) each
        if stored is not None:  # (2, B, H, capacity, d_head)
            end = seen.start + T
            stored[0, :, :, seen.start : end], stored[1, :, :, seen.start : end] = k, v
            k, v = stored[0, :, :, :end], stored[1, :, :, :end]
        heads = attend(q, k, v, seen.mask, causal=seen.only_causal)
        return self.out(heads.transpose(1, 2).reshape(B, T, D))


class FeedForward(nn.Module):
    """Each position by itself: widen, squared ReLU, narrow."""

    __call__: Callable[..., Tensor]

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.up = Matrix(config.d_model, config.d_ff)
        self.down = Matrix(config.d_ff, config.d_model)

    def forward(self, x: Tensor) -> Tensor:
        return self.down(relu_squared(self.up(x)))


class Block(nn.Module):
    """Look around, then think: each adds its result to what comes in."""

    __call__: Callable[..., Tensor]  # nn.Module leaves open what a call returns

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.attention = Attention(config)
        self.feed_forward = FeedForward(config)

    def forward(self, x: Tensor, seen: Seen, stored: Tensor | None = None) -> Tensor:
        x = x + self.attention(rms_norm(x), seen, stored)
        return x + self.feed_forward(rms_norm(x))


@dataclass(frozen=True)
class Seen:
    """What a position may look at, and where it stands: the same for every block."""

    waves: Tensor  # (2, T, d_head / 2)
    mask: Tensor | None  # broadcasts to (B * H, T, S), added to the scores
    only_causal: bool  # the mask hides the future and nothing else
    start: int  # tokens already in the cache


class Transformer(nn.Module):
    """Token ids in, one vector for each token out; the heads below build on it.

    Parameters
    ----------
    config : ModelConfig
    n_outputs : int
        Rows of the head's matrix.
    generator : torch.Generator
        Draws the initial weights, for example `seeds.generator(seed, "init")`.

    Attributes
    ----------
    compute_dtype : torch.dtype
        The type of the activations; weights are always float32. `torch.bfloat16` is quicker where
        the processor multiplies it (`train.fastest_dtype`).
    """

    compute_dtype: torch.dtype
    waves: Tensor
    __call__: Callable[..., Tensor]

    def __init__(self, config: ModelConfig, n_outputs: int, *, generator: torch.Generator) -> None:
        super().__init__()
        self.config = config
        self.compute_dtype = torch.float32
        self.embed = Matrix(config.d_model, config.vocab_size)  # row i is the vector of token i
        self.blocks = nn.ModuleList([Block(config) for _ in range(config.n_layers)])
        self.head = Matrix(config.d_model, n_outputs)
        waves = rotary_waves(config.context_length, config.d_head)
        self.register_buffer("waves", waves, persistent=False)
        self._initialise(generator)

    @torch.no_grad()
    def _initialise(self, generator: torch.Generator) -> None:
        """Embedding with spread 1; matrices that keep the spread; what a block adds starts at 0.

        With a zero head every output starts equally likely, so the first loss is ln(V) exactly.
        """
        for name, weight in self.named_parameters():
            if name == "embed.weight":
                weight.normal_(generator=generator)
            elif name.endswith(("out.weight", "down.weight", "head.weight")):
                weight.zero_()
            else:
                bound = (3 / weight.shape[1]) ** 0.5  # a uniform draw of variance 1 / fan-in
                weight.uniform_(-bound, bound, generator=generator)

    def hidden(self, ids: Tensor, real: Tensor | None = None, cache: Cache | None = None) -> Tensor:
        """The vector of each token after the last block, normalised.

        Parameters
        ----------
        ids : int64 Tensor of shape (B, T)
        real : bool Tensor of shape (B, T), optional
            False where the token is padding, which no position then looks at.
        cache : Cache, optional
            What came before these tokens; they are added to it.

        Returns
        -------
        Tensor of shape (B, T, D)
        """
        if ids.ndim != 2:
            raise ValueError(f"ids must have shape (batch, tokens), got {tuple(ids.shape)}.")
        seen = self._seen(ids, real, cache)
        x = rms_norm(F.embedding(ids, self.embed.weight)).to(self.compute_dtype)  # (B, T, D)
        for i, block in enumerate(self.blocks):
            x = block(x, seen, None if cache is None else cache.stored[i])
        if cache is not None:
            cache.length += ids.shape[1]
        return rms_norm(x)

    def _seen(self, ids: Tensor, real: Tensor | None, cache: Cache | None) -> Seen:
        B, T = ids.shape
        start, waves = (0, self.waves) if cache is None else (cache.length, cache.waves)
        end = start + T
        if end > waves.shape[1]:
            if cache is not None:
                raise ValueError(
                    f"{end} tokens do not fit into a cache for {cache.capacity}: make it larger."
                )
            waves = rotary_waves(end, self.config.d_head).to(waves)
        mask = None
        if self.config.causal and T > 1:  # a single new token may see all that is stored
            mask = causal_mask(T, end, waves.new_zeros((), dtype=self.compute_dtype))
        only_causal = mask is not None and start == 0 and real is None
        if real is not None:
            padding = torch.zeros(B, 1, T, dtype=self.compute_dtype, device=ids.device)
            padding = padding.masked_fill_(~real.unsqueeze(1), -1e9)
            padding = padding.repeat_interleave(self.config.n_heads, dim=0)  # (B * H, 1, T)
            mask = padding if mask is None else mask + padding
        return Seen(waves[:, start:end], mask, only_causal, start)


class LanguageModel(Transformer):
    """Scores every token of the vocabulary as the next one (causal) or the hidden one (masked).

    Examples
    --------
    >>> from llmtrain101.seeds import generator
    >>> model = LanguageModel(ModelConfig.tiny(65), generator=generator(0, "init"))
    >>> ids = torch.zeros(1, 8, dtype=torch.int64)
    >>> tuple(model(ids).shape)
    (1, 8, 65)
    >>> round(next_token_loss(model(ids), ids).item(), 4)      # nothing learnt: ln(65)
    4.1744
    """

    def __init__(self, config: ModelConfig, *, generator: torch.Generator) -> None:
        super().__init__(config, config.vocab_size, generator=generator)

    def forward(
        self, ids: Tensor, real: Tensor | None = None, cache: Cache | None = None
    ) -> Tensor:
        """Logits of shape (B, T, V); the arguments are those of `hidden`."""
        return self.head(self.hidden(ids, real, cache))


class Classifier(Transformer):
    """One class for the whole text: the head reads the mean of the vectors of the real tokens.

    `forward(ids, real)` takes ids (B, T) and real (B, T), False where padded, and returns logits
    of shape (B, n_outputs).
    """

    def forward(self, ids: Tensor, real: Tensor | None = None) -> Tensor:
        x = self.hidden(ids, real)
        if real is None:
            pooled = x.mean(dim=1)
        else:
            weight = real.to(x.dtype).unsqueeze(-1)  # (B, T, 1)
            pooled = (x * weight).sum(dim=1) / weight.sum(dim=1).clamp_min(1.0)
        return self.head(pooled)


class Tagger(Transformer):
    """One class for each token: logits of shape (B, T, n_outputs)."""

    def forward(self, ids: Tensor, real: Tensor | None = None) -> Tensor:
        return self.head(self.hidden(ids, real))


class SpanFinder(Tagger):
    """Where an answer starts and ends: logits of shape (B, T, 2), -inf at padding.

    Column 0 scores each token as the first of the answer, column 1 as the last; a softmax over T
    makes probabilities of them.
    """

    def __init__(self, config: ModelConfig, *, generator: torch.Generator) -> None:
        super().__init__(config, 2, generator=generator)

    def forward(self, ids: Tensor, real: Tensor | None = None) -> Tensor:
        logits = super().forward(ids, real)
        return logits if real is None else logits.masked_fill(~real.unsqueeze(-1), -torch.inf)


def next_token_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Mean cross-entropy, in nats, over the positions that count.

    Parameters
    ----------
    logits : float Tensor of shape (..., V)
        Unnormalised scores, one for each entry of the vocabulary.
    targets : int64 Tensor of shape (...)
        Ids in [0, V), or `IGNORE` where no loss is taken.

    Raises
    ------
    ValueError
        If the shapes disagree, or if every target is `IGNORE`: the mean of nothing is nan, and
        one nan step ruins the whole run.

    Examples
    --------
    >>> logits = torch.zeros(1, 2, 4)                    # a uniform guess over 4 tokens
    >>> targets = torch.tensor([[3, IGNORE]])
    >>> round(next_token_loss(logits, targets).item(), 4)
    1.3863
    """
    if logits.shape[:-1] != targets.shape:
        raise ValueError(
            f"logits {tuple(logits.shape)} need targets of shape {tuple(logits.shape[:-1])}, "
            f"got {tuple(targets.shape)}."
        )
    loss = F.cross_entropy(logits.flatten(0, -2).float(), targets.flatten(), ignore_index=IGNORE)
    if torch.isnan(loss) and bool((targets == IGNORE).all()):
        raise ValueError("Every target is IGNORE: there is no position to take a loss over.")
    return loss


def language_model_loss(model: Callable[[Tensor], Tensor], batch: tuple[Tensor, Tensor]) -> Tensor:
    """The loss of a batch `(inputs, targets)`, each (B, T): what `train` minimises by default."""
    inputs, targets = batch
    return next_token_loss(model(inputs), targets)


def count_parameters(model: nn.Module) -> int:
    """How many numbers training adjusts.

    Examples
    --------
    >>> count_parameters(nn.Linear(3, 2, bias=False))
    6
    """
    return sum(weight.numel() for weight in model.parameters() if weight.requires_grad)
