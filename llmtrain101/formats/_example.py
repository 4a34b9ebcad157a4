"""`tf.train.Example` as protobuf: rows to bytes and back, many records at a time.

Most files hold many records of one layout: the same features in the same order, one value in each.
Those are taken apart column by column with numpy. What is laid out otherwise goes through protobuf,
whose rules are the reference for all of it.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from llmtrain101.formats import _rows
from llmtrain101.formats._rows import Kind, Row

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

BYTES, FLOAT, INT = 0x0A, 0x12, 0x1A  # how a Feature begins on the wire: fields 1, 2, 3
KINDS = {"bytes_list": BYTES, "float_list": FLOAT, "int64_list": INT}
KEPT = 1 << 16  # entries of a table of what was computed before
Fields = tuple[tuple[bytes, int], ...]  # the name and the kind of each feature, in order


@functools.cache
def example_class() -> Any:
    """The message class `tensorflow.Example`, made from its description."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    types = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(
        name="example.proto", package="tensorflow", syntax="proto3"
    )

    def message(name: str, *fields: tuple[str, int, bool, str], inside: Any = None) -> Any:
        made = (file.message_type if inside is None else inside.nested_type).add(name=name)
        for number, (field, kind, many, type_name) in enumerate(fields, 1):
            made.field.add(
                name=field, number=number, type=kind, type_name=type_name or None,
                label=types.LABEL_REPEATED if many else types.LABEL_OPTIONAL,
            )  # fmt: skip
        return made

    message("BytesList", ("value", types.TYPE_BYTES, True, ""))
    message("FloatList", ("value", types.TYPE_FLOAT, True, ""))
    message("Int64List", ("value", types.TYPE_INT64, True, ""))
    lists = zip(KINDS, ("BytesList", "FloatList", "Int64List"), strict=True)
    one_of = [(name, types.TYPE_MESSAGE, False, f".tensorflow.{kind}") for name, kind in lists]
    feature = message("Feature", *one_of)
    feature.oneof_decl.add(name="kind")
    for field in feature.field:
        field.oneof_index = 0
    nested = ".tensorflow.Features.FeatureEntry"
    features = message("Features", ("feature", types.TYPE_MESSAGE, True, nested))
    entry = message(
        "FeatureEntry",
        ("key", types.TYPE_STRING, False, ""),
        ("value", types.TYPE_MESSAGE, False, ".tensorflow.Feature"),
        inside=features,
    )
    entry.options.map_entry = True
    message("Example", ("features", types.TYPE_MESSAGE, False, ".tensorflow.Features"))
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("tensorflow.Example"))


def varint(number: int) -> bytes:
    """An integer in groups of 7 bits, the lowest first; a negative one as its 64 bits.

    Examples
    --------
    >>> varint(5).hex(), varint(300).hex(), len(varint(-1))
    ('05', 'ac02', 10)
    """
    number &= 0xFFFF_FFFF_FFFF_FFFF
    groups = bytearray()
    while number > 127:
        groups.append(number & 127 | 128)
        number >>= 7
    groups.append(number)
    return bytes(groups)


# --- rows to bytes ------------------------------------------------------------------------------


class Table(dict[Any, bytes]):
    """What was computed once is looked up afterwards; emptied when it grows too large."""

    def __init__(self, compute: Callable[[Any], bytes]) -> None:
        self.compute = compute

    def __missing__(self, key: Any) -> bytes:
        if len(self) >= KEPT:
            self.clear()
        self[key] = made = self.compute(key)
        return made


def _open(key: bytes, kind: int, length: int) -> bytes:
    """The bytes of an entry of the feature map before a list of `length` bytes."""
    kind_and_size = bytes([kind]) + varint(length)
    feature = b"\x12" + varint(len(kind_and_size) + length) + kind_and_size
    head = b"\x0a" + varint(len(key)) + key + feature
    return b"\x0a" + varint(len(head) + length) + head


def _before_bytes(key: bytes, length: int) -> bytes:
    size = b"\x0a" + varint(length)
    return _open(key, BYTES, len(size) + length) + size


