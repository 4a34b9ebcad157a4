"""A CSV file of labelled rows as numbers, and a picture of what a model makes of such rows.

What a column means is guessed from what is in it; lessons 03 and 04 do by hand what is done here.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmtrain101 import seeds

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike, NDArray

MAX_LABELS = 20
MAX_CATEGORIES = 50
FEW = 50


def read_csv(
    path: str | Path,
    *,
    label: str | int = -1,
    header: bool | None = None,
    rows: int = 2_000,
    seed: int = 0,
    say: Callable[[str], None] = print,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Inputs and labels from a file of any size, of which at most `rows` rows are kept.

    Commas, semicolons and tabs are told apart; blanks around a value, upper and lower case, and
    rows that are there twice do not count; `?` and nothing are missing values.

    Parameters
    ----------
    path : str or Path
    label : str or int
        The column to predict, by name or place; by default the last.
    header : bool, optional
        Whether the first line holds names; else it does unless a number is in it.
    rows : int
        Drawn at random from the whole file, in bounded memory.
    seed : int
        Of that draw.
    say : callable
        Gets a line on what became of the file.

    Returns
    -------
    inputs : float array of shape (n, d)
        Each column with mean 0 and deviation 1: numbers, with the median where one is missing,
        and a column of 0 and 1 for each category of a text.
    labels : int array of shape (n,)
        0, 1, … in the alphabetical order of what was in the file.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is no table, or has no column to predict, or none to predict it from.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "rows.csv"
    ...     lines = ["age,gender,label", "22,Male,0", "35,Female,1", "41, male ,1", "22,Male,0"]
    ...     _ = path.write_text("\\n".join(lines), encoding="utf-8")
    ...     inputs, labels = read_csv(path)
    rows.csv: 3 different rows of 4; label column 'label': '0' 1, '1' 2; 3 inputs; with so few \
rows chance decides most of what you find
    >>> inputs.shape, labels.tolist()
    ((3, 3), [0, 1, 1])
    """
    import pandas as pd

    path = Path(path)
    sample, total = _sample(path, header, rows, seed)
    if len(sample) == 0:
        raise ValueError(f"{path.name} has no rows below its first line.")
    names = [str(name) for name in sample.columns]
    if isinstance(label, str) and label not in names:
        raise ValueError(f"{path.name} has no column {label!r}; it has {_listed(names)}.")
    if not isinstance(label, str) and not -len(names) <= label < len(names):
        raise ValueError(f"{path.name} has {len(names)} columns, so label={label} is none of them.")
    name = label if isinstance(label, str) else names[label]
    sample.columns = pd.Index(names)
    sample = sample.dropna(subset=[name]).drop_duplicates()
    codes, classes = _labels(path, name, sample[name])
    inputs, dropped = _inputs(sample.drop(columns=name))
    if inputs.shape[1] == 0:
        raise ValueError(
            f"{path.name} has no column to predict {name!r} from: one needs numbers, or texts "
            f"of which there are at most {MAX_CATEGORIES} different ones."
        )
    counts = ", ".join(f"{text!r} {(codes == code).sum()}" for code, text in enumerate(classes))
    aside = f"; left out: {_listed(dropped)}" if dropped else ""
    if len(sample) < FEW:
        aside += "; with so few rows chance decides most of what you find"
    say(
        f"{path.name}: {len(sample):,} different rows of {total:,}; label column {name!r}: "
        f"{counts}; {inputs.shape[1]} inputs{aside}"
    )
    return inputs, codes


def boundaries(
    panels: Mapping[str, tuple[pd.DataFrame, Mapping[str, ArrayLike]]],
    inputs: Callable[[pd.DataFrame], NDArray[np.float64]],
) -> Figure:
    """People by age and income, and the line along which a model finds both labels as likely.

    Parameters
    ----------
    panels : mapping from title to people and models
        People with the columns age, income and label (0 or 1), of which 300 are drawn; models by
        name, each as its d weights.
    inputs : function
        From n people with age, gender and income to the array of shape (n, d) that the weights
        are for. It is asked about women.

    Examples
    --------
    >>> import pandas as pd
    >>> people = pd.DataFrame({"age": [20, 60], "income": [20_000, 80_000], "label": [0, 1]})
    >>> models = {"richer": [-5.0, 1e-4]}
    >>> figure = boundaries({"2 rows": (people, models)}, lambda table: pd.DataFrame(
    ...     {"constant": 1.0, "income": table["income"]}).to_numpy())
    >>> [ax.get_title() for ax in figure.axes]
    ['2 rows']
    """
    import matplotlib.pyplot as plt
    import numpy as np
    import pandas as pd

    from llmtrain101 import plots  # the way up: only pictures need it

    size = (5.6 if len(panels) == 1 else 3.5 * len(panels), 3.8)
    figure, axes = plt.subplots(
        1, len(panels), figsize=size, sharey=True, squeeze=False, layout="constrained"
    )
    ages, incomes = np.meshgrid(np.arange(18, 76), np.arange(0, 100_001, 1_000))
    grid = pd.DataFrame({"age": ages.ravel(), "gender": "Female", "income": incomes.ravel()})
    for ax, (title, (people, models)) in zip(axes[0], panels.items(), strict=True):
        for label, place in ((0, 3), (1, 1)):  # light blue and orange
            some = people[:300][people[:300]["label"] == label]
            color, marker, _ = plots.style(place)
            look: dict[str, Any] = {"color": color, "marker": marker, "alpha": 0.7, "linewidth": 0}
            ax.scatter(some["age"], some["income"], s=18, label=f"label {label}", **look)
        for (name, weights), line in zip(models.items(), ("--", "-", ":"), strict=False):
            scores = (inputs(grid) @ np.asarray(weights)).reshape(ages.shape)
            if scores.min() < 0 < scores.max():
                ax.contour(ages, incomes, scores, [0], colors="black", linestyles=line)
            ax.plot([], [], color="black", linestyle=line, label=name)
        ax.set(xlim=(17, 76), ylim=(0, 100_000), xlabel="age", title=title)
        ax.spines[["top", "right"]].set_visible(False)
    axes[0, 0].set_ylabel("income")
    axes[0, 0].yaxis.set_major_formatter("{x:,.0f}")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right upper", frameon=False)
    return figure


