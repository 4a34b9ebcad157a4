"""Names in capitals, options of the wrong kind, damage across lines: what went wrong once."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest

from llmtrain101 import formats
from llmtrain101.formats import FormatError

ROWS = [{"text": "a, b", "label": "x"}, {"text": "c", "label": "y"}]


@pytest.mark.parametrize("name", ["A.CSV", "A.TSV", "A.JSON", "A.JSONL", "a.csv.GZ", "A.Parquet"])
def test_a_name_in_capitals_means_the_same(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    formats.write(path, ROWS)
    assert list(formats.read(path)) == ROWS
    assert path.read_bytes().startswith(b"\x1f\x8b") == name.endswith("GZ")
    if name == "A.JSON":
        assert path.read_bytes().startswith(b"[")


def test_two_files_of_one_ending_keep_both_sides(tmp_path: Path) -> None:
    left, right = tmp_path / "en.txt", tmp_path / "fr.txt"
    left.write_text("Hi.\n", encoding="utf-8")
    right.write_text("Salut.\n", encoding="utf-8")
    pairs: Any = (left, right)
    assert list(formats.pairs.read(pairs)) == [{"source": "Hi.", "target": "Salut."}]
    with pytest.raises(FormatError, match="'en' is 'Hi.' .*line 1|line 1.*'en' is 'Hi.'"):
        list(formats.pairs.read(pairs, columns=["en", "fr"], types={"en": int}))
    with pytest.raises(ValueError, match="two different names, got \\['a', 'b', 'c'\\]"):
        formats.pairs.read(pairs, columns=["a", "b", "c"])


def test_packed_pairs_are_named_by_their_languages(tmp_path: Path) -> None:
    files = tmp_path / "a.en.gz", tmp_path / "a.fr.gz"
    formats.pairs.write(files, [{"en": "Hi.", "fr": "Salut."}])
    assert gzip.decompress(files[0].read_bytes()) == b"Hi.\n"
    assert list(formats.pairs.read(files)) == [{"en": "Hi.", "fr": "Salut."}]


def test_a_row_of_several_lines_is_lost_with_any_of_them(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b't,n\n"a\nb\xff\nc",1\n"d\ne",2\n')
    rows = formats.read(path, errors="report")
    assert list(rows) == [{"t": "d\ne", "n": "2"}]
    assert rows.report.damaged == 1
    assert rows.report.first[0].line == 3


@pytest.mark.parametrize("option", ["missing", "columns"])
def test_one_text_for_a_list_is_refused(tmp_path: Path, option: str) -> None:
    (tmp_path / "a.csv").write_text("N,A\n", encoding="utf-8")
    with pytest.raises(TypeError, match=rf"{option} must be a list of str, got 'NA'"):
        formats.tabular.read(tmp_path / "a.csv", **{option: "NA"})  # type: ignore[arg-type]


def test_a_delimiter_that_cannot_be_read_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="one ASCII character, got '||'"):
        formats.tabular.write(tmp_path / "a.csv", ROWS, delimiter="||")


def test_a_nan_with_a_payload_is_no_number(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("x\n1.5\nnan(1)\nnan\n", encoding="utf-8")
    rows = formats.read(path, types={"x": float}, errors="report")
    assert [row["x"] == row["x"] for row in rows] == [True, False]
    assert rows.report.damaged == 1


def test_a_label_that_is_no_number_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("+-5 hi\n4 you\n", encoding="utf-8")
    rows = formats.lines.read(path, label=True, types={"label": int}, errors="report")
    assert list(rows) == [{"label": 4, "text": "you"}]
    assert rows.report.first[0].line == 1
    with pytest.raises(FormatError, match="record 0: a text is one line that is not empty"):
        formats.lines.write(path, [{"label": "x"}])


def test_json_too_deep_beside_a_long_number_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    deep = b'{"n": 12345678901234567890123, "a": ' + b"[" * 1010 + b"]" * 1010 + b"}\n"
    path.write_bytes(deep + b'{"n": 1}\n')
    rows = formats.read(path, errors="report")
    assert list(rows) == [{"n": 1}]


def test_a_long_number_makes_nothing_else_valid(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"n": 12345678901234567890123, "x": 1e999}\n')
    with pytest.raises(FormatError, match="line 1"):
        list(formats.read(path))


def test_nan_is_refused_beside_none(tmp_path: Path) -> None:
    rows = [{"x": None}, {"x": "null"}, {"x": float("nan")}]
    formats.write(tmp_path / "a.jsonl", rows[:2])
    assert list(formats.read(tmp_path / "a.jsonl")) == rows[:2]
    with pytest.raises(FormatError, match="record 2"):
        formats.write(tmp_path / "a.jsonl", rows)


def test_a_first_token_that_looks_like_a_comment_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="begins with '# 1' would be read as a comment"):
        formats.conll.write(tmp_path / "a.conll", [{"tokens": ["# 1", "x"], "tags": ["O", "O"]}])
    formats.conll.write(tmp_path / "a.conll", [{"tokens": ["#", "1"], "tags": ["O", "O"]}])
    assert [row["tokens"] for row in formats.read(tmp_path / "a.conll")] == [["#", "1"]]


def test_a_conversion_names_the_file_that_was_asked_for(tmp_path: Path) -> None:
    formats.write(tmp_path / "a.jsonl", [{"a": "x"}, {"b": 1}])
    with pytest.raises(FormatError, match="columns") as raised:
        formats.convert(tmp_path / "a.jsonl", tmp_path / "b.csv")
    assert raised.value.path == str(tmp_path / "b.csv")
    formats.write(tmp_path / "a.jsonl", ROWS)
    for header in (True, False):
        done = formats.convert(tmp_path / "a.jsonl", tmp_path / "b.csv", writing={"header": header})
        assert not done.lost


def test_records_of_a_packed_file_say_so(tmp_path: Path) -> None:
    path = tmp_path / "a.tfrecord.gz"
    formats.write(path, [{"n": 1}])
    with pytest.raises(FormatError, match="packed by gzip"):
        formats.tfrecord.Records(path)


@pytest.mark.parametrize("rest", ["", "n", "n\n", "n\n1", "\ufeff\nx\n"])
def test_a_mark_at_the_beginning_is_taken_once(tmp_path: Path, rest: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text("\ufeff" + rest, encoding="utf-8")
    names, *values = rest.split("\n")
    found = list(formats.read(path))
    assert found == [{names: value} for value in values if value]
