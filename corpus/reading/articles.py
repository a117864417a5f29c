"""Read articles, each with its text and metadata, or with the reason why it cannot be read."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from corpus.ids.fingerprint import fingerprint, text_id
from corpus.reading.database_exports import no_text, note_on
from corpus.reading.dates import iso_date
from corpus.reading.source_files import DATA_FILES, shown
from corpus.reading.tables.data_files import FIELDS, rows
from corpus.reading.text_encoding import ARTICLE_BYTES, NULS, NotTextError, decode, is_encodable
from corpus.reading.web.html_in_text import TAGS, is_page, plain
from corpus.reading.web.html_page import extract, read_page
from corpus.reading.web.warc import NoPage, Page, pages
from corpus.records import Article, CorpusSettings, Noted, Skipped, Unit

if TYPE_CHECKING:
    from collections.abc import Callable

PLAIN, MARKUP, CONVERTED = "plain 1", "markup 1", "conversion 1"
"""Extractors: text as it stands, HTML in a text column, and plain text that a web archive's maker made from a page."""

LETTERS = 200
"""With fewer letters than this the language is too uncertain: names and quotations outweigh the rest."""

SAMPLE = 600
"""Characters that the language is identified from; with more, the identifier is slower but no more accurate."""

ENGLISH = frozenset("the of and that was with which they their said this have has been were would".split())
"""Words that are this frequent in no other language: 9 to 22 % in 31 articles of the starter corpus and the seeds."""

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
        yield from _file(unit)
        return
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
            yield from _row(given_id, own_id, source, row.fields, unit.encoding, row.note)


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


def _file(unit: Unit) -> Iterator[Article | Skipped | Noted]:
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
    fields: dict[str, str] = {}
    article_id, extractor, note = unit.article_id, PLAIN, ""
    try:
        if unit.kind == "html":
            found, encoding = read_page(data)
            text, extractor, fields, note = found.text, found.extractor, found.fields, found.note
        else:
            text, encoding = decode(data)
            fields = _front_matter(text)
            article_id = fields.pop("id", "") or article_id
            if reason := no_text(text):
                raise NotTextError(reason)
            note = note_on(text)
    except NotTextError as error:
        yield _skip(article_id, unit.source, str(error))
        return
    sha256 = hashlib.sha256(data).hexdigest()
    yield from _article(article_id, unit.source, text, sha256, encoding, extractor, fields | unit.metadata, note)


def _row(
    given_id: str, own_id: str, source: str, fields: dict[str, str], encoding: str, note: str
) -> Iterator[Article | Skipped | Noted]:
    """Read a row of a data file, whose text may be HTML; without a `given_id` its text or its place gives the id."""
    text, extractor = fields.pop("text"), PLAIN
    # A lone surrogate cannot be written in UTF-8: `_article` refuses it and names the field.
    sha256 = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    notes = [note]
    try:
        if is_page(text):
            extracted = extract(text)
            text, extractor = extracted.text, extracted.extractor
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
    yield from _article(article_id, source, text, sha256, encoding, extractor, fields, *notes)


def _crawled(unit: Unit, page: Page | NoPage) -> Iterator[Article | Skipped | Noted]:
    """Read a page of a web archive. The URL that the page itself states is ignored: many pages may state the same."""
    article_id = page.url or (f"{unit.article_id}#{page.number}" if page.number else unit.article_id)
    source = f"{unit.source}:{page.number}" if page.number else unit.source
    if isinstance(page, NoPage):
        yield _skip(article_id, source, page.reason)
        return
    fields, note = {"outlet": ""}, ""
    try:
        if page.converted:
            text, encoding = decode(page.data)
            extractor = CONVERTED
        else:
            found, encoding = read_page(page.data, page.charset)
            text, extractor, fields, note = found.text, found.extractor, found.fields, found.note
    except NotTextError as error:
        yield _skip(article_id, source, str(error))
        return
    sha256 = hashlib.sha256(page.data).hexdigest()
    article_id = page.url or _text_id(text)
    fields |= {"url": page.url, "outlet": fields["outlet"] or _host(page.url), "crawled": page.crawled}
    yield from _article(article_id, source, text, sha256, encoding, extractor, fields, note)


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
    language = _code(given.pop("language", "")) or _language(text)
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
        **given,
    )
    for note in filter(None, (*notes, doubt and f"{doubt}: {date[:100]}")):
        yield Noted(article_id=article_id, source=source, note=note)


def _skip(article_id: str, source: str, reason: str) -> Skipped:
    """A `Skipped` that can be written: characters that have no UTF-8 form are written as escapes."""
    return Skipped(article_id=shown(article_id), source=source, reason=shown(reason))


def _code(name: str) -> str:
    """The two letters of a language tag (en-GB, EN_us); empty for anything else, such as `English`."""
    match = re.match(r"([a-z]{2})(?:[-_]|$)", name.strip().lower())
    return match[1] if match else ""


def _language(text: str) -> str:
    """The language of the text's beginning, as two letters; empty where it is uncertain."""
    sample = " ".join(text[front_matter_end(text) :][:3000].split())[:SAMPLE]
    # Nearly always the first half of the sample already has enough letters.
    if sum(map(str.isalpha, sample[: SAMPLE // 2])) < LETTERS and sum(map(str.isalpha, sample)) < LETTERS:
        return ""
    words = sample.casefold().split()
    # With this shortcut an all-English archive never loads the identifier.
    if "the" in words and len(list(filter(ENGLISH.__contains__, words))) >= 0.06 * len(words):
        return "en"
    name, probability = _identifier()(sample)
    return name if probability >= 0.8 else ""


@cache
def _identifier() -> Callable[[str], tuple[str, float]]:
    """py3langid: pure Python and numpy, 4.6 MB with its model, released in September 2026, no download when run.

    Loading it takes 0.5 s and 105 MB, so it is loaded only when an article comes without its language; each article
    then takes 0.4 ms.
    """
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    # `language` holds two letters, so the identifier's fifty small languages with three-letter codes are left out:
    # they would only draw texts away from other languages.
    identifier.set_languages([label for label in identifier.labels if len(label) == 2])
    classify: Callable[[str], tuple[str, float]] = identifier.classify
    return classify
