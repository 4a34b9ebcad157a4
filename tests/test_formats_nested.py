"""Parquet, CoNLL and SQuAD, and converting between formats."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmtrain101 import formats
from llmtrain101.formats import FormatError, conll, jsonlines, parquet, squad, tfrecord

texts = st.text(st.characters(codec="utf-8"), max_size=12)
int64 = st.integers(-(2**63), 2**63 - 1)


# --- Parquet ------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(
    rows=st.lists(
        st.fixed_dictionaries(
            {"t": texts | st.none(), "b": st.binary(max_size=9), "i": int64, "f": st.floats(),
             "y": st.booleans(), "l": st.lists(int64, max_size=3)}
        ),
        min_size=1, max_size=20,
    )
)  # fmt: skip
def test_parquet_keeps_every_type(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Any]
) -> None:
    types = {"t": str | None, "b": bytes, "i": int, "f": float, "y": bool, "l": list[int]}
    path = tmp_path_factory.mktemp("trip") / "a.parquet"
    assert parquet.write(path, rows, types=types) == len(rows)
    back = parquet.read(path, types=types)
    assert repr([sorted(row.items()) for row in back]) == repr([sorted(r.items()) for r in rows])


def test_damage_in_parquet_costs_its_group_of_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "GROUP", 4 * 1024)
    path = tmp_path / "a.parquet"
    rows = [{"text": os.urandom(20).hex(), "n": n} for n in range(12_000)]
    assert parquet.write(path, rows) == 12_000
    assert list(parquet.read(path)) == rows
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(FormatError, match="rows are lost"):
        list(parquet.read(path))
    read = parquet.read(path, errors="report")
    left = list(read)
    assert read.report.damaged == 1 and 12_000 - 4_096 <= len(left) < 12_000
    assert all(row == rows[row["n"]] for row in left)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([{"a": 1}, {"a": "x"}], "no common type"),
        ([{"a": 1}] * 70_000 + [{"a": "x"}], "record 70000: 'a' is 'x'"),
        ([{"a": 1}] * 70_000 + [{"a": 1, "b": 1}], "came up late"),
        ([{"a": 2**63}], "record 0"),
        ([{"a": "\ud800"}], "record 0|surrogates"),
    ],
)
def test_parquet_refuses_what_it_cannot_hold(tmp_path: Path, rows: list[Any], said: str) -> None:
    with pytest.raises(FormatError, match=said):
        parquet.write(tmp_path / "a.parquet", rows)
    assert not list(tmp_path.iterdir())


def test_what_is_no_parquet_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    for data in (b"", b"PAR1", b"PAR1" + bytes(40) + b"PAR1"):
        path.write_bytes(data)
        with pytest.raises(FormatError, match="no Parquet, or damaged"):
            list(parquet.read(path))
        assert list(parquet.read(path, errors="report")) == []


# --- CoNLL --------------------------------------------------------------------------------------

word = st.text(st.characters(codec="utf-8", exclude_characters="\t\n\r"), min_size=1, max_size=6)


@settings(max_examples=60, deadline=None)
@given(
    sentences=st.lists(
        st.lists(st.tuples(word.filter(str.strip), st.sampled_from(["O", "B-X", "I-X"])),
                 min_size=1, max_size=5), max_size=6)
)  # fmt: skip
def test_sentences_come_back(
    tmp_path_factory: pytest.TempPathFactory, sentences: list[Any]
) -> None:
    rows = [
        {"tokens": [token for token, _ in each], "tags": [tag for _, tag in each]}
        for each in sentences
    ]
    path = tmp_path_factory.mktemp("trip") / "a.conll"
    try:
        conll.write(path, rows)
    except FormatError:
        assert any(row["tokens"][0].startswith("# ") for row in rows)
        return
    assert list(conll.read(path)) == rows


CONLLU = """\
# newdoc id = d
# sent_id = s1
# text = Ada slept.
1-2\tAdas\t_\t_\t_\t_\t_\t_\t_\t_\t_\t_
1\tAda\tAda\tPROPN\t_\t_\t2\tnsubj\t_\t_\t_\tARG0
2\tslept\tsleep\tVERB\t_\t_\t0\troot\t_\t_\tsleep.01\tV
2.1\tand\tand\tCCONJ\t_\t_\t_\t_\t_\t_\t\t

# sent_id = s2
# text = Yes
1\tYes\tyes\tINTJ\t_\t_\t0\troot\t_\t_\t_

