"""How many sentences a new version of the codebook asks annotators about again, as far as this computer knows."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import msgspec

from corpus.numbers import number
from corpus.store import table_path
from labeling.codebook import Codebook, version_order
from labeling.migration.migrated_answers import read_migrated
from labeling.records import Annotation
from labeling.scheme import DEFAULT, Scheme, read_labelled_if_there
from labeling.settling.carried_votes import carry
from labeling.votes import counted


class Reopened(msgspec.Struct, frozen=True, kw_only=True):
    """Sentences whose votes a new version of the codebook asks for again.

    Attributes:
        waiting: sentences that stay open until somebody labels them again.
        to_ask: sentences with answers that `stance push --migrate` would ask their annotators for again.
        earlier: versions under which these were labelled, the oldest first.
        version: the present version.
    """

    waiting: int
    to_ask: int
    earlier: list[str]
    version: str

    def __str__(self) -> str:
        """One sentence for the terminal, without a full stop."""
        count = self.to_ask or self.waiting
        said = (
            f"{number(count, 'sentence', 'were')} labelled under codebook {', '.join(self.earlier)}, now {self.version}"
        )
        if not self.to_ask:
            return f"{said}: {'it waits' if count == 1 else 'they wait'} for new answers"
        return f"{said}: `stance push --migrate` asks the annotators for {'it' if count == 1 else 'them'} again"


def read_reopened(
    work: Path, codebook: Codebook | None, ignored: Collection[str] = frozenset(), scheme: Scheme = DEFAULT
) -> Reopened | None:
    """Count the sentences whose votes the codebook asks for again, without asking the server.

    Only what was pulled is counted, and an answer that an earlier `push --migrate` removed at the server is not counted
    as one to ask for again.

    Args:
        work: the project's folder of tables.
        codebook: the codebook; None if there is none.
        ignored: annotators whose answers don't count.
        scheme: labels of the project.

    Returns:
        None if no vote is asked for again.

    Raises:
        TableError: a table is malformed.
    """
    if codebook is None:
        return None
    path = table_path(work, "annotations.jsonl")
    everything = read_labelled_if_there(path, Annotation, scheme, codebook)
    rows = [row for row in everything if row.stance is not None]
    kinds = {(row.stance or "", row.codebook) for row in rows}
    again = {kind for kind in kinds if codebook.asked_again_at(*kind) is not None}
    if not again:
        return None
    migrated = read_migrated(work, rows)
    reopened = [row for row in rows if (row.stance or "", row.codebook) in again]
    to_ask = {
        (row.sentence_id, row.control) for row in reopened if row.studio_id is not None and not migrated.removed(row)
    }
    waiting = carry(counted(everything, ignored), codebook, scheme).again
    if not (to_ask or waiting):
        return None
    earlier = sorted({row.codebook for row in reopened}, key=version_order)
    return Reopened(waiting=len(waiting), to_ask=len(to_ask), earlier=earlier, version=codebook.version)
