"""The records of this package (articles, spans, skipped articles, settings) and the schemas of its tables."""

from __future__ import annotations

import re
from typing import Literal

import msgspec
import pyarrow as pa


class Article(msgspec.Struct, frozen=True, kw_only=True):
    """One article. All offsets count code points of its text.

    `crawled` is when a web archive's crawler fetched it; empty for all other articles. `marks` is what the reader of a
    format knows about lines of the text, as JSON of a list of `Span`: a running head, say, or a line of a database's
    export; empty if it knows nothing.
    """

    article_id: str
    source: str
    url: str = ""
    outlet: str = ""
    title: str = ""
    published: str = ""
    language: str = ""
    licence: str = ""
    sha256: str
    encoding: str
    extractor: str
    text: str
    crawled: str = ""
    marks: str = ""


KINDS = ("prose", "title", "heading", "caption", "credit", "byline", "dateline", "ad", "footer", "other")


class Skipped(msgspec.Struct, frozen=True, kw_only=True):
    """An article that gave no sentence, and why; without an id, something that was never taken for an article."""

    article_id: str
    source: str
    reason: str


class Noted(msgspec.Struct, frozen=True, kw_only=True):
    """A note on how an article was read, which researchers should know: `notes.jsonl` has one on each line."""

    article_id: str
    source: str
    note: str


class Unit(msgspec.Struct, frozen=True, kw_only=True):
    """A unit of reading work, small enough to send to a worker: one article's file, or a row range of a data file.

    `start` and `end` count bytes of a .jsonl file or a web archive, row groups of a .parquet file, and sheets of a
    workbook; `first` is the number of the first row, from 1; `encoding` is the encoding of a .csv file. `article_id`
    and `source` belong to the file; `metadata` is its row in the sidecar. `outside` says that the file lies outside the
    root, so that `article_id` could only be made from its name without the ending. `reason` is set if there is nothing
    to read, and says why: a file of another kind, a folder that is not searched, a sidecar's row without a file.
    `own_names` are the fields that a file of JSON or Parquet has under stance's names, and not under those that the
    settings give. `unused` has the columns of the table that hold no field, each with the field that its name seems to
    mean, if any; of a file that is read in ranges, only the first has them.
    """

    path: str
    kind: str
    article_id: str
    source: str
    size: int
    start: int = 0
    end: int = 0
    first: int = 1
    encoding: str = "utf-8"
    metadata: dict[str, str] = {}
    outside: bool = False
    reason: str = ""
    own_names: list[str] = []
    unused: dict[str, str] = {}


Format = Literal["", "nexis", "factiva", "proquest", "europresse", "ris", "bibtex", "plain"]
"""What `[corpus] format` may be: a family of formats that databases export, or one article a file."""


class CorpusSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[corpus]` in stance.toml: how article ids are formed, and how your files are read.

    Attributes:
        root: the folder from which article ids are formed: an article's id is its path below this folder.
        format: which database exported your .txt and .html files; if empty, their content shows it. With "plain", each
            file is one article.
        languages: codes of the languages to keep, as in `["en", "de"]`; articles in other languages, or whose language
            is not known, are skipped and counted. Empty: all are kept.
        fields: which column of your data files holds what, as in `text = "body"`; in .json and .jsonl files
            also a field within another, as in `outlet = "source.name"`. A file without that column may have one that
            is called as stance calls it.
        patterns: regular expressions by kind of line, tried before the built-in rules: a line that matches one from
            its start is of that kind. The kinds are title, heading, caption, credit, byline, dateline, ad, footer,
            other, and prose.
    """

    root: str = "."
    format: Format = ""
    languages: list[str] = []
    fields: dict[str, str] = {}
    patterns: dict[str, list[str]] = {}

    def __post_init__(self) -> None:
        """Refuse kinds that don't exist, patterns that don't compile, and languages that are not given as codes."""
        for language in self.languages:
            if not re.fullmatch("[a-z]{2}", language):
                raise ValueError(f'languages: expected codes of two letters, such as "en" or "de"; got {language!r}')
        for kind, patterns in self.patterns.items():
            if kind not in KINDS:
                raise ValueError(f"patterns: expected kinds of {', '.join(KINDS)}; got {kind!r}")
            for pattern in patterns:
                try:
                    re.compile(pattern)
                except re.error as error:
                    raise ValueError(f"patterns.{kind}: {pattern!r} is not a regular expression: {error}") from error


class Span(msgspec.Struct, frozen=True):
    """A stretch `[start, end)` of an article's text, in code points, with what it is.

    `kind` is `prose`, or one of the kinds of non-prose: `title`, `heading`, `caption`, `credit`, `byline`,
    `dateline`, `ad`, `footer`, `other`; `reason` names the rule that said so.
    """

    start: int
    end: int
    kind: str
    reason: str


ARTICLES = pa.schema([(name, pa.string()) for name in Article.__struct_fields__ if name not in ("crawled", "marks")])
ARTICLES_AS_READ = pa.schema([(name, pa.string()) for name in Article.__struct_fields__])
"""Columns of articles as they are read. If a page was crawled twice, `crawled` decides which one is kept."""
ARTICLES_IN_SHARDS = ARTICLES_AS_READ.append(pa.field("fingerprint", pa.string()))
"""Columns of articles in shards: by its fingerprint (`corpus.ids.fingerprint`) a moved article is recognised."""

SPANS = pa.schema(
    [
        ("article_id", pa.string()),
        ("start", pa.int64()),
        ("end", pa.int64()),
        ("kind", pa.string()),
        ("reason", pa.string()),
    ]
)
SENTENCES = pa.schema(
    [
        ("sentence_id", pa.string()),
        ("article_id", pa.string()),
        ("index", pa.int64()),
        ("start", pa.int64()),
        ("end", pa.int64()),
        ("text", pa.string()),
        ("before", pa.string()),
        ("after", pa.string()),
        ("copy_id", pa.string()),
        ("cluster_id", pa.string()),
    ]
)
"""Columns of sentences: `articles.text[start:end] == text`; `before` and `after` are the context."""
