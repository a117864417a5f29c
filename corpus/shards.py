"""Cut the input into pieces, called shards, each of which is made once and kept.

A finished shard is a folder that was renamed into place, named by a digest of everything that it depends on. After a
build was killed, the next one makes only the missing shards. If an article changes, its shard is made again, but the
other articles' pieces are taken over from the old one. Making a shard needs memory for a few articles only.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpus.digests import code_digest, digest, stamp
from corpus.errors import StanceError
from corpus.ids.fingerprint import fingerprint
from corpus.reading.articles import front_matter_end, read
from corpus.reading.file_kinds import DATA_FILES
from corpus.reading.source_files import units
from corpus.records import ARTICLES_AS_READ, ARTICLES_IN_SHARDS, Article, CorpusSettings, Noted, Skipped, Unit
from corpus.sentences.cut_articles import PIECES, cut_articles
from corpus.staging import made_once
from corpus.store import write_jsonl, written_to

SHARD_FILES = 256
"""Average number of files in a shard: so few that a changed article costs little, but enough to keep shards few."""
FLUSH = 2_000_000
"""Characters of text that a worker holds before it cuts and writes them: some 15,000 sentences."""

OTHER_LANGUAGE = "in a language that [corpus] languages does not list"

LIBRARIES = ("charset-normalizer", "fastwarc", "lxml", "markdown-it-py", "py3langid", "pyarrow", "trafilatura")
"""Libraries whose version may change an article's text, its language or a byte of a shard."""
OPTIONAL = ("pypdf", "xlrd")
"""Such libraries that need not be installed; where one is missing, files that need it are skipped."""

Progress = Callable[[int, int, int, int], None]
Cut = Callable[["list[Job]"], Iterator["Made"]]


class Shard(msgspec.Struct, frozen=True, kw_only=True):
    """Units of input that are cut together; `key` is a digest of all that the result depends on, the rules first."""

    key: str
    units: list[Unit]


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A shard to make, in any process that sees the folder.

    `folder` is the absolute path of the folder of all shards; `before` has the keys of shards of the last build, from
    which the pieces of unchanged articles are taken over.
    """

    shard: Shard
    folder: str
    before: list[str]
    settings: CorpusSettings


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """A finished shard: how many articles and sentences it holds, and how many articles were newly cut."""

    key: str
    articles: int
    sentences: int
    cut: int


def plan(sources: Sequence[Path | str], out: Path, settings: CorpusSettings) -> list[Shard]:
    """The shards of the sources' units, which are the same however the sources were named.

    A hash of a file's name decides whether a shard ends there, not the number of files: so a new file changes one
    shard, not all those after it.
    """
    groups: list[list[Unit]] = []
    closed = True
    for unit in units(sources, settings, exclude=written_to(out)):
        alone = unit.kind in DATA_FILES
        if closed or alone:
            groups.append([])
        groups[-1].append(unit)
        closed = alone or int(digest(unit.source)[:8], 16) % SHARD_FILES == 0
    rules = digest(
        code_digest([__name__], LIBRARIES, OPTIONAL), msgspec.json.encode(settings, order="deterministic").decode()
    )
    return [
        Shard(
            key=f"{rules[:8]}.{digest(rules, *(f'{unit!r} {_stamp(unit)}' for unit in group))}",
            units=group,
        )
        for group in groups
    ]


def place(unit: Unit) -> tuple[str, int]:
    """The key that units are sorted by."""
    return unit.source, unit.start


def _overlapping(before: list[tuple[str, int, str]], shard: Shard) -> list[str]:
    """The last build's shards that may hold articles of this shard: a new file may have split or joined some.

    Shards that were cut by other rules are left out, and so are those of a web archive, which is written once and may
    be too big for memory.
    """
    if shard.units[0].kind == "warc":
        return []
    rules = shard.key.partition(".")[0]
    starts = [(source, start) for source, start, _ in before]
    first = max(bisect.bisect_right(starts, place(shard.units[0])) - 1, 0)
    last = bisect.bisect_right(starts, place(shard.units[-1]))
    return [key for *_, key in before[first:last] if key.partition(".")[0] == rules]


def _stamp(unit: Unit) -> str:
    """A string that changes when a unit does; for a unit that is not read, only its place."""
    return unit.path if unit.reason else stamp(Path(unit.path))


def cut_shards(
    shards: list[Shard],
    folder: Path,
    before: list[tuple[str, int, str]],
    settings: CorpusSettings,
    cut: Cut,
    progress: Progress,
) -> int:
    """Make the missing shards, and return how many articles were newly cut.

    Args:
        shards: all shards, as `plan` gives them.
        folder: folder of the shards.
        before: shards of the last build: the first unit of each, and its key.
        settings: `[corpus]` of stance.toml.
        cut: function that runs `make_shard` on each job, once or more often and in any order, and gives each result
            once.
        progress: function that is called with the number of finished shards, of all shards, and of articles and
            sentences so far.

    Raises:
        StanceError: a shard was made, but cannot be found.
    """
    jobs = [
        Job(shard=shard, folder=str(folder.resolve()), before=_overlapping(before, shard), settings=settings)
        for shard in shards
        if not (folder / shard.key).is_dir()
    ]
    done, articles, sentences, newly_cut = len(shards) - len(jobs), 0, 0, 0
    for made in cut(jobs):
        if not (folder / made.key).is_dir():
            raise StanceError(f"{folder} is another folder for those who work on the shards; all must share it")
        done, articles, sentences = done + 1, articles + made.articles, sentences + made.sentences
        newly_cut += made.cut
        progress(done, len(shards), articles, sentences)
    return newly_cut


def make_shard(job: Job) -> Made:
    """Cut one shard into its folder, whole or not at all; making it twice at the same time does no harm."""
    folder, skipped, noted = Path(job.folder), list[Skipped](), list[Noted]()
    old = _Old([folder / key for key in job.before if (folder / key).is_dir()])
    articles_, sentences, newly_cut = 0, 0, 0
    with made_once(folder / job.shard.key) as half:
        with (
            pq.ParquetWriter(half / "articles.parquet", ARTICLES_IN_SHARDS, compression="lz4") as articles,
            pq.ParquetWriter(half / "pieces.parquet", PIECES, compression="lz4") as pieces,
        ):
            for held in _held(job.shard, job.settings, skipped, noted):
                kept, cut_, again = _cut_held(held, old, job.settings, skipped)
                articles.write_batch(kept)
                pieces.write_table(cut_)
                articles_ += kept.num_rows
                sentences += cut_.num_rows - cut_.column("sentence_id").null_count
                newly_cut += again
        write_jsonl(half / "skipped.jsonl", skipped)
        write_jsonl(half / "notes.jsonl", noted)
    return Made(key=job.shard.key, articles=articles_, sentences=sentences, cut=newly_cut)


def _held(
    shard: Shard, settings: CorpusSettings, skipped: list[Skipped], noted: list[Noted]
) -> Iterator[list[Article]]:
    """The shard's articles, some at a time; those that cannot be read are added to `skipped`, and notes to `noted`."""
    held: dict[str, Article] = {}
    size = 0
    for unit in shard.units:
        for item in read(unit, settings):
            if isinstance(item, Skipped):
                skipped.append(item)
                continue
            if isinstance(item, Noted):
                noted.append(item)
                continue
            if settings.languages and item.language not in settings.languages:
                reason = f"{OTHER_LANGUAGE}: {item.language or 'not known'}"
                skipped.append(Skipped(article_id=item.article_id, source=item.source, reason=reason))
                continue
            if size >= FLUSH or item.article_id in held:  # pieces of held articles are told apart by id
                yield list(held.values())
                held, size = {}, 0
            held[item.article_id] = item
            size += len(item.text)
    if held:
        yield list(held.values())


