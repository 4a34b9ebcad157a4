"""CSV files as people have them become inputs and labels, or are turned away with a reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from llmtrain101.table import boundaries, read_csv

ADULT = Path(__file__).resolve().parents[2] / "shared" / "data" / "adult.csv"


def read(folder: Path, text: str, **settings: Any) -> tuple[Any, Any, str]:
    """Inputs, labels, and what was said of the file."""
    path = folder / "rows.csv"
    path.write_bytes(text.encode())
    said: list[str] = []
    return *read_csv(path, say=said.append, **settings), said[0]


@pytest.mark.parametrize(
    "text",
    [
        "age,city,yes\n30,Rome,0\n40,Oslo,1\n50,Rome,1\n",
        "age;city;yes\r\n30;Rome;0\r\n40;Oslo;1\r\n50;Rome;1\r\n",
        "age\tcity\tyes\n30\t Rome\t0\n40\tOSLO \t1\n50\trome\t1",
        "30,Rome,0\n40,Oslo,1\n50,Rome,1\n30,rome,0\n\n",
        "\ufeffage,city,yes\n30,Rome,0\n40,Oslo,1\n50,Rome,1\n",
        'age,city,yes\n30,"Rome",0\n40,"Oslo",1\n50,"Rome",1\n',
    ],
)
def test_the_same_table_however_it_is_written(tmp_path: Path, text: str) -> None:
    inputs, labels, _ = read(tmp_path, text)
    found = sorted(np.column_stack([inputs, labels]).tolist())
    one, two, wide = 0.5**0.5, 2**0.5, 1.5**0.5  # age; lives in Oslo; in Rome; the label
    expected = [[-wide, -one, one, 0], [0, two, -two, 1], [wide, -one, one, 1]]
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_gaps_twins_and_useless_columns(tmp_path: Path) -> None:
    rows = [
        f"name {n},{n % 7 if n % 5 else '?'},same,{'yes' if n % 2 else 'no'}" for n in range(60)
    ]
    inputs, labels, said = read(tmp_path, "\n".join(["id,score,x,answer", *rows, rows[0], ",,,"]))
    assert inputs.shape == (60, 1) and np.isfinite(inputs).all()
    np.testing.assert_allclose([inputs.mean(), inputs.std()], [0, 1], atol=1e-12)
    assert labels.sum() == 30
    assert "60 different rows of 62" in said and "left out: 'id'" in said


def test_a_decimal_comma_is_one_where_semicolons_part_the_columns(tmp_path: Path) -> None:
    text = "price;kind;yes\n1,5;a;0\n-2,25;b;1\n3;a;1\n"
    inputs, *_ = read(tmp_path, text)
    assert inputs.shape == (3, 3) and sorted(inputs[:, 0].argsort().argsort()) == [0, 1, 2]
    *_, said = read(tmp_path, text.replace(";", "|"))
    assert "4 inputs" not in said and "5 inputs" in said  # there it is a text: three categories


def test_the_label_may_be_any_column(tmp_path: Path) -> None:
    text = "age,city,yes\n30,Rome,0\n40,Oslo,1\n50,Rome,1\n"
    for label in ("city", 1, -2):
        assert sorted(read(tmp_path, text, label=label)[1]) == [0, 1, 1]


def test_rows_are_drawn_from_the_whole_of_a_large_file(tmp_path: Path) -> None:
    text = "n,label\n" + "".join(f"{n},{n % 2}\n" for n in range(120_000))
    inputs, labels, said = read(tmp_path, text, rows=1_000)
    assert len(inputs) == len(labels) == 1_000 and "of 120,000" in said
    # sorted by the file, the first half of it holds about half: beyond 5 deviations 1 in a million
    unit = (inputs[:, 0] - inputs.min()) / np.ptp(inputs)
    assert abs((unit < 0.5).mean() - 0.5) < 5 * 0.5 / 1_000**0.5
    again, *_ = read(tmp_path, text, rows=1_000)
    other, *_ = read(tmp_path, text, rows=1_000, seed=1)
    np.testing.assert_array_equal(inputs, again)
    assert not np.array_equal(inputs, other)


@pytest.mark.parametrize(
    ("text", "settings", "said"),
    [
        ("", {}, "is empty"),
        ("\n \n", {}, "is empty"),
        ("a,b\n", {}, "has no rows"),
        ("only\n1\n2\n", {}, "one column only"),
        ("a,b\n1,0\n2,1\n", {"label": "c"}, "no column 'c'; it has 'a', 'b'"),
        ("a,b\n1,0\n2,1\n", {"label": 2}, "has 2 columns, so label=2 is none of them"),
        ("a,b\n1,0\n2,0\n", {}, "'b' of rows.csv has 1 different values"),
        ("a,b\n" + "".join(f"1,{n}\n" for n in range(30)), {}, "has 30 different values"),
        ("a,b\n1,0\n1,1\n", {}, "no column to predict 'b' from"),
        ("a,b\n1,0\n2,1,5\n", {}, "not a table that can be read.*line 3"),
    ],
)
def test_what_is_no_table_is_turned_away(
    tmp_path: Path, text: str, settings: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        read(tmp_path, text, **settings)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no file .*people\.csv"):
        read_csv(tmp_path / "people.csv")


@pytest.mark.skipif(not ADULT.exists(), reason="a real table that is not part of the project")
def test_a_real_table_without_names() -> None:
    said: list[str] = []
    inputs, labels = read_csv(ADULT, say=said.append)
    assert inputs.shape[0] == len(labels) == 2_000 and np.isfinite(inputs).all()
    assert "of 16,281" in said[0] and 0.2 < labels.mean() < 0.28


def test_lines_lie_where_the_score_is_0() -> None:
    people = pd.DataFrame({"age": [20, 60], "income": [20_000, 80_000], "label": [0, 1]})

    def inputs(table: pd.DataFrame) -> Any:
        return np.column_stack([np.ones(len(table)), table["income"] / 1_000])

    figure = boundaries({"": (people, {"truth": [-50, 1], "nobody": [-1_000, 1]})}, inputs)
    (lines,) = (each for each in figure.axes[0].collections if hasattr(each, "levels"))
    np.testing.assert_allclose(lines.get_paths()[0].vertices[:, 1], 50_000)
    plt.close(figure)
