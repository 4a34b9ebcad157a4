"""What a lesson shows: pictures that also speak, text that may differ, bands, and sliders."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from llmtrain101.course.cards import emit, in_notebook

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PRE = (
    "margin: 0; padding: 0; white-space: pre-wrap; "
    "word-break: normal; overflow-wrap: anywhere; "  # JupyterLab would break within words
    "font-family: var(--jp-code-font-family, monospace); "  # else columns do not line up
    "color: var(--jp-content-font-color1, #212121)"
)


def figure(drawing: Axes | Figure, alt: str) -> None:
    """Show a figure together with a text that says the same to those who do not see it.

    The output is HTML with the alt text (the only form whose alt text JupyterLab and the HTML
    export keep) and also a plain PNG (some viewers on the web drop pictures from HTML).

    Parameters
    ----------
    drawing : Axes or Figure
        What to show; its figure is closed afterwards, so that it does not appear twice.
    alt : str
        What there is to see, in a sentence or two. It is compared when the notebooks are
        tested: keep out of it every digit that another machine would change.

    Raises
    ------
    ValueError
        If `alt` is empty.

    Examples
    --------
    >>> import matplotlib.figure
    >>> axes = matplotlib.figure.Figure().subplots()
    >>> figure(axes, "An empty pair of axes.")
    [figure: An empty pair of axes.]
    """
    alt = _checked_alt(alt)
    encoded = base64.b64encode(_png(drawing)).decode()
    if not in_notebook():
        print(f"[figure: {alt}]")
        return
    from IPython.display import display

    display(  # type: ignore[no-untyped-call]
        {"text/plain": f"[figure: {alt}]", "text/html": _img(encoded, alt), "image/png": encoded},
        metadata={"image/png": {"alt": alt}},
        raw=True,
    )


def varies(text: object) -> None:
    """Show text that depends on the processor or the clock, marked as such.

    The test of the notebooks blanks what stands here and compares everything else, so that a
    sample of text or a number of seconds does not make it fail on another machine.

    Examples
    --------
    >>> varies("it took 3.2 s")
    ⟪it took 3.2 s⟫
    """
    shown = str(text)
    emit(f"⟪{shown}⟫", f'<pre class="varies" style="{_PRE}">{html.escape(shown)}</pre>')


def within(name: str, value: float, low: float, high: float) -> None:
    """Show a measured number and the band that it falls into: the band holds on every machine.

    The number is marked as one that varies, so that the test of the notebooks compares only the
    name and the band; a number outside of its band makes that test fail.

    Examples
    --------
    >>> within("loss", 1.93, 1.8, 2.1)
    loss: ⟪1.93⟫ (usually 1.8 to 2.1)
    >>> within("loss", 2.4, 1.8, 2.1)
    loss: 2.4, outside the usual 1.8 to 2.1. If you changed nothing above, please report it.
    """
    if not low <= high:
        raise ValueError(f"low must not exceed high, got low={low:g} and high={high:g}.")
    number = float(value)
    shown = f"{number:,.0f}" if abs(number) >= 1000 else f"{number:.4g}"
    if low <= number <= high:
        band = f"(usually {_plain(low)} to {_plain(high)})"
        marked = f'<span class="varies">{shown}</span>'
        emit(
            f"{name}: ⟪{shown}⟫ {band}",
            f'<pre style="{_PRE}">{html.escape(name)}: {marked} {band}</pre>',
        )
    else:
        print(
            f"{name}: {shown}, outside the usual {_plain(low)} to {_plain(high)}. "
            "If you changed nothing above, please report it."
        )


def _plain(number: float) -> str:
    return f"{number:,.0f}" if abs(number) >= 1000 else f"{number:g}"


def play(draw: Callable[..., Axes | Figure | str], *, alt: str, **controls: Any) -> None:
    """Sliders and menus over a function that draws; beside it the lesson shows a static figure.

    Parameters
    ----------
    draw : callable
        Takes one keyword argument for each control and returns Axes, a Figure, or text.
    alt : str
        Alt text of the picture; `{name}` in it becomes the value of that control.
    **controls
        As for `ipywidgets.interact`: `(low, high)` or `(low, high, step)` is a slider, a list is
        a menu, True or False a box to tick, a widget is taken as it is. A default in `draw`'s
        signature is where a slider starts.

    Raises
    ------
    ValueError
        If `alt` is empty, or a control cannot be made of what was given.

    Notes
    -----
    `ipywidgets.interact` captures output with a message that a kernel without a browser does not
    answer, so its output would differ between a built and a tested notebook. Here the picture
    is a value of a widget, which no test compares; an error in the first drawing is raised.
    """
    import inspect

    import ipywidgets

    alt = _checked_alt(alt)
    defaults = inspect.signature(draw).parameters
    widgets: dict[str, Any] = {}
    for name, abbreviation in controls.items():
        default = defaults[name].default if name in defaults else inspect.Parameter.empty
        widget = ipywidgets.interactive.widget_from_abbrev(abbreviation, default)
        if widget is None:
            raise ValueError(f"No control can be made of {name}={abbreviation!r}; see play's help.")
        widget.description = widget.description or name.replace("_", " ")
        widget.style.description_width = "initial"
        if hasattr(widget, "continuous_update"):
            widget.continuous_update = (
                False  # one drawing when it is let go, not one for each pixel
            )
        widgets[name] = widget

    def render(**values: Any) -> str:
        drawing = draw(**values)
        if isinstance(drawing, str):
            return f'<pre style="{_PRE}">{html.escape(drawing)}</pre>'
        return _img(base64.b64encode(_png(drawing)).decode(), alt.format(**values))

    def redraw(_: object) -> None:
        try:
            view.value = render(**{name: widget.value for name, widget in widgets.items()})
        except Exception as error:  # else it would end in a log that nobody reads
            view.value = f"<p>{html.escape(f'{type(error).__name__}: {error}')}</p>"

    view = ipywidgets.HTML(render(**{name: widget.value for name, widget in widgets.items()}))
    for widget in widgets.values():
        widget.observe(redraw, "value")
    names = ", ".join(widget.description for widget in widgets.values())
    note = f"To play with here: {names}. The controls appear when you run this cell."
    show_widget(ipywidgets.VBox([*widgets.values(), view]), note, f"<p>▸ {html.escape(note)}</p>")


def show_widget(widget: Any, plain: str, markup: str) -> None:
    """Show a widget, with a text for wherever there is none (the web, a printed page, a test)."""
    view = "application/vnd.jupyter.widget-view+json"
    emit(plain, markup, **{view: widget._repr_mimebundle_()[view]})


def _checked_alt(alt: str) -> str:
    if not isinstance(alt, str) or not alt.strip():
        raise ValueError(
            f"alt must say in words what there is to see, got {alt!r}. "
            "For example: figure(ax, 'Loss falls steeply at first, then slowly.')"
        )
    return " ".join(alt.split())


def _img(encoded: str, alt: str) -> str:
    return (
        f'<img alt="{html.escape(alt)}" src="data:image/png;base64,{encoded}" '
        'style="max-width: 100%; background: white">'
    )


def _png(drawing: Axes | Figure) -> bytes:
    from matplotlib import pyplot
    from matplotlib.figure import Figure

    whole = drawing if isinstance(drawing, Figure) else drawing.get_figure(root=True)
    if whole is None:
        raise ValueError("These axes belong to no figure any more; draw them again.")
    buffer = io.BytesIO()
    whole.savefig(buffer, format="png", dpi=96, bbox_inches="tight", facecolor="white")
    pyplot.close(whole)  # else the inline backend shows it a second time, without alt text
    return buffer.getvalue()
