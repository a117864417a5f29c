"""Read articles from standard input: plain text, a web page, a document, or records in any of the usual forms."""

from __future__ import annotations

import atexit
import csv
import json
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import BinaryIO

from corpus.errors import SourceError
from corpus.numbers import number
from corpus.reading.kinds_by_content import kind_by_content
from corpus.reading.tables.json_arrays import elements, looked_into, wraps_records
from corpus.reading.text_encoding import ARTICLE_BYTES, BLOCK
from corpus.reading.web.archive_files import is_web_archive
from corpus.reading.web.html_in_text import is_page
from corpus.records import CorpusSettings, Unit

STDIN = "stdin"
_ARRAY = re.compile(r"\s*\[\s*[\[{\"\d\]tfn-]")
_RECORDS = re.compile(r"\s*\[\s*[\[{]")


def stdin_unit(settings: CorpusSettings) -> Unit:
    """Standard input, copied to a file until the process ends, since worker processes cannot read standard input.

    How it begins shows what it holds: a web page, JSON records (one on each line, or in an array, which may be in an
    object), a table whose header names the text's column, Parquet, a web archive, packed or not, a document, an archive
    of files or a spreadsheet. Anything else is one plain text, which may be an export of a newspaper database.

    Raises:
        SourceError: it is JSON, but does not hold records; or it is certainly of a kind that is not read.
    """
    path = _kept(sys.stdin.buffer)
    with path.open("rb") as file:
        data = file.read(BLOCK)
    start = _begin(path)
    kind = "txt"
    if data.startswith(b"PAR1"):
        kind = "parquet"
    elif is_web_archive(path):
        kind = "warc"
    elif known := _known(path):
        kind = known
    elif start.lstrip().startswith("{"):
        text = settings.fields.get("text", "text")
        kind = "json" if wraps_records(path, text) else "jsonl"
        if kind == "json" and (why := looked_into(path, settings.fields).why):
            raise SourceError(f"standard input: {why}")
    elif is_page(start):
        kind = "html"
    elif _is_table(start, {"text", settings.fields.get("text", "text")}):
        kind = "csv"
    elif _ARRAY.match(start):
        path, kind = _of_array(path)
    return Unit(path=str(path), kind=kind, article_id=STDIN, source=STDIN, size=path.stat().st_size)


def _known(path: Path) -> str:
    try:
        return kind_by_content(path)
    except SourceError as error:
        raise SourceError(f"standard input: expected articles; {error}") from error


def _kept(source: BinaryIO) -> Path:
    handle, name = tempfile.mkstemp(prefix="stance-stdin-")
    path = Path(name)
    atexit.register(path.unlink, missing_ok=True)
    with os.fdopen(handle, "wb") as file:
        shutil.copyfileobj(source, file)
    return path


def _begin(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(BLOCK).decode("utf-8-sig", "replace")


def _is_table(start: str, columns: set[str]) -> bool:
    """Whether the first line is the header of a table with the text's column."""
    line = start.partition("\n")[0].rstrip("\r")
    if line.lower().startswith("sep="):
        return True
    return any(
        len(header) > 1 and columns & set(header) for mark in ",;\t" for header in csv.reader([line], delimiter=mark)
    )


def _of_array(path: Path) -> tuple[Path, str]:
    """A file with the array's records, one on each line; or the file itself, as text, if it is not an array."""
    handle, name = tempfile.mkstemp(prefix="stance-stdin-")
    lines = Path(name)
    atexit.register(lines.unlink, missing_ok=True)
    count = 0
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file, path.open(encoding="utf-8-sig") as array:
            for element in elements(array.read):
                if not isinstance(element, dict):
                    raise TypeError(type(element).__name__)
                count += 1
                file.write(json.dumps(element) + "\n")
    except TypeError as error:
        if count or _is_json(path):
            raise SourceError(f"standard input: expected a JSON array of records; found {error} in it") from error
        return path, "txt"
    except (ValueError, RecursionError) as error:
        if count or _RECORDS.match(_begin(path)):
            raise SourceError(f"standard input: malformed JSON, behind {number(count, 'record')}: {error}") from error
        return path, "txt"
    return lines, "jsonl"


def _is_json(path: Path) -> bool:
    """Whether a file, no bigger than an article may be, is one JSON value."""
    try:
        return path.stat().st_size <= ARTICLE_BYTES and json.loads(path.read_bytes()) is not None
    except (ValueError, RecursionError):
        return False
