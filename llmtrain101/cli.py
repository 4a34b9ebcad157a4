"""The command `llmtrain101`. It loads torch only for commands that need it."""

from __future__ import annotations

import dataclasses
import inspect
import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

Folder = Annotated[Path, typer.Option(help="your copy of the course; made if missing")]
Model = Annotated[Path, typer.Option(help="folder of a trained model")]
Lessons = Annotated[list[str] | None, typer.Argument(help="numbers, as 01; none means all")]

_RENAMED = {"max_steps": "steps"}
_ALSO = (
    ("minutes", float, "train for about so long, instead of --steps"),
    ("resume", bool, "go on with a run that was cut off, to the same bits as if left alone"),
    ("overwrite", bool, "throw away a run that is in the folder"),
    ("save_every", float, "seconds between training states (default 60)"),
)


class Usage(Exception):
    """What was typed cannot be done; the message says what to type instead."""


def lab(
    folder: Folder = Path("my-course"),
    browser: Annotated[bool, typer.Option(help="open a browser")] = True,
    port: Annotated[int | None, typer.Option(help="of the address; default: a free one")] = None,
) -> int:
    """Open your copy of the course in JupyterLab."""
    from llmtrain101.course.layout import lay_out
    from llmtrain101.lab import run_lab

    for line in lay_out(folder):
        print(line)
    return run_lab(folder, browser=browser, port=port)


def check() -> int:
    """Is this machine fit for the course?"""
    from llmtrain101.course.machine import machine_report

    marks = {"ok": "ok", "warning": "!", "problem": "NO"}
    rows = machine_report()
    for row in rows:
        print(f"{marks[row.state]:>2}  {row.name:<10} {row.found}")
        if row.advice and row.state != "ok":
            print(f"    {'':<10} {row.advice}")
    return 1 if any(row.state == "problem" for row in rows) else 0


def run(
    lesson: Annotated[str, typer.Argument(help="its number, for example 09")],
    solutions: Annotated[bool, typer.Option(help="run the solutions of the exercises too")] = False,
) -> int:
    """Run a lesson here and print its verdicts."""
    from llmtrain101.course.execute import run_lesson

    run_lesson(lesson, solutions=solutions)
    return 0


def build(
    lessons: Lessons = None,
    force: Annotated[bool, typer.Option(help="also what is up to date")] = False,
) -> int:
    """Build the notebooks from the lessons."""
    from llmtrain101.course.build import build as build_notebooks

    build_notebooks(lessons or (), force=force)
    return 0


def evaluate(
    model: Model,
    text: Annotated[Path, typer.Option(help="a text file, or a folder of them")],
    encoding: Annotated[str, typer.Option(help="how the text files are written")] = "utf-8",
) -> int:
    """Print the loss of a model on a text.

    In nats per token and, comparable across tokenizers, in bits per byte.
    """
    import tempfile

    from llmtrain101 import texts
    from llmtrain101.runs import validate

    network, tokenizer = _language_model(model)
    found = texts.survey(text, encoding)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        ids = texts.write_tokens(found, tokenizer, folder, show=True).ids
        ids = ids[:-1]  # the end of the last text is no part of it
        n_bytes = found.n_bytes - len(tokenizer.decode(ids[:1].tolist()).encode())
        print(f"{len(ids):,} tokens: {validate(network, tokenizer, ids, n_bytes)}")
        del ids  # an open memory map cannot be deleted on Windows
    _warn_of_unknown(tokenizer, found.alphabet)
    return 0


def generate(
    model: Model,
    prompt: Annotated[str, typer.Option(help="what the text begins with")] = "",
    tokens: Annotated[int, typer.Option(help="how many to add")] = 200,
    temperature: Annotated[float, typer.Option(help="0 always takes the likeliest")] = 0.8,
    top_k: Annotated[int | None, typer.Option(help="draw from so many likeliest only")] = None,
    top_p: Annotated[float | None, typer.Option(help="... that share this probability")] = None,
    seed: Annotated[int, typer.Option(help="another seed draws another text")] = 0,
) -> int:
    """Let a model continue a text."""
    import torch

    from llmtrain101.generate import generate as continue_text
    from llmtrain101.seeds import generator

    if tokens < 1:
        raise Usage(f"--tokens must be 1 or more, got {tokens}.")
    network, tokenizer = _language_model(model)
    ids = tokenizer.encode(prompt) or [tokenizer.end_id]
    made = continue_text(
        network,
        torch.tensor([ids]),
        tokens,
        temperature=temperature,
        top_k=top_k,
        top_p=top_p,
        generator=generator(seed, "sample"),
        end_id=tokenizer.end_id,
    )[0, len(ids) :]
    print(prompt + tokenizer.decode(made.tolist(), skip_special_tokens=True))
    _warn_of_unknown(tokenizer, prompt)
    return 0


def _language_model(folder: Path) -> Any:
    from llmtrain101.checkpoint import load
    from llmtrain101.model import LanguageModel

    if not folder.is_dir():
        raise FileNotFoundError(f"There is no folder {folder}: check the name.")
    if (folder / "training").is_dir() and not (folder / "tokenizer.json").is_file():
        raise FileNotFoundError(
            f"{folder} holds a run that was stopped before it had a model. Go on with: "
            f"llmtrain101 train --resume --out {folder}"
        )
    network, tokenizer = load(folder)
    if not isinstance(network, LanguageModel):
        raise ValueError(f"{folder} holds a {type(network).__name__}, not a LanguageModel.")
    return network, tokenizer


