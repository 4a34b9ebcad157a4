"""A file of labelled texts, whatever its shape, becomes the same two lists."""

from __future__ import annotations

import gzip
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from llmtrain101 import formats
from llmtrain101.labels import labelled

ROWS = [("ham", "see you, at nine"), ("spam", 'WIN "now"'), ("ham", "no"), ("spam", "free £ 5")]
SHARED = Path(__file__).resolve().parent.parent.parent / "shared" / "data"


def expected(found: labelled.Labelled) -> bool:
    return list(zip(found.labels, found.texts, strict=True)) == ROWS


@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".json", ".parquet", ".csv.gz"])
def test_every_format_gives_the_same_lists(tmp_path: Path, suffix: str, header: bool) -> None:
    names = ("mood", "words") if header else ("0", "1")
    path = tmp_path / f"mail{suffix}"
    options = {} if header or "sv" not in suffix else {"header": False}
    formats.write(path, [dict(zip(names, row, strict=True)) for row in ROWS], **options)
    found = labelled.read(path)
    assert expected(found) and found.dropped == {}
    assert found.columns == (names[1], names[0])


def test_lines_begin_with_their_label_and_latin_1_is_read(tmp_path: Path) -> None:
    path = tmp_path / "mail.txt"
    path.write_bytes(b"ham caf\xe9\nspam win\nham no\n\n")
    assert labelled.read(path)[:2] == (["café", "win", "no"], ["ham", "spam", "ham"])
    table = tmp_path / "mail.csv"
    table.write_bytes(b"caf\xe9 noir,ham\nwin a lot,spam\nno thanks,ham\nmore wins,spam\n")
    assert labelled.read(table).texts[0] == "café noir"


def test_names_tell_which_column_is_which_and_arguments_are_stronger(tmp_path: Path) -> None:
    path = tmp_path / "reviews.csv"
    rows = [
        {"id": f"a rather long identifier {n}", "split": "ab"[n % 2], "sentiment": "pmn"[n % 3],
         "kind": "xyzw"[n % 4], "text": f"text {n}"}
        for n in range(24)
    ]  # fmt: skip
    formats.write(path, rows)
    assert labelled.read(path).columns == ("text", "sentiment")
    found = labelled.read(path, label="kind")
    assert found.columns == ("text", "kind") and found.labels[:4] == list("xyzw")
    with pytest.raises(ValueError, match="no column 'topic'; it has id, split"):
        labelled.read(path, label="topic")


def test_what_is_left_out_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "mail.tsv"
    lines = ["ham\tSee you", "ham\tsee  YOU", "spam\tsee you", "spam\t", "spam\twin", "spam\ta\tb"]
    path.write_text("\n".join(lines), "utf-8")
    found = labelled.read(path)
    assert found[:2] == (["See you", "win"], ["ham", "spam"])
    assert found.dropped == {"damaged": 1, "repeated": 1, "contradicted": 1, "empty": 1}


def test_the_first_row_may_hold_line_ends_and_semicolons_part_columns(tmp_path: Path) -> None:
    path = tmp_path / "mail.csv"
    formats.write(path, [{"text": f"one,\n\n{a}", "x": b} for b, a in ROWS], header=False)
    assert labelled.read(path).texts[3] == "one,\n\nfree £ 5"
    text = "and then\x85,ham\nwin now,spam\nno thanks,ham\nfree £ 5,spam\n"
    path.write_bytes(text.encode("latin-1"))
    assert labelled.read(path).texts == ["and then", "win now", "no thanks", "free £ 5"]
    formats.write(path, [{"text": a, "label": b} for b, a in ROWS], delimiter=";")
    assert expected(labelled.read(path))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("text,label,label\na,x,1\nb,y,2\nc,x,1\n", "several columns of the name label"),
        ('a"b,x\na"b,x\n', r"No row of .*mail.csv \(its columns parted by ','\) .*2 damaged"),
        ("a|x\nb|y\nc|x\n", r"parted by ','\) has no column that could be the label"),
    ],
)
def test_a_table_that_cannot_be_read_says_how_it_was_taken(
    tmp_path: Path, text: str, said: str
) -> None:
    path = tmp_path / "mail.csv"
    path.write_text(text, "utf-8")
    with pytest.raises(ValueError, match=said):
        labelled.read(path)


@pytest.mark.parametrize("text", ["", "one\ntwo\n", "a,1\nb,2\nc,3\n"])
def test_a_file_without_labels_says_so(tmp_path: Path, text: str) -> None:
    path = tmp_path / "table.csv"
    path.write_text(text, "utf-8")
    with pytest.raises(ValueError, match="no column that could be the label"):
        labelled.read(path)


@pytest.mark.skipif(not SHARED.is_dir(), reason="the trial files are not here")
def test_the_trial_files_are_read_by_one_call() -> None:
    sms = labelled.read(SHARED / "sms_spam.tsv")
    assert set(sms.labels) == {"ham", "spam"} and 380 < sms.dropped["repeated"] < 450
    questions = labelled.read(SHARED / "trec.train.txt")
    assert Counter(questions.labels).keys() == set("012345") and len(questions.texts) > 5_000


def test_a_packed_file_with_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "mail.csv.gz"
    body: Any = "\ufefflabel,text\n" + "".join(f'{a},"{b}"\n' for a, b in ROWS if '"' not in b)
    path.write_bytes(gzip.compress(body.encode()))
    found = labelled.read(path)
    assert found.columns == ("text", "label") and len(found.texts) == 3
