"""Files that other people wrote, each read by one call; skipped where they are not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from llmtrain101 import formats

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="no trial files beside the project")
ADULT = (
    "age workclass fnlwgt education education_num marital_status occupation relationship race sex "
    "gain loss hours country label"
).split()


def read(name: str, **options: Any) -> list[dict[str, Any]]:
    if not (DATA / name).exists():
        pytest.skip(f"{name} is missing")
    return list(formats.read(DATA / name, **options))


def test_adult_has_no_header_spaces_and_question_marks() -> None:
    types = dict.fromkeys(ADULT, str) | {"age": int, "hours": int, "gain": int}
    types |= dict.fromkeys(("workclass", "occupation", "country"), str | None)
    rows = read("adult.csv", columns=ADULT, spaces=True, missing=["?"], types=types)
    assert len(rows) == 16_281
    assert rows[0]["age"] == 25 and rows[0]["workclass"] == "Private"
    assert rows[4]["occupation"] is None
    assert {row["label"] for row in rows} == {"<=50K.", ">50K."}


def test_sms_has_no_header_and_quotes_that_are_text() -> None:
    rows = read("sms_spam.tsv", columns=["label", "text"], types={"label": str, "text": str})
    assert len(rows) == 5_574 and {row["label"] for row in rows} == {"ham", "spam"}
    assert sum(row["text"].startswith('"') for row in rows) == 54
    assert len(rows) - len({(row["label"], row["text"]) for row in rows}) == 403


def test_trec_has_a_latin1_byte() -> None:
    rows = formats.read(DATA / "trec.train.txt", types={"label": int, "text": str})
    found = list(rows)
    assert len(found) == 5_452 and sum(rows.report.notes.values()) == 1
    assert {row["label"] for row in found} == set(range(6))
    assert len(read("trec.test.txt")) == 500


def test_tatoeba_has_an_attribution() -> None:
    rows = read("tatoeba.eng-fra.tsv")
    assert len(rows) == 5_000 and list(rows[0]) == ["eng", "fra", "attribution"]


def test_wnut_separates_sentences_by_a_tab() -> None:
    train, test = read("wnut17.train.conll"), read("wnut17.test.conll")
    assert (len(train), len(test)) == (3_394, 1_287)
    assert "#" in {token for row in test for token in row["tokens"]}
    assert max(len(row["tokens"]) for row in train) < 50


@pytest.mark.parametrize("name", ["ewt.dev.ner.iob2", "ewt.dev.srl.conllu", "wnut17.test.conll"])
def test_sentences_are_written_back_byte_for_byte(tmp_path: Path, name: str) -> None:
    rows = read(name)
    formats.write(tmp_path / name, rows)
    assert (tmp_path / name).read_bytes() == (DATA / name).read_bytes()


def test_entities_and_roles_are_joined_on_the_text() -> None:
    entities = {row["text"]: row for row in read("ewt.dev.ner.iob2")}
    roles = {row["text"]: row for row in read("ewt.dev.srl.conllu")}
    both = entities.keys() & roles.keys()
    assert 1_600 < len(both) < len(entities), "not every sentence is in both"
    assert all("arguments" in row and "predicates" in row for row in roles.values())


def test_xquad_counts_characters() -> None:
    rows = read("xquad.en.json")
    assert len(rows) == 1_190 and len({row["context"] for row in rows}) == 240
    for row in rows:
        for text, start in zip(*row["answers"].values(), strict=True):
            assert row["context"][start : start + len(text)] == text


def test_synonyms_are_one_object() -> None:
    rows = read("synonyms.json", types={"key": str, "value": list[str]})
    assert len(rows) == 49_975 and rows[1]["key"] == "movie" and "film" in rows[1]["value"]


def test_plain_text_is_lines() -> None:
    assert read("tinyshakespeare.txt")[0] == {"text": "First Citizen:"}
    assert len(read("tinyshakespeare.txt")) == 32_777


@pytest.mark.parametrize(
    ("name", "good"),
    [("bad_data", 3), ("bad_text", 3), ("bad_trunc", 7), ("bad_trunc_crc", 7),
     ("bad_trunc_head", 7), ("bad_len", 3), ("bad_len_crcok", 3)],
)  # fmt: skip
def test_broken_tfrecords(name: str, good: int) -> None:
    path = DATA / "tfrecord" / f"{name}.tfrecord"
    seen = []
    with pytest.raises(formats.FormatError):
        for row in formats.read(path):
            seen.append(row)
    assert len(seen) == good
    assert len(list(formats.read(path, errors="report"))) == 7
