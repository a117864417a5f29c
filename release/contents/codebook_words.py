"""Words that the codebook shares with an article, which are better changed before anybody labels by it."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from corpus import words
from corpus.records import ARTICLES
from corpus.tables import table_parts
from release.contents.five_word_runs import Names, lines_of, runs, template_runs, unnamed_runs

AT_ONCE = 50
"""Number of runs in one regular expression: with 200, the search took twelve times as long (15 MB of articles, 5.3 s
instead of .4 s)."""


class SharedWords(msgspec.Struct, frozen=True, kw_only=True):
    """Words of the codebook that an article has too.

    Attributes:
        line: number of the line in which the words begin, counted from 1.
        words: five words, in lower case and without punctuation.
        article_id: id of the first article that has them.
    """

    line: int
    words: str
    article_id: str


def shared_words(work: Path, codebook: str, target: str) -> list[SharedWords]:
    """The five words in a row that a codebook has in common with an article: for each line, the first such words.

    A stand-off release may have none (`release.contents.proof`). Only articles in which a quick search finds such words
    are compared exactly, so that words which are written differently may be missed: the proof finds those.

    Args:
        work: the project's folder of tables.
        codebook: text of the codebook.
        target: what the stance is toward; its name may stand in both.

    Raises:
        TableError: there is no corpus.
    """
    schema = pa.schema([ARTICLES.field(name) for name in ("article_id", "outlet", "title", "text")])
    at = lines_of(codebook)
    wanted = at.keys() - template_runs()  # as the proof does
    in_order = sorted(wanted)
    patterns = [
        "|".join(_pattern(run) for run in in_order[start : start + AT_ONCE])
        for start in range(0, len(in_order), AT_ONCE)
    ]
    found: dict[str, str] = {}
    outlets: set[str] = set()
    for part in table_parts(work / "articles.parquet", schema, "stance build"):
        outlets.update(filter(None, part["outlet"].unique().to_pylist()))
        text = pc.binary_join_element_wise(pc.fill_null(part["title"], ""), part["text"], "\n")
        for pattern in patterns:
            seen = pc.match_substring_regex(text, pattern, ignore_case=True)
            ids, texts = (column.filter(seen).to_pylist() for column in (part["article_id"], text))
            for article_id, one in zip(ids, texts, strict=True):
                for run in runs(one) & wanted:
                    found.setdefault(run, article_id)
    # What mostly names an outlet or the target may stand in both.
    kept = sorted(found.keys() & unnamed_runs(codebook, Names(outlets, [target])), key=lambda run: (at[run], run))
    first = {at[run]: run for run in reversed(kept)}
    return [SharedWords(line=line, words=run, article_id=found[run]) for line, run in sorted(first.items())]


def _pattern(run: str) -> str:
    """A regular expression for a run of words, whatever stands between them."""
    between = r"\W*" if words.is_unspaced(run) else r"\W+"
    return between.join(map(re.escape, run.split()))