def _whole_int(key: bytes, value: int) -> bytes:
    if not -(2**63) <= value < 2**63:
        raise ValueError(f"{key.decode()!r} is {value}, beyond 64 bits")
    packed = varint(value)
    size = b"\x0a" + varint(len(packed))
    return _open(key, INT, len(size) + len(packed)) + size + packed


class Encoder:
    """Rows to Examples, as TensorFlow writes them with `deterministic=True`: features by name."""

    def __init__(self, declared: Mapping[str, Kind]) -> None:
        self.declared = declared
        self._tables: dict[tuple[str, type], Any] = {}
        self._outer = Table(lambda length: b"\x0a" + varint(length))

    def batch(self, rows: Sequence[Row], error: Callable[[int, str], None]) -> list[bytes]:
        """Each row as the bytes of an Example; `error(place, message)` must raise."""
        try:
            names = sorted(rows[0], key=str.encode)
            if not names or sum(map(len, rows)) != len(names) * len(rows):
                raise LookupError  # the names differ; where one is missing, `row[name]` says so
            columns = [self._column(name, [row[name] for row in rows]) for name in names]
            bodies = list(map(b"".join, zip(*columns, strict=True)))
            return [self._outer[len(body)] + body for body in bodies]
        except (LookupError, TypeError, ValueError, OverflowError):
            return [self._one(row, place, error) for place, row in enumerate(rows)]

    def _column(self, name: str, column: list[Any]) -> list[bytes]:
        (kind,) = set(map(type, column))  # ValueError if there is more than one
        key = name.encode()
        made: Any = self._tables.get((name, kind))
        if made is None:
            if kind is str or kind is bytes:
                made = Table(functools.partial(_before_bytes, key))
            elif kind is int or kind is bool:
                made = Table(functools.partial(_whole_int, key))
            elif kind is float:
                made = _open(key, FLOAT, 6) + b"\x0a\x04"
            else:
                raise LookupError
            self._tables[name, kind] = made
        if kind is str:
            column = [value.encode() for value in column]
        if kind is str or kind is bytes:
            return [made[len(value)] + value for value in column]
        if kind is float:
            packed = struct.pack(f"<{len(column)}f", *column)
            return [made + packed[at : at + 4] for at in range(0, len(packed), 4)]
        return [made[value] for value in column]

    def _one(self, row: Row, place: int, error: Callable[[int, str], None]) -> bytes:
        example = example_class()()
        for name, value in row.items():
            try:
                feature = example.features.feature[name]
                if value is not None:
                    kind, values = _listed(value, self.declared.get(name))
                    target = getattr(feature, kind)
                    target.SetInParent()  # an empty list has a kind too
                    target.value.extend(values)
            except (TypeError, ValueError, OverflowError) as problem:
                error(place, f"TFRecord does not hold {name!r}, {_rows.brief(value)}: {problem}")
        made: bytes = example.SerializeToString(deterministic=True)
        return made


def _listed(value: Any, declared: Kind | None) -> tuple[str, list[Any]]:
    """The list of an Example that holds a value, and what is in it."""
    values = value if isinstance(value, list) else [value]
    found = set(map(type, values)) or {declared.base if declared else bytes}
    if found <= {str, bytes}:
        return "bytes_list", [v.encode() if isinstance(v, str) else v for v in values]
    if found <= {int, bool}:
        return "int64_list", [int(each) for each in values]
    if found == {float}:
        struct.pack(f"<{len(values)}f", *values)  # OverflowError beyond float32
        return "float_list", values
    raise ValueError(f"one list holds one of text, int and float, got {_names(found)}")


def _names(types: set[type]) -> str:
    return " and ".join(sorted(each.__name__ for each in types))


# --- bytes to rows ------------------------------------------------------------------------------


