"""Join row groups of Parquet files into a new file, byte for byte, without decoding them.

A row group's bytes do not depend on where it stands in its file; only the footer says where each one begins. So if few
row groups of a table have changed, the others are copied, and the table has the bytes of one that is written whole.
Arrow's writer cannot copy row groups. The footer is a record in Thrift's compact protocol, of which this module reads
and writes as much as Parquet uses.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

MAGIC = b"PAR1"
_CHUNK = 1 << 20
# Types of the compact protocol.
_TRUE, _FALSE, _BYTE, _BINARY, _LIST, _STRUCT = 1, 2, 3, 8, 9, 12
_INTEGERS = (4, 5, 6)
# Numbers of fields in parquet.thrift, by record.
_ROWS, _GROUPS = 3, 4  # FileMetaData
_COLUMNS, _GROUP_ROWS, _GROUP_OFFSET = 1, 3, 5  # RowGroup
_CHUNK_OFFSET, _CHUNK_META = 2, 3  # ColumnChunk
_PAGE_OFFSETS = (9, 10, 11)  # ColumnMetaData: of the data pages, the index page and the dictionary page


class Part(NamedTuple):
    """Row groups of a Parquet file, from the number `first` to the one before `end`."""

    path: Path
    first: int
    end: int


class _Value(NamedTuple):
    """A value and its type; the value of a struct is a dict by field number, that of a list a type and values."""

    kind: int
    value: Any


def join(parts: Sequence[Part], path: Path) -> None:
    """Write a Parquet file that holds row groups of others, with the bytes that one writer would have written.

    Args:
        parts: row groups in the order of the new file, of files that were written with the same schema and settings.
        path: path of the new file.

    Raises:
        ValueError: one of the files is no Parquet file, or has fewer row groups.
    """
    groups: list[_Value] = []
    with path.open("wb") as new:
        new.write(MAGIC)
        for part in parts:
            with part.path.open("rb") as old:
                footer, end = _footer(old)
                there = footer[_GROUPS].value[1]
                if part.end > len(there):
                    raise ValueError(f"{part.path} has {len(there)} row groups; expected {part.end}")
                starts = [*(group.value[_GROUP_OFFSET].value for group in there), end]
                move = new.tell() - starts[part.first]
                _copy(old, new, starts[part.first], starts[part.end])
            for group in there[part.first : part.end]:
                _move(group, move)
                groups.append(group)
        footer[_GROUPS] = _Value(_LIST, (_STRUCT, groups))
        footer[_ROWS] = _Value(6, sum(group.value[_GROUP_ROWS].value for group in groups))
        encoded = BytesIO()
        _write_struct(encoded, footer)
        new.write(encoded.getvalue() + encoded.tell().to_bytes(4, "little") + MAGIC)


def _move(group: _Value, by: int) -> None:
    """Change all offsets of a row group; an offset of 0 says that there is no such page."""
    _add(group.value, _GROUP_OFFSET, by)
    for column in group.value[_COLUMNS].value[1]:
        _add(column.value, _CHUNK_OFFSET, by)
        for field in _PAGE_OFFSETS:
            _add(column.value[_CHUNK_META].value, field, by)


def _add(record: dict[int, _Value], field: int, number: int) -> None:
    if field in record and record[field].value:
        record[field] = record[field]._replace(value=record[field].value + number)


def _copy(old: BinaryIO, new: BinaryIO, start: int, end: int) -> None:
    old.seek(start)
    while start < end:
        data = old.read(min(_CHUNK, end - start))
        if not data:
            raise ValueError("a Parquet file ends before its footer says")
        new.write(data)
        start += len(data)


def _footer(file: BinaryIO) -> tuple[dict[int, _Value], int]:
    """A Parquet file's footer, and where it begins."""
    file.seek(0, 2)
    size = file.tell()
    file.seek(max(0, size - 8))
    tail = file.read()
    start = size - 8 - int.from_bytes(tail[:4], "little")
    if tail[4:] != MAGIC or start < len(MAGIC):
        raise ValueError("not a Parquet file")
    file.seek(start)
    return _struct(iter(file.read(size - 8 - start))), start


def _struct(data: Iterator[int]) -> dict[int, _Value]:
    fields: dict[int, _Value] = {}
    number = 0
    while head := next(data):
        number = number + (head >> 4) if head >> 4 else _integer(data)
        fields[number] = _Value(head & 15, _value(data, head & 15))
    return fields


def _value(data: Iterator[int], kind: int) -> Any:
    if kind in (_TRUE, _FALSE):  # in a field; no list of Parquet's footer holds such values
        return None
    if kind == _BYTE:
        return next(data)
    if kind in _INTEGERS:
        return _integer(data)
    if kind == _BINARY:
        return bytes(next(data) for _ in range(_unsigned(data)))
    if kind == _LIST:
        head = next(data)
        count = head >> 4 if head >> 4 < 15 else _unsigned(data)
        return head & 15, [_Value(head & 15, _value(data, head & 15)) for _ in range(count)]
    if kind == _STRUCT:
        return _struct(data)
    raise ValueError(f"a Parquet footer holds a value of the unknown type {kind}")


def _unsigned(data: Iterator[int]) -> int:
    number = shift = 0
    while (byte := next(data)) & 128:
        number |= (byte & 127) << shift
        shift += 7
    return number | byte << shift


def _integer(data: Iterator[int]) -> int:
    number = _unsigned(data)
    return number >> 1 ^ -(number & 1)


def _write_struct(file: BytesIO, fields: dict[int, _Value]) -> None:
    last = 0
    for number, (kind, value) in fields.items():
        if 0 < number - last < 16:
            file.write(bytes([number - last << 4 | kind]))
        else:
            file.write(bytes([kind]))
            _write_integer(file, number)
        _write_value(file, kind, value)
        last = number
    file.write(b"\0")


def _write_value(file: BytesIO, kind: int, value: Any) -> None:
    if kind == _BYTE:
        file.write(bytes([value]))
    elif kind in _INTEGERS:
        _write_integer(file, value)
    elif kind == _BINARY:
        _write_unsigned(file, len(value))
        file.write(value)
    elif kind == _LIST:
        inner, values = cast("tuple[int, list[_Value]]", value)
        file.write(bytes([min(len(values), 15) << 4 | inner]))
        if len(values) >= 15:
            _write_unsigned(file, len(values))
        for one in values:
            _write_value(file, inner, one.value)
    elif kind == _STRUCT:
        _write_struct(file, value)


def _write_unsigned(file: BytesIO, number: int) -> None:
    while number > 127:
        file.write(bytes([number & 127 | 128]))
        number >>= 7
    file.write(bytes([number]))


def _write_integer(file: BytesIO, number: int) -> None:
    _write_unsigned(file, number << 1 if number >= 0 else (-number << 1) - 1)