def _warn_of_unknown(tokenizer: Any, text: str) -> None:
    if tokenizer.kind == "char":
        alphabet = tokenizer.backend.get_vocab(with_added_tokens=False)
        if unknown := sorted(set(text) - set(alphabet)):
            shown = "".join(unknown[:20])
            print(
                f"The model does not know {len(unknown)} of the characters, for example {shown!r}: "
                "it reads each as <|unknown|>.",
                file=sys.stderr,
            )


def train(
    text: Path | None,
    out: Path,
    resume: bool,
    overwrite: bool,
    save_every: float | None,
    **asked: Any,
) -> int:
    """Train a language model on text of yours.

    The folder becomes a Hugging Face model.
    """
    from llmtrain101 import runs

    given = {name: value for name, value in asked.items() if value is not None}
    how: dict[str, Any] = {"save_every": 60.0 if save_every is None else save_every}
    try:
        runs.Plan.of(given)
    except ValueError as error:  # says what the field is called, not the option
        raise Usage(str(error).replace("max_steps", "--steps")) from None
    again = f"llmtrain101 train --resume --out {out}"
    try:
        if resume and (runs.is_run(out) or text is None):
            finished = runs.resume(out, text, given, **how)
        elif text is None:
            raise Usage("Name what to train on: --text FILE_OR_FOLDER.")
        else:
            if resume:
                print(f"There is no run to go on with in {out}: it starts from the beginning.")
            finished = runs.begin(out, text, given, overwrite=overwrite, **how)
    except KeyboardInterrupt:
        kept = f"go on with: {again}" if runs.is_run(out) else "nothing was trained yet."
        print(f"\nStopped; {kept}", file=sys.stderr)
        return 130
    if not finished:
        print(f"The state is saved. Go on with: {again}")
        return 130
    print(f"The model is in {out}. Try: llmtrain101 generate --model {out}")
    return 0


def _with_options(command: Callable[..., int]) -> Callable[..., int]:
    """Give `train` an option for each setting, described where the setting is defined."""
    from llmtrain101.model import ModelConfig
    from llmtrain101.runs import RunConfig
    from llmtrain101.train import TrainConfig

    parameters = [
        ("text", Path | None, "a text file, or a folder of them"),
        ("out", Path, "folder for the model and all that is needed to go on"),
        *_ALSO,
    ]
    for config in (RunConfig, ModelConfig, TrainConfig):
        types = inspect.get_annotations(config, eval_str=True)
        for each in dataclasses.fields(config):
            if each.name != "causal" and each.name not in {p[0] for p in parameters}:
                described = f"{each.metadata['help']} (default {each.default})"
                parameters.append((each.name, types[each.name], described))
    signature = []
    for name, kind, described in parameters:
        flag = f"--{_RENAMED.get(name, name).replace('_', '-')}"
        default = False if kind is bool else None
        annotated = kind if kind in (bool, Path) else kind | None
        signature.append(
            inspect.Parameter(
                name,
                inspect.Parameter.KEYWORD_ONLY,
                default=inspect.Parameter.empty if kind is Path else default,
                annotation=Annotated[annotated, typer.Option(flag, help=described)],
            )
        )

    def with_options(**given: Any) -> int:
        return command(**given)

    with_options.__signature__ = inspect.Signature(signature)  # type: ignore[attr-defined]
    with_options.__annotations__ = {each.name: each.annotation for each in signature}
    return with_options


_COMMANDS: dict[str, Callable[..., int]] = {
    "lab": lab,
    "check": check,
    "run": run,
    "train": train,
    "evaluate": evaluate,
    "generate": generate,
    "build": build,
}


def _before(
    debug: Annotated[bool, typer.Option("--debug", help="show where an error arose")] = False,
) -> None:
    """How language models are trained: a course that you run."""


def make_app(command: str) -> typer.Typer:
    """The commands; those of `train`'s options that need torch only if `train` is the command."""
    app = typer.Typer(
        add_completion=False,
        rich_markup_mode=None,  # plain text, and a tenth of a second saved
        pretty_exceptions_enable=False,
    )
    app.callback()(_before)
    for name, function in _COMMANDS.items():
        if name == "train":
            function = _with_options(train) if command == "train" else lambda: 0
        app.command(name, help=_COMMANDS[name].__doc__)(function)
    return app


def main(argv: list[str] | None = None) -> int:
    """Run one command; the exit status is 0, 1 for a failure, 2 for a wrong use, 130 for Ctrl-C.

    Examples
    --------
    >>> main(["trian"])        # a sentence on standard error says what was meant
    2
    """
    argv = sys.argv[1:] if argv is None else argv
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal that lacks a letter shows "?"
    debug = argv[:1] == ["--debug"]
    words = argv[debug:] or ["--help"]
    try:
        return int(make_app(words[0])(words, prog_name="llmtrain101", standalone_mode=False) or 0)
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 130
    except Exception as error:
        if debug:
            raise
        message, status = _explained(error, words[0])
        print(message, file=sys.stderr)
        return status


def _explained(error: Exception, command: str) -> tuple[str, int]:
    if hasattr(error, "format_message"):  # typer's own complaints about what was typed
        help_of = f"llmtrain101 {command} --help" if command in _COMMANDS else "llmtrain101 --help"
        message = error.format_message()
        return f"{message}{'' if message.endswith(('.', '?')) else '.'} See: {help_of}", 2
    if isinstance(error, Usage):
        return str(error), 2
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}.", 1
    if isinstance(error, OSError | ValueError) or type(error).__module__.startswith("llmtrain101"):
        return str(getattr(error, "strerror", None) or error), 1
    what = f"{type(error).__name__}: {error}"
    return f"Something unexpected went wrong ({what}). For details: llmtrain101 --debug ...", 1


if __name__ == "__main__":
    sys.exit(main())
