"""Plan which answers at the server a new version of the codebook rewrites, and which are asked for again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from corpus.numbers import number
from corpus.store import read_jsonl_if_there, table_path
from labeling.codebook import Codebook
from labeling.identity.account_register import Register, read_register
from labeling.identity.answer_sources import Answer, AnswerRow
from labeling.migration.migrated_answers import Migrated, MigratedAnswers, read_migrated
from labeling.records import Adjudication, Annotation, LabelingSettings
from labeling.scheme import Scheme
from labeling.studio.answers import label_of, read_adjudication, read_answer
from labeling.studio.api_records import Project
from labeling.sync.imported_answers import place_imported
from labeling.sync.known_answers import digest

if TYPE_CHECKING:
    from labeling.studio.client import Studio


class ProjectMigration(msgspec.Struct, frozen=True, kw_only=True):
    """What happens to the answers that one project holds.

    Attributes:
        title: title of the project.
        rewrite: answers whose label has another name now.
        again: answers that must be given again: they are removed, so that their tasks are shown to their annotators.
        sentences_again: number of sentences (repeated ones count as sentences of their own) that these are answers to.
        unfetched: answers with a label of an earlier version that no pull has fetched as they are now; all that are
            due, if the private file does not say yet whose they are.
        labels: all labels of these answers, present and former ones, in the order in which they are listed.
        blocking: whether an answer has a label that the new page does not have, so that the server would refuse it.
    """

    title: str
    rewrite: list[Migrated]
    again: list[Migrated]
    sentences_again: int
    unfetched: int
    labels: list[str]
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
            *(
                f"{number(renamed[was, now], 'answer')} {was} → {now}: rewritten"
                for was in self.labels
                for now in self.labels
                if renamed[was, now]
            ),
            *(
                f"{number(again[was], 'answer')} {was}: to be given again; removed at the server, so that "
                + ("its task is shown again" if again[was] == 1 else "their tasks are shown again")
                for was in self.labels
                if again[was]
            ),
        ]


def plan_migration(
    studio: Studio,
    project: Project,
    work: Path,
    folder: Path,
    settings: LabelingSettings,
    codebook: Codebook,
    scheme: Scheme,
) -> ProjectMigration:
    """Compare the answers that a project holds with what became of their labels.

    Only answers that a pull has fetched are changed, so that `labels/annotations.jsonl` has each one as it was given.
    The private file must be in step with them: an answer that is removed no longer shows whose its account is.
    In the queue, an answer whose label was reopened stands as long as its label exists.

    Args:
        studio: the server.
        project: the project at the server.
        work: the project's folder of tables.
        folder: the project folder, whose private file says which projects hold imported answers.
        settings: `[labeling]` of stance.toml.
        codebook: the codebook.
        scheme: labels of the project.

    Raises:
        StudioError: an answer has a label that neither the scheme nor the codebook's change list names.
        TableError: a table is malformed.
    """
    from labeling.studio.client import ANSWERS

    register = read_register(folder)
    queue = project.title == settings.queue_title
    held = [
        (task.key, answer)
        for task in studio.tasks(project.id, ANSWERS)
        for answer in task.annotations
        if task.key and not answer.get("was_cancelled")
    ]
    found: list[tuple[Answer | None, bool]]
    if queue:
        settled = read_jsonl_if_there(table_path(work, "adjudications.jsonl"), Adjudication)
        read = [read_adjudication(answer, key[0], "", codebook, {}, scheme) for key, answer in held]
        found = _known(studio, project, register, settled, read, held, read_migrated(work, settled))
    else:
        known = read_jsonl_if_there(table_path(work, "annotations.jsonl"), Annotation)
        answers = [read_answer(answer, key[0], "", codebook, control=key[1], scheme=scheme) for key, answer in held]
        found = _known(studio, project, register, known, answers, held, read_migrated(work, known))
    rewrite: list[Migrated] = []
    again: list[Migrated] = []
    asked: set[tuple[str, int]] = set()
    unfetched, blocking = 0, False
    for (key, answer), (row, is_fetched) in zip(held, found, strict=True):
        label = label_of(answer)
        blocking |= label not in scheme.names
        if row is None or row.stance is None or not is_fetched:
            unfetched += label not in scheme.names
            continue
        now = codebook.called_now(row.stance, row.codebook)
        reopened = codebook.asked_again_at(row.stance, row.codebook) is not None
        if reopened and not (queue and now in scheme.names):
            again.append(_migrated(row, answer, None, codebook))
            asked.add(key)
        elif now != label:
            rewrite.append(_migrated(row, answer, now, codebook))
    if register.labels != digest(table_path(work, "annotations.jsonl")):
        unfetched, rewrite, again = unfetched + len(rewrite) + len(again), [], []
    return ProjectMigration(
        title=project.title,
        rewrite=rewrite,
        again=again,
        sentences_again=len(asked) if again else 0,
        unfetched=unfetched,
        labels=scheme.in_order(label for row in (*rewrite, *again) for label in (row.was, row.now) if label),
        blocking=blocking,
    )


def _known(
    studio: Studio,
    project: Project,
    register: Register,
    known: Sequence[AnswerRow],
    read: Sequence[AnswerRow],
    held: Sequence[tuple[tuple[str, int], dict[str, Any]]],
    migrated: MigratedAnswers,
) -> list[tuple[Answer | None, bool]]:
    """Each answer as it is known, also where it was imported, and whether this is the version that the server holds."""
    source = register.source_at(studio.url, project.id)
    places = {(row.studio_id, row.created_at): place for place, row in enumerate(known)}
    fresh = [msgspec.structs.replace(migrated.as_given(row), source=source) for row in read]
    pairs = [places.get((row.studio_id, row.created_at)) for row in fresh]
    # Imported answers are what a pull recognises a project by: none may be removed before it has.
    before = [answer.get("import_id") if source else None for _, answer in held]
    placed = place_imported(known, fresh, [""] * len(fresh), pairs, before, register.origins(), migrated)
    return [
        (None, False) if place is None else (known[place], known[place].updated_at == row.updated_at)
        for row, place in zip(placed.rows, placed.pairs, strict=True)
    ]


def _migrated(row: Answer, answer: dict[str, Any], now: str | None, codebook: Codebook) -> Migrated:
    assert row.stance is not None  # skips are not migrated
    return Migrated(
        studio_id=row.studio_id or 0,
        created_at=row.created_at,
        updated_at=row.updated_at,
        was=row.stance,
        codebook=row.codebook,
        now=now,
        to=codebook.version,
        answer=answer,
    )
