"""Checks of lesson 06: a varint, the records of a TFRecord file, an index of lines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llmtrain101.course.checks import Wrong, brief, exercise


@exercise(
    "06.1",
    title="A varint",
    minutes=8,
    difficulty=2,
    hints=[
        "`number & 127` is the lowest 7 bits of a number; `number >>= 7` takes them off.",
        "As long as more than 7 bits are left, write the lowest 7 with the highest bit set: "
        "`number & 127 | 128`.",
        "The last group is what is left, 127 at most, as it is. A number below 128 is one byte.",
    ],
)
def varint(answer: Callable[[int], Any]) -> str:
    """The answer maps a whole number to its varint."""
    from llmtrain101.formats._example import varint as right

    slips: dict[str, Callable[[int], bytes]] = {
        "the groups stand in the wrong order: the lowest 7 bits come first": lambda n: _varint(
            n, order=-1
        ),
        "no byte says that more follow: set the highest bit (`| 128`) in all but the last": (
            lambda n: _varint(n, more=0)
        ),
        "the highest bit is set in the last byte too, so that a reader goes on": lambda n: _varint(
            n, last=128
        ),
        "the highest bit is set in the last byte, and not in those before: it is the other way "
        "round": lambda n: _varint(n, more=0, last=128),
        "it takes 8 bits a byte, so that no room is left to say that more follow": lambda n: (
            n.to_bytes(max(1, (n.bit_length() + 7) // 8), "little")
        ),
        "that is the number in 8 bytes, as the length of a record; a varint is as short as it "
        "can be": lambda n: n.to_bytes(8, "little"),
    }
    for number in (300, 1, 127, 128, 0, 16_383, 16_384, 2**40 + 5):
        found = answer(number)
        if isinstance(found, (list, tuple)) and all(isinstance(each, int) for each in found):
            raise Wrong(f"`varint({number})` is a {type(found).__name__}; wrap it in `bytes(…)`.")
        if not isinstance(found, (bytes, bytearray)):
            raise Wrong(f"`varint({number})` is {found!r}; it should be bytes.")
        if bytes(found) == right(number):
            continue
        shown = f"`varint({number})` is {_hex(found)}"
        if not found:
            raise Wrong(f"{shown}. Even {number} takes a byte.")
        for slip, wrong in slips.items():
            if bytes(found) == wrong(number):
                raise Wrong(f"{shown}: {slip}.")
        raise Wrong(f"{shown}; it should be {_hex(right(number))}.")
    return "Small numbers, which are the most frequent, take one byte."


def _varint(number: int, order: int = 1, more: int = 128, last: int = 0) -> bytes:
    groups = []
    while True:
        groups.append(number & 127)
        number >>= 7
        if not number:
            break
    marks = [more] * (len(groups) - 1) + [last]
    return bytes(a | b for a, b in zip(groups[::order], marks, strict=True))


@exercise(
    "06.2",
    title="Read a TFRecord",
    minutes=12,
    difficulty=3,
    hints=[
        "Keep the place `at` where a record begins. Its length is in `data[at : at + 8]`: "
        '`int.from_bytes(…, "little")`.',
        "`data[at + 8 : at + 12]` must equal `checksum(data[at : at + 8])`. Check that before you "
        "use the length.",
        "The data end at `end = at + 12 + length`, their checksum is `data[end : end + 4]`, and "
        "the next record begins at `end + 4`. A slice beyond the end is shorter, so that a file "
        "that is cut off fails the same comparison.",
    ],
)
def records_of(answer: Callable[[bytes], Any]) -> str:
    """The answer maps the bytes of a file to the data of its records."""
    from llmtrain101.formats.tfrecord import frame

    texts = [b"first", b"", b"x" * 300, "é\n\0".encode()]
    frames = [frame(each) for each in texts]
    whole = b"".join(frames)
    _reads(answer, b"", [], "an empty file")
    _reads(answer, frames[0], texts[:1], "a file of one record")
    _reads(answer, whole, texts, "a file of four records")
    start, two = len(frames[0]), b"".join(frames[:3])
    damaged = {
        "a byte of the third record's data is changed": _changed(two, start + 16 + 12 + 40),
        "a byte of the first record's length is changed": _changed(whole, 0, 1),
        "a high byte of the first record's length is changed": _changed(whole, 5, 255),
        "a byte of the first length's checksum is changed": _changed(whole, 9),
        "a byte of the last record's checksum is changed": _changed(whole, len(whole) - 1),
        "the last 2 bytes are missing": whole[:-2],
        "the file ends within a record's data": two[:-100],
        "the file ends within a length": whole + frames[0][:5],
    }
    for what, data in damaged.items():
        try:
            found = _listed(answer, data)
        except Wrong as problem:
            cause = problem.__cause__  # what the answer raised
            if isinstance(cause, ValueError):
                continue
            if cause is None:
                raise
            raise Wrong(
                f"When {what}, it stops with a `{type(cause).__name__}`; it should raise a "
                "`ValueError`."
            ) from None
        count = len(found) if isinstance(found, list) else found
        raise Wrong(
            f"When {what}, nothing is said: it returns {count} records. There are two checksums "
            "in each record, and both must match."
        )
    return "No bit flips unnoticed now. (Whoever means harm can compute a checksum, too.)"


def _listed(answer: Callable[[bytes], Any], data: bytes) -> Any:
    """What the answer gives; where it yields its records, what it raises on the way counts too."""
    found = answer(data)
    if not hasattr(found, "__next__"):
        return found
    try:
        return list(found)
    except Exception as error:
        name = getattr(answer, "__name__", "your function")
        raise Wrong(f"`{name}` stopped with `{type(error).__name__}: {error}`.") from error


def _changed(data: bytes, place: int, by: int = 4) -> bytes:
    return data[:place] + bytes([data[place] ^ by]) + data[place + 1 :]


def _reads(answer: Callable[[bytes], Any], data: bytes, right: list[bytes], what: str) -> None:
    try:
        found = _listed(answer, data)
    except Wrong as problem:
        if isinstance(cause := problem.__cause__, ValueError):
            raise Wrong(f"For {what}, undamaged, it raises a ValueError: {cause}.") from None
        raise
    if not isinstance(found, list):
        raise Wrong(f"For {what} it returns {brief(found)}; it should be a list of bytes.")
    if found == right:
        return
    if len(found) < len(right):
        raise Wrong(f"For {what} it returns {len(found)}; the next begins behind the checksum.")
    for one, other in zip(found, right, strict=False):
        if one != other:
            hint = ""
            if isinstance(one, bytes) and other in one:
                hint = " There is too much in it: the length and the checksums are not data."
            raise Wrong(f"For {what}, a record is {brief(one)}; it should be {brief(other)}.{hint}")
    raise Wrong(f"For {what} it returns {len(found)} records instead of {len(right)}.")


@exercise(
    "06.3",
    title="An index of lines",
    minutes=5,
    difficulty=1,
    hints=[
        "The first line begins at 0; the next where the one before has ended, and it ends behind "
        "its line end.",
        "Work on the bytes: `len` of a str counts letters, and `é` is two bytes.",
        "`data.split(b'\\n')` takes the line ends away: each line is then one byte longer than "
        "what you have.",
    ],
)
def index_of(answer: Callable[[bytes], Any]) -> str:
    """The answer maps the bytes of a JSON Lines file to the places where lines begin."""
    lines = ['{"text": "Orléans"}', '{"text": "日本"}', "{}", '{"text": "a\\n b"}']
    data = "".join(f"{line}\n" for line in lines).encode()
    right = [0]
    for line in lines:
        right.append(right[-1] + len(line.encode()) + 1)
    ends, right = right, right[:-1]
    letters = [sum(len(line) + 1 for line in lines[:n]) for n in range(len(lines))]
    no_ends = [sum(len(line.encode()) for line in lines[:n]) for n in range(len(lines))]
    slips = {
        "these places count letters, not bytes: `é` takes two": [letters, [*letters, 0]],
        "the line ends are not counted: each is a byte too": [no_ends],
        "there is one too many: nothing begins behind the last line end": [ends],
        "these are the places where lines end; the first begins at 0": [
            ends[1:],
            [end - 1 for end in ends[1:]],
        ],
        "the first line, which begins at 0, is missing": [right[1:]],
    }
    found = _numbers(answer(data))
    for slip, values in slips.items():
        if found in values:
            raise Wrong(f"`index_of` gives {found}: {slip}.")
    if found != right:
        raise Wrong(f"`index_of` gives {found} for {data!r}; it should be {right}.")
    unfinished = _numbers(answer(data[:-1]))
    if unfinished != right:
        raise Wrong(
            f"Without a line end behind the last line, `index_of` gives {unfinished}; the lines "
            f"begin where they did, at {right}."
        )
    empty = _numbers(answer(b""))
    if empty:
        raise Wrong(f"An empty file has no lines, but `index_of` gives {empty}.")
    return "With it, row 20,000 is one `seek` away."


def _numbers(value: Any) -> list[int]:
    listed = hasattr(value, "__iter__") and not isinstance(value, (str, bytes))
    found = list(value) if listed else [value]
    if not listed or not all(hasattr(each, "__index__") for each in found):
        raise Wrong(f"It gives {brief(value)}; it should be a list of whole numbers.")
    return [int(each) for each in found]


def _hex(data: Any) -> str:
    return f"`{bytes(data).hex(' ')}`" if data else "`b''`"
