"""Excel workbooks, made from their specifications (ECMA-376, MS-XLS, MS-CFB) and not with the code that reads them."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from html import escape

from tests.support.documents import zipped

Cell = str | float | tuple[float, str] | None
"""A text, a number, a number with the format that it is shown in, or nothing."""

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATED = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"


def letters(column: int) -> str:
    """The letters of a column, from 0."""
    name = ""
    while column >= 0:
        name = chr(ord("A") + column % 26) + name
        column = column // 26 - 1
    return name


def _sheet(rows: Sequence[Sequence[Cell]], strings: list[str], formats: list[str]) -> str:
    found = []
    for number, row in enumerate(rows, 1):
        cells = []
        for column, cell in enumerate(row):
            place = f'r="{letters(column)}{number}"'
            if isinstance(cell, str) and len(strings) % 3 != 2:
                strings.append(cell)
                cells.append(f'<c {place} t="s"><v>{len(strings) - 1}</v></c>')
            elif isinstance(cell, str):  # programs other than Excel write the text into the cell
                strings.append("")
                cells.append(f'<c {place} t="inlineStr"><is><t xml:space="preserve">{escape(cell)}</t></is></c>')
            elif isinstance(cell, tuple):
                formats.append(cell[1])
                cells.append(f'<c {place} s="{len(formats)}"><v>{cell[0]!r}</v></c>')
            elif cell is not None:
                cells.append(f"<c {place}><v>{cell!r}</v></c>")
        found.append(f'<row r="{number}">{"".join(cells)}</row>')
    return "".join(found)


def xlsx(
    sheets: Mapping[str, Sequence[Sequence[Cell]] | str], hidden: Sequence[str] = (), since_1904: bool = False
) -> bytes:
    """A workbook, from the rows of its sheets, or from what stands in the element `sheetData`."""
    strings: list[str] = []
    formats: list[str] = []
    data = {name: rows if isinstance(rows, str) else _sheet(rows, strings, formats) for name, rows in sheets.items()}
    numbers = range(1, len(data) + 1)
    relation = f'<Relationship Id="{{0}}" Type="{_RELATED}/{{1}}" Target="{{2}}"/>'
    state = dict.fromkeys(hidden, ' state="hidden"')
    main = relation.format("a", "officeDocument", "xl/workbook.xml")
    shared = "".join(
        f'<si><t xml:space="preserve">{escape(text)}</t><rPh sb="0" eb="1"><t>x</t></rPh></si>' for text in strings
    )
    listed = "".join(
        f'<sheet name="{escape(name)}" sheetId="{number}" r:id="s{number}"{state.get(name, "")}/>'
        for number, name in zip(numbers, data, strict=True)
    )
    return zipped(
        {
            "[Content_Types].xml": "<Types/>",
            "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}">{main}</Relationships>',
            "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_RELATED}">'
            f'<workbookPr date1904="{int(since_1904)}"/>'
            f"<sheets>{listed}</sheets></workbook>",
            "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}">'
            + "".join(relation.format(f"s{number}", "worksheet", f"worksheets/sheet{number}.xml") for number in numbers)
            + relation.format("t", "sharedStrings", "/xl/sharedStrings.xml")
            + relation.format("u", "styles", "styles.xml")
            + "</Relationships>",
            "xl/sharedStrings.xml": f'<sst xmlns="{_MAIN}">{shared}</sst>',
            "xl/styles.xml": f'<styleSheet xmlns="{_MAIN}"><numFmts>'
            + "".join(
                f'<numFmt numFmtId="{164 + place}" formatCode="{escape(code)}"/>' for place, code in enumerate(formats)
            )
            + '</numFmts><cellXfs><xf numFmtId="0"/>'
            + "".join(f'<xf numFmtId="{164 + place}"/>' for place in range(len(formats)))
            + "</cellXfs></styleSheet>",
            **{
                f"xl/worksheets/sheet{number}.xml": f'<worksheet xmlns="{_MAIN}"><sheetData>{rows}'
                "</sheetData></worksheet>"
                for number, rows in zip(numbers, data.values(), strict=True)
            },
        }
    )


def _record(number: int, body: bytes = b"") -> bytes:
    return struct.pack("<HH", number, len(body)) + body


def _text(text: str, length: str = "<H") -> bytes:
    units = text.encode("utf-16-le")
    return struct.pack(length, len(units) // 2) + b"\1" + units


def xls(sheets: Mapping[str, Sequence[Sequence[Cell]]], hidden: Sequence[str] = (), since_1904: bool = False) -> bytes:
    """A workbook of Excel 97, whose texts are all in Unicode and at most some thousand characters long."""
    formats = [cell[1] for rows in sheets.values() for row in rows for cell in row if isinstance(cell, tuple)]
    opening = _record(0x809, struct.pack("<HHHHII", 0x600, 5, 0, 1997, 0, 0)) + _record(0x42, b"\xb0\x04")
    opening += _record(0x22, struct.pack("<H", since_1904))
    opening += _record(0x31, struct.pack("<HHHHHBBBB", 200, 0, 0x7FFF, 400, 0, 0, 0, 0, 0) + b"\5\0Arial") * 4
    for place, code in enumerate(formats):
        opening += _record(0x41E, struct.pack("<H", 164 + place) + _text(code))
    for code in (0, *range(164, 164 + len(formats))):
        opening += _record(0xE0, struct.pack("<HHHBBBBIIH", 0, code, 1, 0x20, 0, 0, 0xFF, 0, 0, 0x20C0))
    bodies = []
    style = 0
    for rows in sheets.values():
        body = _record(0x809, struct.pack("<HHHHII", 0x600, 0x10, 0, 1997, 0, 0))
        for row, cells in enumerate(rows):
            for column, cell in enumerate(cells):
                if isinstance(cell, str):
                    body += _record(0x204, struct.pack("<HHH", row, column, 0) + _text(cell))
                elif isinstance(cell, tuple):
                    style += 1
                    body += _record(0x203, struct.pack("<HHHd", row, column, style, cell[0]))
                elif cell is not None:
                    body += _record(0x203, struct.pack("<HHHd", row, column, 0, cell))
        bodies.append(body + _record(0x0A))
    names = [struct.pack("<BB", name in hidden, 0) + _text(name, "<B") for name in sheets]
    start = len(opening) + sum(len(name) + 8 for name in names) + 4
    listed = b""
    for name, body in zip(names, bodies, strict=True):
        listed += _record(0x85, struct.pack("<I", start) + name)
        start += len(body)
    return container("Workbook", opening + listed + _record(0x0A) + b"".join(bodies))


def container(name: str, stream: bytes) -> bytes:
    """A compound file, as Office 97 to 2003 wrote them, with one stream; its end is filled up with zeros."""
    stream = stream.ljust(max(4096, -(-len(stream) // 512) * 512), b"\0")
    sectors = len(stream) // 512
    tables = next(count for count in range(1, 110) if count * 128 >= sectors + 1 + count)
    chain = [*range(1, sectors), 0xFFFFFFFE, 0xFFFFFFFE, *[0xFFFFFFFD] * tables]
    fat = struct.pack(f"<{tables * 128}I", *chain, *[0xFFFFFFFF] * (tables * 128 - len(chain)))

    def entry(title: str, kind: int, child: int, first: int, size: int) -> bytes:
        text = (title + "\0").encode("utf-16-le") if title else b""
        return (
            text.ljust(64, b"\0")
            + struct.pack("<HBBIII", len(text), kind, 1, 0xFFFFFFFF, 0xFFFFFFFF, child)
            + bytes(36)
            + struct.pack("<IQ", first, size)
        )

    folder = entry("Root Entry", 5, 1, 0xFFFFFFFE, 0) + entry(name, 2, 0xFFFFFFFF, 0, len(stream))
    folder += entry("", 0, 0xFFFFFFFF, 0, 0) * 2
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    head += struct.pack(
        "<HHHHH6xIIIIIIIII", 0x3E, 3, 0xFFFE, 9, 6, 0, tables, sectors, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0
    )
    places = [sectors + 1 + place for place in range(tables)]
    head += struct.pack("<109I", *places, *[0xFFFFFFFF] * (109 - tables))
    return head + stream + folder + fat
