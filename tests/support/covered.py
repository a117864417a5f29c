"""Read a document with one article, see the kinds of its lines, and check that each character is covered once."""

from __future__ import annotations

import msgspec
import pyarrow as pa

from corpus.reading.article_in_file import ArticleInFile
from corpus.reading.documents.kinds import articles_in
from corpus.records import ARTICLES_AS_READ, Article, CorpusSettings
from corpus.sentences.cut_articles import cut_articles


def one(kind: str, data: bytes | str) -> ArticleInFile:
    (article,) = articles_in(kind, data if isinstance(data, bytes) else data.encode())
    return article


def marked(article: ArticleInFile) -> list[tuple[str, str]]:
    """The lines of an article, each with its kind, or an empty one where the format does not tell it."""
    kinds = {mark.start: mark.kind for mark in article.marks}
    place, found = 0, []
    for line in article.text.split("\n"):
        found.append((kinds.pop(place, ""), line))
        place += len(line) + 1
    assert not kinds, "a mark begins within a line"
    return found


def check_covered(article: ArticleInFile) -> None:
    """Sentences and spans cover each character of an article once, except white space, and are exactly its text."""
    row = Article(
        article_id="a",
        source="a",
        sha256="",
        encoding="utf-8",
        extractor=article.extractor,
        text=article.text,
        marks=msgspec.json.encode(article.marks).decode() if article.marks else "",
    )
    assert all(article.text[mark.start : mark.end].strip() for mark in article.marks)
    pieces = cut_articles(
        pa.RecordBatch.from_pylist([msgspec.structs.asdict(row)], schema=ARTICLES_AS_READ), CorpusSettings()
    )
    covered = [0] * len(article.text)
    for piece in pieces.to_pylist():
        assert piece["text"] is None or piece["text"] == article.text[piece["start"] : piece["end"]]
        for place in range(piece["start"], piece["end"]):
            covered[place] += 1
    for place, count in enumerate(covered):
        assert count == 1 or (count == 0 and article.text[place].isspace()), (place, count)
