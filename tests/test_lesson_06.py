"""The exercises of lesson 06: right answers pass, each kind of wrong one hears what is wrong."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from typing import Any

import pytest

from llmtrain101 import plots
from llmtrain101.formats._example import varint
from llmtrain101.formats.tfrecord import masked_crc
from tests.judging import judged


def groups(number: int) -> list[int]:
    return list(varint(number))


def records(
    data: bytes, length_checked: bool = True, data_checked: bool = True, gap: int = 4,
    order: str = "<", error: type[Exception] = ValueError,
) -> list[bytes]:  # fmt: skip
    found, at = [], 0
    while at < len(data):
        head = data[at : at + 12]
        if len(head) < 12:
            raise error("cut off")
        length, crc = struct.unpack(f"{order}QI", head)
        if length_checked and masked_crc(head[:8]) != crc:
            raise error("length")
        body = data[at + 12 : at + 12 + length]
        if (
            data_checked
            and masked_crc(body).to_bytes(4, "little") != data[at + 12 + length : at + 16 + length]
        ):
            raise error("data")
        found.append(body)
        at += 12 + length + gap
    return found


def yielded(data: bytes, **slips: Any) -> Iterator[bytes]:
    yield from records(data, **slips)  # so that it raises only while it is read


def starts(data: bytes) -> list[int]:
    return [at for at in range(len(data)) if at == 0 or data[at - 1 : at] == b"\n"]


@pytest.mark.parametrize(
    ("id", "answer"),
    [
        ("06.1", varint),
        ("06.1", lambda n: bytearray(varint(n))),
        ("06.2", records),
        ("06.2", lambda data: iter(records(data))),
        ("06.2", yielded),
        ("06.3", starts),
        ("06.3", lambda data: tuple(starts(data))),
    ],
)
def test_every_way_of_being_right_passes(id: str, answer: Any) -> None:
    state, text = judged(id, answer)
    assert state == "passed", text


def without_ends(data: bytes) -> list[int]:
    lengths = [len(line) for line in data.splitlines()]
    return [sum(lengths[:n]) for n in range(len(lengths))]


@pytest.mark.parametrize(
    ("id", "answer", "said"),
    [
        ("06.1", lambda n: bytes(reversed(varint(n))), "should be"),
        ("06.1", groups, "wrap it in"),
        ("06.1", lambda n: bytes(g & 127 for g in varint(n)), "no byte says that more follow"),
        ("06.1", lambda n: bytes(g | 128 for g in varint(n)), "in the last byte too"),
        ("06.1", lambda n: n.to_bytes(8, "little"), "in 8 bytes"),
        ("06.1", lambda n: n.to_bytes(max(1, (n.bit_length() + 7) // 8), "little"), "8 bits"),
        ("06.1", lambda n: bytes([g ^ 128 for g in varint(n)]), "the other way round"),
        ("06.1", lambda n: varint(n) if n else b"", "Even 0 takes a byte"),
        ("06.1", lambda n: str(n), "should be bytes"),
        ("06.2", lambda d: records(d, data_checked=False), "a byte of the third record's data"),
        ("06.2", lambda d: records(d, length_checked=False), "nothing is said|stops with"),
        ("06.2", lambda d: records(d, error=IndexError), "stops with a `IndexError`"),
        ("06.2", lambda d: yielded(d, data_checked=False), "a byte of the third record's data"),
        ("06.2", lambda d: yielded(d, error=IndexError), "stops with a `IndexError`"),
        ("06.2", lambda d: yielded(d, order=">"), "undamaged, it raises a ValueError"),
        ("06.2", lambda d: map(ord, records(d)), "stopped with `TypeError"),
        ("06.2", lambda d: records(d, order=">"), "raises a ValueError"),
        ("06.2", lambda d: records(d)[:1], "the next begins behind"),
        ("06.2", lambda d: [b"1234" + each for each in records(d)], "too much in it"),
        ("06.2", lambda d: len(records(d)), "a list of bytes"),
        ("06.3", without_ends, "line ends are not counted"),
        ("06.3", lambda d: [*starts(d), len(d)], "one too many"),
        ("06.3", lambda d: starts(d)[1:], "is missing"),
        ("06.3", lambda d: [*starts(d)[1:], len(d)], "where lines end"),
        ("06.3", lambda d: [at for at in starts(d) if at < 40], "it should be"),
        ("06.3", lambda d: starts(d) if d.endswith(b"\n") else starts(d)[:-1], "Without a line"),
        ("06.3", lambda d: starts(d) or [0], "no lines"),
        ("06.3", lambda d: "0", "list of whole numbers"),
    ],
)  # fmt: skip
def test_each_kind_of_wrong_answer_hears_what_is_wrong(id: str, answer: Any, said: str) -> None:
    state, text = judged(id, answer)
    assert state == "failed", text
    assert re.search(said, text), text


def test_letters_are_told_from_bytes() -> None:
    def letters(data: bytes) -> list[int]:
        text = data.decode()
        return [at for at in range(len(text)) if at == 0 or text[at - 1] == "\n"]

    assert "count letters" in judged("06.3", letters)[1]


def test_the_order_of_groups_is_told() -> None:
    def backwards(number: int) -> bytes:
        seven = [g & 127 for g in varint(number)][::-1]
        return bytes([*(g | 128 for g in seven[:-1]), seven[-1]])

    assert "wrong order" in judged("06.1", backwards)[1]


def test_a_map_of_bytes_shows_each_byte_once() -> None:
    ax = plots.byte_map([("length", b"\x02\x00"), ("data", b"H\x00"), ("length", b"!")], width=4)
    assert [text.get_text() for text in ax.texts] == ["02", "00", "48\nH", "00", "21\n!"]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["length", "data"]
    first, last = ax.patches[0], ax.patches[-1]
    assert first.get_facecolor() == last.get_facecolor() != ax.patches[2].get_facecolor()