def begins_article(pieces: pa.Table | pa.RecordBatch) -> Any:
    """Whether each piece of a shard is the first of its article; null for a piece that is not a sentence.

    In every article of a shard the sentences come before the spans, and the first of them has the index 0.
    """
    return pc.equal(pieces.column("index"), 0)


class _Old:
    """Shards of the last build, from which unchanged articles' pieces are taken."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._articles: dict[str, dict[str, Any]] = {}
        self._pieces: dict[str, pa.Table] = {}
        for folder in folders:
            rows = pq.read_table(folder / "articles.parquet", columns=ARTICLES_AS_READ.names).to_pylist()
            pieces = pq.read_table(folder / "pieces.parquet")
            # Runs of one id will not do: neighbours may share an id, such as rows with the same text and no id.
            starts = pc.indices_nonzero(pc.fill_null(begins_article(pieces), False)).to_pylist()
            for row, start, end in zip(rows, starts, [*starts[1:], pieces.num_rows], strict=True):
                self._articles[row["article_id"]] = row
                self._pieces[row["article_id"]] = pieces.slice(start, end - start)

    def pieces(self, article: Article) -> pa.Table | None:
        """The article's pieces, if nothing about it has changed."""
        if self._articles.get(article.article_id) != msgspec.structs.asdict(article):
            return None
        return self._pieces[article.article_id]


def _cut_held(
    held: list[Article], old: _Old, settings: CorpusSettings, skipped: list[Skipped]
) -> tuple[pa.RecordBatch, pa.Table, int]:
    taken = {n: found for n, article in enumerate(held) if (found := old.pieces(article)) is not None}
    rows = pa.RecordBatch.from_pylist([msgspec.structs.asdict(article) for article in held], schema=ARTICLES_AS_READ)
    if not taken:
        pieces = pa.Table.from_batches([cut_articles(rows, settings)])
    else:
        pieces = pa.concat_tables(
            taken[n] if n in taken else pa.Table.from_batches([cut_articles(rows.slice(n, 1), settings)])
            for n in range(len(held))
        )
    prose = pc.unique(pieces.filter(pc.equal(pieces.column("kind"), "sentence")).column("article_id"))
    good = pc.is_in(rows.column("article_id"), value_set=prose)
    if not all(good.to_pylist()):
        skipped += [
            Skipped(article_id=article.article_id, source=article.source, reason="no prose in it")
            for article, ok in zip(held, good.to_pylist(), strict=True)
            if not ok
        ]
        rows = rows.filter(good)
        pieces = pieces.filter(pc.is_in(pieces.column("article_id"), value_set=prose))
    texts = rows.column("text").to_pylist()
    digests = pa.array([fingerprint(text[front_matter_end(text) :]) for text in texts], pa.string())
    return rows.append_column("fingerprint", digests), pieces, len(held) - len(taken)
