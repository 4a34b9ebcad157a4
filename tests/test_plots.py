"""Each picture holds the data it was given, says what it shows, and needs no colour."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
import pytest

from llmtrain101 import plots
from llmtrain101.experiment import Claim, Results
from llmtrain101.experiment.cache import Run

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402  # after the backend is chosen
from matplotlib.axes import Axes  # noqa: E402
from matplotlib.colors import to_rgb  # noqa: E402


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    settings = matplotlib.rcParams.copy()
    yield
    plt.close("all")
    assert matplotlib.rcParams == settings, "a plot changed a setting for the whole session"


def rendered(ax: Axes) -> np.ndarray:
    """The picture as grey values; drawing it also finds what only fails then."""
    buffer = io.BytesIO()
    ax.figure.savefig(buffer, format="rgba", dpi=50)
    pixels = np.frombuffer(buffer.getvalue(), np.uint8).reshape(-1, 4)[:, :3]
    return pixels @ np.array([0.2126, 0.7152, 0.0722])


def history(start: float, steps: int = 40) -> list[dict[str, float]]:
    return [
        {"step": step, "loss": start / (1 + step), "seconds": step / 10} for step in range(steps)
    ]


def results(n: int = 5, **fields: Any) -> Results:
    claim = Claim(
        "rest helps",
        control="no rest",
        treatment="rest",
        metric="score of a $5 test",
        smallest_effect=0.5,
        **fields,
    )
    runs = [Run("no rest", seed, seed + 1.0, 0.1) for seed in range(n)]
    runs += [Run("rest", seed, seed + 2.0 + seed / 10, 0.1) for seed in range(n)]
    runs += [Run("guess", seed, 0.5, 0.1) for seed in range(n)]
    return Results(claim, tuple(runs), {"majority": 0.25})


ARMS = ["a", "b", "c", "d", "e", "f", "g"]


def test_the_styles_differ_in_marker_and_line_not_only_in_colour() -> None:
    for part in ("color", "marker", "linestyle"):
        assert len({str(getattr(each, part)) for each in plots.STYLES}) == len(plots.STYLES)
    for each in plots.STYLES:  # and each can be seen on white: 2 to 1 at least
        linear = [((part + 0.055) / 1.055) ** 2.4 for part in to_rgb(each.color)]
        assert 1.05 / (np.dot(linear, (0.2126, 0.7152, 0.0722)) + 0.05) > 2


def test_loss_curves_draw_every_history_by_step_or_by_time() -> None:
    histories = {name: history(place + 2.0) for place, name in enumerate(ARMS)}
    ax = plots.loss_curves(histories, title="Two trainings", x="seconds")
    for line, (name, rows) in zip(ax.lines, histories.items(), strict=True):
        assert line.get_label() == name
        assert line.get_xydata().tolist() == [[row["seconds"], row["loss"]] for row in rows]
    assert len({str(line.get_linestyle()) + line.get_marker() for line in ax.lines}) == 7
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ARMS
    assert (ax.get_title(), ax.get_xlabel()) == ("Two trainings", "seconds")
    assert ax.get_ylabel() == "loss (nats per token)"
    rendered(ax)


def test_smoothing_shows_means_and_keeps_the_single_points_behind() -> None:
    ax = plots.loss_curves({"one": history(4.0, steps=6)}, smooth=3)
    raw, smooth = ax.lines
    assert raw.get_alpha() < 0.5 and len(raw.get_xdata()) == 6
    losses = raw.get_ydata()
    assert smooth.get_ydata() == pytest.approx([losses[i : i + 3].mean() for i in range(4)])
    assert smooth.get_xdata() == pytest.approx([1, 2, 3, 4])
    assert ax.get_legend() is None  # of one line there is nothing to tell apart
    assert len(plots.loss_curves({"short": history(4.0, steps=2)}, smooth=50).lines) == 2


@pytest.mark.parametrize("rows", [[], [{"step": 1}]])
def test_a_history_that_lacks_its_keys_is_named(rows: list[dict[str, float]]) -> None:
    with pytest.raises(ValueError, match="history 'mine' must have 'step' and 'loss'"):
        plots.loss_curves({"mine": rows})


def test_a_learning_curve_has_a_dot_for_each_run_and_a_line_through_the_means() -> None:
    rows = [
        {"arm": arm, "labels": labels, "value": labels**0.5 + 10 * place + seed}
        for place, arm in enumerate(("own", "theirs"))
        for labels in (20, 1000)
        for seed in range(3)
    ]
    ax = plots.learning_curve(
        pd.DataFrame(rows), constants={"majority": 0.3}, y_label="accuracy", title="More labels"
    )
    own, theirs, _ = ax.lines
    assert own.get_ydata() == pytest.approx([20**0.5 + 1, 1000**0.5 + 1])
    assert theirs.get_ydata() == pytest.approx(own.get_ydata() + 10)
    dots = np.concatenate([np.asarray(each.get_offsets()) for each in ax.collections])
    assert dots.tolist() == [[row["labels"], row["value"]] for row in rows]
    assert ax.get_xscale() == "log"
    assert [text.get_text() for text in ax.get_xticklabels()] == ["20", "1,000"]
    assert ax.texts[0].get_text() == "majority" and ax.get_ylabel() == "accuracy"
    assert own.get_linestyle() != theirs.get_linestyle()
    rendered(ax)


def test_every_run_of_a_claim_is_drawn_and_pairs_are_joined() -> None:
    given = results()
    ax = given.plot()
    drawn = {
        tick.get_text(): np.asarray(dots.get_offsets())[:, 1].tolist()
        for tick, dots in zip(ax.get_xticklabels(), ax.collections, strict=True)
    }
    assert drawn == given.values
    joined = [tuple(line.get_ydata()) for line in ax.lines if list(line.get_xdata()) == [0, 1]]
    pairs = zip(given.values["no rest"], given.values["rest"], strict=True)
    assert joined[:5] == list(pairs)
    assert "higher is better" in ax.get_ylabel()
    assert "supported (5 seeds)" in ax.figure.get_suptitle()
    assert [text.get_text() for text in ax.texts] == ["majority"]
    rendered(ax)


def test_the_difference_has_an_axis_of_its_own_with_its_interval() -> None:
    given = results(unit="points", higher_is_better=False)
    ax = given.plot()
    right = ax.figure.axes[-1]
    dots, whisker = right.collections[0], right.collections[-1]
    assert np.asarray(dots.get_offsets())[:, 1].tolist() == given.differences
    (segment,) = whisker.get_segments()
    assert segment[:, 1].tolist() == pytest.approx(list(given.interval))
    labels = [text.get_text() for text in right.get_legend().get_texts()]
    assert labels == ["too small to matter", "one seed", "mean, 95 % interval"]
    assert right.get_ylabel() == "+ is as predicted (points)"
    assert "lower is better" in ax.get_ylabel() and "not supported" in ax.figure.get_suptitle()


def test_pairs_can_be_drawn_into_a_figure_of_ones_own() -> None:
    figure, (first, second) = plt.subplots(2, 1, layout="constrained", figsize=(6, 6))
    assert plots.paired(results(), second, title="mine") is second
    assert len(figure.axes) == 3 and not first.has_data()
    rendered(second)
    with pytest.raises(ValueError, match="one of plt.subplots"):
        plots.paired(results(), plt.figure().add_axes((0, 0, 1, 1)))


def test_a_heatmap_shows_each_number_dark_for_much_with_ink_that_can_be_read() -> None:
    matrix = [[1.0, np.nan, np.nan], [0.25, 0.75, np.nan], [0.5, 0.5, 0.0]]
    ax = plots.heatmap(matrix, ["the", " ", "$x"], ["the", " ", "\n"], value_label="weight", low=0)
    assert np.array_equal(ax.images[0].get_array().filled(np.nan), matrix, equal_nan=True)
    assert [text.get_text() for text in ax.texts] == [
        "1.00",
        "0.25",
        "0.75",
        "0.50",
        "0.50",
        "0.00",
    ]
    assert [text.get_text() for text in ax.get_yticklabels()] == ["the", "␣", r"\$x"]
    assert [text.get_text() for text in ax.get_xticklabels()] == ["the", "␣", "⏎"]
    shades = ax.images[0].cmap(np.linspace(0, 1, 9))[:, :3] @ (0.2126, 0.7152, 0.0722)
    assert (np.diff(shades) < 0).all()  # in grey too, darker is more
    assert ax.figure.axes[-1].get_ylabel() == "weight"
    rendered(ax)
    assert not plots.heatmap(np.ones((13, 2)), ["a"] * 13, ["b"] * 2).texts
    with pytest.raises(ValueError, match=r"\(1, 2\), got \(2, 1\)"):
        plots.heatmap([[1], [2]], ["a"], ["b", "c"])


@pytest.mark.parametrize("shade", np.linspace(0, 1, 11))
def test_ink_contrasts_with_its_field(shade: float) -> None:
    def light(color: Any) -> float:
        linear = [((part + 0.055) / 1.055) ** 2.4 for part in to_rgb(color)]
        return float(np.dot(linear, (0.2126, 0.7152, 0.0722))) + 0.05

    field = matplotlib.colormaps["Blues"](shade)
    lights = sorted((light(field), light(plots._ink(field))))
    assert lights[1] / lights[0] > 4.5  # what the accessibility guidelines ask of text


def test_bars_stand_in_their_order_with_their_numbers() -> None:
    values = {"train": 0.5, "test": -0.25, " ": 0.125}
    ax = plots.bars(values, highlight="test", x_label="accuracy", title="Twice")
    assert [bar.get_width() for bar in ax.patches] == list(values.values())
    assert [text.get_text() for text in ax.get_yticklabels()] == ["train", "test", "␣"]
    assert [text.get_text() for text in ax.texts] == ["0.50", "-0.25", "0.12"]
    assert ax.yaxis.get_inverted() and ax.get_xlabel() == "accuracy"
    assert [bar.get_hatch() for bar in ax.patches] == [None, "//", None]
    assert not plots.bars(values, number=None).texts
    rendered(ax)


def test_names_stand_beside_their_points_and_cover_neither_each_other_nor_points() -> None:
    draw = np.random.default_rng(0)
    points = draw.normal(size=(24, 2))
    points[1] = points[0] + 0.02  # all but the same
    labels = [f"word{place}" for place in range(24)]
    groups = [ARMS[place % 3] for place in range(24)]
    ax = plots.scatter_labelled(points, labels, groups, x_label="first", y_label="second")
    assert [text.get_text() for text in ax.texts] == labels
    assert [tuple(text.xy) for text in ax.texts] == [tuple(point) for point in points]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ARMS[:3]
    ax.figure.canvas.draw()
    boxes = [text.get_window_extent() for text in ax.texts]
    overlaps = sum(box.count_overlaps(boxes) - 1 for box in boxes)
    assert overlaps == 0
    markers = {tuple(map(tuple, each.get_paths()[0].vertices)) for each in ax.collections}
    assert len(markers) == 3
    with pytest.raises(ValueError, match="there must be 1 groups"):
        plots.scatter_labelled([[0, 0]], ["a"], ["b", "c"])


def test_a_picture_is_not_blank_in_grey() -> None:
    grey = rendered(plots.loss_curves({"one": history(3.0), "two": history(2.0)}))
    assert grey.max() > 250 and grey.min() < 50


def test_nothing_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plt, "show", lambda *args, **options: pytest.fail("shown"))
    figure, ax = plt.subplots()
    assert plots.bars({"a": 1.0}, ax) is ax and len(plt.get_fignums()) == 1
