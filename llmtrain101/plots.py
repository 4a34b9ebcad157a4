"""Pictures that can be told apart without colour: each draws on one axis and returns it.

Okabe and Ito's colours, chosen to differ for every kind of colour vision, each with a marker and a
line style of its own. Nothing is shown or saved here, and no setting of matplotlib is changed.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.patches import Rectangle
from matplotlib.transforms import Bbox

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike

    from llmtrain101.experiment import Results


class Style(NamedTuple):
    """How one series is drawn."""

    color: str
    marker: str
    linestyle: Any


STYLES = (  # ordered so that neighbours differ in lightness too
    Style("#0072B2", "o", "-"),
    Style("#E69F00", "s", "--"),
    Style("#000000", "^", ":"),
    Style("#56B4E9", "D", "-."),
    Style("#D55E00", "v", (0, (5, 1, 1, 1, 1, 1))),
    Style("#009E73", "P", (0, (1, 3))),
    Style("#CC79A7", "X", (0, (8, 3))),
)
GREY = "#767676"  # 4.5 to 1 on white


def style(place: int) -> Style:
    """The style of the series at this place; they come round again after seven.

    Examples
    --------
    >>> style(0).color, style(7) == style(0)
    ('#0072B2', True)
    """
    return STYLES[place % len(STYLES)]


def loss_curves(
    histories: Mapping[str, Sequence[Mapping[str, Any]]],
    ax: Axes | None = None,
    *,
    x: str = "step",
    y: str = "loss",
    smooth: int = 1,
    title: str = "",
    x_label: str = "",
    y_label: str = "loss (nats per token)",
) -> Axes:
    """The loss of one or more trainings, by step or by time.

    Parameters
    ----------
    histories : mapping from name to history
        Each as `llmtrain101.train.train` returns it: a list of dicts with the keys `x` and `y`.
    ax : matplotlib Axes, optional
        Where to draw; else a new figure.
    x, y : str
        Keys of the history, for example "step" or "seconds" against "loss".
    smooth : int
        Each point is the mean of so many; the single ones stay visible behind.
    title, x_label, y_label : str

    Raises
    ------
    ValueError
        If a history is empty or lacks a key.

    Examples
    --------
    >>> ax = loss_curves({"small": [{"step": 0, "loss": 3.0}, {"step": 1, "loss": 2.0}]})
    >>> ax.lines[0].get_ydata().tolist()
    [3.0, 2.0]
    """
    ax = _axis(ax)
    for place, (name, history) in enumerate(histories.items()):
        if not history or x not in history[0] or y not in history[0]:
            given = sorted(history[0]) if history else "nothing"
            raise ValueError(f"history {name!r} must have {x!r} and {y!r} in it, got {given}")
        points = np.array([(row[x], row[y]) for row in history], dtype=float)  # (steps, 2)
        color, marker, line = style(place)
        if smooth > 1:
            ax.plot(*points.T, color=color, alpha=0.25, linewidth=0.8)
            points = _running_mean(points, smooth)
        marks = max(1, len(points) // 8)
        ax.plot(
            *points.T,
            color=color,
            linestyle=line,
            marker=marker,
            markevery=(place * marks // max(1, len(histories)), marks),
            label=name,
        )
    _label(ax, title, x_label or {"step": "step", "seconds": "seconds"}.get(x, x), y_label)
    _legend(ax, len(histories))
    return ax


def learning_curve(
    table: pd.DataFrame,
    ax: Axes | None = None,
    *,
    x: str = "labels",
    y: str = "value",
    arm: str = "arm",
    log_x: bool = True,
    constants: Mapping[str, float] | None = None,
    title: str = "",
    x_label: str = "number of labels",
    y_label: str = "",
) -> Axes:
    """A metric against the amount of data: every run a dot, the mean of each arm a line.

    Parameters
    ----------
    table : DataFrame
        One row a run, with the columns `x`, `y` and `arm`.
    ax : matplotlib Axes, optional
    x, y, arm : str
        Names of columns.
    log_x : bool
        Whether the same factor takes the same room: 20, 200, 2,000.
    constants : mapping from name to float, optional
        Baselines that need no data, as horizontal lines.
    title, x_label, y_label : str

    Examples
    --------
    >>> import pandas as pd
    >>> runs = pd.DataFrame({"arm": "tf-idf", "labels": [20, 20, 200], "value": [0.4, 0.6, 0.8]})
    >>> learning_curve(runs, y_label="accuracy").lines[0].get_ydata().tolist()
    [0.5, 0.8]
    """
    ax = _axis(ax)
    arms = list(dict.fromkeys(table[arm]))
    for place, name in enumerate(arms):
        rows = table[table[arm] == name]
        color, marker, line = style(place)
        means = rows.groupby(x)[y].mean()
        ax.plot(
            means.index.to_numpy(),
            means.to_numpy(),
            color=color,
            linestyle=line,
            marker=marker,
            label=name,
        )
        ax.scatter(rows[x], rows[y], s=14, color=color, marker=marker, alpha=0.35, linewidths=0)
    _constants(ax, constants or {})
    if log_x:
        ax.set_xscale("log")
        ticks = sorted(set(table[x]))
        ax.set_xticks(ticks, [f"{tick:,}" for tick in ticks], minor=False)
        ax.minorticks_off()
    _label(ax, title, x_label, y_label)
    _legend(ax, len(arms))
    return ax


def paired(results: Results, ax: Axes | None = None, *, title: str | None = None) -> Axes:
    """Every run of a claim, pairs joined; on the right the paired differences and their interval.

    Parameters
    ----------
    results : Results
        From `Claim.run`.
    ax : matplotlib Axes, optional
        One of `plt.subplots`: the differences take the right third of its room.
    title : str, optional
        Else the prediction and the verdict.

    Returns
    -------
    Axes
        That of the runs; that of the differences is the last of `ax.figure.axes`.
    """
    ax = _axis(ax, width=7.4)
    claim, values = results.claim, results.values
    names = [claim.control, claim.treatment]
    names += [name for name in values if name not in names]
    for pair in zip(values[claim.control], values[claim.treatment], strict=True):
        ax.plot([0, 1], pair, color=GREY, linewidth=1, zorder=1)
    for place, name in enumerate(names):
        color, marker, _ = style(place)
        ax.scatter([place] * len(values[name]), values[name], color=color, marker=marker, zorder=2)
        mean = sum(values[name]) / len(values[name])
        ax.plot([place - 0.22, place + 0.22], [mean, mean], color="black", linewidth=2, zorder=3)
    _constants(ax, results.constants)
    ax.set_xticks(range(len(names)), [_wrapped(name, 16) for name in names])
    ax.set_xlim(-0.5, len(names) - 0.5)
    unit = f" ({claim.unit})" if claim.unit else ""
    better = "higher" if claim.higher_is_better else "lower"
    y_label = f"{_wrapped(claim.metric + unit, 40)}\n{better} is better"
    _label(ax, title, "lines join the runs of one seed", y_label)
    heading = _wrapped(f"{claim.prediction}:", 64) + f"\n{results.verdict}"
    ax.figure.suptitle(heading if title is None else title, fontsize="medium")
    _differences(results, _beside(ax))
    return ax


def _differences(results: Results, ax: Axes) -> None:
    smallest, (low, high) = results.claim.smallest_effect, results.interval
    ax.axhspan(-smallest, smallest, color="0.9", zorder=0, label="too small to matter")
    ax.axhline(0, color=GREY, linewidth=1, zorder=1)
    spread = np.linspace(-0.28, -0.08, results.n)  # side by side, so that equal ones are all seen
    ax.scatter(spread, results.differences, s=18, color=GREY, label="one seed", zorder=2)
    ax.errorbar(
        [0.15],
        [results.difference],
        [[results.difference - low], [high - results.difference]],
        color="black",
        marker="D",
        capsize=6,
        linewidth=2,
        label="mean, 95 % interval",
        zorder=3,
    )
    ax.set_xlim(-0.45, 0.45)
    ax.set_xticks([])
    ax.yaxis.tick_right()
    ax.yaxis.set_label_position("right")
    unit = f" ({results.claim.unit})" if results.claim.unit else ""
    _label(ax, "", "paired difference", f"+ is as predicted{unit}")
    ax.spines["left"].set_visible(False)
    ax.spines["right"].set_visible(True)
    ax.legend(fontsize="x-small", loc="upper center", bbox_to_anchor=(0.5, -0.1), frameon=False)


def heatmap(
    matrix: ArrayLike,
    row_labels: Sequence[str],
    column_labels: Sequence[str],
    ax: Axes | None = None,
    *,
    low: float | None = None,
    high: float | None = None,
    number: str | None = ".2f",
    title: str = "",
    x_label: str = "",
    y_label: str = "",
    value_label: str = "",
) -> Axes:
    """Numbers as shades, light for little and dark for much, such as attention or probabilities.

    Parameters
    ----------
    matrix : array of shape (rows, columns)
        nan where there is nothing, such as the future in causal attention: left white.
    row_labels, column_labels : sequences of str
    ax : matplotlib Axes, optional
    low, high : float, optional
        What is lightest and darkest; else the smallest and largest number.
    number : str or None
        How numbers are written into the fields, where there are at most 12 a side; None leaves
        them out.
    title, x_label, y_label, value_label : str

    Raises
    ------
    ValueError
        If the labels do not fit the shape.

    Examples
    --------
    >>> ax = heatmap([[1.0, float("nan")], [0.3, 0.7]], ["the", "cat"], ["the", "cat"])
    >>> [text.get_text() for text in ax.texts]
    ['1.00', '0.30', '0.70']
    """
    values = np.ma.masked_invalid(np.asarray(matrix, dtype=float))  # (rows, columns)
    if values.shape != (len(row_labels), len(column_labels)):
        raise ValueError(
            f"matrix must have the shape of its labels, ({len(row_labels)}, "
            f"{len(column_labels)}), got {values.shape}"
        )
    ax = _axis(ax)
    image = ax.imshow(values, cmap="Blues", vmin=low, vmax=high, aspect="auto")
    ax.set_xticks(range(len(column_labels)), _visible(column_labels))
    ax.set_yticks(range(len(row_labels)), _visible(row_labels))
    if max(map(len, _visible(column_labels)), default=0) > 4:
        ax.tick_params(axis="x", rotation=45)
    if number is not None and max(values.shape) <= 12:
        shades = np.asarray(image.cmap(image.norm(values)))  # (rows, columns, 4)
        for row, column in zip(*np.nonzero(~np.ma.getmaskarray(values)), strict=True):
            text = format(float(values[row, column]), number)
            ink = _ink(shades[row, column])
            ax.text(column, row, text, ha="center", va="center", color=ink, fontsize="small")
    ax.figure.colorbar(image, ax=ax, label=value_label)
    _label(ax, title, x_label, y_label)
    return ax


def bars(
    values: Mapping[str, float],
    ax: Axes | None = None,
    *,
    number: str | None = ".2f",
    highlight: str | None = None,
    title: str = "",
    x_label: str = "",
    y_label: str = "",
) -> Axes:
    """One horizontal bar for each name, the first on top, with its number beside it.

    Parameters
    ----------
    values : mapping from name to float
    ax : matplotlib Axes, optional
    number : str or None
        How the numbers are written; None leaves them out, where they differ between machines.
    highlight : str, optional
        The name of the bar that the text is about: hatched, and in another colour.
    title, x_label, y_label : str

    Examples
    --------
    >>> [float(bar.get_width()) for bar in bars({"train": 0.5, "test": 0.25}).patches]
    [0.5, 0.25]
    """
    ax = _axis(ax, height=1.2 + 0.32 * max(2, len(values)))
    drawn = ax.barh(_visible(list(values)), list(values.values()), color=STYLES[3].color)
    for name, bar in zip(values, drawn.patches, strict=True):
        bar.set_edgecolor("black")
        if name == highlight:
            bar.set(facecolor=STYLES[1].color, hatch="//")
    if number is not None:
        ax.bar_label(drawn, fmt="{:" + number + "}", padding=3)
        ax.margins(x=0.15)
    ax.invert_yaxis()
    ax.axvline(0, color="black", linewidth=0.8)
    _label(ax, title, x_label, y_label)
    return ax


def scatter_labelled(
    points: ArrayLike,
    labels: Sequence[str],
    groups: Sequence[str] | None = None,
    ax: Axes | None = None,
    *,
    title: str = "",
    x_label: str = "",
    y_label: str = "",
) -> Axes:
    """Points with their names beside them, such as learnt vectors; each group has its marker.

    Parameters
    ----------
    points : array of shape (n, 2)
    labels : sequence of n str
    groups : sequence of n str, optional
    ax : matplotlib Axes, optional
    title, x_label, y_label : str

    Raises
    ------
    ValueError
        If there are not as many labels, or groups, as points.

    Examples
    --------
    >>> ax = scatter_labelled([[0, 0], [1, 1]], ["cat", "dog"], ["animal", "animal"])
    >>> [text.get_text() for text in ax.texts]
    ['cat', 'dog']
    """
    at = np.asarray(points, dtype=float)  # (n, 2)
    groups = list(groups) if groups is not None else [""] * len(at)
    if at.shape != (len(labels), 2) or len(groups) != len(labels):
        raise ValueError(
            f"points must have the shape ({len(labels)}, 2), and there must be {len(labels)} "
            f"groups, as there are labels; got {at.shape} and {len(groups)}"
        )
    ax = _axis(ax, width=6.4, height=5)
    names = list(dict.fromkeys(groups))
    for place, group in enumerate(names):
        chosen = np.array([each == group for each in groups])
        color, marker, _ = style(place)
        ax.scatter(*at[chosen].T, color=color, marker=marker, label=group, zorder=2)
    ax.margins(0.12)
    _label(ax, title, x_label, y_label)
    _legend(ax, len(names))
    _name_points(ax, at, _visible(labels))
    return ax


def _name_points(ax: Axes, points: Any, labels: Sequence[str]) -> None:
    """Write each name on the first side of its point on which it covers no other name or point."""
    figure = ax.get_figure(root=True)
    assert figure is not None
    figure.draw_without_rendering()  # the layout decides how far apart the points are
    taken = [Bbox.from_extents(*(at - 3), *(at + 3)) for at in ax.transData.transform(points)]
    sides = [(1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1)]
    anchor = {1: ("left", "bottom"), -1: ("right", "top"), 0: ("center", "center")}
    for point, label in zip(points, labels, strict=True):
        for right, up in sides:
            text = ax.annotate(
                label,
                point,
                xytext=(6 * right, 5 * up),
                textcoords="offset points",
                ha=anchor[right][0],
                va=anchor[up][1],
                fontsize="small",
            )
            box = text.get_window_extent()
            if not box.count_overlaps(taken):
                break
            text.remove()
        else:  # no side is free
            text = ax.annotate(label, point, xytext=(6, 0), textcoords="offset points")
            text.set(fontsize="small", va="center")
        taken.append(box)


def _axis(ax: Axes | None, width: float = 6.4, height: float = 4.0) -> Axes:
    if ax is not None:
        return ax
    return plt.subplots(figsize=(width, height), layout="constrained")[1]


def _beside(ax: Axes) -> Axes:
    """A new axis on the right third of the room that this one has."""
    place = ax.get_subplotspec()
    if place is None:
        raise ValueError("ax must be one of plt.subplots, so that its room can be divided")
    halves = place.subgridspec(1, 2, width_ratios=(2, 1))
    ax.set_subplotspec(halves[0])
    return ax.figure.add_subplot(halves[1])


def _label(ax: Axes, title: str | None, x_label: str, y_label: str) -> None:
    if title:
        ax.set_title(title)
    ax.set_xlabel(x_label)
    ax.set_ylabel(y_label)
    ax.spines[["top", "right"]].set_visible(False)


def _legend(ax: Axes, series: int) -> None:
    if series > 1:
        # beside the picture, where it can hide nothing
        ax.legend(frameon=False, handlelength=3.5, loc="upper left", bbox_to_anchor=(1, 1))


def _ink(rgba: Any) -> str:
    """Black or white, whichever contrasts more with this colour."""
    linear = [((part + 0.055) / 1.055) ** 2.4 for part in rgba[:3]]  # sRGB to light
    return "black" if np.dot(linear, (0.2126, 0.7152, 0.0722)) > 0.18 else "white"


def _constants(ax: Axes, constants: Mapping[str, float]) -> None:
    for name, value in constants.items():
        ax.axhline(value, color="black", linestyle=(0, (1, 2)), linewidth=1, zorder=0)
        ax.annotate(
            name,
            (1, value),
            xycoords=("axes fraction", "data"),
            xytext=(-2, 2),
            textcoords="offset points",
            ha="right",
            fontsize="small",
        )


def _running_mean(points: Any, width: int) -> Any:
    width = min(width, len(points))
    kernel = np.ones(width) / width
    return np.stack([np.convolve(column, kernel, mode="valid") for column in points.T], axis=1)


def _wrapped(text: str, width: int) -> str:
    return textwrap.fill(text, width)


def _visible(labels: Iterable[str]) -> list[str]:
    """Labels whose blanks can be seen, and in which no $ begins a formula."""
    shown = (label.replace("\n", "⏎").replace("\t", "⇥").replace("$", r"\$") for label in labels)
    return [label if label.strip() else "␣" * len(label) for label in shown]


def byte_map(
    parts: Sequence[tuple[str, bytes]], ax: Axes | None = None, *, width: int = 16, title: str = ""
) -> Axes:
    """Bytes as a grid of cells, each part in a colour, hatching and number of its own.

    Parameters
    ----------
    parts : sequence of (name, bytes)
        In the order of the file; names that come again share their colour.
    ax : matplotlib Axes, optional
    width : int
        Cells in a row.
    title : str

    Examples
    --------
    >>> ax = byte_map([("length", bytes([2])), ("data", b"Hi")])
    >>> len(ax.patches), [text.get_text() for text in ax.texts[:3]]
    (3, ['02', '48\\nH', '69\\ni'])
    """
    names = list(dict.fromkeys(name for name, _ in parts))
    cells = [(names.index(name), byte) for name, data in parts for byte in data]
    rows = -(-len(cells) // width)
    ax = _axis(ax, 9.0, 1.0 + 0.55 * rows)
    shades = ["#FFFFFF", *(each.color for each in STYLES if each.color != "#000000")]
    hatches = ("", "", "///", "", "...", "", "xxx")
    drawn: dict[int, Any] = {}
    for place, (group, byte) in enumerate(cells):
        column, row = place % width, place // width
        face = to_rgba(shades[group % 7], 0.45)
        cell = Rectangle((column, row), 1, 1, facecolor=face, hatch=hatches[group % 7])
        cell.set(edgecolor=GREY, linewidth=0.6)
        drawn.setdefault(group, ax.add_patch(cell))
        seen = f"\n{chr(byte)}" if 32 < byte < 127 else ""
        text = ax.text(column + 0.5, row + 0.5, f"{byte:02x}{seen}", ha="center", va="center")
        text.set(fontsize="small", fontfamily="monospace")
        text.set_bbox({"fc": "white", "ec": "none", "pad": 0.5, "alpha": 0.7})  # over the hatching
    ax.set(xlim=(0, width), ylim=(rows, 0), xticks=[], yticks=np.arange(rows) + 0.5)
    ax.set_yticklabels([str(width * row) for row in range(rows)])
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
    ax.set_title(title)
    ax.legend(
        [drawn[group] for group in drawn], names, frameon=False, ncols=4, loc="upper center",
        bbox_to_anchor=(0.5, 0),
    )  # fmt: skip
    return ax