def _sample(path: Path, header: bool | None, rows: int, seed: int) -> tuple[pd.DataFrame, int]:
    """Rows of a file as text, drawn at random, and how many there were."""
    import pandas as pd

    if not path.is_file():
        raise FileNotFoundError(f"There is no file {path} (looked for in {Path.cwd()}).")
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        start = file.read(65_536)
    if not start.strip():
        raise ValueError(f"{path.name} is empty.")
    try:
        delimiter = csv.Sniffer().sniff(start, delimiters=",;\t|").delimiter
    except csv.Error:
        delimiter = ","
    first = next(csv.reader(start.splitlines(), delimiter=delimiter, skipinitialspace=True))
    if len(first) < 2:
        raise ValueError(
            f"{path.name} has one column only ({start.splitlines()[0][:60]!r}); a table needs "
            "inputs and a label, with commas, semicolons or tabs between them."
        )
    if header is None:
        header = not any(map(_is_number, first))
    kept, total = pd.DataFrame(), 0
    rng = seeds.rng(seed, "rows of a file")
    try:
        parts = pd.read_csv(
            path,
            sep=delimiter,
            header=0 if header else None,
            names=None if header else [f"column {place}" for place in range(1, len(first) + 1)],
            dtype=str,
            index_col=False,
            skipinitialspace=True,
            na_values=["?"],
            encoding="utf-8-sig",
            encoding_errors="replace",
            chunksize=50_000,
        )
        for part in parts:
            total += len(part)
            part.index = pd.Index(rng.random(len(part)))  # the rows with the smallest are kept
            kept = pd.concat([kept, part]).sort_index().head(rows)
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise ValueError(f"{path.name} is not a table that can be read: {error}") from error
    kept = kept.apply(lambda column: column.str.strip().str.casefold())
    if delimiter == ";":  # where a comma is the decimal sign
        kept = kept.replace(r"^([-+]?\d+),(\d+)$", r"\1.\2", regex=True)
    return kept, total


def _labels(path: Path, name: str, column: pd.Series[str]) -> tuple[NDArray[np.int64], list[str]]:
    import numpy as np

    classes = sorted(set(column))
    if not 2 <= len(classes) <= MAX_LABELS:
        raise ValueError(
            f"column {name!r} of {path.name} has {len(classes)} different values; a label needs 2 "
            f"to {MAX_LABELS}. Name another one with label=…, or cut a number into classes first; "
            "if the first line holds no names, say header=False."
        )
    return np.array([classes.index(each) for each in column]), classes


def _inputs(table: pd.DataFrame) -> tuple[NDArray[np.float64], list[str]]:
    """Columns of numbers, each with mean 0 and deviation 1, and the names of those left out."""
    import numpy as np
    import pandas as pd

    columns: list[Any] = []
    dropped = []
    for name in table:
        texts = table[name]
        numbers = pd.to_numeric(texts, errors="coerce")
        if texts.notna().any() and numbers.notna().sum() >= 0.95 * texts.notna().sum():
            columns.append(numbers.fillna(numbers.median()).to_numpy(float))
        elif 1 <= texts.nunique() <= MAX_CATEGORIES:
            columns += [(texts == each).to_numpy(float) for each in sorted(set(texts.dropna()))]
        else:
            dropped.append(str(name))
    inputs = np.column_stack(columns) if columns else np.empty((len(table), 0))
    inputs = inputs[:, inputs.std(axis=0) > 0]
    return (inputs - inputs.mean(axis=0)) / inputs.std(axis=0), dropped


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _listed(names: list[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:12])
    return shown + (f" and {len(names) - 12} more" if len(names) > 12 else "")
