"""TFRecord: equal to TensorFlow byte for byte, and no damaged bit goes unseen."""

from __future__ import annotations

import gzip
import hashlib
import math
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmtrain101.formats import FormatError, tfrecord
from llmtrain101.formats._example import Decoder, example_class, varint

FIXTURE = Path(__file__).with_name("fixtures") / "fixture.tfrecord"
SHA256 = "bab932e057955bf7dec3c513f98a5ecd9a2ad04bb4d287fd18cdd2922dff1dd3"
STARTS = [0, 92, 159, 268, 349, 405, 477, 555]
TYPES = {"text": bytes, "label": list[int] | None, "score": list[float] | None}


def plain(row: dict[str, Any]) -> dict[str, Any]:
    """nan is not equal to itself."""
    return {name: repr(value) for name, value in row.items()}


# --- what TensorFlow wrote ----------------------------------------------------------------------


def test_the_fixture_is_the_one_that_tensorflow_wrote() -> None:
    assert hashlib.sha256(FIXTURE.read_bytes()).hexdigest() == SHA256


def test_what_tensorflow_wrote_is_read() -> None:
    rows = list(tfrecord.read(FIXTURE))
    assert rows[0] == {"label": 1, "score": 0.5, "text": "héllo — 日本語 😀"}
    assert rows[1]["text"] == ""
    assert rows[2]["label"] == [-1, -(2**63), 2**63 - 1, -5]
    assert rows[3]["score"] == [1.5, -2.25, struct.unpack("<f", struct.pack("<f", 3e38))[0]]
    assert "score" not in rows[4]
    assert rows[5]["text"] == b"\x00\x01\x00\xff\x00"
    assert rows[6]["label"] == [] and rows[7]["label"] is None
    assert rows[7]["score"][:2] == [math.inf, -math.inf] and math.isnan(rows[7]["score"][2])


def test_what_is_written_equals_tensorflow_byte_for_byte(tmp_path: Path) -> None:
    rows = list(tfrecord.read(FIXTURE, types=TYPES))
    assert tfrecord.write(tmp_path / "again.tfrecord", rows, types=TYPES) == 8
    assert (tmp_path / "again.tfrecord").read_bytes() == FIXTURE.read_bytes()


def test_records_are_where_tensorflow_put_them() -> None:
    with tfrecord.Records(FIXTURE) as rows:
        assert rows.offsets == STARTS
        assert [plain(row) for row in rows] == [plain(row) for row in tfrecord.read(FIXTURE)]


def damaged(name: str) -> bytes:
    data = bytearray(FIXTURE.read_bytes())
    if name == "structure":
        data[STARTS[3] + 12 + 20] ^= 1
    elif name == "text":
        data[data.index(b"floats")] ^= 1
    elif name == "cut in the data":
        del data[-10:]
    elif name == "cut in the checksum":
        del data[-2:]
    elif name == "cut in the length":
        del data[STARTS[7] + 6 :]
    else:
        struct.pack_into("<Q", data, STARTS[3], 2**40)
        if name == "huge length, right checksum":
            length = bytes(data[STARTS[3] : STARTS[3] + 8])
            struct.pack_into("<I", data, STARTS[3] + 8, tfrecord.masked_crc(length))
    return bytes(data)


@pytest.mark.parametrize(
    ("name", "record", "said", "lost"),
    [
        ("structure", 3, "data do not match", 81),
        ("text", 3, "data do not match", 81),
        ("cut in the data", 7, "ends within it", 65),
        ("cut in the checksum", 7, "ends within it", 73),
        ("cut in the length", 7, "ends within it", 6),
        ("huge length", 3, "length does not match", 81),
        ("huge length, right checksum", 3, "more than largest", 81),
    ],
)
def test_damage_is_named_and_passed_by(
    tmp_path: Path, name: str, record: int, said: str, lost: int
) -> None:
    path = tmp_path / "bad.tfrecord"
    path.write_bytes(damaged(name))
    seen = []
    with pytest.raises(FormatError, match=said) as caught:
        for row in tfrecord.read(path):
            seen.append(row)
    assert len(seen) == record, "the rows before the damage are there"
    assert (caught.value.record, caught.value.byte) == (record, STARTS[record])
    assert str(path) in str(caught.value)
    rows = tfrecord.read(path, errors="report")
    assert len(list(rows)) == 7
    assert (rows.report.rows, rows.report.damaged, rows.report.lost_bytes) == (7, 1, lost)


