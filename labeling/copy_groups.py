"""The groups of exact copies that some sentences belong to, read from the corpus without the other sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from collections.abc import Set as AbstractSet
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from corpus.records import SENTENCES
from corpus.store import once, read_jsonl, table_path
from corpus.tables import read_table, strings, table_parts
from labeling.sampling.archive_sentences import read_archived
from labeling.sampling.sample_table import drawn_sentences, read_sample

KEYS_OF_GROUPS = pa.schema([SENTENCES.field(name) for name in ("sentence_id", "copy_id")])
KEYS = pa.schema([SENTENCES.field(name) for name in ("sentence_id", "article_id", "copy_id")])


LABELS = ("annotations.jsonl", "adjudications.jsonl", "verdicts.jsonl")


class _Label(msgspec.Struct, frozen=True):
    sentence_id: str


class CopyGroups(msgspec.Struct, frozen=True, kw_only=True):
    """Groups of exact copies; each is named after its first copy.

    Attributes:
        copy_of: the group of each sentence that was asked for and is in the corpus or was drawn from an archive.
        article_of: the article of each of these sentences, and of the first copy of each of their groups.
        sizes: number of sentences of each of these groups.
        total: number of groups of the whole corpus.
        first_copies: number of first copies in each article; only if it was asked for.
        archived: sentences that are not in the corpus, but were drawn from an archive; each is a group of its own.
    """

    copy_of: dict[str, str]
    article_of: dict[str, str]
    sizes: dict[str, int]
    total: int
    first_copies: dict[str, int] = {}
    archived: frozenset[str] = frozenset()

    @property
    def in_corpus(self) -> AbstractSet[str]:
        """The sentences that were asked for and are in the corpus, not only drawn from an archive."""
        return self.copy_of.keys() - self.archived

    def to_label(self, drawn: Collection[str]) -> int:
        """The number of groups to label: those of the drawn sentences, or all if no sentence was drawn.

        Args:
            drawn: sentences that were drawn, which must be among those that were asked for.
        """
        return len({self.copy_of[key] for key in drawn if key in self.copy_of}) if drawn else self.total


def groups_of_labels(work: Path) -> CopyGroups:
    """The groups of all sentences that have an answer or a verdict, or that a round drew; see `read_groups`.

    First copies are counted by article if no round drew a sentence: then all groups are to be labelled. Within
    `corpus.store.one_state` the tables are read only once for it.
    """
    return once(work, _groups_of_labels)


def _groups_of_labels(work: Path) -> CopyGroups:
    drawn = drawn_sentences(read_sample(work))
    labelled = {
        row.sentence_id
        for path in (table_path(work, name) for name in LABELS)
        if path.is_file()
        for row in read_jsonl(path, _Label, "stance pull")
    }
    return read_groups(work, drawn | labelled, by_article=not drawn)


def read_groups(work: Path, sentences: Collection[str], *, by_article: bool = False) -> CopyGroups:
    """Read the groups of some sentences.

    Args:
        work: the project's folder of tables.
        sentences: ids of the sentences; those that are neither in the corpus nor drawn from an archive are left out.
        by_article: whether the first copies in each article are to be counted.

    Raises:
        TableError: there is no corpus, or its table is malformed.
    """
    path = work / "sentences.parquet"
    wanted = strings(sorted(set(sentences)))
    copy_of: dict[str, str] = {}
    article_of: dict[str, str] = {}
    first_copies: Counter[str] = Counter()
    further: list[pa.Array] = []
    total = 0
    for part in table_parts(path, KEYS, "stance build"):
        is_first = pc.equal(part["sentence_id"], part["copy_id"])
        total += pc.sum(is_first).as_py() or 0
        further += part["copy_id"].filter(pc.invert(is_first)).chunks
        mine = part.filter(pc.is_in(part["sentence_id"], value_set=wanted))
        ids, articles, copies = (mine[name].to_pylist() for name in KEYS.names)
        copy_of.update(zip(ids, copies, strict=True))
        article_of.update(zip(ids, articles, strict=True))
        if by_article:
            for row in pc.value_counts(part["article_id"].filter(is_first)).to_pylist():
                first_copies[row["values"]] += row["counts"]
    groups = set(copy_of.values())
    others = pa.chunked_array(further, pa.string())
    others = others.filter(pc.is_in(others, value_set=strings(sorted(groups))))
    sizes = Counter(others.to_pylist())
    rest = read_table(path, KEYS, "stance build", ("sentence_id", groups - article_of.keys()))
    article_of.update(zip(rest["sentence_id"].to_pylist(), rest["article_id"].to_pylist(), strict=True))
    archived = {
        row.sentence_id: row.article_id
        for row in read_archived(work)
        if row.sentence_id in set(sentences) and row.sentence_id not in copy_of
    }
    copy_of.update({name: name for name in archived})
    article_of.update(archived)
    return CopyGroups(
        copy_of=copy_of,
        article_of=article_of,
        sizes={name: 1 + sizes[name] for name in groups} | dict.fromkeys(archived, 1),
        total=total,
        first_copies=dict(first_copies),
        archived=frozenset(archived),
    )
