"""TFRecord without TensorFlow: framed records, each with two checksums, of `tf.train.Example`.

A record is its length (8 bytes, little-endian), the masked CRC-32C of these 8 bytes, the data, and
the masked CRC-32C of the data. Both are always checked.
"""

from __future__ import annotations

import mmap
import os
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, overload

from crc32c import crc32c

from llmtrain101.folders import replacing
from llmtrain101.formats import _rows
from llmtrain101.formats._example import Decoder, Encoder, Table
from llmtrain101.formats._rows import FormatError, Report, Row, Rows, Where

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

MASK = 0xA282EAD8  # a checksum over data that holds its own checksum would be weak: so it is masked
_CHUNK = 2**18


def masked_crc(data: bytes | memoryview) -> int:
    """The checksum that TFRecord stores: CRC-32C, rotated by 15 bits, plus a constant.

    Examples
    --------
    >>> hex(masked_crc(b"123456789"))  # the CRC-32C itself is 0xe3069283
    '0xc78ab0e5'
    """
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + MASK) & 0xFFFF_FFFF


def frame(data: bytes) -> bytes:
    """One record as it stands in a file.

    Examples
    --------
    >>> frame(b"hi").hex()
    '020000000000000078270b34686913d60856'
    """
    return _header(len(data)) + data + struct.pack("<I", masked_crc(data))


def _header(length: int) -> bytes:
    packed = struct.pack("<Q", length)
    return packed + struct.pack("<I", masked_crc(packed))


def encode(row: Row, *, types: Mapping[str, Any] | None = None) -> bytes:
    """A row as the bytes of a `tf.train.Example`, features by name.

    Examples
    --------
    >>> encode({"label": 5}).hex()
    '0a100a0e0a056c6162656c12051a030a0105'
    """

    def refuse(_: int, message: str) -> None:
        raise ValueError(message)

    return Encoder(_rows.kinds(types)).batch([row], refuse)[0]


def write(path: Where, rows: Iterable[Row], *, types: Mapping[str, Any] | None = None) -> int:
    """Write rows as Examples, in one step, packed if the name ends in `.gz`; returns how many.

    Text becomes UTF-8 bytes, `bool` an integer, `float` a float32 of some 7 digits, None a feature
    without a value. An empty list is one of bytes unless `types` says otherwise.

    Raises
    ------
    FormatError
        If an Example cannot hold a value: nested, mixed, or a number out of range.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "a.tfrecord"
    ...     _ = write(path, [{"text": "é", "tags": ["x"]}, {"text": "", "tags": []}])
    ...     list(read(path, types={"text": str, "tags": list[str]}))
    [{'tags': ['x'], 'text': 'é'}, {'tags': [], 'text': ''}]
    """
    declared = _rows.kinds(types)
    encoder, count = Encoder(declared), 0
    with _rows.writing(path) as file:
        for first, batch in _rows.batches(rows, path, declared):

            def refuse(place: int, message: str, first: int = first) -> None:
                raise FormatError(message, path, record=first + place)

            file.write(_framed(encoder.batch(batch, refuse)))
            count += len(batch)
    return count


_HEADERS = Table(_header)


def _framed(records: list[bytes]) -> bytes:
    import numpy as np

    crcs = np.fromiter(map(crc32c, records), np.uint32, len(records))
    stored = _masked(crcs).astype("<u4").tobytes()
    parts = [b""] * (3 * len(records))
    parts[::3] = [_HEADERS[length] for length in map(len, records)]
    parts[1::3] = records
    parts[2::3] = [stored[at : at + 4] for at in range(0, len(stored), 4)]
    return b"".join(parts)


def _masked(crcs: Array) -> Array:
    masked: Array = (crcs >> 15 | crcs << 17) + crcs.dtype.type(MASK)
    return masked


# --- reading ------------------------------------------------------------------------------------


class _Block(NamedTuple):
    """Whole records: where they lie in `data`, and in the file."""

    data: bytes
    starts: Array
    ends: Array
    records: list[int]  # which record of the file each is
    byte: int  # where in the file `data` begins

    def where(self, place: int) -> dict[str, int]:
        return {"record": self.records[place], "byte": self.byte + int(self.starts[place]) - 12}


