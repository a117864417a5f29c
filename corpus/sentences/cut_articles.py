"""Cut articles into sentences and spans: a pure function from one Arrow batch to another."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Sequence

import msgspec
import pyarrow as pa

from corpus import near_duplicates, words
from corpus.reading.articles import PLAIN, front_matter_end
from corpus.records import CorpusSettings, Span
from corpus.sentences import line_ends, line_kinds, split

CONTEXT = 2
"""Sentences of context on either side: enough for `he` and `the idea` in the starter corpus."""

PIECES = pa.schema(
    [
        ("article_id", pa.string()),
        ("kind", pa.string()),
        ("reason", pa.string()),
        ("start", pa.int64()),
        ("end", pa.int64()),
        ("index", pa.int64()),
        ("sentence_id", pa.string()),
        ("text", pa.string()),
        ("before", pa.string()),
        ("after", pa.string()),
        ("key", pa.string()),
        ("node", pa.int64()),
        ("words", pa.int32()),
    ]
)
"""A sentence (`kind` is `sentence`), or a span that is not one: the columns from `index` on are null then."""


def cut_articles(articles: pa.RecordBatch, settings: CorpusSettings) -> pa.RecordBatch:
    """The sentences and spans of articles: of each article first the sentences, then the spans, in text order.

    Args:
        articles: articles, with the columns `article_id`, `title`, `extractor` and `text`; also `language`, a code of
            two letters (without it the rules for English apply), and `marks`, where readers of formats know some
            lines' kinds.
        settings: `[corpus]` of stance.toml, whose patterns are applied first.

    Returns:
        The pieces, with the columns of PIECES. The pieces of an article cover each of its characters once, except
        white space.
    """
    patterns = [(kind, re.compile(pattern)) for kind, listed in settings.patterns.items() for pattern in listed]
    columns: dict[str, list[object]] = {name: [] for name in PIECES.names}
    names = ("article_id", "title", "extractor", "text")
    more = (
        articles.column(name).to_pylist() if name in articles.schema.names else [""] * articles.num_rows
        for name in ("language", "marks")
    )
    rows = zip(*(articles.column(name).to_pylist() for name in names), *more, strict=True)
    for article_id, title, extractor, text, language, marks in rows:
        front = front_matter_end(text) if extractor == PLAIN else 0
        known = msgspec.json.decode(marks, type=list[Span]) if marks else []
        lines = line_kinds.lines(text[front:], title, patterns, known, language)
        if front:
            moved = [Span(line.start + front, line.end + front, line.kind, line.reason) for line in lines]
            lines = [Span(0, front, "other", "front matter"), *moved]
        _cut_one(columns, article_id, text, lines, language)
    arrays = [pa.array(columns[field.name], field.type) for field in PIECES]
    return pa.RecordBatch.from_arrays(arrays, schema=PIECES)


def sentence_id(article_id: str, key: str, ordinal: int) -> str:
    """The id of a sentence, 128 bits in hexadecimal, which stays the same when the article is edited elsewhere.

    Args:
        article_id: the article's id.
        key: the sentence's normalised text.
        ordinal: number of sentences with this key before it in the article.
    """
    name = f"{len(article_id)}:{article_id}{ordinal}:{key}"
    return hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _cut_one(
    columns: dict[str, list[object]], article_id: str, text: str, lines: Sequence[Span], language: str
) -> None:
    bounds = [bound for block in _prose_blocks(text, lines) for bound in split.paragraph_spans(text, block, language)]
    texts = [text[start:end] for start, end in bounds]
    keys = [near_duplicates.normalise(sentence) for sentence in texts]
    seen: Counter[str] = Counter()
    ids: list[object] = []
    for key in keys:
        ids.append(sentence_id(article_id, key, seen[key]))
        seen[key] += 1
    count = len(bounds)
    others = [line for line in lines if line.kind != "prose"]
    nothing: list[object] = [None] * len(others)
    columns["article_id"] += [article_id] * (count + len(others))
    columns["kind"] += ["sentence"] * count + [line.kind for line in others]
    columns["reason"] += [None] * count + [line.reason for line in others]
    columns["start"] += [start for start, _ in bounds] + [line.start for line in others]
    columns["end"] += [end for _, end in bounds] + [line.end for line in others]
    columns["index"] += [*range(count), *nothing]
    columns["sentence_id"] += ids + nothing
    columns["text"] += texts + nothing
    columns["before"] += [words.joined(texts[max(0, n - CONTEXT) : n]) for n in range(count)] + nothing
    columns["after"] += [words.joined(texts[n + 1 : n + 1 + CONTEXT]) for n in range(count)] + nothing
    columns["key"] += [*map(near_duplicates.compared, texts, keys), *nothing]
    columns["node"] += [*(near_duplicates.node_id(key) for key in keys), *nothing]
    columns["words"] += [*map(words.count, keys), *nothing]


def _prose_blocks(text: str, lines: Sequence[Span]) -> list[list[list[line_ends.Extent]]]:
    """Runs of prose paragraphs, each as its lines; other lines end a run, so no sentence goes on across a caption."""
    blocks: list[list[list[line_ends.Extent]]] = []
    open_block = False
    for line in lines:
        if line.kind != "prose":
            open_block = False
            continue
        if not open_block:
            blocks.append([])
            open_block = True
        blocks[-1].append(line_ends.places(text, line.start, line.end))
    return blocks
