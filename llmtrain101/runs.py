"""A training run that lives in a folder: cut off at any moment, it goes on to the same bits.

`folder/training/` holds the token ids, the settings (`run.json`, written once all of them are
fixed) and the newest states; when the run is finished, `folder` itself is a Hugging Face model.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import torch
from numpy.typing import NDArray
from torch import Tensor

from llmtrain101 import checkpoint, evaluate, texts
from llmtrain101.folders import replacing
from llmtrain101.generate import generate
from llmtrain101.model import LanguageModel, ModelConfig, count_parameters, language_model_loss
from llmtrain101.seeds import generator
from llmtrain101.states import newest_state, save_state
from llmtrain101.tokens import Tokenizer
from llmtrain101.train import (
    Record,
    TrainConfig,
    optimizers_for,
    resolve_precision,
    text_batches,
    train,
)
from llmtrain101.weights import read_json

SIZES: dict[str, Callable[..., ModelConfig]] = {
    "tiny": ModelConfig.tiny,
    "small": ModelConfig.small,
}
_VALIDATED = 500_000  # tokens; more would tell the loss to the fourth digit


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """What a run is about, beside the shape of the model and how it is trained."""

    size: str = field(default="tiny", metadata={"help": "shape of the model: tiny or small"})
    tokenizer: str = field(default="char", metadata={"help": "char, byte or bpe"})
    vocab_size: int = field(default=2000, metadata={"help": "size of the vocabulary (bpe only)"})
    encoding: str = field(default="utf-8", metadata={"help": "how the text files are written"})
    batch_size: int = field(default=16, metadata={"help": "windows of text in each step"})
    seed: int = field(default=0, metadata={"help": "another seed is another run of the same kind"})
    threads: int = field(default=0, metadata={"help": "processor threads; 0 means all"})

    def __post_init__(self) -> None:
        for name, known in (("size", tuple(SIZES)), ("tokenizer", texts.KINDS)):
            if (given := getattr(self, name)) not in known:
                raise ValueError(f"Unknown {name} {given!r}, expected one of {', '.join(known)}.")
        for name, least in (("batch_size", 1), ("threads", 0)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} must be at least {least}, got {getattr(self, name)}.")


@dataclass(frozen=True)
class Plan:
    """All settings of a run; `asked` are those that were given, the others took their defaults.

    `model` has a vocabulary of 1 until the text is known.
    """

    run: RunConfig
    model: ModelConfig
    train: TrainConfig
    minutes: float | None
    asked: dict[str, Any]

    @classmethod
    def of(cls, asked: Mapping[str, Any]) -> Plan:
        """Sort options by the configuration that they belong to, and check them.

        Examples
        --------
        >>> plan = Plan.of({"seed": 3, "d_model": 32, "n_heads": 2, "max_steps": 10})
        >>> plan.run.seed, plan.model.d_model, plan.train.max_steps
        (3, 32, 10)
        """
        given = dict(asked)
        minutes = given.pop("minutes", None)
        if minutes is not None and not minutes > 0:
            raise ValueError(f"minutes must be positive, got {minutes}.")
        if minutes is not None and "max_steps" in given:
            raise ValueError("Give minutes or steps, not both: one follows from the other.")
        run = RunConfig(**_take(given, RunConfig))
        trained = TrainConfig(**_take(given, TrainConfig))
        model = SIZES[run.size](1, **_take(given, ModelConfig))
        if given:
            raise ValueError(f"Unknown setting {', '.join(given)}.")
        return cls(run, model, trained, minutes, dict(asked))

    @classmethod
    def read(cls, path: Path) -> Plan:
        """What `write` wrote."""
        stored = read_json(path)
        try:
            return cls(
                RunConfig(**stored["run"]),
                ModelConfig(**stored["model"]),
                TrainConfig(**stored["train"]),
                stored["minutes"],
                stored["asked"],
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f"{path} is damaged, or of another version of llmtrain101: {error}"
            ) from None

    def write(self, path: Path) -> None:
        """Every setting, so that a later version with other defaults goes on all the same."""
        with replacing(path) as part:
            part.write_text(
                json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8", newline="\n"
            )

    def differs(self, asked: Mapping[str, Any]) -> str | None:
        """The first option asked for now that the run was not begun with."""
        begun = {**asdict(self.model), **asdict(self.train), **asdict(self.run)}
        begun |= {"minutes": self.minutes, **self.asked}
        return next((name for name, value in asked.items() if begun[name] != value), None)


def _take(given: dict[str, Any], config: type[Any]) -> dict[str, Any]:
    """Remove and return the fields of a configuration; the next token is predicted causally."""
    names = [each.name for each in dataclasses.fields(config) if each.name != "causal"]
    return {name: given.pop(name) for name in names if name in given}


def begin(
    folder: str | Path,
    text: str | Path,
    asked: Mapping[str, Any],
    *,
    overwrite: bool = False,
    say: Callable[[str], None] = print,
    save_every: float = 60.0,
    progress: bool = True,
) -> bool:
    """Train a language model on a text, from the beginning.

    Parameters
    ----------
    folder : path
        Becomes the model; `training` inside it keeps what is needed to go on.
    text : path
        A file, or a folder of text files.
    asked : mapping
        Fields of `RunConfig`, `ModelConfig` and `TrainConfig`, and `minutes`.
    overwrite : bool
        Whether a run that is there may be thrown away.
    say : callable
        Gets each line that tells what is done.
    save_every : float
        Seconds between training states.
    progress : bool
        Whether to draw progress bars.

    Returns
    -------
    bool
        Whether the run is finished: False if it was stopped with Ctrl-C.

    Raises
    ------
    FileExistsError
        If the folder already holds something, without `overwrite`.
    ValueError, OSError
        If the settings, the text or the disk do not allow it.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
    ...     text = Path(folder) / "text.txt"
    ...     _ = text.write_text("To be or not to be. " * 20, encoding="utf-8")
    ...     asked = {"max_steps": 2, "d_model": 16, "context_length": 8}
    ...     begin(Path(folder) / "m", text, asked, say=lambda line: None, progress=False)
    True
    """
    folder, plan = Path(folder), Plan.of(asked)
    private = folder / "training"
    _check_free(folder, overwrite)
    found = texts.survey(text, plan.run.encoding, show=progress)
    say(
        f"Text      {text}: {len(found.files)} file{'s' * (len(found.files) > 1)}, "
        f"{found.n_bytes:,} bytes, {found.n_characters:,} characters"
    )
    shutil.rmtree(private, ignore_errors=True)
    tokenizer = texts.make_tokenizer(plan.run.tokenizer, found, plan.run.vocab_size)
    tokenizer.save(private)
    ids = texts.write_tokens(found, tokenizer, private, show=progress).ids
    torch.set_num_threads(plan.run.threads or torch.get_num_threads())
    bfloat16 = resolve_precision(plan.train.precision) == torch.bfloat16
    plan = replace(  # what depends on the text or on the machine is stored as it turned out
        plan,
        run=replace(plan.run, threads=torch.get_num_threads()),
        model=replace(plan.model, vocab_size=tokenizer.vocab_size),
        train=replace(plan.train, precision="bfloat16" if bfloat16 else "float32"),
    )
    train_ids, _ = texts.hold_out(ids, plan.model.context_length)
    _check_memory(plan)
    seconds = _seconds_per_step(plan, train_ids)
    if plan.minutes is not None:
        steps = max(1, round(60 * plan.minutes / seconds))
        plan = replace(plan, train=replace(plan.train, max_steps=steps))
    _announce(plan, len(ids), seconds, say)
    plan.write(private / "run.json")  # from here on, `resume` knows what to do
    return _go(folder, plan, tokenizer, ids, say, save_every, progress)


def resume(
    folder: str | Path,
    text: str | Path | None = None,
    asked: Mapping[str, Any] | None = None,
    *,
    say: Callable[[str], None] = print,
    save_every: float = 60.0,
    progress: bool = True,
) -> bool:
    """Go on with a run as if it had never stopped.

    Parameters
    ----------
    folder : path
        Of the run.
    text : path, optional
        Compared with the text that the run began with; without it, the stored tokens serve.
    asked : mapping, optional
        Options given again; they must be those that the run began with.
    say : callable
        Gets each line that tells what is done.
    save_every : float
        Seconds between training states.
    progress : bool
        Whether to draw progress bars.

    Raises
    ------
    FileNotFoundError
        If no run was begun in the folder.
    ValueError
        If the text or an option is another one, or all states are damaged.
    """
    folder = Path(folder)
    private = folder / "training"
    if not is_run(folder):
        raise FileNotFoundError(
            f"There is no run to go on with in {folder}: name another folder, or give --text to "
            "begin one."
        )
    plan = Plan.read(private / "run.json")
    if name := plan.differs(asked or {}):
        raise ValueError(
            f"The run in {folder} was begun with another value of {name.replace('_', '-')}; it "
            "goes on as it began. Leave the option out, or begin another run in another folder."
        )
    torch.set_num_threads(plan.run.threads)
    tokenizer = Tokenizer.load(private)
    ids = _stored_tokens(private, plan, tokenizer, text, progress)
    return _go(folder, plan, tokenizer, ids, say, save_every, progress)


def is_run(folder: str | Path) -> bool:
    """Whether `resume` would find a run there.

    Examples
    --------
    >>> is_run("nowhere")
    False
    """
    return (Path(folder) / "training" / "run.json").is_file()


def validate(
    model: LanguageModel, tokenizer: Tokenizer, ids: NDArray[Any], n_bytes: int | None = None
) -> str:
    """Loss on a text in words: nats per token, bits per byte, perplexity.

    Examples
    --------
    >>> from llmtrain101.tokens import bytes_
    >>> model = LanguageModel(ModelConfig.tiny(258), generator=generator(0, "init"))
    >>> validate(model, bytes_(), np.arange(100))
    '5.5530 nats per token, 8.0112 bits per byte, perplexity 258.00'
    """
    loss = evaluate.text_loss(model, ids)
    if n_bytes is None:
        n_bytes = int(tokenizer.byte_lengths()[ids[1:]].sum())
    bits = evaluate.bits_per_byte(loss, len(ids) - 1, max(1, n_bytes))
    return (
        f"{loss:.4f} nats per token, {bits:.4f} bits per byte, "
        f"perplexity {evaluate.perplexity(loss):.2f}"
    )


def _check_free(folder: Path, overwrite: bool) -> None:
    if folder.exists() and not folder.is_dir():
        raise FileExistsError(f"{folder} is a file: name a folder.")
    inside = {file.name for file in folder.iterdir()} if folder.is_dir() else set()
    if overwrite or not inside or (inside == {"training"} and not is_run(folder)):
        return  # the last: what was cut off before it was a run
    if is_run(folder):
        what = "a run: go on with it by --resume, or throw it away by --overwrite."
    else:
        what = (
            f"other files, for example {sorted(inside)[0]}: name another folder. "
            "(--overwrite puts the model beside them; they stay.)"
        )
    raise FileExistsError(f"{folder} already holds {what}")


def _stored_tokens(
    private: Path, plan: Plan, tokenizer: Tokenizer, text: str | Path | None, progress: bool
) -> NDArray[Any]:
    """The ids that the run began with; made again from the text where the file is damaged."""
    try:
        stored = texts.open_tokens(private)
    except (FileNotFoundError, ValueError) as error:
        if text is None:
            raise ValueError(f"{error} Give --text, and they are made again.") from None
        stored = None
    if text is None:
        assert stored is not None
        return stored.ids
    found = texts.survey(text, plan.run.encoding, show=progress)
    if stored is None:
        stored = texts.write_tokens(found, tokenizer, private, show=progress)
    if stored.text_sha256 != found.sha256:
        raise ValueError(
            f"{text} is not the text that the run in {private.parent} began with. Put that back, "
            "leave --text out to go on with the stored tokens, or begin another run."
        )
    return stored.ids


def _check_memory(plan: Plan) -> None:
    config = plan.model
    D, tokens = config.d_model, plan.run.batch_size * config.context_length
    weights = 2 * config.vocab_size * D + config.n_layers * (4 * D * D + 2 * D * config.d_ff)
    activations = tokens * (config.n_layers * (12 * D + 3 * config.d_ff) + 3 * config.vocab_size)
    needed = 4 * (4 * weights + activations)  # weight, gradient and two moments; float32
    free = psutil.virtual_memory().available
    if needed > free:
        raise ValueError(
            f"Training this model takes about {needed / 1e9:.1f} GB of memory, and "
            f"{free / 1e9:.1f} GB are free. Choose a smaller one, or a smaller --batch-size."
        )


def _model(plan: Plan) -> LanguageModel:
    return LanguageModel(plan.model, generator=generator(plan.run.seed, "init"))


def _batches(plan: Plan, ids: NDArray[Any], first_step: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
    run, T = plan.run, plan.model.context_length
    return text_batches(ids, run.batch_size, T, seed=run.seed, first_step=first_step)


def _seconds_per_step(plan: Plan, ids: NDArray[Any]) -> float:
    """Measured on a model that is thrown away, so that the run itself is not touched."""
    limit = 0.3 if plan.minutes is None else min(5.0, 3 * plan.minutes)
    ends: list[float] = []

    def measured() -> bool:
        return len(ends) >= 6 and ends[-1] > limit

    def enough(_: Any, record: Record) -> bool:
        ends.append(record["seconds"])
        return measured()

    train(
        _model(plan),
        _batches(plan, ids),
        language_model_loss,
        replace(plan.train, max_steps=10_000, warmup_steps=0),
        on_step=[enough],
        progress=False,
    )
    if not measured():
        raise KeyboardInterrupt  # `train` has swallowed a Ctrl-C
    # the first steps also set things up
    return statistics.median(b - a for a, b in zip(ends[2:], ends[3:], strict=False))


def _announce(plan: Plan, n_tokens: int, seconds: float, say: Callable[[str], None]) -> None:
    config, steps = plan.model, plan.train.max_steps
    seen, total = steps * plan.run.batch_size * config.context_length, steps * seconds
    time_needed = f"{total:.0f} seconds" if total < 100 else f"{total / 60:.1f} minutes"
    say(
        f"Tokens    {n_tokens:,} ({plan.run.tokenizer}; {config.vocab_size:,} different); "
        "the last 10 % are held out"
    )
    say(
        f"Model     {count_parameters(_model(plan)):,} parameters: {config.n_layers} layers of "
        f"width {config.d_model}, {config.n_heads} heads, a context of {config.context_length} "
        "tokens"
    )
    say(
        f"Training  {steps:,} steps of {plan.run.batch_size} x {config.context_length} tokens, "
        f"{seen / (0.9 * n_tokens):.2g} times through the text"
    )
    say(
        f"Takes     about {time_needed} at {seen / total:,.0f} tokens a second, and "
        f"{psutil.Process().memory_info().rss / 1e6:,.0f} MB of memory"
    )


def _go(
    folder: Path,
    plan: Plan,
    tokenizer: Tokenizer,
    ids: NDArray[Any],
    say: Callable[[str], None],
    save_every: float,
    progress: bool,
) -> bool:
    """Train from the newest state, or from the beginning, to the end; then save and report."""
    private, last = folder / "training", plan.train.max_steps
    train_ids, validation = texts.hold_out(ids, plan.model.context_length)
    model = _model(plan)
    optimizers = optimizers_for(model, plan.train)
    done = _take_up(private, model, optimizers, last, say)
    saved = time.monotonic()

    def keep(_: Any, record: Record) -> bool:
        nonlocal saved
        now = int(record["step"]) + 1
        if time.monotonic() - saved >= save_every or now == last:
            save_state(private, now, model, optimizers)
            saved = time.monotonic()
        return False

    if done < last:
        history = train(
            model,
            _batches(plan, train_ids, done),
            language_model_loss,
            plan.train,
            on_step=[keep],
            optimizers=optimizers,
            first_step=done,
            progress=progress,
        )
        done += len(history)
    if done < last:
        save_state(private, done, model, optimizers)
        return False
    checkpoint.save(folder, model, tokenizer)
    _report(model, tokenizer, validation[:-1], plan.run.seed, say)
    return True


def _take_up(
    private: Path,
    model: LanguageModel,
    optimizers: list[torch.optim.Optimizer],
    last: int,
    say: Callable[[str], None],
) -> int:
    """Fill model and optimisers from the newest whole state; how many steps it had done."""
    state, problems = newest_state(private)
    for problem in problems:
        say(f"{problem} {f'Going on from step {state.step}.' if state else ''}".rstrip())
    if state is None:
        if problems:
            raise ValueError(f"No state in {private} is whole. Begin again with --overwrite.")
        return 0
    model.load_state_dict(state.model)
    for optimizer, values in zip(optimizers, state.optimizers, strict=True):
        optimizer.load_state_dict(values)
    say(f"Going on  after {state.step:,} of {last:,} steps")
    return state.step


def _report(
    model: LanguageModel,
    tokenizer: Tokenizer,
    held_out: NDArray[Any],
    seed: int,
    say: Callable[[str], None],
) -> None:
    model.eval()
    part = held_out[:_VALIDATED]
    if len(part) > 1:
        of = "" if len(part) == len(held_out) else f" (the first {len(part):,} held-out tokens)"
        say(f"Validation loss: {validate(model, tokenizer, part)}{of}")
    prompt = np.asarray(part[: model.config.context_length // 4]).astype(np.int64)
    made = generate(
        model,
        torch.from_numpy(prompt)[None],
        200,
        temperature=0.8,
        generator=generator(seed, "sample"),
        end_id=tokenizer.end_id,
    )[0].tolist()
    begun, new = prompt.tolist(), made[len(prompt) :]
    say(
        "A sample (what stands before | is from the held-out text):\n"
        f"{tokenizer.decode(begun)}|{tokenizer.decode(new, skip_special_tokens=True)}"
    )
