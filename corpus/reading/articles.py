"""Read articles, each with its text and metadata, or with the reason why it cannot be read."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from corpus.ids.fingerprint import fingerprint, text_id
from corpus.reading.article_in_file import CREATED, ArticleInFile, by_text
from corpus.reading.database_exports import export_of, may_be_export, no_text, not_of, note_on, several
from corpus.reading.dates import iso_date
from corpus.reading.documents.kinds import DOCUMENTS, articles_in
from corpus.reading.exports import split
from corpus.reading.file_kinds import DATA_FILES, REFERENCES, shown
from corpus.reading.language_of_text import code_of, language_of
from corpus.reading.tables.columns import FIELDS, DataRow
from corpus.reading.tables.data_files import rows
from corpus.reading.text_encoding import ARTICLE_BYTES, NULS, NotTextError, decode, is_encodable
from corpus.reading.web.html_in_text import TAGS, is_page, plain
from corpus.reading.web.html_page import extract, read_page
from corpus.reading.web.warc import NoPage, Page, pages
from corpus.records import Article, CorpusSettings, Noted, Skipped, Span, Unit

PLAIN, MARKUP, CONVERTED = "plain 1", "markup 1", "conversion 1"
"""Extractors: text as it stands, HTML in a text column, and plain text that a web archive's maker made from a page."""

ONLY_URL = "no text, only a URL"
CUT_OFF = "the source cut the text off"
"""The note on texts that end as NewsAPI ends those that it does not give whole."""
NOT_DESCRIBED = "its row in articles.csv is not used, as the file holds several articles"
"""The note on a file that a sidecar describes as if it were one article."""

EXPORTED = frozenset(("docx", "rtf", "odt", "pdf"))
"""Kinds of documents that newspaper databases write their exports in."""
WHOLE = EXPORTED | {"md", "eml", "mbox"}
"""Kinds of documents in which the text of an export may be one article's, if it could not be split."""

_CUT_OFF = re.compile(r"\[\+\d+ chars\]\s*\Z")
_FRONT_MATTER = re.compile(
    r"---[ \t]*(?:\r\n|\r|\n)"
    rf"((?:(?:{'|'.join(FIELDS[1:])})[ \t]*:[^\r\n]*(?:\r\n|\r|\n))+)"
    r"---(?=[ \t]*(?:[\r\n]|\Z))"
)


def read(unit: Unit, settings: CorpusSettings) -> Iterator[Article | Skipped | Noted]:
    """Read the articles of one unit, one by one.

    An article's id is the record's own `id`, or else its `url`. The id of a file is the `id` in its front matter, or
    else its path from the root; outside the root it is the file's name. Path and name are without the ending. A row
    with neither an `id` nor a `url` is known by its text: its id is `text:` and digits of its fingerprint. Several
    such articles with the same text share this id here; `corpus.ids.article_ids` tells them apart. The id of a page
    in a web archive is the URL that it was crawled from.

    Args:
        unit: a unit of work, as `corpus.reading.source_files.units` gives it.
        settings: `[corpus]` of stance.toml.

    Returns:
        For each article an `Article`, or a `Skipped` that says what is wrong with it. After an article that was not
        read exactly as it stands, or that leaves a doubt, a `Noted` for each thing to know about it.

    Raises:
        SourceError: a data file as a whole cannot be read.
    """
    if unit.reason:
        yield _skip(unit.article_id, unit.source, unit.reason)
        return
    if unit.kind not in DATA_FILES:
        yield from _file(unit, settings)
        return
    if unit.metadata:
        note = f"{NOT_DESCRIBED}: say in the file's own columns what is to be known of each"
        yield Noted(article_id="", source=unit.source, note=note)
    if not unit.size:
        reason = "the file is empty" if Path(unit.path).is_file() else "cannot be read: no such file"
        yield _skip(unit.article_id, unit.source, reason)
        return
    if unit.kind == "warc":
        for page in pages(unit):
            yield from _crawled(unit, page)
        return
    for row in rows(unit, settings):
        own_id, source = f"{unit.article_id}#{row.number}", f"{unit.source}:{row.number}"
        if row.fault:
            yield _skip(own_id, source, row.fault)
        else:
            given_id = row.fields.pop("id") or row.fields["url"]
            if row.fields["url"] and not row.fields["text"].strip():
                yield _skip(given_id, source, _only_url(row))
                continue
            guessed = _guessed(unit.encoding) if row.number == unit.first else ""
            notes = [guessed, row.note]
            yield from _row(given_id, own_id, source, row, unit.encoding, notes)


def _guessed(encoding: str) -> str:
    """The note on a file without a declared encoding that is not in Unicode; otherwise empty."""
    return "" if encoding.startswith("utf") else f"the file's encoding was guessed: {encoding}"


def _only_url(row: DataRow) -> str:
    """Why a row with an address and without a text is skipped; what stands behind the colon differs between rows."""
    if not row.texts:
        return f"{ONLY_URL}: `stance fetch` fetches the pages"
    return f"{ONLY_URL}: {', '.join(row.texts[:3])} may hold a text; name the field under [corpus.fields]"


