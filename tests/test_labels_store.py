"""The store of labels: no click is lost, whoever else clicks, crashes, or writes strange texts."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmtrain101 import formats
from llmtrain101.labels import crowd
from llmtrain101.labels.store import Store, iob2, tokens

STRANGE = [
    '<script>alert("x")</script><img src=x onerror=alert(1)>',
    "=cmd|' /C calc'!A0",
    "+1+1",
    "\u202eevil\u202c \u200fmark",
    "zero\x00byte",
    "half \ud83d of a pair",
    "line\r\nfeed\ttab",
    "'; DROP TABLE events; --",
    "é ≠ é, 👩‍👩‍👧 עברית العربية",
    "",
    "x" * 1_000_000,
]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store(tmp_path / "labels.sqlite", labels=["good", "bad"])
    made.add(["one", "two", "three"])
    return made


def actions(store: Store) -> list[str]:
    return [event["action"] for event in store.events()]


# --- clicks ---------------------------------------------------------------------------------------


def test_an_event_says_who_when_what_and_how_long(store: Store) -> None:
    item = store.next("ada")
    assert item is not None
    store.label(item, "ada", "good", seconds=2.5)
    (event,) = store.events()
    assert (event["annotator"], event["action"], event["value"]) == ("ada", "label", "good")
    assert event["id"] == item.id and event["seconds"] == 2.5
    assert event["time"][:2] == "20" and event["time"].endswith("+00:00")


def test_undo_brings_back_what_was_before_and_keeps_both_clicks(store: Store) -> None:
    first, second, _ = store.items()
    store.label(first, "ada", "good")
    store.label(first, "ada", "bad")
    store.label(second, "ada", "bad")
    assert store.undo("ada") == second and store.undo("ada") == first
    assert [(row["text"], row["label"]) for row in store.rows()] == [("one", "good")]
    assert store.undo("ada") == first and store.undo("ada") is None
    assert store.rows() == []
    assert actions(store) == ["label"] * 3 + ["undo"] * 3
    assert [event["undoes"] for event in store.events()[3:]] == [3, 2, 1]


def test_undo_takes_back_nobody_elses_click(store: Store) -> None:
    store.label(store.items()[0], "ada", "good")
    assert store.undo("bob") is None
    assert len(store.rows()) == 1


def test_what_is_skipped_comes_again_at_the_end_and_unsure_does_not(store: Store) -> None:
    one, two, three = store.items()
    store.skip(one, "ada")
    assert store.next("ada") == two
    store.unsure(two, "ada")
    store.skip(three, "ada")
    assert store.next("ada") == one
    store.skip(one, "ada")
    assert store.next("ada") == three
    store.label(three, "ada", "bad")
    store.unsure(one, "ada", "good")
    assert store.next("ada") is None
    assert store.progress("ada") == {"label": 1, "unsure": 2, "skip": 0, "left": 0}
    found = {row["text"]: (row["label"], row["unsure"]) for row in store.rows("ada")}
    assert found == {"one": ("good", True), "two": (None, True), "three": ("bad", False)}


def test_no_event_can_be_changed_or_removed(store: Store) -> None:
    store.label(store.items()[0], "ada", "good")
    base = sqlite3.connect(store.path)
    for statement in ("UPDATE events SET value = 1", "DELETE FROM events"):
        with pytest.raises(sqlite3.IntegrityError, match="never"):
            base.execute(statement)
    base.close()


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["ada", "bob"]),
            st.integers(0, 2),
            st.sampled_from(["good", "bad", "unsure", "skip", "undo"]),
        ),
        max_size=20,
    )
)
def test_what_counts_is_what_a_pile_of_clicks_for_each_person_says(
    tmp_path_factory: pytest.TempPathFactory, clicks: list[tuple[str, int, str]]
) -> None:
    store = Store(tmp_path_factory.mktemp("pile") / "a.sqlite", labels=["good", "bad"])
    store.add(["one", "two", "three"])
    items = store.items()
    piles: dict[str, list[tuple[int, str]]] = {"ada": [], "bob": []}
    undone = 0
    for who, place, what in clicks:
        if what == "undo":
            back = store.undo(who)
            undone += back is not None
            assert (back and items.index(back)) == (piles[who].pop()[0] if piles[who] else None)
        else:
            piles[who].append((place, what))
            if what in ("skip", "unsure"):
                getattr(store, what)(items[place], who)
            else:
                store.label(items[place], who, what)
    for who, pile in piles.items():
        expected = {place: what for place, what in pile}  # the last on each text
        found = {row["text"]: row for row in store.rows(who)}
        for place, item in enumerate(items):
            what = expected.get(place, "skip")
            assert (item.text in found) == (what != "skip")
            if what != "skip":
                assert found[item.text]["label"] == (None if what == "unsure" else what)
    assert len(store.events()) == sum(click[2] != "undo" for click in clicks) + undone


# --- several at once ------------------------------------------------------------------------------

CLICKER = """
import sys
from llmtrain101.labels.store import Store
store, who, times = Store(sys.argv[1]), sys.argv[2], int(sys.argv[3])
for number in range(times):
    item = store.items()[number % 3]
    store.label(item, who, ["good", "bad"][number % 2], seconds=number)
    print(number, flush=True)
