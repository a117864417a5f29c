"""The stage: articles to the tables `articles`, `sentences` and `spans`."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pyarrow as pa

from corpus import clean, duplicates, read, segment
from corpus.records import ARTICLES, SENTENCES, SPANS, Article, SourceError, Span, StanceError
from corpus.store import read_jsonl, read_table, write_jsonl, write_table

CONTEXT = 2
"""Sentences of context on either side: enough for `he` and `the idea` in the starter corpus."""

VANISHED_AT_MOST = 0.1
"""Share of labelled sentences that a build may make vanish without `force`."""


class CorpusSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[corpus]` in stance.toml: `root` is the folder that article ids are paths from."""

    root: str = "."


class Skipped(msgspec.Struct, frozen=True, kw_only=True):
    """An article that gave no sentence, and why."""

    article_id: str
    source: str
    reason: str


class _Labelled(msgspec.Struct, frozen=True):
    sentence_id: str


class BuildSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What a build made: counts, what it skipped, and whether any file changed."""

    articles: int
    sentences: int
    copies: int
    clusters: int
    spans: dict[str, int]
    skipped: list[Skipped]
    changed: bool


def build(sources: Sequence[Path], out: Path, settings: CorpusSettings, *, force: bool = False) -> BuildSummary:
    """Build the corpus tables from article files.

    Args:
        sources: files and folders of articles.
        out: the folder of the tables; nothing in it is touched unless all of them could be made.
        settings: `[corpus]` of stance.toml.
        force: go on even where more than a tenth of the labelled sentences would vanish.

    Returns:
        Counts of articles, sentences, exact copies (sentences beyond the first of their group),
        near-duplicate clusters of two and more, and spans by kind.

    Raises:
        SourceError: no article, none with prose, or one that cannot be read; see `corpus.read`.
        StanceError: labelled sentences would vanish.
    """
    articles: list[Article] = []
    spans: list[tuple[str, Span]] = []
    rows: list[dict[str, object]] = []
    skipped: list[Skipped] = []
    for article in read.read(read.find(sources), Path(settings.root)):
        sentences, others = units(article)
        if not sentences:
            skipped.append(Skipped(article_id=article.article_id, source=article.source, reason="no prose in it"))
            continue
        articles.append(article)
        rows += sentences
        spans += [(article.article_id, span) for span in others]
    if not articles:
        names = ", ".join(sorted(entry.source for entry in skipped)[:5])
        raise SourceError(f"no article has any prose: {names}; expected at least one full sentence")

    ids = [str(row["sentence_id"]) for row in rows]
    _check_labelled(out, set(ids), force)
    copy_ids, cluster_ids = duplicates.group(ids, [str(row["text"]) for row in rows])
    table = pa.Table.from_pylist(
        [
            {**row, "copy_id": copy, "cluster_id": cluster}
            for row, copy, cluster in zip(rows, copy_ids, cluster_ids, strict=True)
        ],
        schema=SENTENCES,
    )
    changed = [
        write_table(
            out / "articles.parquet",
            pa.Table.from_pylist([msgspec.structs.asdict(article) for article in articles], schema=ARTICLES),
        ),
        write_table(
            out / "spans.parquet",
            pa.Table.from_pylist(
                [{"article_id": owner, **msgspec.structs.asdict(span)} for owner, span in spans], schema=SPANS
            ),
        ),
        write_table(out / "sentences.parquet", table),
        write_jsonl(out / "skipped.jsonl", skipped),
    ]
    return BuildSummary(
        articles=len(articles),
        sentences=len(rows),
        copies=len(copy_ids) - len(set(copy_ids)),
        clusters=sum(1 for size in Counter(cluster_ids).values() if size > 1),
        spans=dict(sorted(Counter(span.kind for _, span in spans).items())),
        skipped=skipped,
        changed=any(changed),
    )


def units(article: Article) -> tuple[list[dict[str, object]], list[Span]]:
    """The sentences of one article, without clusters, and the spans that are none.

    Returns:
        Rows with the columns of `sentences` but `copy_id` and `cluster_id`; spans of non-prose.
    """
    lines = clean.lines(article.text, article.title)
    bounds: list[tuple[int, int]] = []
    for start, end in _prose_blocks(lines):
        bounds += [(start + a, start + b) for a, b in segment.sentence_spans(article.text[start:end])]
    texts = [article.text[start:end] for start, end in bounds]
    seen: Counter[str] = Counter()
    rows: list[dict[str, object]] = []
    for index, ((start, end), text) in enumerate(zip(bounds, texts, strict=True)):
        key = duplicates.normalise(text)
        rows.append(
            {
                "sentence_id": sentence_id(article.article_id, key, seen[key]),
                "article_id": article.article_id,
                "index": index,
                "start": start,
                "end": end,
                "text": text,
                "before": " ".join(texts[max(0, index - CONTEXT) : index]),
                "after": " ".join(texts[index + 1 : index + 1 + CONTEXT]),
            }
        )
        seen[key] += 1
    return rows, [line for line in lines if line.kind != "prose"]


def sentence_id(article_id: str, key: str, ordinal: int) -> str:
    """Identity of a sentence: 128 bits, hex, that survive edits elsewhere in the article.

    Args:
        article_id: the article's id.
        key: the sentence's normalised text.
        ordinal: how many sentences with this key stand before it in the article.
    """
    name = f"{len(article_id)}:{article_id}{ordinal}:{key}"
    return hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _prose_blocks(lines: Sequence[Span]) -> list[tuple[int, int]]:
    """Runs of prose lines that no other line interrupts: a caption's text joins no sentence around it."""
    blocks: list[tuple[int, int]] = []
    open_block = False
    for line in lines:
        if line.kind != "prose":
            open_block = False
        elif open_block:
            blocks[-1] = (blocks[-1][0], line.end)
        else:
            blocks.append((line.start, line.end))
            open_block = True
    return blocks


def _check_labelled(out: Path, ids: set[str], force: bool) -> None:
    annotations = out / "annotations.jsonl"
    if force or not annotations.is_file():
        return
    labelled = {row.sentence_id for row in read_jsonl(annotations, _Labelled, "stance pull")}
    lost = labelled - ids
    if len(lost) <= VANISHED_AT_MOST * len(labelled):
        return
    lines = []
    if (out / "sentences.parquet").is_file():
        old = read_table(out / "sentences.parquet", SENTENCES, "stance build")
        lines = [f"  {row['article_id']}: {row['text'][:80]}" for row in old.to_pylist() if row["sentence_id"] in lost]
    shown = "\n".join(lines[:10] + ([f"  … and {len(lines) - 10} more"] if len(lines) > 10 else []))
    raise StanceError(
        f"{len(lost)} of {len(labelled)} labelled sentences would vanish from the corpus; nothing was written. "
        f"Build with --force if that is meant.\n{shown}"
    )
