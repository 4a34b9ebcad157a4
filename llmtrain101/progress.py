"""One kind of progress bar for everything that takes longer than a moment."""

from __future__ import annotations

import sys
from typing import Any

from tqdm import tqdm


def bar(
    total: int, description: str, *, unit: str = "step", done: int = 0, show: bool = True
) -> tqdm[Any]:
    """A bar with what is done, how fast, and how long it will still take.

    What was `done` before counts towards the total, not towards the speed. The bar goes to standard
    output: on standard error a notebook would colour it as if it were a fault.

    Examples
    --------
    >>> with bar(2, "doubling", show=False) as progress:
    ...     for number in (1, 2):
    ...         _ = progress.update()
    """
    return tqdm(
        total=total,
        initial=done,
        desc=description,
        unit=f" {unit}",
        file=sys.stdout,
        disable=not show,
        mininterval=0.2,
        dynamic_ncols=False,
        ncols=88,
    )
