"""CSV, TSV, JSON Lines, JSON arrays and plain lines: rows come back, damage is named."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmtrain101 import formats
from llmtrain101.formats import FormatError, _rows, jsonlines, lines, pairs, tabular

texts = st.text(st.characters(codec="utf-8"), max_size=20)
NASTY = [
    "", "zero\0byte", "two\nlines\r\nmore\rmore", 'a "quote", and, commas', "\ttab\t",
    "<script>alert(1)</script>", "=cmd|' /C calc'!A0", "\u202eright to left\u202c", "日本語 😀",
    "\ufeffmark", "\u2028", "'", "'=1", "''+1", "-1", "+1", "@sum", "\r", "NULL", "?", "007",
]  # fmt: skip


def plain(rows: Any) -> str:
    """Equal if all is, nan included; the order of the columns does not matter."""
    return repr([sorted(row.items()) for row in rows])


# --- CSV ----------------------------------------------------------------------------------------

TYPES = {"t": str, "o": str | None, "i": int, "f": float, "y": bool, "n": int | None}
table = st.lists(
    st.fixed_dictionaries(
        {"t": texts, "o": st.none() | texts, "i": st.integers(), "f": st.floats(),
         "y": st.booleans(), "n": st.none() | st.integers(-9, 9)}
    ),
    min_size=1, max_size=12,
)  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(rows=table, formulas=st.booleans(), delimiter=st.sampled_from(",;\t|"))
def test_csv_keeps_every_type(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Any], formulas: bool, delimiter: str
) -> None:
    path = tmp_path_factory.mktemp("trip") / "a.csv"
    options: dict[str, Any] = {"formulas": formulas, "delimiter": delimiter}
    assert tabular.write(path, rows, **options) == len(rows)
    read = tabular.read(path, types=TYPES, **options)
    assert plain(read) == plain(rows) and read.report.rows == len(rows)
    with mock.patch.object(tabular._Reader, "_in_order", lambda *_: False):
        assert plain(tabular.read(path, types=TYPES, **options)) == plain(rows)


def test_csv_is_what_the_standard_library_reads(tmp_path: Path) -> None:
    rows = [{"text": text, "n": n} for n, text in enumerate(NASTY) if "\r" not in text]
    tabular.write(tmp_path / "a.csv", rows)
    with (tmp_path / "a.csv").open(newline="", encoding="utf-8") as file:
        assert [{**row, "n": int(row["n"])} for row in csv.DictReader(file)] == rows
    with (tmp_path / "b.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ["text", "n"])
        writer.writeheader()
        writer.writerows(rows)
    back = list(tabular.read(tmp_path / "b.csv", types={"text": str, "n": int}))
    assert back == rows


def test_what_a_spreadsheet_would_run_is_escaped_and_comes_back(tmp_path: Path) -> None:
    rows = [{"text": text, "n": -1} for text in NASTY]
    path = tmp_path / "a.csv"
    tabular.write(path, rows, formulas=True)
    for row in tabular.read(path):
        assert not row["text"].startswith(("=", "+", "-", "@", "\t", "\r"))
    assert list(tabular.read(path, formulas=True, types={"text": str, "n": int})) == rows
    assert "'=cmd" in path.read_text(encoding="utf-8")


def test_text_is_text_until_declared(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('code,n\n007,1\n,""\n1e5,nan\n', encoding="utf-8")
    assert list(tabular.read(path)) == [
        {"code": "007", "n": "1"}, {"code": None, "n": ""}, {"code": "1e5", "n": "nan"}
    ]  # fmt: skip
    rows = list(tabular.read(path, types={"code": str}, errors="report"))
    assert [row["code"] for row in rows] == ["007", "", "1e5"]


@pytest.mark.parametrize(
    ("text", "types", "line", "said"),
    [
        ("a,b\n1,2\n3\n4,5\n", {}, 3, "1 values for 2 columns"),
        ("a,b\n1,2\n3,4,5\n4,5\n", {}, 3, "3 values for 2 columns"),
        ('a,b\n1,2\n"x"y,2\n4,5\n', {}, 3, "text behind one"),
        ('a,b\n1,2\nx"y,2\n4,5\n', {}, 3, "a quote within a value"),
        ('a,b\n1,2\n"x,2\n', {}, 3, "never closed"),
        ("a,b\n1,2\nx,2\n4,5\n", {"a": int}, 3, "'a' is 'x', not int"),
        ("a,b\n1,2\n0x1f,2\n4,5\n", {"a": int}, 3, "'a' is '0x1f', not int"),
        ("a,b\n1,2\n1_000,2\n4,5\n", {"a": int}, 3, "'a' is '1_000', not int"),
        ("a,b\n1,2\n٣,2\n4,5\n", {"a": int}, 3, "not int"),
        ("a,b\n1,2\n,2\n4,5\n", {"a": int}, 3, "'a' is missing; declare int | None"),
        ("a,b\n1,2\nyes,2\n1,5\n", {"a": bool}, 3, "'a' is 'yes', not bool"),
        ('a,b\n"1\n1",2\n"2\n\n2",2\nx,2,\n4,5\n', {}, 7, "3 values for 2 columns"),
    ],
)
def test_each_damage_of_csv_has_its_line(
    tmp_path: Path, text: str, types: dict[str, Any], line: int, said: str
) -> None:
    path = tmp_path / "a.csv"
    path.write_text(text, encoding="utf-8", newline="")
    with pytest.raises(FormatError, match=said.replace("|", "\\|")) as caught:
        list(tabular.read(path, types=types))
    assert caught.value.line == line and f"a.csv, line {line}:" in str(caught.value)
    rows = tabular.read(path, types=types, errors="report")
    left = len(list(rows))
    assert left == sum(1 for _ in csv.reader(text.splitlines(True))) - 2
    assert rows.report.damaged == 1 and rows.report.lost_bytes > 0


def test_bytes_that_are_not_utf8_lose_only_their_line(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"a,b\n1,ok\n2,Orl\xe9ans\n3,ok\n")
    rows = tabular.read(path, errors="report")
    assert [row["a"] for row in rows] == ["1", "3"]
    assert 'encoding="latin-1"' in str(rows.report.first[0]) and rows.report.first[0].line == 3
    assert list(tabular.read(path, encoding="latin-1"))[1] == {"a": "2", "b": "Orléans"}


def test_a_byte_order_mark_belongs_to_no_column(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("\ufeffa,b\r\n1,2\r\n".encode())
    assert list(tabular.read(tmp_path / "a.csv")) == [{"a": "1", "b": "2"}]


def test_blocks_are_cut_between_rows(tmp_path: Path) -> None:
    rows = [{"t": f"{i}\n" * (i % 50), "u": '",\n"' * (i % 3)} for i in range(20_000)]
    tabular.write(tmp_path / "a.csv.gz", rows)
    assert list(tabular.read(tmp_path / "a.csv.gz", types={"t": str, "u": str})) == rows


def test_huge_values_and_the_bound(tmp_path: Path) -> None:
    rows = [{"t": "x" * 3_000_000, "n": 1}, {"t": "\n" * 1_000_000, "n": 2}]
    for name in ("a.csv", "a.jsonl", "a.json"):
        formats.write(tmp_path / name, rows)
        assert list(formats.read(tmp_path / name, types={"t": str, "n": int})) == rows
        with pytest.raises(FormatError, match="more than 100,000|longer than 100,000"):
            list(formats.read(tmp_path / name, largest=100_000))
    lines_ = jsonlines.read(tmp_path / "a.jsonl", largest=2_500_000, errors="report")
    assert [row["n"] for row in lines_] == [2] and lines_.report.damaged == 1


def test_tsv_has_no_quotes_unless_asked(tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    path.write_text('ham\t"Ok lar\nspam\tWIN" now\n', encoding="utf-8")
    assert [row["text"] for row in tabular.read(path, columns=["label", "text"])] == [
        '"Ok lar', 'WIN" now'
    ]  # fmt: skip
    rows = [{"a": "tab\there", "b": "line\nend"}]
    with pytest.raises(FormatError, match="delimiter or line end"):
        tabular.write(path, rows)
    tabular.write(path, rows, quote=True)
    assert list(tabular.read(path, quote=True)) == rows


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([{"a": 1, "b": 2}, {"a": 1}], "differs in"),
        ([{"a": 1, "b": 2}, {"a": 1, "c": 2}], "differs in"),
        ([{"a": b"x", "b": 2}], "holds no bytes"),
        ([{"a": [1], "b": 2}], "holds no list"),
        ([{"a": "\ud800", "b": 2}], "surrogates"),
        ([["a"]], "a row must be a dict"),
    ],
)
def test_csv_refuses_what_it_cannot_hold(tmp_path: Path, rows: list[Any], said: str) -> None:
    with pytest.raises(FormatError, match=said):
        tabular.write(tmp_path / "a.csv", rows)
    assert not list(tmp_path.iterdir()), "nothing is left behind"


def test_csv_says_which_columns_are_wrong(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a,a\n1,2\n", encoding="utf-8")
    with pytest.raises(FormatError, match="columns must differ"):
        list(tabular.read(path))
    path.write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(FormatError, match=r"no column \['label'\].*pass columns"):
        list(tabular.read(path, types={"label": int}))
    with pytest.raises(ValueError, match="holds no lists"):
        tabular.read(path, types={"a": list[int]})
    with pytest.raises(ValueError, match="errors must be"):
        tabular.read(path, errors="ignore")
    with pytest.raises(ValueError, match="the type of 'a' must be"):
        tabular.read(path, types={"a": complex})


# --- JSON ---------------------------------------------------------------------------------------

value = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(rows=st.lists(st.dictionaries(texts, value, max_size=4), max_size=8), lay=st.booleans())
def test_json_keeps_every_type(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Any], lay: bool
) -> None:
    layout = "lines" if lay else "array"
    path = tmp_path_factory.mktemp("trip") / "a.json"
    assert jsonlines.write(path, rows, layout=layout) == len(rows)
    assert repr(list(jsonlines.read(path, layout=layout))) == repr(rows)
    text = path.read_text(encoding="utf-8")
    standard = [json.loads(line) for line in text.split("\n")[:-1]] if lay else json.loads(text)
    assert repr(standard) == repr(rows), "and the standard library reads the same"


def test_numbers_beyond_64_bits_are_not_rounded(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    rows = [{"n": 10**25 + n, "text": "1" * n} for n in range(60)] + [{"n": 2**64}, {"n": -(2**64)}]
    jsonlines.write(path, rows)
    assert list(jsonlines.read(path)) == rows


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_json_refuses_what_it_cannot_hold(tmp_path: Path, bad: float) -> None:
    path = tmp_path / "a.jsonl"
    for wrong in (bad, b"x", {1: 2}, "\ud800", {"in": [bad]}, {1, 2}, Path()):
        with pytest.raises(FormatError, match="record 7: JSON does not hold"):
            jsonlines.write(path, [{"a": None}] * 7 + [{"a": wrong}])
    path.write_text(f'{{"a": {json.dumps(bad)}}}\n', encoding="utf-8")
    with pytest.raises(FormatError, match="line 1"):
        list(jsonlines.read(path))


@pytest.mark.parametrize(
    ("line", "said"),
    [('{"a": 1', "no JSON"), ("[1]", "a row must be an object"), ('{"a": "x"}', "not int"),
     ('{"a": 1}{"a": 2}', "no JSON"), ("\ufeff{}", "no JSON"), ('{"b": 1}', "'a' is missing"),
     ('{"a": 1.5}', "not int"), ('{"a": true}', "not int"), ("[" * 100_000, "no JSON"),
     ('{"a": ' + "1" * 5_000 + "}", "no JSON")],
)  # fmt: skip
def test_damaged_lines_are_named_and_passed_by(tmp_path: Path, line: str, said: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(f'{{"a": 1}}\n\n{line}\n{{"a": 2}}\n', encoding="utf-8")
    with pytest.raises(FormatError, match=said) as caught:
        list(jsonlines.read(path, types={"a": int}))
    assert caught.value.line == 3
    rows = jsonlines.read(path, types={"a": int}, errors="report")
    assert list(rows) == [{"a": 1}, {"a": 2}]
    assert rows.report.damaged == 1 and "a.jsonl, line 3" in str(rows.report)


@pytest.mark.parametrize(
    ("text", "said"),
    [('[{"a": 1}, {"a": 2', "ends within a value"), ('[{"a": 1} {"a": 2}]', "expected ',' or ']'"),
     ('[{"a": 1}]x', "more follows"), ('{"a": 1}', r"expected '\['"), ("", "end of the file"),
     ("[{},]", "no JSON"), ('[{"a": NaN}]', "NaN is not JSON"), ("[1]", "must be an object"),
     ("[" * 100_000, "deep")],
)  # fmt: skip
def test_a_damaged_array_says_at_which_byte(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(FormatError, match=said) as caught:
        list(jsonlines.read(path, layout="array"))
    assert caught.value.byte is not None or caught.value.record is not None
    rows = jsonlines.read(path, layout="array", errors="report")
    assert len(list(rows)) <= 2 and rows.report.damaged >= 1


def test_an_array_is_read_in_pieces(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    rows = [{"n": n, "text": "é" * (n % 1_000)} for n in range(2_000)]
    jsonlines.write(path, rows)
    assert path.stat().st_size > 10 * _rows.CHUNK
    assert list(jsonlines.read(path)) == rows
    text = json.dumps({"big": rows, "n": 1234567, "e": {}}, ensure_ascii=False, indent=1)
    path.write_text(text, encoding="utf-8")
    found = {row["key"]: row["value"] for row in jsonlines.read(path)}
    assert found == {"big": rows, "n": 1234567, "e": {}}


# --- lines and pairs ----------------------------------------------------------------------------


def test_lines_of_labels_say_which_were_latin1(tmp_path: Path) -> None:
    path = tmp_path / "trec.txt"
    path.write_bytes(b"4 sister\xf0city\n\n3 Who ?\r\n" * 5)
    rows = lines.read(path, types={"label": int, "text": str})
    assert list(rows)[:2] == [{"label": 4, "text": "sisterðcity"}, {"label": 3, "text": "Who ?"}]
    assert sum(rows.report.notes.values()) == 5
    with pytest.raises(FormatError, match="line 1: not utf-8"):
        list(lines.read(path, encoding="utf-8"))
    path.write_text("To be, or\nnot to be\nthat is\n", encoding="utf-8")
    assert next(lines.read(path)) == {"text": "To be, or"}


def test_lines_are_written_as_they_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    rows = [{"label": "x", "text": " two  spaces "}, {"label": "y", "text": "\u2028<b>\0"}]
    assert lines.write(path, rows) == 2
    assert list(lines.read(path, label=True)) == rows
    for bad in ({"label": "a b", "text": "x"}, {"label": "a", "text": "x\ny"}, {"label": "a"},
                {"label": "a", "text": " "}, {"label": None, "text": "x"}):  # fmt: skip
        with pytest.raises(FormatError):
            lines.write(path, [bad])


def test_pairs_of_one_file_and_of_two(tmp_path: Path) -> None:
    rows = [{"en": 'Go "now".', "fr": "Va\u202f!"}, {"en": "Hi.", "fr": "Salut."}]
    for path in (tmp_path / "mine.en-fr.tsv", (tmp_path / "a.en", tmp_path / "a.fr")):
        assert pairs.write(path, rows) == 2
        assert list(pairs.read(path)) == rows
    (tmp_path / "a.fr").write_text("Va !\n", encoding="utf-8")
    with pytest.raises(FormatError, match="ends before this line"):
        list(pairs.read((tmp_path / "a.en", tmp_path / "a.fr")))
    with pytest.raises(FormatError, match="fewer lines"):
        list(pairs.read((tmp_path / "a.fr", tmp_path / "a.en")))
