"""A slider for how long to train, from seconds to an hour."""

from __future__ import annotations

from typing import Any

from llmtrain101.course.show import show_widget


def minutes_slider(default: float = 0.1, longest: float = 60.0) -> Any:
    """Show a slider for minutes; its `.value` is a number, whether or not anybody moved it.

    Steps grow with the value, so that seconds and hours are equally easy to reach.

    Parameters
    ----------
    default, longest : float
        Minutes.

    Returns
    -------
    ipywidgets.FloatLogSlider
        Setting its `value` is the way without a mouse: `slider.value = 5`.

    Raises
    ------
    ValueError
        If the default is not positive, or longer than the longest.
    """
    from math import log10

    import ipywidgets

    if not 0 < default <= longest:
        raise ValueError(f"default must be above 0 and at most {longest}, got {default}.")
    slider = ipywidgets.FloatLogSlider(
        value=default,
        min=log10(min(default, 0.1)),
        max=log10(longest),
        step=0.05,
        readout_format=".2f",
        description="minutes",
    )
    note = f"Minutes to train: {default:g}. The slider appears when you run this cell."
    show_widget(slider, note, f"<p>▸ {note}</p>")
    return slider
