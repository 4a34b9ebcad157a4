"""What can be seen in an image of a digit, as numbers: ink, strokes, holes, symmetry, projections.

Written for 8 × 8 cells with ink from 0 to 16, as `sources.digits` gives them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from llmtrain101.labels.rules import Rule

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

INKED = 6  # a cell with more than this much ink, of 16, belongs to a stroke


def features(images: ArrayLike) -> pd.DataFrame:
    """One row of visual features for each image.

    Parameters
    ----------
    images : array of shape (n, height, width)
        Ink from 0 to 16.

    Returns
    -------
    DataFrame with the columns
        `ink`: the mean over all cells, from 0 to 1; `width`: the columns with a stroke, as a share;
        `holes`: how many places are enclosed by strokes; `hole_size`: their cells, as a share;
        `hole_height`: where their middle lies, from 0 at the top to 1 (0.5 without a hole);
        `mirror`, `flip`, `turn`: how like the image is to itself mirrored left to right, turned
        upside down, and turned by half a circle (1: the same); `strokes_top`, `strokes_middle`,
        `strokes_bottom`: strokes met by a line across that third, `strokes_down`: by a line down
        the middle; `row_0` … and `column_0` …: the projections, ink by row and by column.

    Raises
    ------
    ValueError
        If the shape is another one.

    Examples
    --------
    >>> ring = np.zeros((8, 8))
    >>> ring[1:7, 2:6] = 16
    >>> ring[3:5, 3:5] = 0
    >>> seen = features([ring]).iloc[0]
    >>> seen[["holes", "mirror", "strokes_middle", "hole_height"]].tolist()
    [1.0, 1.0, 2.0, 0.5]
    """
    import pandas as pd

    cells = np.asarray(images, dtype=float)
    if cells.ndim != 3:
        raise ValueError(f"images must have the shape (n, height, width), got {cells.shape}.")
    _, height, width = cells.shape
    dark = cells > INKED  # (n, height, width)
    third = height // 3
    across = _strokes(dark)  # (n, height): strokes met in each row
    down = _strokes(dark.transpose(0, 2, 1))  # (n, width)
    columns = {
        "ink": cells.mean((1, 2)) / 16,
        "width": dark.any(1).mean(1),
        **_holes(dark),
        "mirror": _likeness(cells, cells[:, :, ::-1]),
        "flip": _likeness(cells, cells[:, ::-1]),
        "turn": _likeness(cells, cells[:, ::-1, ::-1]),
        "strokes_top": across[:, :third].max(1).astype(float),
        "strokes_middle": across[:, third : height - third].max(1).astype(float),
        "strokes_bottom": across[:, height - third :].max(1).astype(float),
        "strokes_down": down[:, width // 2 - 1 : width // 2 + 1].max(1).astype(float),
    }
    rows, ups = cells.mean(2) / 16, cells.mean(1) / 16
    columns |= {f"row_{place}": rows[:, place] for place in range(height)}
    columns |= {f"column_{place}": ups[:, place] for place in range(width)}
    return pd.DataFrame(columns)


def _strokes(dark: NDArray[np.bool_]) -> NDArray[np.int64]:
    """How many strokes a line meets: the changes from light to dark, along the last axis."""
    before = np.pad(dark, [(0, 0)] * (dark.ndim - 1) + [(1, 0)])[..., :-1]
    return np.asarray((dark & ~before).sum(-1))


def _likeness(cells: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cosine of two images: 1 where they are the same, 0 where they share no ink."""
    length = (cells**2).sum((1, 2))
    return np.asarray((cells * other).sum((1, 2)) / np.maximum(length, 1e-12))


def _holes(dark: NDArray[np.bool_]) -> dict[str, NDArray[np.float64]]:
    from scipy import ndimage

    found = np.zeros((len(dark), 3))
    found[:, 2] = 0.5
    for place, image in enumerate(dark):
        # light cells joined side by side; what hangs together with the margin is outside
        areas, n = ndimage.label(~np.pad(image, 1))
        inside = (areas > 0) & (areas != areas[0, 0])
        if n > 1:
            middle = np.nonzero(inside)[0].mean() - 1  # the padding moved it down by a row
            found[place] = n - 1, inside.sum() / image.size, middle / (len(image) - 1)
    return {"holes": found[:, 0], "hole_size": found[:, 1], "hole_height": found[:, 2]}


def _where(label: int, name: str, test: Callable[[Mapping[str, float]], bool]) -> Rule:
    return Rule(name, lambda seen: label if test(seen) else None)


# Written from how digits are drawn, and tried on the first 600 images.
DIGIT_RULES = (
    _where(0, "a large hole", lambda d: d["holes"] == 1 and d["hole_size"] > 0.07),
    _where(
        1,
        "one stroke, alike at both ends",
        lambda d: d["holes"] == 0 and d["strokes_down"] == 1 and d["flip"] > 0.75,
    ),
    _where(
        2,
        "a foot under little ink",
        lambda d: d["holes"] == 0 and d["row_6"] + d["row_7"] > 2 * (d["row_3"] + d["row_4"]),
    ),
    _where(
        3,
        "three strokes down, ink on the right",
        lambda d: d["holes"] == 0 and d["strokes_down"] == 3 and d["column_5"] > d["column_2"],
    ),
    _where(
        4,
        "most ink in the middle, little at the ends",
        lambda d: d["row_4"] > 1.5 * max(d["row_1"], d["row_6"]),
    ),
    _where(
        5,
        "ink above left, open",
        lambda d: d["holes"] == 0 and d["row_0"] > 0.35 and d["column_2"] > 1.3 * d["column_5"],
    ),
    _where(6, "a hole below", lambda d: d["holes"] == 1 and d["hole_height"] > 0.6),
    _where(
        7,
        "much ink above, little below",
        lambda d: d["holes"] == 0 and d["row_0"] + d["row_1"] > 1.8 * (d["row_6"] + d["row_7"]),
    ),
    _where(8, "two holes", lambda d: d["holes"] >= 2),
    _where(
        9,
        "a hole above, a stroke below",
        lambda d: d["holes"] == 1 and d["hole_height"] < 0.42 and d["row_1"] > d["row_5"],
    ),
)


def items(images: ArrayLike) -> list[dict[str, float]]:
    """The features of each image as a dict, which is what a rule reads.

    Examples
    --------
    >>> from llmtrain101.labels import rules
    >>> rules.apply(DIGIT_RULES, items(np.zeros((1, 8, 8))), range(10)).shape
    (1, 10)
    """
    return [
        {str(k): float(v) for k, v in row.items()} for row in features(images).to_dict("records")
    ]
