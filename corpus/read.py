"""Files to articles: which files there are, what they are called, their text and metadata."""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

from corpus.records import Article, SourceError

ENDINGS = {".txt", ".html", ".htm"}
SIDECAR = "articles.csv"
SIDECAR_FIELDS = {"file", "url", "outlet", "title", "published", "language", "licence"}
BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def find(sources: Sequence[Path]) -> list[Path]:
    """All article files that the sources name, sorted, each once.

    Args:
        sources: files, or folders that are searched through and through.

    Raises:
        SourceError: a source does not exist, has an ending that is not read, or holds no article.
    """
    found: set[Path] = set()
    for source in sources:
        if source.is_dir():
            files = [path for path in source.rglob("*") if path.suffix.lower() in ENDINGS and path.is_file()]
            if not files:
                raise SourceError(
                    f"{source}: no article found; expected files that end in {', '.join(sorted(ENDINGS))}"
                )
            found.update(files)
        elif source.is_file():
            if source.suffix.lower() not in ENDINGS:
                raise SourceError(f"{source}: expected one of {', '.join(sorted(ENDINGS))}")
            found.add(source)
        else:
            raise SourceError(f"{source}: no such file or folder")
    return sorted(found)


def read(paths: Sequence[Path], root: Path) -> Iterator[Article]:
    """Read article files one by one.

    Args:
        paths: the files, as `find` gives them.
        root: ids of files below it are their path from there, without the ending.

    Raises:
        SourceError: a file cannot be read or decoded, two files have one id, or a sidecar is malformed.
    """
    sidecars: dict[Path, dict[str, dict[str, str]]] = {}
    seen: dict[str, Path] = {}
    for path in paths:
        article_id = _article_id(path, root)
        if article_id in seen:
            raise SourceError(
                f"two articles have the id {article_id!r}: {seen[article_id]} and {path}; rename one, "
                "or set [corpus] root to a folder above both"
            )
        seen[article_id] = path
        yield _read_one(path, article_id, _sidecar_row(path, root, sidecars))


def _article_id(path: Path, root: Path) -> str:
    full, base = path.resolve(), root.resolve()
    return full.relative_to(base).with_suffix("").as_posix() if full.is_relative_to(base) else full.stem


def _read_one(path: Path, article_id: str, row: dict[str, str]) -> Article:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: {error.strerror}") from error
    text, encoding = _decode(path, data)
    extractor = "plain 1"
    fields = {"title": "", "published": "", "outlet": "", "url": "", "language": "", "licence": ""}
    if path.suffix.lower() != ".txt":
        text, extractor = _extract(text, fields)
    fields |= {name: value for name, value in row.items() if value and name != "file"}
    return Article(
        article_id=article_id,
        source=path.name,
        sha256=hashlib.sha256(data).hexdigest(),
        encoding=encoding,
        extractor=extractor,
        text=text,
        **fields,
    )


def _decode(path: Path, data: bytes) -> tuple[str, str]:
    encoding = next((name for mark, name in BYTE_ORDER_MARKS if data.startswith(mark)), "utf-8")
    try:
        return data.decode(encoding), encoding
    except UnicodeDecodeError:
        from charset_normalizer import from_bytes

        guesses = from_bytes(data)
        best = guesses.best()
        if best is None:
            raise SourceError(f"{path}: expected text in UTF-8, UTF-16 or an 8-bit code page; found none") from None
        # English has few letters that tell code pages apart: cp1250 and cp1252 score the same on "naïve café".
        # Of pages that fit equally well, the one that English is written in.
        western = any("cp1252" in one.could_be_from_charset for one in guesses if one.chaos <= best.chaos)
        encoding = "cp1252" if western else best.encoding
        return data.decode(encoding), encoding


def _extract(page: str, fields: dict[str, str]) -> tuple[str, str]:
    """Article text of an HTML page; fills `fields` from the page's metadata."""
    import trafilatura

    text = trafilatura.extract(page, fast=True, include_comments=False, include_tables=False) or ""
    # Its own search for a date goes through the prose (it took 2014 out of a sentence of the starter corpus)
    # and refuses dates after today, which an invented corpus has.
    dates = {"original_date": True, "extensive_search": False, "max_date": "2100-01-01"}
    metadata = trafilatura.extract_metadata(page, date_config=dates)
    if metadata is not None:
        fields["title"] = metadata.title or ""
        fields["published"] = metadata.date or ""
        fields["outlet"] = metadata.sitename or ""
        fields["url"] = metadata.url or ""
        fields["language"] = metadata.language or ""
    return text, f"trafilatura {trafilatura.__version__}"


def _sidecar_row(path: Path, root: Path, cache: dict[Path, dict[str, dict[str, str]]]) -> dict[str, str]:
    """The file's row in the nearest articles.csv: in its folder, or one above it up to `root`."""
    full, base = path.resolve(), root.resolve()
    folders = [full.parent]
    if full.is_relative_to(base):
        folders += [folder for folder in full.parent.parents if folder.is_relative_to(base)]
    for folder in folders:
        if folder not in cache:
            cache[folder] = _sidecar(folder / SIDECAR)
        row = cache[folder].get(full.relative_to(folder).as_posix())
        if row:
            return row
    return {}


def _sidecar(path: Path) -> dict[str, dict[str, str]]:
    if not path.is_file():
        return {}
    text, _ = _decode(path, path.read_bytes())
    reader = csv.DictReader(io.StringIO(text))
    names = set(reader.fieldnames or ())
    if "file" not in names or names - SIDECAR_FIELDS:
        raise SourceError(
            f"{path}, line 1: expected the columns file and any of {', '.join(sorted(SIDECAR_FIELDS - {'file'}))}; "
            f"found {', '.join(reader.fieldnames or ()) or 'nothing'}"
        )
    return {row["file"]: {name: value or "" for name, value in row.items() if name} for row in reader}