"""


def clicker(store: Store, who: str, times: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", CLICKER, str(store.path), who, str(times)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_processes_and_threads_at_once_lose_nothing(store: Store) -> None:
    others = [clicker(store, who, 40) for who in ("ada", "ada", "bob")]

    def click() -> None:
        for number in range(40):
            store.label(store.items()[0], "eve", "good", seconds=number)

    threads = [threading.Thread(target=click) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for other in others:
        other.communicate(timeout=60)
        assert other.returncode == 0
    events = store.events()
    assert [event["event"] for event in events] == list(range(1, 241))
    for who, times in (("ada", 2), ("bob", 1), ("eve", 3)):
        seconds = sorted(event["seconds"] for event in events if event["annotator"] == who)
        assert seconds == sorted(list(range(40)) * times)


def test_a_process_that_is_killed_has_lost_no_click_that_it_reported(store: Store) -> None:
    other = clicker(store, "ada", 100_000)
    assert other.stdout is not None
    for _ in range(20):
        other.stdout.readline()
    other.kill()
    rest, _ = other.communicate()
    reported = 20 + rest.count("\n")
    kept = [event["seconds"] for event in store.events()]
    assert kept[:reported] == list(range(reported)) and len(kept) <= reported + 1
    store.label(store.items()[0], "bob", "bad")  # and nothing is locked


def test_a_text_is_asked_of_as_many_people_as_wanted(tmp_path: Path) -> None:
    store = Store(tmp_path / "a.sqlite", labels=["x", "y"], raters=2)
    store.add([f"text {number}" for number in range(4)])
    for who in ("ada", "bob", "eve", "joe"):
        for _ in range(2):
            item = store.next(who)
            assert item is not None
            store.label(item, who, "x")
    assert store.next("ada") is None and store.next("new") is None
    assert all(row.count() == 2 for _, row in store.table().iterrows())


# --- texts and tasks ------------------------------------------------------------------------------


def test_the_same_texts_are_added_once_and_ids_keep_their_text(store: Store) -> None:
    assert store.add(["two", "four", "four"]) == 1 and len(store) == 4
    assert store.add([{"id": 7, "text": "seven", "stars": 5}]) == 1
    assert store.add([{"id": 7, "text": "seven", "stars": 5}]) == 0
    with pytest.raises(ValueError, match="row 1: the id '7' is there already"):
        store.add([{"id": 7, "text": "other"}])
    store.label("7", "ada", "good")
    (row,) = store.rows()
    assert row["stars"] == 5 and row["id"] == 7
    assert store.table().loc["7", "ada"] == "good"
    (decided,) = store.rows(decide=crowd.majority)
    assert (decided["id"], decided["label"]) == (7, "good")


def test_a_bad_row_adds_none_of_its_kind(store: Store) -> None:
    for bad, said in (
        ({"title": "six"}, " must have 'text' as text"),
        ({"text": "six", "on": pd.Timestamp(0)}, ": A value to keep must be text.*Timestamp"),
        ({"text": "six", ("a", "b"): 1}, ": keys must be str"),
        ({"text": "six", "time": "noon", "label": 1}, ": label, time would be overwritten"),
    ):
        with pytest.raises(ValueError, match=f"row 2{said}"):
            store.add(["five", bad])
    assert len(store) == 3
    assert store.add([{"id": "six", "text": "six", "counts": np.arange(3), "n": np.int64(2)}]) == 1
    assert store.items()[-1].row["counts"] == [0, 1, 2] and store.items()[-1].row["n"] == 2


@pytest.mark.parametrize("text", STRANGE, ids=range(len(STRANGE)))
def test_strange_texts_and_names_come_back_as_they_were(store: Store, text: str) -> None:
    store.add([{"id": "strange", "text": text, "note": text}])
    who = text.strip()[:100].encode(errors="replace").decode() or "ada"
    store.label("strange", who, "bad")
    (row,) = store.rows()
    assert row["text"] == row["note"] == text and row["annotator"] == who
    assert len(store.events()) == 1


def test_a_store_keeps_its_task_and_says_so(store: Store) -> None:
    again = Store(store.path)
    assert again.labels == ("good", "bad") and again.kind == "class" and len(again) == 3
    with pytest.raises(ValueError, match="labels=.*'good', 'bad'.*is wanted"):
        Store(store.path, labels=["yes", "no"])
    with pytest.raises(ValueError, match="kind='class'.*kind='spans'"):
        Store(store.path, kind="spans")


def test_guidelines_have_versions_and_each_click_knows_its_own(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    store = Store(path, labels=["x", "y"], guidelines="Irony is x.")
    store.add(["one", "two"])
    store.label(store.items()[0], "ada", "x")
    again = Store(path, guidelines="Irony is y.")
    assert again.guidelines == "Irony is y."
    store.label(store.items()[1], "ada", "y")
    Store(path, guidelines="Irony is y.")
    assert [event["guidelines"] for event in store.events()] == [1, 2]


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda s: s.label("none", "ada", "good"), ValueError, "no text 'none'"),
        (lambda s: s.label(s.next("ada"), "ada", "so-so"), ValueError, "good, bad; got 'so-so'"),
        (lambda s: s.label(s.next("ada"), " ", "good"), ValueError, "annotator must be a name"),
        (lambda s: s.rows("ada", decide=crowd.majority), ValueError, "all people at once"),
        (lambda s: Store(s.path, kind="stars"), ValueError, "class, spans, pairs"),
        (lambda s: Store(s.path, labels="good"), ValueError, "a list of names"),
        (lambda s: Store(s.path, raters=0), ValueError, "at least 1"),
        (lambda s: Store(s.path.with_name("new")), ValueError, "A new store needs labels"),
        (lambda s: Store(s.path.with_name("n"), labels=["a", "a"]), ValueError, "another name"),
        (lambda s: Store(s.path.with_name("n"), kind="pairs", labels=["a"]), ValueError, "first"),
    ],
)
def test_a_wrong_call_says_what_is_wrong(store: Store, call: Any, error: Any, said: str) -> None:
    with pytest.raises(error, match=said):
        call(store)
    assert not store.path.with_name("new").exists() and store.events() == []


def test_a_file_of_something_else_is_left_alone(tmp_path: Path) -> None:
    text = tmp_path / "text.sqlite"
    text.write_text("my diary, " * 100, encoding="utf-8")
    with pytest.raises(ValueError, match="is no label store"):
        Store(text, labels=["a", "b"])
    assert text.read_text(encoding="utf-8").startswith("my diary")
    other = tmp_path / "other.sqlite"
    base = sqlite3.connect(other)
    base.execute("CREATE TABLE books (title)")
    base.close()
    with pytest.raises(ValueError, match="a database of something else"):
        Store(other, labels=["a", "b"])


def test_a_file_that_is_gone_or_locked_is_an_error_that_says_so(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("llmtrain101.labels.store.WAIT", 0.05)
    item = store.items()[0]
    base = sqlite3.connect(store.path, isolation_level=None)
    base.execute("BEGIN EXCLUSIVE")
    with pytest.raises(OSError, match="database is locked"):
        store.label(item, "ada", "good")
    base.execute("ROLLBACK")
    base.close()
    assert store.events() == []
    store.path.unlink()
    with pytest.raises(FileNotFoundError, match="any more"):
        store.label(item, "ada", "good")
    assert not store.path.exists()


# --- spans and pairs ------------------------------------------------------------------------------


def test_spans_are_characters_and_come_out_as_tags(tmp_path: Path) -> None:
    store = Store(tmp_path / "a.sqlite", labels=["PER", "LOC"], kind="spans")
    store.add(["Ada 👩‍👧 met Bob in Paris.", "Nobody."])
    first, second = store.items()
    start = first.text.index("Bob")
    store.label(first, "ada", [(start, start + 3, "PER"), (0, 3, "PER")])
    store.label(second, "ada", [])
    store.unsure(second, "bob")
    one, two, three = store.rows()
    assert (one["start"], one["end"], one["label"]) == ([0, start], [3, start + 3], ["PER"] * 2)
    tagged = [word for word, tag in zip(one["tokens"], one["tags"], strict=True) if tag != "O"]
    assert tagged == ["Ada", "Bob"]
    assert two["label"] == [] and set(two["tags"]) == {"O"} and three["label"] is None
    assert store.table()["ada"].dropna().str.len().gt(0).all()
    assert store.table()["bob"].isna().all()
    for wrong in ([(0, 99, "PER")], [(2, 2, "PER")], [(0, 3, "PER"), (2, 5, "LOC")]):
        with pytest.raises(ValueError, match="must lie in"):
            store.label(first, "ada", wrong)
    for wrong in ("a", 5, [(0.9, 3.7, "PER")], [(0, 3)]):
        with pytest.raises(ValueError, match=r"Spans are a list of \(start, end, label\)"):
            store.label(first, "ada", wrong)
    with pytest.raises(ValueError, match="PER, LOC; got 'ORG'"):
        store.label(first, "ada", [(0, 3, "ORG")])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("e\u0301te\u0301, l’e\u0301te\u0301", ["e\u0301te\u0301", ",", "l’e\u0301te\u0301"]),
        ("हिन्दी भाषा", ["हिन्दी", "भाषा"]),
        ("👩‍👧 a🇫🇷🇩🇪", ["👩‍👧", "a", "🇫🇷", "🇩🇪"]),
        ("m² _x_ don't 'so'...", ["m²", "_x_", "don't", "'", "so", "'", ".", ".", "."]),
    ],
)
def test_a_word_keeps_its_accents_and_a_sign_its_parts(text: str, words: list[str]) -> None:
    assert [text[start:end] for start, end in tokens(text)] == words


@given(st.text(st.characters(codec="ascii"), max_size=40))
def test_plain_text_is_cut_as_a_plain_expression_cuts_it(text: str) -> None:
    plain = re.finditer(r"\w+(?:['’]\w+)*|[^\w\s]", text)
    assert tokens(text) == [match.span() for match in plain]


def test_a_word_within_two_spans_is_the_first_ones() -> None:
    assert iob2("Ada Bob", [(2, 7, "X"), (0, 2, "Y")])[1] == ["B-Y", "B-X"]


@given(st.text(max_size=40), st.data())
def test_every_word_in_a_span_is_tagged_and_no_other(text: str, data: st.DataObject) -> None:
    places = tokens(text)
    assert all(text[start:end].strip() for start, end in places)
    held = {at for start, end in places for at in range(start, end)}
    assert all(char.isspace() or at in held for at, char in enumerate(text))
    if len(places) < 2:
        return
    first = data.draw(st.integers(0, len(places) - 1))
    last = data.draw(st.integers(first, len(places) - 1))
    words, tags = iob2(text, [(places[first][0], places[last][1], "X")])
    assert words == [text[start:end] for start, end in places]
    expected = ["O"] * first + ["B-X"] + ["I-X"] * (last - first)
    assert tags == expected + ["O"] * (len(places) - last - 1)


def test_pairs_keep_which_is_better(tmp_path: Path) -> None:
    store = Store(tmp_path / "a.sqlite", kind="pairs")
    store.add([("short", "a longer one"), {"first": "x", "second": "y", "topic": 3}])
    for item, value in zip(store.items(), ("second", "same"), strict=True):
        store.label(item, "ada", value)
    assert [(row["first"], row["label"]) for row in store.rows()] == [
        ("short", "second"),
        ("x", "same"),
    ]
    with pytest.raises(ValueError, match="'first' and 'second'"):
        store.add(["alone"])


# --- export ---------------------------------------------------------------------------------------


def test_one_label_of_several_peoples(store: Store) -> None:
    assert store.rows(decide=crowd.majority) == []
    said = {
        "ada": ["good", "bad", None],
        "bob": ["good", "good", None],
        "eve": ["bad"] * 2 + [None],
    }
    for who, labels in said.items():
        for item, label in zip(store.items(), labels, strict=True):
            if label:
                store.label(item, who, label)
    assert store.table().columns.tolist() == ["ada", "bob", "eve"]
    assert store.rows(" ada ") == store.rows("ada") != []
    rows = store.rows(decide=crowd.majority)
    assert [(row["text"], row["label"]) for row in rows] == [("one", "good"), ("two", "bad")]
    weighed = store.rows(decide=lambda table: crowd.dawid_skene(table).labels)
    assert [row["text"] for row in weighed] == ["one", "two"]


FLAT = ["a.csv", "a.tsv", "a.jsonl", "a.json", "a.tfrecord", "a.parquet"]


@pytest.mark.parametrize("name", FLAT)
def test_labels_go_into_every_flat_format_and_come_back(tmp_path: Path, name: str) -> None:
    store = Store(tmp_path / "labels.sqlite", labels=["good", "=cmd|' /C calc'!A0"])
    # no format but JSON holds a half character, and unquoted columns hold neither tab nor line end
    without = "\ud83d\t" if name.endswith(".tsv") else "\ud83d"
    texts = [text for text in STRANGE[:-2] if not set(text) & set(without)]
    store.add(texts)
    for place, item in enumerate(store.items()):
        store.label(item, "ada", store.labels[place % 2], seconds=1.5)
    rows = store.rows()
    types = {"unsure": bool, "seconds": float} if name.endswith((".csv", ".tsv")) else None
    assert formats.write(tmp_path / name, rows, types=types) == len(texts)
    back = list(formats.read(tmp_path / name, types=types))
    for key in ("id", "text", "label", "annotator", "seconds", "time"):
        assert [row[key] for row in back] == [row[key] for row in rows], key


def test_spans_go_into_conll_and_pairs_into_pairs(tmp_path: Path) -> None:
    spans = Store(tmp_path / "spans.sqlite", labels=["PER"], kind="spans")
    spans.add(["Ada met Bob.", "Nobody."])
    spans.label(spans.items()[0], "ada", [(0, 3, "PER"), (8, 11, "PER")])
    spans.label(spans.items()[1], "ada", [])
    keep = ("tokens", "tags")
    rows = [{key: row[key] for key in keep} for row in spans.rows()]
    formats.write(tmp_path / "a.iob2", rows)
    assert list(formats.read(tmp_path / "a.iob2")) == rows
    for name in FLAT[2:]:  # lists are no cells of a table
        formats.write(tmp_path / name, spans.rows())
        back = list(formats.read(tmp_path / name))
        assert [list(row["tags"]) for row in back] == [row["tags"] for row in rows]
    pairs = Store(tmp_path / "pairs.sqlite", kind="pairs")
    pairs.add([("short", "long"), ("x", "y")])
    for item in pairs.items():
        pairs.label(item, "ada", "first")
    better = [{"first": row["first"], "second": row["second"]} for row in pairs.rows()]
    formats.write(tmp_path / "a.en-fr.tsv", better)
    back = [list(row.values()) for row in formats.read(tmp_path / "a.en-fr.tsv")]
    assert [row[:2] for row in back] == [["short", "long"], ["x", "y"]]