def test_every_flipped_bit_is_caught(tmp_path: Path) -> None:
    data = FIXTURE.read_bytes()
    path = tmp_path / "flipped.tfrecord"
    for bit in range(8 * len(data)):
        made = bytearray(data)
        made[bit // 8] ^= 1 << bit % 8
        path.write_bytes(made)
        with pytest.raises(FormatError):
            list(tfrecord.read(path))


def test_a_huge_length_is_never_allocated(tmp_path: Path) -> None:
    import tracemalloc

    path = tmp_path / "huge.tfrecord"
    path.write_bytes(damaged("huge length, right checksum"))
    tracemalloc.start()
    list(tfrecord.read(path, errors="report", largest=2**41))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**24


# --- round trips --------------------------------------------------------------------------------

texts = st.text(st.characters(codec="utf-8"), max_size=20)
int64 = st.integers(-(2**63), 2**63 - 1)
float32 = st.floats(width=32)
values = st.one_of(
    texts, int64, float32, st.none(),
    st.lists(int64, min_size=2, max_size=5), st.lists(texts, min_size=2, max_size=3),
    st.lists(float32, min_size=2, max_size=4),
)  # fmt: skip


def key(row: dict[str, Any]) -> str:
    return repr(sorted(row.items()))


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(st.dictionaries(texts, values, max_size=4), max_size=20))
def test_rows_come_back_as_they_were(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Any]
) -> None:
    path = tmp_path_factory.mktemp("trip") / "a.tfrecord.gz"
    assert tfrecord.write(path, rows) == len(rows)
    assert list(map(key, tfrecord.read(path))) == list(map(key, rows))


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(st.fixed_dictionaries({"t": texts, "b": st.binary(max_size=9), "i": int64,
                                            "f": float32, "y": st.booleans()}),
                     min_size=1, max_size=20))  # fmt: skip
def test_columns_equal_protobuf_in_both_directions(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        data = tfrecord.encode(row)
        example = example_class().FromString(data)
        assert example.SerializeToString(deterministic=True) == data
        # the same with the features in another order, as other writers leave them
        other = example_class()()
        for name in reversed(sorted(row)):
            other.features.feature[name].CopyFrom(example.features.feature[name])
        types = {"t": str, "b": bytes, "i": int, "f": float, "y": bool}
        for made in (data, other.SerializeToString()):
            quick = _rows(made, types)
            assert list(map(key, quick)) == [key(row)]


def _rows(data: bytes, types: dict[str, Any]) -> list[dict[str, Any]]:
    from llmtrain101.formats._rows import kinds

    def refuse(place: int, message: str) -> None:
        raise AssertionError(message)

    decoder = Decoder(kinds(types))
    rows = decoder.rows(data, np.array([0]), np.array([len(data)]), refuse)
    assert rows == [decoder._one(data)] or "nan" in repr(rows)
    return rows


def test_large_and_empty_values_come_back(tmp_path: Path) -> None:
    rows = [{"text": ""}, {"text": "ä" * 3_000_000}, {}, {"text": "\0<script>\u202e=cmd"}]
    tfrecord.write(tmp_path / "a.tfrecord", rows)
    assert list(tfrecord.read(tmp_path / "a.tfrecord")) == rows
    with pytest.raises(FormatError, match="more than largest=1,000,000"):
        list(tfrecord.read(tmp_path / "a.tfrecord", largest=1_000_000))


def test_layouts_may_change_within_a_file(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"a": i} if i % 3 == 0 else {"b": "x", "a": [i, i]} if i % 3 == 1 else {"a": 0.5}
        for i in range(3_000)
    ]
    tfrecord.write(tmp_path / "a.tfrecord", rows)
    assert list(tfrecord.read(tmp_path / "a.tfrecord")) == rows


def test_gzip_that_is_cut_off_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.tfrecord.gz"
    tfrecord.write(path, ({"label": label} for label in range(1_000)))
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(FormatError, match="gzip"):
        list(tfrecord.read(path))


def test_a_length_that_looks_like_gzip_is_none(tmp_path: Path) -> None:
    rows = [{"text": "x" * (0x8B1F - 26)}]  # 26 bytes round the text
    path = tmp_path / "a.tfrecord"
    tfrecord.write(path, rows)
    assert path.read_bytes()[:2] == b"\x1f\x8b"
    assert list(tfrecord.read(path)) == rows
    with tfrecord.Records(path) as records:
        assert list(records) == rows
    (tmp_path / "b").write_bytes(gzip.compress(path.read_bytes()))
    assert list(tfrecord.read(tmp_path / "b")) == rows


