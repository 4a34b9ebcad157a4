"""Rows typed in by people: checked before they are kept, one line of a file for each."""

from __future__ import annotations

import html
import io
import json
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

Field = type | Sequence[str] | range
Fields = Mapping[str, Field]


def enter(store: str | Path, fields: Fields, **values: Any) -> dict[str, Any]:
    """Check one row and add it to a file of JSON lines; nothing is added unless all is right.

    Parameters
    ----------
    store : str or Path
    fields : mapping of str to field
        For each column what may stand in it: `str`, `int`, `float`, `bool`, a list of choices, or a
        `range` of whole numbers. A text must have something in it.
    **values
        The row; numbers may be given as text, as a form gives them.

    Returns
    -------
    dict
        The row as it was kept.

    Raises
    ------
    TypeError
        If `fields` says of a column what none can be.
    ValueError
        If a value is missing, unknown or not what may stand there; all of them are named.

    Examples
    --------
    >>> import tempfile
    >>> fields = {"text": str, "label": ["ham", "spam"], "age": range(0, 121)}
    >>> with tempfile.TemporaryDirectory() as place:
    ...     enter(Path(place) / "rows.jsonl", fields, text=" Win now! ", label="spam", age="35")
    {'text': 'Win now!', 'label': 'spam', 'age': 35}
    """
    _check(fields)
    wrong = [f"{name!r} is no field" for name in values if name not in fields]
    row = {}
    for name, field in fields.items():
        try:
            row[name] = _value(values.get(name), field)
        except ValueError as error:
            wrong.append(f"{name}: {error}")
    if wrong:
        raise ValueError("; ".join(wrong))
    path = Path(store)
    path.parent.mkdir(parents=True, exist_ok=True)
    line = json.dumps(row, ensure_ascii=False).encode() + b"\n"
    with path.open("a+b", buffering=0) as file:
        if _open_line(file):
            line = b"\n" + line
        file.write(line)  # one write, at the end: two people at once do not mix
        os.fsync(file.fileno())
    return row


def _open_line(file: io.FileIO) -> bool:
    """Whether the last line has no end, as some editors leave it, and nobody is just writing it."""
    for _ in range(10):
        if not file.seek(0, os.SEEK_END):
            return False
        file.seek(-1, os.SEEK_END)
        if file.read(1) == b"\n":
            return False
        time.sleep(0.01)
    return True


def form(store: str | Path, fields: Fields) -> Any:
    """The same as boxes to type in, a button, and a line that says what became of it.

    Tab goes from box to box; Enter or Space on the button saves. What is wrong is said and stays
    typed in; what is saved empties the boxes for the next row.

    Returns
    -------
    ipywidgets.VBox
    """
    import ipywidgets as w

    _check(fields)

    def box(name: str, field: Field) -> Any:
        if field is bool:
            return w.Checkbox(description=name, indent=False)
        if isinstance(field, type) or isinstance(field, range):
            return w.Text(description=name, continuous_update=False)
        return w.Dropdown(description=name, options=[("choose…", None), *((c, c) for c in field)])

    boxes = {name: box(name, field) for name, field in fields.items()}
    for each in boxes.values():
        each.style.description_width = "initial"
    empty = {name: each.value for name, each in boxes.items()}
    said, button = w.HTML(), w.Button(description="Save the row")
    saved = 0

    def save(_: object) -> None:
        nonlocal saved
        try:
            row = enter(store, fields, **{name: each.value for name, each in boxes.items()})
        except (ValueError, OSError) as error:
            said.value = f"<b>Not saved.</b> {html.escape(str(error))}"
            return
        saved += 1
        said.value = f"Saved row {saved}: {html.escape(json.dumps(row, ensure_ascii=False))}"
        for name, each in boxes.items():
            each.value = empty[name]

    button.on_click(save)
    note = f"A form with the fields {', '.join(fields)}; run this cell to type something in."

    class Form(w.VBox):  # type: ignore[misc]
        def _repr_mimebundle_(self, **options: Any) -> dict[str, str]:
            shown = super()._repr_mimebundle_(**options) or {}
            # where there is no kernel, a reader sees this
            return {**shown, "text/plain": note, "text/html": f"<p>▸ {html.escape(note)}</p>"}

    return Form([*boxes.values(), button, said])


def _check(fields: Fields) -> None:
    """Refuse what is no field: a str, above all, which would be taken letter by letter."""
    for name, field in fields.items():
        if field in (str, int, float, bool):
            continue
        if isinstance(field, type | str) or not len(field):
            raise TypeError(
                f"the field {name!r} must be str, int, float, bool, a list of choices or a range "
                f"that is not empty, got {field!r}."
            )


def _value(value: Any, field: Field) -> Any:
    if value is None or (isinstance(value, str) and not value.strip()):
        raise ValueError("is missing")
    if isinstance(value, str):
        value = value.strip()
    if field is str:
        if not isinstance(value, str):
            raise ValueError(f"{value!r} is no text")
        value.encode()  # half a surrogate pair cannot be kept in a file: a ValueError too
        return value
    if field is bool:
        if not isinstance(value, bool):
            raise ValueError(f"{value!r} is neither True nor False")
        return value
    if isinstance(field, range) or field in (int, float):
        kind = float if field is float else int
        try:
            number = kind(value)
        except (ValueError, TypeError, OverflowError):
            number = None
        if number is None or isinstance(value, bool) or (value != number and type(value) is float):
            raise ValueError(f"{value!r} is no {'number' if kind is float else 'whole number'}")
        if number - number != 0:
            raise ValueError(f"{value!r} is no finite number")
        if isinstance(field, range) and number not in field:
            low, high = sorted((field[0], field[-1]))
            steps = f" in steps of {abs(field.step)}" if abs(field.step) > 1 else ""
            raise ValueError(f"{number} is not within {low} to {high}{steps}")
        return number
    assert not isinstance(field, type)
    if value not in field:
        raise ValueError(f"{value!r} is none of {', '.join(map(repr, field))}")
    return value