class Decoder:
    """Examples to rows or columns."""

    def __init__(self, declared: Mapping[str, Kind]) -> None:
        self.declared = declared
        self.layouts: list[Fields] = []

    def rows(
        self, data: bytes, starts: Array, ends: Array, error: Callable[[int, str], None]
    ) -> list[Row]:
        """The rows of records that lie in `data`; `error` hears of those that are none."""
        import numpy as np

        found: list[Row | None] = [None] * len(starts)
        buffer = np.frombuffer(data, np.uint8)
        left = np.arange(len(starts))
        tried = 0
        while len(left):
            if tried == len(self.layouts):
                fields = self._learn(data[starts[left[0]] : ends[left[0]]])
                if fields is None or fields in self.layouts or len(self.layouts) >= 16:
                    break
                self.layouts.append(fields)
            fields = self.layouts[tried]
            good, columns = _columns(buffer, starts[left], ends[left], fields)
            tried += 1
            if good.all():
                made = self._make(data, fields, columns)
            elif good.any():
                made = self._make(data, fields, [column[good] for column in columns])
            else:
                continue
            if made is None:
                continue
            if len(made) == len(found):
                return made
            for place, row in zip(left[good].tolist(), made, strict=True):
                found[place] = row
            left = left[~good]
        for place in left.tolist():
            try:
                found[place] = self._one(data[starts[place] : ends[place]])
            except ValueError as problem:
                error(place, str(problem))
        return [row for row in found if row is not None]

    def columns(self, data: bytes, starts: Array, ends: Array) -> dict[str, Array] | None:
        """The same as arrays of int64, float32 or bytes; None if the records differ in layout."""
        import numpy as np

        fields = self._learn(data[starts[0] : ends[0]])
        if fields is None:
            return None
        good, columns = _columns(np.frombuffer(data, np.uint8), starts, ends, fields)
        if not good.all():
            return None
        arrays: dict[str, Array] = {}
        for (key, kind), column in zip(fields, columns, strict=True):
            if kind == BYTES:
                objects = np.empty(len(column), object)
                objects[:] = [data[a:b] for a, b in column.tolist()]
                column = objects
            arrays[key.decode()] = column
        return arrays

    def _make(self, data: bytes, fields: Fields, columns: list[Array]) -> list[Row] | None:
        """Rows from columns; None if protobuf's path must say what is wrong."""
        made: dict[str, list[Any]] = {}
        for (key, kind), column in sorted(zip(fields, columns, strict=True), key=itemgetter(0)):
            declared = self.declared.get(key.decode())
            values: list[Any] = column.tolist()
            base = declared.base if declared else None
            if kind == BYTES and base is not bytes:
                try:
                    values = [data[a:b].decode() for a, b in values]
                except UnicodeDecodeError:
                    return None
            elif kind == BYTES:
                values = [data[a:b] for a, b in values]
            if base is bool and kind == INT and set(values) <= {0, 1}:
                values = list(map(bool, values))
            elif base not in (None, *_BASES[kind]):
                return None
            listed = [[value] for value in values] if declared and declared.many else values
            made[key.decode()] = listed
        needed = {name for name, kind in self.declared.items() if not kind.optional}
        return None if needed - set(made) else _rows.row_maker(tuple(made))(list(made.values()))

    def _learn(self, record: bytes) -> Fields | None:
        try:
            fields = _layout(record)
            names = {key.decode() for key, _ in fields}
        except (IndexError, ValueError):
            return None
        return fields if len(names) == len(fields) > 0 else None

    def _one(self, record: bytes) -> Row:
        from google.protobuf.message import DecodeError

        try:
            features = example_class().FromString(record).features.feature
        except DecodeError:
            raise ValueError("no tf.train.Example") from None
        row: Row = {}
        for name in sorted(features):
            kind = features[name].WhichOneof("kind")
            declared = self.declared.get(name)
            if kind is None:
                row[name] = None
            else:
                values = list(getattr(features[name], kind).value)
                row[name] = _value(name, values, KINDS[kind], declared)
        for name, declared in self.declared.items():
            if row.get(name) is None and not declared.optional:
                raise ValueError(f"{name!r} is missing; declare {declared} | None if it may be")
        return row


_BASES: dict[int, tuple[type, ...]] = {BYTES: (str, bytes), FLOAT: (float,), INT: (int,)}