def front_matter_end(text: str) -> int:
    r"""Where a text's front matter ends: `---`, lines `key: value` with known keys only, `---`.

    Returns:
        The position after the closing line's last dash, or 0 where there is no front matter.

    >>> front_matter_end("---\ntitle: Rain\n---\nIt rained.")
    19
    >>> front_matter_end("---\nIt rained: a lot.\n---\n")
    0
    """
    match = _FRONT_MATTER.match(text)
    return match.end() if match else 0


def _text_id(text: str) -> str:
    return text_id(fingerprint(text[front_matter_end(text) :]))


def _file(unit: Unit, settings: CorpusSettings) -> Iterator[Article | Skipped | Noted]:
    try:
        # Opened without blocking, as a pipe may have taken the file's place.
        with open(os.open(unit.path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:  # noqa: PTH123
            data = file.read(ARTICLE_BYTES + 1)
    except OSError as error:
        yield _skip(unit.article_id, unit.source, f"cannot be read: {error.strerror}")
        return
    if len(data) > ARTICLE_BYTES or not data:
        reason = f"longer than {ARTICLE_BYTES >> 20} MB" if data else "the file is empty"
        yield _skip(unit.article_id, unit.source, reason)
        return
    yield from _several(unit, data, in_file(unit.kind, data, settings.format))


def in_file(kind: str, data: bytes, family: str = "") -> Sequence[ArticleInFile]:
    """The articles in a file of any kind that is not a table or a web archive.

    Args:
        kind: kind of the file.
        data: the file's bytes.
        family: `[corpus] format`: the family of databases' exports that the file belongs to; empty if the file itself
            shows that.
    """
    if kind in DOCUMENTS:
        articles = articles_in(kind, data, family)
        if kind in EXPORTED:
            articles = _exported(articles, family)
        return list(map(_undivided, articles)) if kind in WHOLE and family != split.PLAIN else articles
    try:
        if kind == "html":
            return _of_page(data, family)
        return _of_text(data, family or (kind if kind in REFERENCES else ""))
    except NotTextError as error:
        return [ArticleInFile(fault=str(error))]


def _of_page(data: bytes, family: str) -> Sequence[ArticleInFile]:
    found, encoding = read_page(data, exports=family)
    return found.in_file(encoding)


def _of_text(data: bytes, family: str) -> Sequence[ArticleInFile]:
    text, encoding = decode(data)
    # A text with front matter was edited by somebody: it is not an export as the database wrote it.
    if family != split.PLAIN and not front_matter_end(text):
        if exported := split.articles_of(text, family):
            return by_text(exported, encoding)
        if family:
            raise NotTextError(not_of(family))
    if reason := no_text(text, exports=family == split.PLAIN):
        raise NotTextError(reason)
    return [
        ArticleInFile(
            text=text,
            extractor=PLAIN,
            fields=_front_matter(text),
            encoding=encoding,
            note="\n".join(filter(None, (_guessed(encoding), note_on(text)))),
        )
    ]


def _exported(articles: Sequence[ArticleInFile], family: str) -> Sequence[ArticleInFile]:
    """The articles of a document that a database exported, such as a Word file of Nexis Uni; or the document itself."""
    if len(articles) > 1 or articles[0].fault or family == split.PLAIN:
        return articles
    document = articles[0]
    exported = split.articles_of(document.text, family)
    if not exported:
        return [ArticleInFile(fault=not_of(family))] if family else articles
    notes = "\n".join(filter(None, (document.note, exported[0].note)))
    first = msgspec.structs.replace(exported[0], note=notes)
    return [
        msgspec.structs.replace(one, extractor=f"{one.extractor}, {document.extractor}")
        for one in by_text([first, *exported[1:]], document.encoding)
    ]


def _undivided(one: ArticleInFile) -> ArticleInFile:
    """An article of a document, with a fault where it is an export of several articles that could not be split."""
    if one.fault or split.exporter(one.extractor) or not may_be_export(one.text):
        return one
    database = export_of(one.text)
    return ArticleInFile(fault=several(database)) if database else one


def _several(unit: Unit, data: bytes, articles: Sequence[ArticleInFile]) -> Iterator[Article | Skipped | Noted]:
    """The articles that a reader found in a file. What the file's sidecar says applies only to a file with one."""
    sha256 = hashlib.sha256(data).hexdigest()
    alone = len(articles) == 1
    if unit.metadata and not alone:
        yield Noted(article_id="", source=unit.source, note=NOT_DESCRIBED)
    for number, one in enumerate(articles, start=1):
        if one.member:
            own_id, source = f"{unit.source}/{one.member_id}", f"{unit.source}/{one.member}"
        elif alone:
            own_id, source = unit.article_id, unit.source
        else:
            own_id, source = f"{unit.article_id}#{number}", f"{unit.source}:{number}"
        fields = one.fields | (unit.metadata if alone else {})
        notes = [
            line for line in one.note.split("\n") if not (alone and line == CREATED and "published" in unit.metadata)
        ]
        known = _text_id(one.text) if one.by_text and not one.fault else own_id
        article_id = fields.pop("id", "") or known
        if one.fault:
            # A file of another kind in an archive was never taken for an article.
            yield _skip("" if one.member and not one.member_id else article_id, source, one.fault)
            for note in filter(None, notes):
                yield Noted(article_id=shown(article_id), source=source, note=shown(note))
        else:
            yield from _article(
                article_id, source, one.text, sha256, one.encoding, one.extractor, fields, *notes, marks=one.marks
            )


def _row(
    given_id: str, own_id: str, source: str, row: DataRow, encoding: str, notes: list[str]
) -> Iterator[Article | Skipped | Noted]:
    """Read a row of a data file, whose text may be HTML; without a `given_id` its text or its place gives the id."""
    fields = dict(row.fields)
    text, extractor, marks = fields.pop("text"), PLAIN, list[Span]()
    # A lone surrogate cannot be written in UTF-8: `_article` refuses it and names the field.
    sha256 = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    try:
        if is_page(text):
            extracted = extract(text)
            text, extractor, marks = extracted.text, extracted.extractor, extracted.marks
            notes += [TAGS, extracted.note]
        else:
            text, markup = plain(text)
            extractor = MARKUP if markup == TAGS else PLAIN
            notes.append(markup)
        fields["title"] = plain(fields["title"])[0]
    except NotTextError as error:
        yield _skip(given_id or own_id, source, str(error))
        return
    article_id = given_id or (_text_id(text) if text.strip() else own_id)
    if cut := _CUT_OFF.search(text):
        notes.append(f"{CUT_OFF}: it ends with {cut[0].strip()}")
    if row.extractor:
        extractor = row.extractor if extractor == PLAIN else f"{row.extractor}, {extractor}"
    yield from _article(article_id, source, text, sha256, encoding, extractor, fields, *notes, marks=marks)


def _crawled(unit: Unit, page: Page | NoPage) -> Iterator[Article | Skipped | Noted]:
    """Read a page of a web archive. The URL that the page itself states is ignored: many pages may state the same."""
    article_id = page.url or (f"{unit.article_id}#{page.number}" if page.number else unit.article_id)
    source = f"{unit.source}:{page.number}" if page.number else unit.source
    if isinstance(page, NoPage):
        yield _skip(article_id, source, page.reason)
        return
    fields, note, marks = {"outlet": ""}, "", list[Span]()
    try:
        if page.converted:
            text, encoding = decode(page.data)
            extractor = CONVERTED
        else:
            found, encoding = read_page(page.data, page.charset)
            text, extractor, fields, note = found.text, found.extractor, found.fields, found.note
            marks = found.marks
    except NotTextError as error:
        yield _skip(article_id, source, str(error))
        return
    sha256 = hashlib.sha256(page.data).hexdigest()
    article_id = page.url or _text_id(text)
    fields |= {"url": page.url, "outlet": fields["outlet"] or _host(page.url), "crawled": page.crawled}
    yield from _article(article_id, source, text, sha256, encoding, extractor, fields, note, marks=marks)


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").removeprefix("www.")
    except ValueError:
        return ""


def _front_matter(text: str) -> dict[str, str]:
    match = _FRONT_MATTER.match(text)
    pairs = [line.split(":", 1) for line in re.split(r"[\r\n]+", match[1]) if line] if match else []
    return {key.strip(): re.sub(r"""^(["'])(.*)\1$""", r"\2", value.strip()) for key, value in pairs}


def _article(
    article_id: str,
    source: str,
    text: str,
    sha256: str,
    encoding: str,
    extractor: str,
    fields: Mapping[str, str],
    *notes: str,
    marks: Sequence[Span] = (),
) -> Iterator[Article | Skipped | Noted]:
    """The article and the notes on it, or why it is skipped: the tables cannot hold its text or one of its fields."""
    for name, value in {"id": article_id, "text": text, **fields}.items():
        if not is_encodable(value):
            yield _skip(article_id, source, f"{name}: it holds a lone surrogate or a byte that is no {encoding}")
            return
    if not text.strip() or "\0" in text:
        yield _skip(article_id, source, NULS if text.strip() else "no text in it")
        return
    given = {name: value for name, value in fields.items() if value}
    language = code_of(given.pop("language", "")) or language_of(text[front_matter_end(text) :])
    date, doubt = iso_date(given.pop("published", ""))
    yield Article(
        article_id=article_id,
        source=source,
        sha256=sha256,
        encoding=encoding,
        extractor=extractor,
        text=text,
        language=language,
        published=date,
        marks=msgspec.json.encode(marks).decode() if marks else "",
        **given,
    )
    lines = (line for note in notes for line in note.split("\n"))
    for note in filter(None, (*lines, doubt and f"{doubt}: {date[:100]}")):
        yield Noted(article_id=article_id, source=source, note=note)


def _skip(article_id: str, source: str, reason: str) -> Skipped:
    """A `Skipped` that can be written: characters that have no UTF-8 form are written as escapes."""
    return Skipped(article_id=shown(article_id), source=source, reason=shown(reason))
