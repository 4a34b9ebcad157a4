"""The one training loop, its learning rate, and batches of running text."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from llmtrain101.kernels import keep_freed_memory
from llmtrain101.model import Transformer
from llmtrain101.optim import make_optimizers
from llmtrain101.progress import bar
from llmtrain101.seeds import rng

_END = object()  # a batch may be anything, None included

Record = dict[str, float]
"""What one step leaves behind: step, loss (nats), learning_rate, seconds since the start."""


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """How to train; every field is also a `--flag` of `llmtrain101 train`."""

    max_steps: int = field(default=150, metadata={"help": "optimiser steps"})
    optimizer: str = field(
        default="muon", metadata={"help": "muon (matrices; AdamW for the rest) or adamw"}
    )
    learning_rate: float = field(
        default=0.0, metadata={"help": "peak learning rate; 0 means 0.03 for muon, 0.003 for adamw"}
    )
    embedding_rate: float = field(
        default=0.1, metadata={"help": "AdamW's peak rate for the embedding, beside muon"}
    )
    head_rate: float = field(
        default=0.01, metadata={"help": "AdamW's peak rate for the head, beside muon"}
    )
    weight_decay: float = field(default=0.0, metadata={"help": "decoupled weight decay"})
    warmup_steps: int = field(default=0, metadata={"help": "steps of linear warm-up"})
    decay: float = field(
        default=0.7, metadata={"help": "share of the steps, at the end, of linear decay to zero"}
    )
    grad_clip: float = field(
        default=0.0, metadata={"help": "longest gradient; longer ones are shortened; 0 means any"}
    )
    precision: str = field(
        default="float32", metadata={"help": "float32, bfloat16, or auto: whichever is quicker"}
    )

    def __post_init__(self) -> None:
        if self.optimizer not in ("muon", "adamw"):
            raise ValueError(f"optimizer must be 'muon' or 'adamw', got {self.optimizer!r}.")
        if self.precision not in ("float32", "bfloat16", "auto"):
            raise ValueError(
                f"precision must be 'float32', 'bfloat16' or 'auto', got {self.precision!r}."
            )
        if self.learning_rate == 0.0:
            rate = 0.03 if self.optimizer == "muon" else 0.003
            object.__setattr__(self, "learning_rate", rate)
        if self.max_steps < 1:
            raise ValueError(f"max_steps must be at least 1, got {self.max_steps}.")
        if not 0 <= self.warmup_steps <= self.max_steps:
            raise ValueError(
                f"warmup_steps must be in [0, max_steps={self.max_steps}], got {self.warmup_steps}."
            )
        if not 0.0 <= self.decay <= 1.0:
            raise ValueError(f"decay must be in [0, 1], got {self.decay}.")
        for name in ("learning_rate", "embedding_rate", "head_rate"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be positive, got {getattr(self, name)}.")
        for name in ("weight_decay", "grad_clip"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must not be negative, got {getattr(self, name)}.")


def rate_share(step: int, config: TrainConfig) -> float:
    """The share of the peak learning rate at a step: up, level, then down to zero in a line.

    Examples
    --------
    >>> config = TrainConfig(max_steps=10, warmup_steps=2, decay=0.5)
    >>> [round(rate_share(step, config), 2) for step in (0, 1, 4, 5, 9)]
    [0.5, 1.0, 1.0, 1.0, 0.2]
    """
    up = (step + 1) / config.warmup_steps if config.warmup_steps else 1.0
    decay_steps = config.decay * config.max_steps
    down = (config.max_steps - step) / decay_steps if decay_steps else 1.0
    return min(1.0, up, down)


def optimizers_for(model: nn.Module, config: TrainConfig) -> list[torch.optim.Optimizer]:
    """The optimisers that `train` would make: make them yourself to save or to load their state."""
    if config.optimizer == "adamw":
        weights = [weight for weight in model.parameters() if weight.requires_grad]
        return [
            torch.optim.AdamW(
                weights,
                lr=config.learning_rate,
                betas=(
                    0.9,
                    0.99,
                ),  # long memory for the size, as in nanoGPT's recipe for tiny batches
                weight_decay=config.weight_decay,
                fused=True,
            )
        ]
    return make_optimizers(
        model,
        matrices=config.learning_rate,
        embedding=config.embedding_rate,
        head=config.head_rate,
        weight_decay=config.weight_decay,
        dtype=resolve_precision(config.precision),
    )


def resolve_precision(precision: str) -> torch.dtype:
    """The number type of the activations: bfloat16 only where the processor multiplies it itself.

    Examples
    --------
    >>> resolve_precision("float32")
    torch.float32
    """
    if precision == "auto":
        if torch.cuda.is_available():
            quick = torch.cuda.is_bf16_supported()
        else:
            quick = "avx512_bf16" in torch.backends.cpu.get_cpu_capability().lower() or bool(
                torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
            )
        return torch.bfloat16 if quick else torch.float32
    return torch.bfloat16 if precision == "bfloat16" else torch.float32


def train(
    model: nn.Module,
    batches: Iterable[Any],
    loss_fn: Callable[[nn.Module, Any], Tensor],
    config: TrainConfig,
    *,
    on_step: Sequence[Callable[[nn.Module, Record], bool | None]] = (),
    optimizers: list[torch.optim.Optimizer] | None = None,
    first_step: int = 0,
    progress: bool = True,
) -> list[Record]:
    """Adjust the model, batch by batch, to lower the loss.

    Parameters
    ----------
    model : Module
        Changed in place.
    batches : iterable
        What is seen, and when: one item for each step.
    loss_fn : callable(model, batch) -> Tensor of shape ()
        What is asked, for example `model.language_model_loss`.
    config : TrainConfig
    on_step : sequence of callable(model, record)
        Who watches: called after each step; training ends after a step where one returns True.
    optimizers : list of Optimizer, optional
        Those of `optimizers_for`, where their state is to be kept.
    first_step : int
        Where a resumed run goes on; `batches` must begin there too.
    progress : bool
        Whether to show a bar with the loss, the tokens a second and the time left.

    Returns
    -------
    list of dict
        One record a step: step, loss in nats, learning_rate, seconds since the start. It is shorter
        than asked if a callback ended the run or Ctrl-C was pressed: the step under way is finished
        first, so the model is never left half updated. A second Ctrl-C stops at once.

    Raises
    ------
    ValueError
        If the batches end early, or the loss is not a finite number.

    Examples
    --------
    >>> line = nn.Linear(1, 1)
    >>> x = torch.linspace(-1, 1, 8).unsqueeze(1)
    >>> config = TrainConfig(max_steps=200, optimizer="adamw", learning_rate=0.1)
    >>> history = train(line, [(x, 3 * x)] * 200, lambda f, b: (f(b[0]) - b[1]).square().mean(),
    ...                 config, progress=False)
    >>> len(history), round(line.weight.item(), 2)
    (200, 3.0)
    """
    keep_freed_memory()
    optimizers = optimizers_for(model, config) if optimizers is None else optimizers
    groups = [group for optimizer in optimizers for group in optimizer.param_groups]
    for group in groups:
        group.setdefault("peak", group["lr"])
    if isinstance(model, Transformer):
        model.compute_dtype = resolve_precision(config.precision)
    batches, history, start = iter(batches), [], time.perf_counter()
    model.train()
    with (
        bar(config.max_steps, "training", done=first_step, show=progress) as shown,
        _interrupt_between_steps() as interrupted,
    ):
        for step in range(first_step, config.max_steps):
            batch = next(batches, _END)
            if batch is _END:
                raise ValueError(
                    f"batches ended after {step - first_step} steps but config.max_steps="
                    f"{config.max_steps}: pass batches that repeat, for example text_batches(...)."
                )
            share = rate_share(step, config)
            for group in groups:
                group["lr"] = group["peak"] * share
            loss = loss_fn(model, batch)
            for optimizer in optimizers:
                optimizer.zero_grad(set_to_none=True)
            loss.backward()
            if config.grad_clip:
                nn.utils.clip_grad_norm_(model.parameters(), config.grad_clip)
            for optimizer in optimizers:
                optimizer.step()
            history.append(_record(step, loss.item(), config.learning_rate * share, start))
            _show(shown, history, batch)
            if any([watch(model, history[-1]) for watch in on_step]) or interrupted.is_set():
                break  # a list above, so that every callback runs
    if interrupted.is_set():
        print(
            f"Stopped after step {step + 1} of {config.max_steps}; the model keeps what it learnt."
        )
    return history


def _record(step: int, loss: float, rate: float, start: float) -> Record:
    if not np.isfinite(loss):
        raise ValueError(
            f"The loss at step {step} is {loss}: the weights have blown up. "
            "Lower the learning rate, or set grad_clip to 1."
        )
    return {
        "step": step,
        "loss": loss,
        "learning_rate": rate,
        "seconds": time.perf_counter() - start,
    }


def _show(shown: Any, history: list[Record], batch: Any) -> None:
    last = history[-1]
    first = batch[0] if isinstance(batch, (tuple, list)) else batch
    text = f"loss {last['loss']:.3f}"
    if isinstance(first, Tensor) and last["seconds"] > 0:
        text += f", {first.numel() * len(history) / last['seconds']:,.0f} tokens/s"
    shown.set_postfix_str(text, refresh=False)
    shown.update()


@contextmanager
def _interrupt_between_steps() -> Iterator[threading.Event]:
    """Ctrl-C sets the event; the loop ends after the step. Pressed again, it interrupts at once."""
    event = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield event  # only the main thread may handle signals
        return
    before = signal.getsignal(signal.SIGINT)
    if before is signal.SIG_IGN:  # whoever started this process ends it
        yield event
        return

    def handle(number: int, frame: Any) -> None:
        event.set()
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, handle)
    try:
        yield event
    finally:
        signal.signal(signal.SIGINT, before)


def text_batches(
    ids: Any, batch_size: int, context_length: int, *, seed: int, first_step: int = 0
) -> Iterator[tuple[Tensor, Tensor]]:
    """Windows of running text without end: what the model sees, and the token that follows each.

    An epoch cuts the text into windows from a random offset and deals them in random order, so
    every window is seen once before any is seen twice. Step `i` depends on the seed and on `i`
    only: a resumed run goes on as if it had never stopped.

    Parameters
    ----------
    ids : int array of shape (n_tokens,)
        A list, array, tensor or numpy memory map; only the windows are read.
    batch_size, context_length : int
    seed : int
    first_step : int
        Where to begin.

    Yields
    ------
    (inputs, targets), int64 Tensors of shape (batch_size, context_length)

    Raises
    ------
    ValueError
        If the text is shorter than one window and the token after it.

    Examples
    --------
    >>> inputs, targets = next(text_batches(range(100), 2, 5, seed=0))
    >>> tuple(inputs.shape), bool((targets == inputs + 1).all())
    ((2, 5), True)
    """
    ids = np.asarray(ids)
    n_windows = (len(ids) - 1) // context_length
    if n_windows < 1:
        raise ValueError(
            f"The text has {len(ids)} tokens, and one window needs {context_length + 1}: "
            "use more text or a shorter context_length."
        )
    spare = len(ids) - 1 - n_windows * context_length
    span = np.arange(context_length + 1)
    epoch, starts = -1, np.empty(0, dtype=np.int64)
    step = first_step
    while True:
        chosen = np.empty(batch_size, dtype=np.int64)
        for row in range(batch_size):
            now, position = divmod(step * batch_size + row, n_windows)
            if now != epoch:
                epoch, draw = now, rng(seed, f"epoch/{now}")
                offset = int(draw.integers(0, spare + 1))
                starts = draw.permutation(n_windows) * context_length + offset
            chosen[row] = starts[position]
        windows = torch.from_numpy(ids[chosen[:, None] + span].astype(np.int64))
        yield windows[:, :-1], windows[:, 1:]
        step += 1