def _value(name: str, values: list[Any], kind: int, declared: Kind | None) -> Any:
    if kind == BYTES and (declared is None or declared.base is str):
        try:
            values = [value.decode() for value in values]
        except UnicodeDecodeError:
            if declared:
                raise ValueError(f"{name!r} is not UTF-8; declare bytes") from None
    if declared is None:
        return values[0] if len(values) == 1 else values
    if declared.base is bool and kind == INT and set(values) <= {0, 1}:
        values = list(map(bool, values))
    elif declared.base not in _BASES[kind]:
        raise ValueError(f"{name!r} is {_rows.brief(values)}, not {declared}")
    if declared.many:
        return values
    if len(values) != 1:
        raise ValueError(f"{name!r} has {len(values)} values; declare list[…]")
    return values[0]


def _layout(record: bytes) -> Fields:
    """The features of an Example in their order; IndexError or ValueError if it is none."""

    def size(at: int, mark: int) -> tuple[int, int]:
        if record[at] != mark:
            raise ValueError
        number = shift = 0
        while True:
            at += 1
            number |= (record[at] & 127) << shift
            shift += 7
            if record[at] < 128:
                return number, at + 1

    fields = []
    _, at = size(0, 0x0A)
    while at < len(record):
        length, at = size(at, 0x0A)
        end = at + length
        length, at = size(at, 0x0A)
        key, at = record[at : at + length], at + length
        _, at = size(at, 0x12)
        if record[at] not in (BYTES, FLOAT, INT):
            raise ValueError
        fields.append((key, record[at]))
        at = end
    return tuple(fields)


def _varints(buffer: Array, at: Array, longest: int) -> tuple[Array, Array, Array]:
    """The varint at each place: its value, the place after it, whether it ends in time."""
    import numpy as np

    byte = buffer.take(at, mode="clip")
    value, at, more = (byte & 127).astype(np.uint64), at + 1, byte > 127
    for shift in range(7, 7 * longest, 7):
        if not more.any():
            break
        byte = np.where(more, buffer.take(at, mode="clip"), 0)
        value |= (byte & 127).astype(np.uint64) << np.uint64(shift)
        at = at + more
        more = byte > 127
    return value.view(np.int64), at, ~more


def _columns(buffer: Array, at: Array, end: Array, fields: Fields) -> tuple[Array, list[Array]]:
    """Which records are laid out so, and for each field their values.

    Bytes are given by where they begin and end: (N, 2). Places beyond a record are read as the last
    byte of the buffer, and cannot match: every length is held against the one around it.
    """
    import numpy as np

    good = buffer.take(at, mode="clip") == 0x0A
    columns: list[Array] = []

    def inside(at: Array, mark: int | None, end: Array | None) -> tuple[Array, Array]:
        """After a mark and a size; all of it must end at `end`."""
        nonlocal good
        if mark is not None:
            good &= buffer.take(at, mode="clip") == mark
            at = at + 1
        size, at, whole = _varints(buffer, at, 4)
        good &= whole
        if end is not None:
            good &= at + size == end
        return at, at + size

    at, _ = inside(at + 1, None, end)
    for key, kind in fields:
        at, stop = inside(at, 0x0A, None)
        head = np.frombuffer(b"\x0a" + varint(len(key)) + key + b"\x12", np.uint8)
        good &= (buffer.take(at[:, None] + np.arange(len(head)), mode="clip") == head).all(axis=1)
        at, _ = inside(at + len(head), None, stop)
        at, _ = inside(at, kind, stop)
        at, _ = inside(at, 0x0A, stop)
        if kind == BYTES:
            columns.append(np.stack([at, stop], axis=1))
        elif kind == FLOAT:
            good &= stop - at == 4
            raw = buffer.take(at[:, None] + np.arange(4), mode="clip")
            columns.append(raw.view("<f4").ravel())
        else:
            value, after, whole = _varints(buffer, at, 10)
            good &= whole & (after == stop)
            columns.append(value)
        at = stop
    return good & (at == end), columns