def read(
    path: Where, *, types: Mapping[str, Any] | None = None, errors: str = "raise",
    largest: int = _rows.LARGEST,
) -> Rows:  # fmt: skip
    """The rows of a TFRecord file, every checksum checked.

    Without `types`, a feature of one value is that value and any other a list; bytes that are
    UTF-8 are text; a feature without a kind is None.

    Parameters
    ----------
    path : path
        Packed by gzip or not.
    types : mapping from name to type, optional
        For example `{"text": str, "tags": list[str], "ok": bool, "score": float | None}`.
    errors : "raise" or "report"
        "report" goes on behind a damaged record: where its length is right, with the next one;
        else with the next 12 bytes that are a length and its checksum.
    largest : int
        The most bytes of one record. A longer one is an error; nothing is allocated for it.

    Raises
    ------
    FormatError
        While reading, with the record and its byte: a checksum that is wrong, a record that is cut
        off or too long, no Example, or not of the declared types.
    """
    report = Report(path, errors)
    decoder = Decoder(_rows.kinds(types))

    def rows() -> Iterator[list[Row]]:
        for block in _blocks(report, largest):

            def damage(place: int, message: str, block: _Block = block) -> None:
                report.damage(message, **block.where(place))

            made = decoder.rows(block.data, block.starts, block.ends, damage)
            report.rows += len(made)
            yield made

    return Rows(rows(), report)


def read_columns(path: Where, *, largest: int = _rows.LARGEST) -> Iterator[dict[str, Array]]:
    """The file in blocks of columns: int64, float32, and arrays of bytes.

    Raises
    ------
    FormatError
        As `read`, and if the records of a block differ in what features they have.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "a.tfrecord"
    ...     _ = write(path, ({"label": label} for label in range(4)))
    ...     [block["label"].tolist() for block in read_columns(path)]
    [[0, 1, 2, 3]]
    """
    report, decoder = Report(path), Decoder({})
    for block in _blocks(report, largest):
        columns = decoder.columns(block.data, block.starts, block.ends)
        if columns is None:
            message = "columns need the same features, of one value each, in all records; use read"
            raise FormatError(message, path, **block.where(0))
        yield columns


def _checked_length(header: bytes) -> int | None:
    """The length that 12 bytes state, or None if they belie themselves."""
    length, crc = struct.unpack("<QI", header)
    return length if masked_crc(header[:8]) == crc else None


def is_record(start: bytes) -> bool:
    """Whether 12 bytes are a length and its checksum, as at the beginning of every record."""
    return len(start) == 12 and _checked_length(start) is not None


def _blocks(report: Report, largest: int) -> Iterator[_Block]:
    known: dict[bytes, int] = {}  # headers whose checksum was right: the same length comes again
    data, byte, record, at, ended = b"", 0, 0, 0, False

    with _rows.opened(report.path, report, is_record) as read:
        while not ended or at < len(data):
            byte += at
            chunk = b"" if ended else read(max(_CHUNK, len(data) - at))
            data, at, ended = data[at:] + chunk, 0, not chunk
            starts, ends, size = [], [], len(data)
            while at + 12 <= size:
                header = data[at : at + 12]
                length = known.get(header)
                if length is None:
                    length = _checked_length(header)
                    if length is None or length > largest:
                        break
                    if len(known) >= 1 << 16:
                        known.clear()
                    known[header] = length
                end = at + 12 + length
                if end + 4 > size:
                    break
                starts.append(at + 12)
                ends.append(end)
                at = end + 4
            if starts:
                yield from _verified(data, starts, ends, record, byte, report)
                record += len(starts)
            if at == size or at + 12 > size and not ended:
                continue
            length = _checked_length(data[at : at + 12]) if at + 12 <= size else 0
            if length is None:
                problem = "its length does not match its checksum"
            elif length > largest:
                problem = f"it states {length:,} bytes, more than largest={largest:,}"
            elif ended:
                problem = f"the file ends within it ({size - at:,} bytes of it are there)"
            else:
                continue
            place = byte + at
            if report.raises:
                report.damage(problem, record=record, byte=place)
            found, at = _next_header(data, at + 1, largest), at + 1
            while found is None and (chunk := read(_CHUNK)):
                keep = max(at, len(data) - 11)
                byte, data, at = byte + keep, data[keep:] + chunk, 0
                found = _next_header(data, 0, largest)
            at, ended = (len(data), True) if found is None else (found, ended)
            report.damage(problem, byte + at - place, record=record, byte=place)
            record += 1


def _next_header(data: bytes, at: int, largest: int) -> int | None:
    """The next place where a length and its checksum stand; the upper half of a length is 0."""
    while (found := data.find(b"\0\0\0\0", at + 4)) >= 0 and found + 8 <= len(data):
        at = found - 4
        length = _checked_length(data[at : at + 12])
        if length is not None and length <= largest:
            return at
        at += 1
    return None


