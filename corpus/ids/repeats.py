"""Keep one article of each page that web archives hold several times, and of each record in several exports.

Of a page the one is kept that was crawled first. The same record of a database is in two exports where two searches
found it.

The first is kept, not the last, so that an archive that is added later does not change articles that are already in the
corpus, and no labelled sentence vanishes. The choice depends on the records alone, not on the files' names, their order
or the order within them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from corpus.engine import Local
from corpus.ids.rewrite_shards import rewritten
from corpus.reading.articles import CONVERTED
from corpus.records import Skipped
from corpus.staging import staging

# Records that are equal in all but their place are one record in two files: either will do. In one crawl, a page goes
# before the plain text that was made from it.
_LATER = f"""
    WITH page AS (
        SELECT article_id, source, file, place, sha256, rtrim(crawled, 'Z') AS crawled,
               extractor = '{CONVERTED}' AS made
        FROM article WHERE crawled <> ''
    )
    SELECT file, place, article_id, source, kept FROM (
        SELECT *, row_number() OVER crawls AS rank, first_value(source) OVER crawls AS kept
        FROM page JOIN (SELECT article_id FROM page GROUP BY article_id HAVING count(*) > 1) AS twice USING (article_id)
        WINDOW crawls AS (PARTITION BY article_id ORDER BY crawled, made, sha256, source, place)
    ) AS ranked WHERE rank > 1 ORDER BY file, place"""

_EXPORTED = """
    SELECT file, place, article_id, source, kept FROM (
        SELECT file, place, article_id, source, row_number() OVER again AS rank, first_value(source) OVER again AS kept
        FROM article WHERE starts_with(extractor, 'export of ')
        WINDOW again AS (PARTITION BY article_id, fingerprint ORDER BY file, place)
    ) AS ranked WHERE rank > 1 ORDER BY file, place"""
"""Records with the same id (their own, or one that is made from their text) and the same text."""


def without_repeats(shards: Sequence[Path]) -> list[Path]:
    """The shards with one page for each URL, and one article for each record of a database.

    A shard with a later one is written again, beside it, without that page or record.

    Args:
        shards: folders of finished shards, all below one folder.

    Returns:
        As many folders, in the same order. A new folder is named by the shard's key and by what was left out; one that
        exists already is kept.

    Raises:
        OSError: the disk is full.
    """
    with staging(shards[0].parent) as spill, Local(None).database(spill) as tables:
        tables.read("article", shards, "articles.parquet")
        later = tables.ask(_LATER)
        again = tables.ask(_EXPORTED)
    leave: dict[int, dict[int, Skipped]] = defaultdict(dict)
    for file, place, article_id, source, kept in later:
        reason = f"the page was crawled before: {kept}"
        leave[file][place] = Skipped(article_id=article_id, source=source, reason=reason)
    for file, place, article_id, source, kept in again:
        reason = f"the same record was exported before: {kept}"
        leave[file][place] = Skipped(article_id=article_id, source=source, reason=reason)
    return rewritten(shards, leaving=leave)
