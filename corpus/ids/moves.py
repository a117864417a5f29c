"""Find labelled articles that are no longer at their place in the sources.

An article is looked for when its id has fewer than half of its sentences that matter (`corpus.ids.labelled_sentences`):
an article that was only edited keeps more of them, and stays where it is. It is found if another article has the same
text and no labels of its own. The id of a row without an id or URL is made from its text alone; so a row of the same
file is taken for that row, edited, if the two have in common at least half of all the sentences in either.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

import msgspec
import pyarrow as pa

from corpus import near_duplicates
from corpus.database import Database, from_rows, give, read_last
from corpus.ids.labelled_sentences import Fingerprint, Moved, mattering, parts, remembered
from corpus.records import ARTICLES

ALIKE = 0.5
"""Least share of all sentences in two versions of a row that both versions have."""

_TALLY = """
    SELECT article_id, sha256, count(*) AS total, count(stands.sentence_id) AS standing
    FROM recalled JOIN mattering USING (sentence_id)
    LEFT JOIN (SELECT DISTINCT sentence_id FROM piece WHERE sentence_id IS NOT NULL) AS stands USING (sentence_id)
    GROUP BY article_id, sha256"""
"""For every article with sentences that matter, how many it had, and how many it still has."""

_FILE = "regexp_replace({table}.source, ':[0-9]+$', '')"
_LOST = f"""
    SELECT tally.article_id, tally.sha256, total - standing AS missing, former.article_id IS NOT NULL AS is_known,
        {_FILE.format(table="former")} AS file, outlet, published, title, url
    FROM tally LEFT JOIN former USING (article_id) WHERE 2 * standing < total"""
_KEPT = "(SELECT article_id FROM tally WHERE 2 * standing >= total)"
_CANDIDATES = f"""
    SELECT own.own_id, named.id, own.fingerprint, former.article_id IS NULL AS is_new,
        own.outlet, own.published, own.title, own.url
    FROM own JOIN named USING (own_id)
    JOIN (SELECT DISTINCT sha256 FROM lost) AS texts ON texts.sha256 = own.fingerprint
    LEFT JOIN former ON former.article_id = named.id
    WHERE named.id NOT IN {_KEPT}"""

_ROWS = f"""
    SELECT own.own_id, named.id, own.fingerprint, {_FILE.format(table="own")} AS file
    FROM own JOIN named USING (own_id) LEFT JOIN former ON former.article_id = named.id
    WHERE own.by_text AND former.article_id IS NULL AND named.id NOT IN {_KEPT}
        AND {_FILE.format(table="own")} IN (SELECT file FROM sought)"""
_VERSIONS = f"""
    WITH new_one AS (
        SELECT DISTINCT fresh.own_id, fresh.fingerprint, fresh.file, piece.node
        FROM fresh JOIN piece ON piece.article_id = fresh.id WHERE piece.node IS NOT NULL
    ),
    pair AS (
        SELECT sought.article_id, own_id, fingerprint, count(*) AS shared
        FROM sought JOIN new_one USING (file, node) GROUP BY sought.article_id, own_id, fingerprint
    )
    SELECT pair.article_id, pair.own_id, fingerprint, shared FROM pair
    JOIN (SELECT article_id, count(*) AS size FROM sought GROUP BY article_id) AS one USING (article_id)
    JOIN (SELECT own_id, count(*) AS size FROM new_one GROUP BY own_id) AS two USING (own_id)
    WHERE shared >= {ALIKE} * (one.size + two.size - shared)
    ORDER BY shared DESC, pair.article_id, pair.own_id"""
"""Rows that may be new versions of one that is looked for; those that have most in common with it come first."""
_RECALLED = pa.schema([(name, pa.string()) for name in ("article_id", "sha256", "sentence_id")])
_SOUGHT = pa.schema([("article_id", pa.string()), ("file", pa.string()), ("node", pa.int64())])


class Lost(msgspec.Struct, frozen=True, kw_only=True):
    """An article of an earlier build that has left, with the number of its sentences that matter that left with it.

    `about` is its metadata in the last build and `file` the file that it stood in; None if no longer known.
    """

    article_id: str
    sha256: str
    missing: int
    about: tuple[str, ...] | None = None
    file: str | None = None


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """An article that has the text of one that has left.

    Attributes:
        own_id: the id that its source gives it.
        article_id: the id that it has at this point.
        sha256: its fingerprint.
        about: its metadata.
        is_new: whether the last build had no article with that id.
    """

    own_id: str
    article_id: str
    sha256: str
    about: tuple[str, ...]
    is_new: bool


class Moves(msgspec.Struct, frozen=True, kw_only=True):
    """Articles that are no longer at their place, and keep their id elsewhere.

    Attributes:
        found: the articles that keep their id from this build on, by the id that their source gives them now.
        recalled: all articles with sentences that matter, as they were; none where no such sentence is missing.
    """

    found: list[Moved]
    recalled: list[Fingerprint]


def find_moves(tables: Database, spill: Path, folders: Sequence[Path], out: Path) -> Moves:
    """The articles that are no longer at their place, and are found elsewhere.

    Args:
        tables: database that has the tables `own` and `named` of `corpus.ids.article_ids`.
        spill: folder for temporary files.
        folders: the shards, with the ids that their articles have so far.
        out: the project's folder of tables, as the last build left it.

    Raises:
        TableError: a file of labels is malformed.
    """
    matter = mattering(out)
    if not matter.num_rows:
        return Moves(found=[], recalled=[])
    give(tables, spill, "mattering", matter)
    tables.read("piece", folders, "pieces.parquet")
    if not tables.ask("SELECT count(*) FROM mattering ANTI JOIN piece USING (sentence_id)")[0][0]:
        return Moves(found=[], recalled=[])
    recalled = remembered(out, out)
    rows = [(row.article_id, row.sha256, sentence_id) for row in recalled for sentence_id in row.sentences]
    give(tables, spill, "recalled", from_rows(_RECALLED, rows))
    read_last(tables, spill, "former", out / "articles.parquet", ARTICLES)
    tables.make("tally", _TALLY)
    tables.make("lost", _LOST)
    lost = [
        Lost(
            article_id=article_id,
            sha256=sha256,
            missing=missing,
            about=tuple(about) if is_known else None,
            file=file if is_known else None,
        )
        for article_id, sha256, missing, is_known, file, *about in tables.ask("SELECT * FROM lost")
    ]
    candidates = [
        Candidate(own_id=own_id, article_id=article_id, sha256=sha256, about=tuple(about), is_new=is_new)
        for own_id, article_id, sha256, is_new, *about in tables.ask(_CANDIDATES)
    ]
    moves = match(lost, candidates)
    ids = {row.article_id for row in moves}
    others = {row.source_id for row in moves}
    edited = _edited(tables, spill, [one for one in lost if one.article_id not in ids], others, out)
    return Moves(found=sorted([*moves, *edited], key=lambda row: row.source_id), recalled=recalled)


def match(lost: Iterable[Lost], candidates: Iterable[Candidate]) -> list[Moved]:
    """Which articles that have left are found elsewhere: those for which there is an article with the same text.

    Where several articles share one text, the one that loses most sentences chooses first, then they choose in the
    order of their ids. Each takes the candidate with the same metadata, or else a new one, or else the first by id.
    No candidate is taken twice.

    Args:
        lost: the articles that have left.
        candidates: the articles that may take their place, none of which has labels of its own.
    """
    texts: dict[str, list[Candidate]] = defaultdict(list)
    for candidate in candidates:
        texts[candidate.sha256].append(candidate)
    moves: list[Moved] = []
    for article in sorted(lost, key=lambda article: (-article.missing, article.article_id)):
        options = texts.get(article.sha256, [])
        # If its id still has the same text, only the rules that cut it have changed: nothing has moved.
        if not options or any(one.article_id == article.article_id for one in options):
            continue
        about = article.about
        best = min(options, key=lambda one: (one.about != about, not one.is_new, one.article_id))
        options.remove(best)
        moves.append(Moved(source_id=best.own_id, article_id=article.article_id, sha256=article.sha256))
    return sorted(moves, key=lambda row: row.source_id)


def _edited(tables: Database, spill: Path, lost: Sequence[Lost], others: Collection[str], out: Path) -> list[Moved]:
    """Edited rows that are known by their text alone, each under the id that it had before; none is in `others`."""
    files = {article.article_id: article.file for article in lost if article.file is not None}
    if not files or not tables.ask("SELECT count(*) FROM own WHERE by_text")[0][0]:
        return []
    nodes = {
        (article_id, files[article_id], near_duplicates.node_id(near_duplicates.normalise(text)))
        for part in parts(out / "sentences.parquet", ["article_id", "text"], ("article_id", files))
        for article_id, text in zip(*(column.to_pylist() for column in part.columns), strict=True)
    }
    give(tables, spill, "sought", from_rows(_SOUGHT, sorted(nodes)))
    tables.make("fresh", _ROWS)
    moves: dict[str, Moved] = {}
    taken: set[str] = set()
    for article_id, own_id, sha256, _ in tables.ask(_VERSIONS):
        if own_id not in moves and own_id not in others and article_id not in taken:
            moves[own_id] = Moved(source_id=own_id, article_id=article_id, sha256=sha256)
            taken.add(article_id)
    return list(moves.values())