def _verified(
    data: bytes, starts: list[int], ends: list[int], record: int, byte: int, report: Report
) -> Iterator[_Block]:
    """The records whose data have the checksum that stands behind them."""
    import numpy as np

    view = memoryview(data)
    pairs = zip(starts, ends, strict=True)
    crcs = np.array([crc32c(view[start:end]) for start, end in pairs], np.uint32)
    first, last = np.array(starts), np.array(ends)
    stored = np.frombuffer(data, np.uint8)[last[:, None] + np.arange(4)].view("<u4").ravel()
    good = _masked(crcs) == stored
    block = _Block(data, first, last, list(range(record, record + len(starts))), byte)
    if good.all():
        yield block
        return
    # rows that come before the damage are given out before it is told
    begin = 0
    for place in [*np.flatnonzero(~good).tolist(), len(starts)]:
        if place > begin:
            numbers = block.records[begin:place]
            yield _Block(data, first[begin:place], last[begin:place], numbers, byte)
        if place < len(starts):
            lost = ends[place] - starts[place] + 16
            report.damage("its data do not match their checksum", lost, **block.where(place))
        begin = place + 1


# --- random access ------------------------------------------------------------------------------


class Records(Sequence[Row]):
    """The rows of a file by number, each read, checked and decoded when it is asked for.

    Parameters
    ----------
    path : path
        A TFRecord file that is not packed.
    types : mapping from name to type, optional
        As in `read`.
    index : path, optional
        A file that `write_index` made; else the lengths are followed from record to record.
    largest : int
        The most bytes of one record.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "labels.tfrecord"
    ...     _ = write(path, ({"label": label} for label in range(100)))
    ...     with Records(path) as rows:
    ...         len(rows), rows[42], rows[-1]
    (100, {'label': 42}, {'label': 99})
    """

    def __init__(
        self, path: Where, *, types: Mapping[str, Any] | None = None, index: Where | None = None,
        largest: int = _rows.LARGEST,
    ) -> None:  # fmt: skip
        self.path, self._decoder = Path(path), Decoder(_rows.kinds(types))
        with self.path.open("rb") as file:
            start = file.read(12)
            if start.startswith(b"\x1f\x8b") and not is_record(start):
                raise FormatError("it is packed by gzip; unpack it to ask by number", self.path)
            size = os.fstat(file.fileno()).st_size
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if size else None
        try:
            self.offsets = self._follow(largest) if index is None else self._read_index(index)
        except BaseException:
            self.close()
            raise

    def _follow(self, largest: int) -> list[int]:
        offsets: list[int] = []
        data, at = self._map or b"", 0
        while at < len(data):
            length = self._length(at, len(offsets))
            if length > largest:
                message = f"it states {length:,} bytes, more than largest={largest:,}"
                raise FormatError(message, self.path, record=len(offsets), byte=at)
            offsets.append(at)
            at += 16 + length
        return offsets

    def _read_index(self, index: Where) -> list[int]:
        try:
            lines = Path(index).read_text(encoding="ascii").splitlines()
            return [int(line.split()[0]) for line in lines]
        except (ValueError, IndexError) as problem:
            raise FormatError(f"no index of a TFRecord file ({problem})", index) from None

    def _length(self, at: int, record: int) -> int:
        data = self._map or b""
        header = data[at : at + 12] if at >= 0 else b""
        length = _checked_length(header) if len(header) == 12 else None
        if length is None or at + 16 + length > len(data):
            problem = "does not match its checksum" if length is None else "goes beyond the file"
            raise FormatError(f"its length {problem}", self.path, record=record, byte=at)
        return length

    def __len__(self) -> int:
        return len(self.offsets)

    @overload
    def __getitem__(self, place: int) -> Row: ...
    @overload
    def __getitem__(self, place: slice) -> list[Row]: ...
    def __getitem__(self, place: int | slice) -> Row | list[Row]:
        if isinstance(place, slice):
            return [self[each] for each in range(*place.indices(len(self)))]
        record = range(len(self))[place]
        at = self.offsets[record]
        length = self._length(at, record)
        assert self._map is not None
        data = self._map[at + 12 : at + 16 + length]
        try:
            if masked_crc(data[:-4]) != struct.unpack("<I", data[-4:])[0]:
                raise ValueError("its data do not match their checksum")
            return self._decoder._one(data[:-4])
        except ValueError as problem:
            raise FormatError(str(problem), self.path, record=record, byte=at) from None

    def close(self) -> None:
        """Let go of the file."""
        if self._map is not None:
            self._map.close()

    def __enter__(self) -> Records:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def write_index(path: Where, index: Where | None = None) -> Path:
    """Write where each record begins and how long it is, one a line, as other tools read it too."""
    index = Path(index) if index is not None else Path(f"{os.fspath(path)}.idx")
    with closing(Records(path)) as records:
        total = os.path.getsize(path)
        stops = [*records.offsets[1:], total]
        lines = (f"{a} {b - a}\n" for a, b in zip(records.offsets, stops, strict=True))
        with replacing(index) as part:
            part.write_text("".join(lines), encoding="ascii", newline="\n")
    return index
