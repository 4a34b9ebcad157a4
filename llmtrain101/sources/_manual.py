"""The Python manual's prose, as `help("if")` shows it: `pydoc_data.topics`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def manual() -> pd.DataFrame:
    """The topics of Python's language reference, in alphabetical order.

    Returns
    -------
    DataFrame, one row for each topic, with columns of strings
        topic : as in `help(topic)`, for example `"lambda"`;
        text : plain text with headings underlined by `*`, `=` or `-`, as it is in the file but for
            white space at both ends.

    Raises
    ------
    ModuleNotFoundError
        If this Python came without its manual, as some small builds do.

    Examples
    --------
    >>> table = manual()
    >>> assertion = table[table.topic == "assert"].text.iloc[0]
    >>> assertion.splitlines()[0]
    'The "assert" statement'
    """
    import pandas as pd

    try:
        from pydoc_data.topics import topics  # a file of one dictionary: nothing else is run
    except ImportError:
        raise ModuleNotFoundError(
            "This Python came without its manual (the module pydoc_data). A Python from python.org "
            "or conda has it; on Debian and Ubuntu: apt install python3-full"
        ) from None
    names = sorted(topics)
    return pd.DataFrame({"topic": names, "text": [topics[name].strip() for name in names]})
