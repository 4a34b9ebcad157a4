"""How the course speaks inside a notebook: one output that is both HTML and readable plain text."""

from __future__ import annotations

import html
import re
import sys

# Colour only repeats what the sign and the word say, so that grey and print lose nothing.
# The variables are JupyterLab's own, so the light and the dark theme both fit; what stands after
# the comma serves pages that have no theme.
_COLOURS = {
    "passed": "var(--jp-success-color1, #2e7d32)",
    "failed": "var(--jp-error-color1, #c62828)",
    "unattempted": "var(--jp-border-color1, #9e9e9e)",
    "note": "var(--jp-info-color1, #0277bd)",
}
SIGNS = {"passed": "✓", "failed": "✗", "unattempted": "○", "note": "→"}
_BOX = (
    "margin: 0.4em 0; padding: 0.5em 0.9em; border-left: 0.3em solid {colour}; "
    "color: var(--jp-content-font-color1, #212121); background: var(--jp-layout-color2, #f2f2f2)"
)


def in_notebook() -> bool:
    """Whether outputs go to a notebook, which shows HTML and pictures."""
    if "IPython" not in sys.modules:  # asked first because importing it is slow
        return False
    from IPython import get_ipython

    return hasattr(get_ipython(), "kernel")


def emit(plain: str, markup: str, **more: str) -> None:
    """Show one output: `markup` where HTML is shown, `plain` everywhere else.

    Parameters
    ----------
    plain, markup : str
        The same content twice; `markup` is HTML whose variable parts are already escaped.
    **more : str
        Further forms of it, `mime_type=content` with `/` and `+` kept (pass them by `**{...}`).

    Examples
    --------
    >>> emit("hello", "<b>hello</b>")
    hello
    """
    if not in_notebook():
        print(plain)
        return
    from IPython.display import display

    display({"text/plain": plain, "text/html": markup, **more}, raw=True)  # type: ignore[no-untyped-call]


def marked(text: str) -> str:
    """Plain text as HTML: escaped, `code` between backticks, line ends kept.

    Examples
    --------
    >>> marked("is `a < b`?")
    'is <code>a &lt; b</code>?'
    """
    parts = re.split(r"`([^`\n]+)`", text)
    pieces = [
        f"<code>{html.escape(part)}</code>" if index % 2 else html.escape(part, quote=False)
        for index, part in enumerate(parts)
    ]
    return "".join(pieces).replace("\n", "<br>")


def card(kind: str, title: str, *lines: str) -> None:
    """Show a box with a title and lines of text, marked by its kind in sign, word and colour.

    Parameters
    ----------
    kind : {"passed", "failed", "unattempted", "note"}
    title, *lines : str
        Plain text; what stands between backticks is code.

    Examples
    --------
    >>> card("note", "Lesson 01", "Run the cells from top to bottom.")
    → Lesson 01
      Run the cells from top to bottom.
    """
    emit(*card_forms(kind, title, *lines))


def card_forms(kind: str, title: str, *lines: str) -> tuple[str, str]:
    """The plain and the HTML form of `card`."""
    plain = "\n".join(
        [f"{SIGNS[kind]} {title}", *("  " + line.replace("\n", "\n  ") for line in lines)]
    )
    body = "".join(f"<br>{marked(line)}" for line in lines)
    box = _BOX.format(colour=_COLOURS[kind])
    return plain, f'<div style="{box}"><b>{SIGNS[kind]} {marked(title)}</b>{body}</div>'