"""


def test_conllu_with_arguments_comes_back_byte_for_byte(tmp_path: Path) -> None:
    path = tmp_path / "a.conllu"
    path.write_text(CONLLU, encoding="utf-8")
    rows = list(conll.read(path))
    assert [row["sent_id"] for row in rows] == ["s1", "s2"] and rows[0]["text"] == "Ada slept."
    assert rows[0]["tokens"] == ["Adas", "Ada", "slept", "and"]
    assert rows[0]["predicates"] == ["_", "_", "sleep.01", ""]
    assert rows[0]["arguments"] == [["_", "ARG0", "V", ""]] and rows[1]["arguments"] == []
    conll.write(tmp_path / "b.conllu", rows)
    assert (tmp_path / "b.conllu").read_text(encoding="utf-8") == CONLLU


def test_conllu_is_what_a_reference_library_reads(tmp_path: Path) -> None:
    import conllu

    path = tmp_path / "a.conllu"
    plain = "\n".join(
        "\t".join(line.split("\t")[:10]) for line in CONLLU.split("\n") if "2.1" not in line
    )
    path.write_text(plain, encoding="utf-8")
    reference = conllu.parse(plain)
    for ours, theirs in zip(conll.read(path), reference, strict=True):
        assert ours["tokens"] == [token["form"] for token in theirs]
        assert ours["text"] == theirs.metadata["text"]


def test_plus_columns_are_those_the_file_names(tmp_path: Path) -> None:
    path = tmp_path / "a.conllup"
    path.write_text("# global.columns = ID FORM X:Y\n1\tAda\tB\n\n1\t#\tO\n\n", encoding="utf-8")
    rows = list(conll.read(path))
    assert [(row["tokens"], row["x:y"]) for row in rows] == [(["Ada"], ["B"]), (["#"], ["O"])]


def test_spaces_and_tabs_both_separate(tmp_path: Path) -> None:
    path = tmp_path / "a.conll"
    path.write_text("-DOCSTART- -X- O O\n\nAda NNP B-NP B-PER\n# $ O O\n\n", encoding="utf-8")
    rows = list(conll.read(path))
    assert rows[1] == {"tokens": ["Ada", "#"], "pos": ["NNP", "$"], "chunks": ["B-NP", "O"],
                       "tags": ["B-PER", "O"]}  # fmt: skip


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (b"Ada\tB\nbad\n", "1 columns, not 2"),
        (b"Ada\tB\nx\ty\tz\n", "3 columns, not 2"),
        (b"Ada\tB\nx\t\xff\n", "utf-8"),
    ],
)
def test_a_damaged_sentence_is_named_and_passed_by(tmp_path: Path, bad: bytes, said: str) -> None:
    path = tmp_path / "a.conll"
    path.write_bytes(b"One\tO\n\n" + bad + b"\n\nTwo\tO\n")
    with pytest.raises(FormatError, match=said) as caught:
        list(conll.read(path))
    assert caught.value.line == 4
    rows = conll.read(path, errors="report")
    assert [row["tokens"] for row in rows] == [["One"], ["Two"]]
    assert rows.report.damaged == 1


@pytest.mark.parametrize(
    "row",
    [
        {"tokens": ["a", "b"], "tags": ["O"]},
        {"tokens": ["a\tb"], "tags": ["O"]},
        {"tokens": [1], "tags": ["O"]},
        {"tokens": [], "tags": []},
        {"tokens": "ab", "tags": "OO"},
        {"tokens": ["a"], "tags": ["O"], "comments": ["no mark"]},
        {"tokens": ["a"], "tags": ["O"], "text": "two\nlines"},
    ],
)
def test_what_is_no_sentence_is_refused(tmp_path: Path, row: dict[str, Any]) -> None:
    with pytest.raises(FormatError, match="record 0"):
        conll.write(tmp_path / "a.conll", [row])


# --- SQuAD --------------------------------------------------------------------------------------


def question(context: str = "Zoë 😀 wrote it.", text: str = "wrote", start: int = 6) -> Any:
    answers = {"text": [text], "answer_start": [start]}
    return {"id": "q", "title": "T", "context": context, "question": "What?", "answers": answers,
            "is_impossible": False}  # fmt: skip


def test_questions_come_back(tmp_path: Path) -> None:
    contexts = ["Zoë 😀 wrote it." + "x" * n for n in range(10)]
    rows = [question(contexts[n // 2]) | {"id": str(n), "title": f"T{n // 5}"} for n in range(20)]
    rows.append(question() | {"answers": {"text": [], "answer_start": []}, "is_impossible": True})
    assert squad.write(tmp_path / "a.json", rows) == 21
    assert list(formats.read(tmp_path / "a.json")) == rows
    made = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    assert [len(article["paragraphs"]) for article in made["data"]] == [3, 3, 3, 3, 1]


@pytest.mark.parametrize(("start", "unit"), [(7, "UTF-16"), (10, "bytes")])
def test_an_offset_that_counts_otherwise_is_named(tmp_path: Path, start: int, unit: str) -> None:
    asked = [
        {"id": name, "question": "?", "answers": [{"text": "wrote", "answer_start": at}]}
        for name, at in (("q", start), ("r", 6))
    ]
    raw = {"data": [{"title": "T", "paragraphs": [{"context": "Zoë 😀 wrote it.", "qas": asked}]}]}
    path = tmp_path / "a.json"
    path.write_text(json.dumps(raw), encoding="utf-8")
    with pytest.raises(FormatError, match=f"its offset counts {unit}"):
        list(squad.read(path))
    rows = squad.read(path, errors="report")
    assert [row["id"] for row in rows] == ["r"] and rows.report.damaged == 1
    with pytest.raises(FormatError, match="record 0"):
        squad.write(path, [question(start=start)])


@pytest.mark.parametrize(
    "text",
    ["[]", "{}", '{"data": 1}', '{"data": [1]}', '{"data": [{"paragraphs": 1}]}', "x",
     '{"data": [{"paragraphs": [{"context": 1, "qas": [1]}]}]}'],
)  # fmt: skip
def test_what_is_no_squad_says_so(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(FormatError, match=r"a\.json"):
        list(squad.read(path))


# --- any to any ---------------------------------------------------------------------------------

ROWS = [
    {"text": text, "label": n, "score": n / 4, "ok": n % 2 == 0}
    for n, text in enumerate(["", "two\nlines", "<script>", "=cmd", "\u202e", "zero\0", "日本語"])
]


@pytest.mark.parametrize("first", ["a.csv", "a.jsonl", "a.json", "a.tfrecord", "a.parquet"])
@pytest.mark.parametrize("second", ["b.csv.gz", "b.jsonl", "b.tfrecord.gz", "b.parquet"])
def test_any_holds_what_another_holds(tmp_path: Path, first: str, second: str) -> None:
    formats.write(tmp_path / first, ROWS)
    types = {"text": str, "label": int, "score": float, "ok": bool}
    result = formats.convert(tmp_path / first, tmp_path / second, reading={"types": types})
    assert (result.rows, result.lost, result.types) == (7, {}, types)
    back = list(formats.read(tmp_path / second, types=types))
    assert [dict(sorted(row.items())) for row in back] == [dict(sorted(r.items())) for r in ROWS]


def test_a_loss_is_told_before_it_happens(tmp_path: Path) -> None:
    source, target = tmp_path / "a.jsonl", tmp_path / "a.tfrecord"
    formats.write(source, [{"score": 0.5, "n": 1}, {"score": 0.1, "n": None}])
    target.write_bytes(b"old")
    with pytest.raises(FormatError, match=r"would be lost: score: 1 changed, first 0.1 → 0.1000"):
        formats.convert(source, target)
    assert target.read_bytes() == b"old" and len(list(tmp_path.iterdir())) == 2
    result = formats.convert(source, target, lossy=True)
    assert set(result.lost) == {"score"} and "0.1 →" in str(result)
    assert list(tfrecord.read(target))[1]["n"] is None


def test_what_cannot_be_held_at_all_is_an_error(tmp_path: Path) -> None:
    source = tmp_path / "a.jsonl"
    formats.write(source, [{"tokens": ["a"], "tags": ["O"]}])
    assert formats.convert(source, tmp_path / "a.conll").lost == {}
    with pytest.raises(FormatError, match="holds no list"):
        formats.convert(source, tmp_path / "a.csv")
    with pytest.raises(FormatError, match="JSON does not hold"):
        tfrecord.write(tmp_path / "a.tfrecord", [{"a": b"\xff"}])
        formats.convert(tmp_path / "a.tfrecord", tmp_path / "b.jsonl")


def test_the_name_or_the_beginning_tells_the_format(tmp_path: Path) -> None:
    formats.write(tmp_path / "a.tfrecord", ROWS)
    formats.write(tmp_path / "a.parquet", ROWS)
    formats.write(tmp_path / "a.jsonl", ROWS)
    for name, module in (("a.tfrecord", tfrecord), ("a.parquet", parquet), ("a.jsonl", jsonlines)):
        bare = tmp_path / f"{module.__name__}-00000-of-00001"
        bare.write_bytes((tmp_path / name).read_bytes())
        assert formats.format_of(bare) is module
    with pytest.raises(FormatError, match="neither its name"):
        formats.format_of(tmp_path / "a.xyz")
    with pytest.raises(FileNotFoundError):
        formats.read(tmp_path / "none.csv")
        list(formats.read(tmp_path / "none.csv"))