# --- types, columns, index ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "types", "said"),
    [
        ({"a": {"b": 1}}, {}, "TFRecord does not hold 'a'"),
        ({"a": [1, "x"]}, {}, "one of text, int and float, got int and str"),
        ({"a": [1, None]}, {}, "one of text, int and float"),
        ({"a": 2**63}, {}, "'a'"),
        ({"a": 1e300}, {}, "too large"),
        ({"a": "\ud800"}, {}, "surrogates"),
        ({"a": "x"}, {"a": int}, r"'a' is 'x' \(str\), not int"),
        ({"b": 1}, {"a": int}, "'a' is missing"),
        ({1: 1}, {}, "1"),
    ],
)
def test_what_a_record_cannot_hold_is_refused_with_its_place(
    tmp_path: Path, row: dict[Any, Any], types: dict[str, Any], said: str
) -> None:
    path = tmp_path / "a.tfrecord"
    path.write_bytes(b"old")
    good = {"a": 1} if types else {"a": "x"}
    with pytest.raises(FormatError, match=said) as caught:
        tfrecord.write(path, [good] * 2_000 + [row], types=types)
    assert caught.value.record == 2_000
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]


def test_declared_types_decide_and_are_checked(tmp_path: Path) -> None:
    path = tmp_path / "a.tfrecord"
    tfrecord.write(path, [{"text": "é", "ok": True, "n": [1], "score": 2}], types={"score": float})
    types = {"text": bytes, "ok": bool, "n": list[int], "score": float, "more": str | None}
    assert list(tfrecord.read(path, types=types)) == [
        {"n": [1], "ok": True, "score": 2.0, "text": "é".encode()}
    ]
    for wrong, said in (
        ({"text": int}, "'text' is .* not int"),
        ({"n": str}, "not str"),
        ({"more": str}, "'more' is missing"),
    ):
        with pytest.raises(FormatError, match=said):
            list(tfrecord.read(path, types=wrong))


def test_columns_are_arrays(tmp_path: Path) -> None:
    rows = [{"text": f"é{i}", "label": i, "score": i / 4} for i in range(5_000)]
    tfrecord.write(tmp_path / "a.tfrecord", rows)
    blocks = list(tfrecord.read_columns(tmp_path / "a.tfrecord"))
    labels = np.concatenate([block["label"] for block in blocks])
    scores = np.concatenate([block["score"] for block in blocks])
    assert labels.dtype == np.int64 and labels.tolist() == list(range(5_000))
    assert scores.dtype == np.float32 and scores[-1] == 4_999 / 4
    assert [t for block in blocks for t in block["text"]] == [r["text"].encode() for r in rows]
    tfrecord.write(tmp_path / "b.tfrecord", [{"a": 1}, {"b": 1}])
    with pytest.raises(FormatError, match="use read"):
        list(tfrecord.read_columns(tmp_path / "b.tfrecord"))


def test_random_access_is_checked_and_may_use_an_index(tmp_path: Path) -> None:
    path = tmp_path / "a.tfrecord"
    tfrecord.write(path, ({"label": label, "text": "x" * label} for label in range(300)))
    index = tfrecord.write_index(path)
    with tfrecord.Records(path, index=index) as rows:
        assert len(rows) == 300
        assert [rows[i]["label"] for i in (0, 299, -1, 17)] == [0, 299, 299, 17]
        assert [row["label"] for row in rows[5:8]] == [5, 6, 7]
        with pytest.raises(IndexError):
            rows[300]
        at = rows.offsets[17] + 20
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)
    with tfrecord.Records(path, index=index) as rows:
        assert rows[16]["label"] == 16
        with pytest.raises(FormatError, match="record 17 .* do not match"):
            rows[17]
    index.write_text("5 10\n", encoding="ascii")  # of another file
    with tfrecord.Records(path, index=index) as rows, pytest.raises(FormatError, match="record 0"):
        rows[0]


def test_an_empty_file_holds_nothing(tmp_path: Path) -> None:
    assert tfrecord.write(tmp_path / "a.tfrecord", []) == 0
    assert list(tfrecord.read(tmp_path / "a.tfrecord")) == []
    with tfrecord.Records(tmp_path / "a.tfrecord") as rows:
        assert len(rows) == 0


@given(number=int64)
def test_varints_are_protobufs(number: int) -> None:
    data = tfrecord.encode({"a": number})
    assert data.endswith(varint(number))
    assert example_class().FromString(data).features.feature["a"].int64_list.value == [number]
