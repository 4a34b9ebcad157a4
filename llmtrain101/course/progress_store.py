"""What a learner has done, kept in their own folder: merged, never overwritten, never lost."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from llmtrain101.folders import replacing

PRIVATE = ".llmtrain101"
_memory: dict[
    str, Any
] = {}  # where there is no course folder, progress lasts as long as the kernel


def learner_folder() -> Path | None:
    """The folder that `llmtrain101 lab` laid out: named by the environment, or around this one.

    None elsewhere, for example while the course itself is built and tested.
    """
    if named := os.environ.get("LLMTRAIN101_FOLDER"):
        return Path(named)
    here = Path.cwd()
    for place in (here, *here.parents):
        if (place / PRIVATE / "manifest.json").exists():
            return place
    return None


def record(kind: str, key: str, state: str) -> str:
    """Note that an exercise or a quiz question was tried; what was once passed stays passed.

    Parameters
    ----------
    kind : {"exercises", "quizzes"}
    key : str
        For example `"01.2"`.
    state : {"unattempted", "failed", "passed"}

    Returns
    -------
    str
        Empty, or a sentence about what went wrong: a full disk must not spoil a right answer.
    """

    def change(data: dict[str, Any]) -> None:
        entry = data.setdefault(kind, {}).setdefault(key, {"state": "unattempted", "tries": 0})
        if state == "unattempted":
            return
        entry["tries"] += 1
        if entry["state"] != "passed":
            entry["state"] = state
            entry["when"] = datetime.now().astimezone().isoformat(timespec="seconds")

    return _update(change)


def state_of(kind: str, key: str) -> str:
    """The best state so far: "unattempted", "failed" or "passed"."""
    entry = read()[0].get(kind, {}).get(key, {})
    return str(entry.get("state", "unattempted"))


def read() -> tuple[dict[str, Any], str]:
    """All progress, and a sentence if the file was damaged (it is then kept under another name)."""
    folder = learner_folder()
    if folder is None:
        return _memory, ""
    path = folder / PRIVATE / "progress.json"
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        well_formed = isinstance(data, dict) and all(
            isinstance(entry, dict) and isinstance(entry.get("tries", 0), int)
            for kind in ("exercises", "quizzes")
            for entry in data.get(kind, {}).values()
        )
    except FileNotFoundError:
        return {}, ""
    except (ValueError, AttributeError):  # not JSON, not text, or entries that are no table
        well_formed = False
    if well_formed:
        return data, ""
    aside = path.with_name(f"progress-damaged-{datetime.now():%Y%m%d-%H%M%S}.json")
    try:
        os.replace(path, aside)
    except OSError as error:
        return {}, f"{path} is damaged and could not be renamed ({error.strerror})."
    return {}, f"{path.name} was damaged: it is kept as {aside}, and progress starts anew."


def _update(change: Callable[[dict[str, Any]], None]) -> str:
    folder = learner_folder()
    if folder is None:
        change(_memory)
        return ""
    from filelock import FileLock, Timeout

    path = folder / PRIVATE / "progress.json"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_suffix(".lock"), timeout=5):  # two notebooks may write at once
            data, trouble = read()
            change(data)
            with replacing(path) as part:
                part.write_text(json.dumps(data, indent=1), encoding="utf-8", newline="\n")
        return trouble
    except (OSError, Timeout) as error:
        reason = getattr(error, "strerror", None) or error
        return f"Progress could not be saved in {path}: {reason}."


def progress(lesson: str | None = None) -> None:
    """Show what is done, for every lesson or for one.

    Examples
    --------
    >>> progress()                                                        # doctest: +SKIP
    Your progress
      lesson                          exercises  quiz
      00 Start here                   2 of 3     3 right
    """
    import html

    from llmtrain101.course import exercises
    from llmtrain101.course.cards import emit
    from llmtrain101.course.lessons import lesson_path, lesson_paths, title

    if lesson is not None:
        lesson = lesson_path(lesson).name[:2]
    data, trouble = read()
    rows = [("lesson", "exercises", "quiz")]
    for number, path in lesson_paths().items():
        if lesson is not None and lesson != number:
            continue
        known = exercises.of_lesson(number)
        passed = sum(state_of("exercises", one.id) == "passed" for one in known)
        right = sum(
            entry.get("state") == "passed"
            for key, entry in data.get("quizzes", {}).items()
            if key.startswith(f"{number}.")
        )
        rows.append((f"{number} {title(path)}", f"{passed} of {len(known)}", f"{right} right"))
    where = learner_folder()
    notes = [
        note
        for note in (
            trouble,
            "" if where else "Nothing is saved here: start with `llmtrain101 lab` to keep it.",
        )
        if note
    ]
    wide = [max(len(row[column]) for row in rows) for column in range(3)]
    plain = ["Your progress"] + [
        "  " + "  ".join(text.ljust(width) for text, width in zip(row, wide, strict=True)).rstrip()
        for row in rows
    ]
    cells = [
        "<tr>"
        + "".join(f'<{tag} style="text-align: left">{html.escape(text)}</{tag}>' for text in row)
        + "</tr>"
        for tag, row in [("th", rows[0]), *(("td", row) for row in rows[1:])]
    ]
    markup = f"<table><caption><b>Your progress</b></caption>{''.join(cells)}</table>" + "".join(
        f"<p>{html.escape(note)}</p>" for note in notes
    )
    emit("\n".join(plain + notes), markup)
