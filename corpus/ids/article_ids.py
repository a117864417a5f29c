"""Article ids that stay the same when files are renamed or moved, or when rows are inserted above others.

An article's source gives it an id (`corpus.reading.articles`). The id that it finally has can differ:

- Several articles that are known by their text alone, and have the same text, are told apart by a number.
- An article with sentences that matter (`corpus.ids.labelled_sentences`) whose text is now found elsewhere has moved:
  it keeps its id, and so its sentences keep theirs, with labels, rounds and tasks. `labels/moved.jsonl` records this
  for later builds.
- If another article keeps the id that an article's source gives it, the latter gets this id with the next free number.

Everything is decided by the articles' ids, texts and metadata, so neither the order of the sources nor the engine or
the number of workers changes an id.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from pathlib import Path

import msgspec
import pyarrow as pa

from corpus.database import Database, from_rows, give
from corpus.errors import SourceError
from corpus.ids.fingerprint import DIGITS, TEXT_ID
from corpus.ids.labelled_sentences import Fingerprint, Moved, read_moved
from corpus.ids.moves import find_moves
from corpus.ids.rewrite_shards import Ids, rewritten
from corpus.numbers import number
from corpus.reading.file_kinds import DATA_FILES
from corpus.records import Unit

_OWN = f"""
    WITH known AS (
        SELECT file, place, source, fingerprint, outlet, published, title, url, language, licence, article_id,
            article_id = '{TEXT_ID}' || substr(fingerprint, 1, {DIGITS}) AS by_text
        FROM shard
    )
    SELECT *, article_id AS own_id FROM known WHERE NOT by_text
    UNION ALL
    SELECT * EXCLUDE (nth), CASE WHEN nth = 1 THEN article_id ELSE article_id || '-' || nth END AS own_id FROM (
        SELECT *, row_number() OVER (
            PARTITION BY article_id
            ORDER BY outlet, published, title, url, language, licence, file, place
        ) AS nth
        FROM known WHERE by_text
    ) AS numbered"""
"""Every article with the id that its source gives it."""

_BY_TEXT = """
    SELECT regexp_replace(source, ':[0-9]+$', '') AS name, count(*)
    FROM own WHERE by_text GROUP BY name ORDER BY name"""
_ASKED = pa.schema([("own_id", pa.string())])
_GIVEN = pa.schema([("own_id", pa.string()), ("id", pa.string())])
_OUTSIDE = pa.schema([("own_id", pa.string()), ("source", pa.string())])


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """The articles with the ids that they have.

    Attributes:
        folders: the shards with these ids, in their order.
        moved: records that `moved.jsonl` is to hold.
        moves: articles that this build found elsewhere.
        recalled: articles with sentences that matter, as they were; none where no such sentence was missing.
        renamed: articles that this build gave another id, because theirs belongs to another article.
        by_text: file → number of its articles that are known by their text alone.
        by_name: number of articles that are known by the name of their file alone.
    """

    folders: list[Path]
    moved: list[Moved]
    moves: list[Moved]
    recalled: list[Fingerprint]
    renamed: list[Moved]
    by_text: dict[str, int]
    by_name: int


def settle(tables: Database, shards: Sequence[Path], spill: Path, out: Path, units: Sequence[Unit]) -> Settled:
    """Give every article its id.

    Args:
        tables: an empty database on this machine. Afterwards it has the table `own`: every article with its place, its
            source's id and its fingerprint.
        shards: folders of finished shards.
        spill: an empty folder beside them, for temporary files.
        out: the project's folder of tables, as the last build left it; it need not exist.
        units: units of work that the shards were made from.

    Raises:
        SourceError: two articles have one id.
        TableError: a file of labels is malformed.
    """
    tables.read("shard", shards, "articles.parquet")
    tables.make("own", _OWN)
    _check_ids(tables, units)
    before = read_moved(out)
    named = _named(tables, spill, before)
    folders = rewritten(shards, ids=_places(tables, spill, named))
    moves = find_moves(tables, spill, folders, out)
    wanted = before
    if moves.found:
        ids = {row.article_id for row in moves.found}
        wanted = {own_id: row for own_id, row in before.items() if row.article_id not in ids}
        wanted |= {row.source_id: row for row in moves.found}
        named = _named(tables, spill, wanted)
        folders = rewritten(shards, ids=_places(tables, spill, named))
    return Settled(
        folders=folders,
        moved=list(named.values()),
        moves=moves.found,
        recalled=moves.recalled,
        renamed=[
            row for own_id, row in named.items() if own_id not in wanted or wanted[own_id].article_id != row.article_id
        ],
        by_text=dict(tables.ask(_BY_TEXT)),
        by_name=_by_name(tables, spill, units),
    )


def resolve(present: Mapping[str, str], wanted: Mapping[str, Moved], free: Callable[[str], str]) -> dict[str, Moved]:
    """Decide which article has which id, where one article keeps an id that another gets from its source.

    The article that keeps the id goes before the one that would now get it from its source. If `moved.jsonl` lets
    several keep one id, as after two copies of a project were joined, the one whose text was last seen under the id
    goes first, then the one whose own id comes first in the alphabet.

    Args:
        present: fingerprints of the articles in question, by the id that their source gives them: at least those of
            all articles that keep an id, and of all articles whose own id is kept by another article.
        wanted: articles that keep an id, by the id that their source gives them.
        free: function that makes an unused id from one that another article has.

    Returns:
        The articles whose id is not their source's, by the source's id, in its order. Articles that are absent from the
        corpus are among them, unless their id now belongs to another article.
    """
    claims: dict[str, list[str]] = defaultdict(list)
    for own_id in sorted(present):
        claims[wanted[own_id].article_id if own_id in wanted else own_id].append(own_id)
    ids: dict[str, str] = {}
    for article_id, claimants in claims.items():

        def rank(own_id: str, article_id: str = article_id) -> tuple[bool, bool, str]:
            kept = wanted.get(own_id)
            return kept is None, kept is None or kept.sha256 != present[own_id], own_id

        first, *others = sorted(claimants, key=rank)
        ids[first] = article_id
        for own_id in others:
            ids[own_id] = free(own_id) if own_id in claims else own_id
    found = {own_id: row for own_id, row in wanted.items() if own_id not in present and row.article_id not in claims}
    for own_id, article_id in ids.items():
        if own_id != article_id:
            found[own_id] = Moved(source_id=own_id, article_id=article_id, sha256=present[own_id])
    return dict(sorted(found.items()))


def _check_ids(tables: Database, units: Sequence[Unit]) -> None:
    twice = tables.ask(
        "SELECT own_id, min(source), max(source), count(*) OVER () FROM own "
        "GROUP BY own_id HAVING count(*) > 1 ORDER BY own_id LIMIT 1"
    )
    if twice:
        article_id, first, second, doubled = twice[0]
        # Outside of the root the source of a file is only its name, which two files may share.
        paths = [unit.path for unit in units if unit.source == first == second]
        if len(paths) > 1:
            first, second = paths[:2]
        more = f" ({number(doubled - 1, 'more id', 'are')} doubled)" if doubled > 1 else ""
        way_out = _way_out(first, second)
        raise SourceError(f"two articles have the id {article_id[:200]!r}: {first} and {second}{more}; {way_out}")


def _way_out(first: str, second: str) -> str:
    """What to do about two articles with one id; files that differ only in the ending are mostly one text twice."""
    (stem, ending), (other, _) = os.path.splitext(first), os.path.splitext(second)  # noqa: PTH122  names of sources
    if first != second and stem == other and ":" not in ending:  # a row's number stands behind a colon
        return (
            "an id is the path without the ending. Rename one if their texts differ; if it is the same text twice, "
            f"move one to another folder, or name the files of one kind only, as in 'news/**/*{ending}'"
        )
    return "rename one, or set [corpus] root to a folder above both"


def _named(tables: Database, spill: Path, wanted: Mapping[str, Moved]) -> dict[str, Moved]:
    """Apply `resolve` to the articles in the database."""
    if not wanted:
        return {}
    asked = sorted({*wanted, *(row.article_id for row in wanted.values())})
    give(tables, spill, "asked", from_rows(_ASKED, [(name,) for name in asked]))
    present = dict(tables.ask("SELECT own_id, fingerprint FROM own JOIN asked USING (own_id)"))
    used = set(asked)

    def free(own_id: str) -> str:
        start = f"{own_id}~".replace("'", "''")
        taken = {row[0] for row in tables.ask(f"SELECT own_id FROM own WHERE starts_with(own_id, '{start}')")} | used
        name = next(name for n in count(2) if (name := f"{own_id}~{n}") not in taken)
        used.add(name)
        return name

    return resolve(present, wanted, free)


def _places(tables: Database, spill: Path, named: Mapping[str, Moved]) -> Ids:
    """The places and new ids of articles whose id differs from that in their shard; makes the table `named`."""
    given = [(own_id, row.article_id) for own_id, row in named.items()]
    give(tables, spill, "given", from_rows(_GIVEN, given))
    tables.make("named", "SELECT own_id, coalesce(given.id, own_id) AS id FROM own LEFT JOIN given USING (own_id)")
    places: dict[int, dict[int, str]] = defaultdict(dict)
    changed = "SELECT file, place, id FROM own JOIN named USING (own_id) WHERE own.article_id <> id"
    for batch in tables.stream(changed):
        for file, place, article_id in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            places[file][place] = article_id
    return places


def _by_name(tables: Database, spill: Path, units: Sequence[Unit]) -> int:
    outside = [(unit.article_id, unit.source) for unit in units if unit.outside and unit.kind not in DATA_FILES]
    if not outside:
        return 0
    give(tables, spill, "outside", from_rows(_OUTSIDE, outside))
    return int(tables.ask("SELECT count(*) FROM own JOIN outside USING (own_id, source)")[0][0])
