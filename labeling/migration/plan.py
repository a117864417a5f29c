"""Plan which answers at the server a new version of the codebook rewrites, and which are asked for again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from corpus.store import read_jsonl_if_there, table_path
from labeling.codebook import Codebook
from labeling.migration.migrated_answers import Migrated, read_migrated
from labeling.records import Adjudication, Annotation, LabelingSettings
from labeling.scheme import Scheme
from labeling.studio.answers import label_of, read_answer
from labeling.studio.api_records import Project

if TYPE_CHECKING:
    from labeling.studio.client import Studio

Known = Mapping[tuple[int, str], Annotation | Adjudication]


class ProjectMigration(msgspec.Struct, frozen=True, kw_only=True):
    """What happens to the answers that one project holds.

    Attributes:
        title: title of the project.
        rewrite: answers whose label has another name now.
        again: answers that must be given again: they are removed, so that their tasks are shown to their annotators.
        unfetched: answers with a label of an earlier version that no pull has fetched as they are now.
        blocking: whether an answer has a label that the new page does not have, so that the server would refuse it.
    """

    title: str
    rewrite: list[Migrated]
    again: list[Migrated]
    unfetched: int
    blocking: bool

    @property
    def is_due(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.rewrite or self.again or self.unfetched)

    def counts(self) -> list[str]:
        """What happens to how many answers of each label, as clauses."""
        renamed = Counter((row.was, row.now) for row in self.rewrite)
        again = Counter(row.was for row in self.again)
        return [
            *(f"{count} {was} → {now}: rewritten" for (was, now), count in sorted(renamed.items())),
            *(
                f"{count} {was}: to be given again; removed at the server, so that their tasks are shown again"
                for was, count in sorted(again.items())
            ),
        ]


def plan_migration(
    studio: Studio, project: Project, work: Path, settings: LabelingSettings, codebook: Codebook, scheme: Scheme
) -> ProjectMigration:
    """Compare the answers that a project holds with what became of their labels.

    Only answers that a pull has fetched are changed, so that `labels/annotations.jsonl` has each one as it was given.
    In the queue, an answer whose label was reopened stands as long as its label exists.

    Args:
        studio: the server.
        project: the project at the server.
        work: the project's folder of tables.
        settings: `[labeling]` of stance.toml.
        codebook: the codebook.
        scheme: labels of the project.

    Raises:
        StudioError: an answer has a label that neither the scheme nor the codebook's change list names.
        TableError: a table is malformed.
    """
    from labeling.studio.client import ANSWERS

    known, migrated = _known(work), read_migrated(work)
    queue = project.title == settings.queue_title
    rewrite: list[Migrated] = []
    again: list[Migrated] = []
    unfetched, blocking = 0, False
    for task in studio.tasks(project.id, ANSWERS):
        for answer in task.annotations:
            if task.key is None or answer.get("was_cancelled"):
                continue
            read = migrated.as_given(read_answer(answer, task.key[0], "", codebook, scheme=scheme))
            held = label_of(answer)
            blocking |= held not in scheme.names
            row = known.get((answer["id"], read.created_at))
            if row is None or row.stance is None or row.updated_at != read.updated_at:
                unfetched += held not in scheme.names
                continue
            now = codebook.called_now(row.stance, row.codebook)
            reopened = codebook.asked_again_at(row.stance, row.codebook) is not None
            if reopened and not (queue and now in scheme.names):
                again.append(_migrated(row, answer, None, codebook))
            elif now != held:
                rewrite.append(_migrated(row, answer, now, codebook))
    return ProjectMigration(title=project.title, rewrite=rewrite, again=again, unfetched=unfetched, blocking=blocking)


def _known(work: Path) -> Known:
    def read(name: str, kind: type[Any]) -> Iterable[Any]:
        path = table_path(work, name)
        return read_jsonl_if_there(path, kind)

    rows = [*read("annotations.jsonl", Annotation), *read("adjudications.jsonl", Adjudication)]
    return {(row.studio_id or 0, row.created_at): row for row in rows}


def _migrated(row: Annotation | Adjudication, answer: dict[str, Any], now: str | None, codebook: Codebook) -> Migrated:
    assert row.stance is not None  # skips are not migrated
    return Migrated(
        studio_id=answer["id"],
        created_at=row.created_at,
        updated_at=row.updated_at,
        was=row.stance,
        codebook=row.codebook,
        now=now,
        to=codebook.version,
        answer=answer,
    )
