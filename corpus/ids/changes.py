"""What a build changes: which articles and which labelled sentences leave the corpus or come back to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from textwrap import shorten

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from corpus.database import Database, from_rows, give, read_last
from corpus.errors import StanceError, TableError
from corpus.ids.article_ids import Settled
from corpus.ids.labelled_sentences import Moved, mattering
from corpus.numbers import number
from corpus.records import ARTICLES, Skipped
from corpus.store import read_jsonl, write_jsonl

LEFT = "left.jsonl"
VANISHED_AT_MOST = 0.1
"""Share of the labelled sentences in the corpus that a build may make vanish without `force`."""
FIRST = 5
"""How many sentences or articles a message names when there may be many."""
LISTED = 10
"""How many sentences are named in the message that stops a build."""

_SENTENCE = pa.schema(
    [("sentence_id", pa.string()), ("article_id", pa.string()), ("start", pa.int64()), ("text", pa.string())]
)
_ASKED = pa.schema([("article_id", pa.string())])
_STANDS = "(SELECT sentence_id FROM piece WHERE sentence_id IS NOT NULL) AS stands"
_MISSING = f"""
    SELECT sentence_id, was.article_id, was.start, was.text
    FROM labelled ANTI JOIN {_STANDS} USING (sentence_id) LEFT JOIN was USING (sentence_id)"""
_CAME = f"SELECT count(*) FROM labelled SEMI JOIN {_STANDS} USING (sentence_id) ANTI JOIN was USING (sentence_id)"


class Left(msgspec.Struct, frozen=True, kw_only=True):
    """A labelled sentence that is not in the corpus: a line of `left.jsonl`.

    Attributes:
        sentence_id: its id, under which its labels are kept.
        article_id: the article that it was a sentence of; empty if no longer known.
        start: where it began in the article's text.
        text: its text; empty if no longer known.
        reason: why it isn't in the corpus.
    """

    sentence_id: str
    article_id: str
    start: int = 0
    text: str
    reason: str


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """What a build changed in what the corpus holds, compared with the last one.

    Attributes:
        moves: articles that were found elsewhere and keep their id.
        renamed: articles that got another id, because another article keeps theirs.
        articles_left: how many articles the last build had and this one does not have.
        first_left: the first of these articles, by id.
        articles_new: how many articles this build has and the last one did not have.
        labelled: how many sentences have labels, in the corpus or not.
        missing: how many labelled sentences are not in the corpus.
        left: how many of the missing sentences were in the corpus before this build.
        first_missing: the first of the sentences that left, by article and place.
        came: how many labelled sentences are in the corpus now but were not before this build.
        damaged: table of the last build that cannot be read, so that nothing can be compared with it.
    """

    moves: list[Moved] = []
    renamed: list[Moved] = []
    articles_left: int = 0
    first_left: list[str] = []
    articles_new: int = 0
    labelled: int = 0
    missing: int = 0
    left: int = 0
    first_missing: list[Left] = []
    came: int = 0
    damaged: str = ""


def compare(
    tables: Database, spill: Path, settled: Settled, out: Path, skipped: Iterable[Skipped], *, force: bool
) -> tuple[Changes, list[Left]]:
    """What a build changes, before anything is written.

    Args:
        tables: a database on this machine.
        spill: a folder for temporary files.
        settled: the articles of the new build, with their ids.
        out: the project's folder of tables, as the last build left it; it need not exist.
        skipped: the articles that could not be used.
        force: whether to go on even if more than a tenth of the labelled sentences would vanish.

    Returns:
        The changes, and all labelled sentences that will not be in the corpus, by article and place.

    Raises:
        StanceError: more than a tenth of the labelled sentences would vanish.
    """
    tables.read("piece", settled.folders, "pieces.parquet")
    tables.read("present", settled.folders, "articles.parquet")
    damaged = _damaged(out)
    has_articles = read_last(tables, spill, "former", out / "articles.parquet", ARTICLES)
    has_sentences = read_last(tables, spill, "was", out / "sentences.parquet", _SENTENCE)
    compared = has_articles and has_sentences
    gone = "FROM former ANTI JOIN present USING (article_id)"
    changes = Changes(
        moves=settled.moves,
        renamed=settled.renamed,
        articles_left=tables.ask(f"SELECT count(*) {gone}")[0][0],
        first_left=[row[0] for row in tables.ask(f"SELECT article_id {gone} ORDER BY article_id LIMIT {FIRST}")],
        articles_new=tables.ask("SELECT count(*) FROM present ANTI JOIN former USING (article_id)")[0][0],
        damaged=damaged,
    )
    matter = mattering(out)
    labelled = matter.filter(matter.column("labelled")).select(["sentence_id"])
    if not labelled.num_rows:
        return changes, []
    give(tables, spill, "labelled", labelled)
    rows = tables.ask(_MISSING)
    stood = tables.ask("SELECT count(*) FROM labelled SEMI JOIN was USING (sentence_id)")[0][0]
    left = [row for row in rows if row[1] is not None] if compared else rows
    missing = _missing(tables, spill, rows, settled, out, skipped)
    ids = {row[0] for row in left}
    first = [row for row in missing if row.sentence_id in ids]
    if not force and len(left) > VANISHED_AT_MOST * (stood if compared else labelled.num_rows):
        lines = "\n".join(listed(first[:LISTED]))
        raise StanceError(
            f"{len(left)} of {number(stood if compared else labelled.num_rows, 'labelled sentence')} would vanish "
            f"from the corpus; nothing was written. Build with --force if that is meant.\n{lines}"
        )
    return msgspec.structs.replace(
        changes,
        labelled=labelled.num_rows,
        missing=len(missing),
        left=len(left),
        first_missing=first[:FIRST],
        came=tables.ask(_CAME)[0][0] if compared else 0,
    ), missing


def listed(rows: Sequence[Left]) -> list[str]:
    """Lines that name sentences by their article and text; each reason follows the sentences that share it."""
    lines: list[str] = []
    for row, after in zip(rows, [*rows[1:], None], strict=True):
        lines.append(f"  {row.article_id or 'unknown article'}: {shorten(row.text, 80, placeholder=' …')}")
        if after is None or (after.article_id, after.reason) != (row.article_id, row.reason):
            lines.append(f"    {row.reason}")
    return lines


def write_left(out: Path, missing: Sequence[Left]) -> None:
    """Write `left.jsonl`; there is no file if there are no rows."""
    if missing:
        write_jsonl(out / LEFT, missing)
    else:
        (out / LEFT).unlink(missing_ok=True)


def _missing(
    tables: Database,
    spill: Path,
    rows: Sequence[tuple[str, str | None, int | None, str | None]],
    settled: Settled,
    out: Path,
    skipped: Iterable[Skipped],
) -> list[Left]:
    """The labelled sentences that are not in the corpus, each with all that is still known about it."""
    ids = {row[0] for row in rows}
    articles = {id_: row for row in settled.recalled for id_ in row.sentences if id_ in ids}
    earlier = _earlier(out)
    known: list[tuple[str, int, str, str]] = []
    for sentence_id, article_id, start, text in rows:
        before = earlier.get(sentence_id)
        article = article_id or (before.article_id if before else "")
        if not article and sentence_id in articles:
            article = articles[sentence_id].article_id
        if start is None or text is None:
            start, text = (before.start, before.text) if before else (0, "")
        known.append((article, start, sentence_id, text))
    give(tables, spill, "asked", from_rows(_ASKED, [(name,) for name in sorted({row[0] for row in known})]))
    present = dict(tables.ask("SELECT article_id, fingerprint FROM present JOIN asked USING (article_id)"))
    kept = {row.source_id: row.article_id for row in settled.moved}
    reasons = {kept.get(row.article_id, row.article_id): row.reason for row in skipped if row.article_id}
    left: list[Left] = []
    for article_id, start, sentence_id, text in sorted(known):
        was = articles.get(sentence_id)
        if not article_id:
            reason = "neither the last build nor labels/fingerprints.jsonl knows its article"
        elif article_id in reasons:
            reason = f"the article cannot be used: {reasons[article_id]}"
        elif article_id not in present:
            reason = "the article is not among the sources, and no new article has its text"
        elif was is not None and was.sha256 == present[article_id]:
            reason = "the article's text is the same, but is cut into other sentences now"
        else:
            reason = "the article's text has changed"
        left.append(Left(sentence_id=sentence_id, article_id=article_id, start=start, text=text, reason=reason))
    return left


def _earlier(out: Path) -> Mapping[str, Left]:
    """What earlier builds recorded of sentences that had left; a damaged file is ignored."""
    path = out / LEFT
    try:
        return {row.sentence_id: row for row in read_jsonl(path, Left, "stance build")} if path.is_file() else {}
    except TableError:
        return {}


def _damaged(out: Path) -> str:
    """The first table of the last build that exists but cannot be read; empty if there is none."""
    for name in ("articles.parquet", "sentences.parquet"):
        try:
            pq.read_schema(out / name)
        except FileNotFoundError:
            continue
        except (OSError, pa.ArrowException) as error:
            return f"{out / name}: {error}"
    return ""
