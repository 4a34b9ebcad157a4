"""The promises of a lesson: made at its top, and ticked at its end when the learner showed them."""

from __future__ import annotations

from llmtrain101.course import exercises, progress_store
from llmtrain101.course.cards import emit, marked

_made: dict[str, tuple[str, ...]] = {}


def promises(lesson: str, *texts: str, minutes: int, before: str = "") -> None:
    """Say what a learner will be able to do, how long it takes and what to know before.

    Parameters
    ----------
    lesson : str
        For example `"01"`.
    *texts : str
        Three of them; each goes on from "you can". The first is shown kept when exercise 1 is
        passed, and so on.
    minutes : int
        To read and to run, exercises included.
    before : str
        What to know or to have done.

    Examples
    --------
    >>> promises("99", "tell a from b", "name c", "draw d", minutes=12)
    At the end of this lesson (about 12 minutes) you can
      1. tell a from b
      2. name c
      3. draw d
    """
    if len(texts) != 3:
        raise ValueError(f"A lesson makes 3 promises, got {len(texts)}.")
    _made[lesson] = texts
    opening = f"At the end of this lesson (about {minutes} minutes) you can"
    rows = [(f"{place}.", text) for place, text in enumerate(texts, start=1)]
    _show(opening, rows, f"Before it: {before}" if before else "")


def promises_kept(lesson: str) -> None:
    """Show the same promises, ticked as far as the exercises that prove them are passed.

    Examples
    --------
    >>> promises("98", "tell a from b", "name c", "draw d", minutes=12)
    At the end of this lesson (about 12 minutes) you can
      1. tell a from b
      2. name c
      3. draw d
    >>> promises_kept("98")
    What this lesson promised: you can
      ☑ tell a from b
      ☑ name c
      ☑ draw d
    """
    if lesson not in _made:
        raise ValueError(
            f'The promises of lesson "{lesson}" are not there yet: run the lesson\'s first cells.'
        )
    known = {one.id for one in exercises.of_lesson(lesson)}
    rows, open_ones = [], 0
    for place, text in enumerate(_made[lesson], start=1):
        id = f"{lesson}.{place}"
        if id in known and progress_store.state_of("exercises", id) != "passed":
            rows.append(("☐", f"{text} (exercise {id} proves it)"))
            open_ones += 1
        else:
            rows.append(("☑", text))
    after = (
        "Pass its exercise and run this cell again: the box is then ticked." if open_ones else ""
    )
    _show("What this lesson promised: you can", rows, after)


def _show(opening: str, rows: list[tuple[str, str]], closing: str) -> None:
    plain = [opening, *(f"  {sign} {text}" for sign, text in rows), *([closing] if closing else [])]
    items = "".join(f"<br>&emsp;{sign} {marked(text)}" for sign, text in rows)
    after = f"<br>{marked(closing)}" if closing else ""
    emit("\n".join(plain), f"<p><b>{marked(opening)}</b>{items}{after}</p>")
