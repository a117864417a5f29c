"""Plan and apply: bring the server to what it should hold, and its answers home."""

from __future__ import annotations

import html
import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import pyarrow as pa

from corpus.records import ARTICLES, SENTENCES, ConfigError, StudioError
from corpus.store import private_folder, read_jsonl, read_table, write_bytes, write_jsonl
from labeling.records import Annotation, Task
from labeling.studio import Studio, read_answer

INTERFACE = Path(__file__).with_name("interface.xml")
PSEUDONYMS = "annotators.json"


class LabelingSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[labeling]` in stance.toml: the project's title at the server, annotators a sentence, the codebook."""

    title: str = "Stance"
    overlap: int = 3
    codebook: str = "codebook.md"

    def __post_init__(self) -> None:
        """Refuse what the server would refuse later, with a worse message."""
        if not 3 <= len(self.title) <= 50:
            raise ValueError(f"title: expected 3 to 50 characters, as Label Studio does; got {self.title!r}")
        if self.overlap < 1:
            raise ValueError(f"overlap: expected at least one annotator a sentence; got {self.overlap}")


class Codebook(msgspec.Struct, frozen=True, kw_only=True):
    """The codebook's text and the version that it states."""

    text: str
    version: str


class PushPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What a push will do: tasks to create, to update by server id, as they are, and on the server only."""

    create: list[Task]
    update: list[tuple[int, Task]]
    unchanged: int
    server_only: int


class PullSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What a pull found: answers, annotators, and answers to tasks whose sentence left the corpus."""

    annotations: int
    skips: int
    annotators: int
    without_sentence: int
    changed: bool


def read_codebook(path: Path) -> Codebook:
    """Read the codebook; its version stands in a line `Version 1.0`.

    Raises:
        ConfigError: the file is missing or states no version.
    """
    if not path.is_file():
        raise ConfigError(f"{path} is not there: [labeling] codebook must name the codebook's Markdown file")
    text = path.read_text("utf-8")
    found = re.search(r"^\W*version:?\W+(\w[\w.\-]*)", text, re.MULTILINE | re.IGNORECASE)
    if not found:
        raise ConfigError(f"{path}: expected a line such as `Version 1.0`; every label remembers its version")
    return Codebook(text=text, version=found.group(1))


def corpus_tasks(work: Path, target: str, held: set[str]) -> list[Task]:
    """One task for each group of exact copies, in corpus order.

    Args:
        work: the project's folder of tables.
        target: what the stance is toward.
        held: sentence ids that the server holds; the member that is there already stands for its group.
    """
    articles = {
        row["article_id"]: row
        for row in read_table(
            work / "articles.parquet",
            pa.schema([ARTICLES.field(name) for name in ("article_id", "title", "outlet", "published")]),
            "stance build",
        ).to_pylist()
    }
    rows = read_table(work / "sentences.parquet", SENTENCES, "stance build").to_pylist()
    groups: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        groups[row["copy_id"]].append(row["sentence_id"])
    chosen = {
        min((member for member in members if member in held), default=copy_id) for copy_id, members in groups.items()
    }
    return [
        Task(
            sentence_id=row["sentence_id"],
            text=row["text"],
            before=row["before"],
            after=row["after"],
            title=articles[row["article_id"]]["title"],
            outlet=articles[row["article_id"]]["outlet"],
            published=articles[row["article_id"]]["published"],
            target=target,
        )
        for row in rows
        if row["sentence_id"] in chosen
    ]


def plan_push(studio: Studio, project_id: int | None, work: Path, target: str) -> PushPlan:
    """Compare what the server holds with what it should hold.

    Raises:
        StudioError: the server holds one sentence in two tasks.
    """
    held: dict[str, tuple[int, dict[str, object]]] = {}
    for task in studio.tasks(project_id) if project_id is not None else []:
        key = str(task.data.get("sentence_id"))
        if key in held:
            raise StudioError(
                f"{studio.url} holds sentence {key} twice (tasks {held[key][0]} and {task.id}); "
                "delete the one without annotations there"
            )
        held[key] = (task.id, task.data)
    wanted = corpus_tasks(work, target, set(held))
    create = [task for task in wanted if task.sentence_id not in held]
    kept = [(held[task.sentence_id], task) for task in wanted if task.sentence_id in held]
    update = [(id_, task) for (id_, data), task in kept if data != msgspec.structs.asdict(task)]
    return PushPlan(
        create=create,
        update=update,
        unchanged=len(kept) - len(update),
        server_only=len(held.keys() - {task.sentence_id for task in wanted}),
    )


def push(
    studio: Studio,
    project_id: int | None,
    plan: PushPlan,
    settings: LabelingSettings,
    codebook: Codebook,
    progress: Callable[[int], None],
) -> int:
    """Apply a plan; makes the project where it is not there yet.

    Returns:
        The project's id.
    """
    if project_id is None:
        project_id = studio.create_project(
            settings.title, INTERFACE.read_text("utf-8"), instruction(codebook), settings.overlap
        )
    studio.import_tasks(project_id, plan.create, progress)
    for id_, task in plan.update:
        studio.update_task(id_, task)
        progress(1)
    return project_id


def instruction(codebook: Codebook) -> str:
    """The codebook as the page shows it: as it was written, no Markdown library needed."""
    return f'<div style="white-space: pre-wrap">{html.escape(codebook.text)}</div>'


def pull(studio: Studio, project_id: int, work: Path, project: Path, codebook: Codebook) -> PullSummary:
    """Bring every submitted answer home, as `annotations.jsonl`; drafts stay at the server.

    Args:
        studio: the server.
        project_id: its project.
        work: the project's folder of tables.
        project: the project folder, whose private file maps accounts to pseudonyms.
        codebook: answers that were not known before get its version.

    Raises:
        StudioError: an answer has a choice that the codebook lacks; nothing is written then.
    """
    corpus = set(
        read_table(work / "sentences.parquet", pa.schema([SENTENCES.field("sentence_id")]), "stance build")
        .column("sentence_id")
        .to_pylist()
    )
    path = work / "annotations.jsonl"
    known = {row.studio_id: row for row in _known(path)}
    raw = [
        (answer, str(task.data.get("sentence_id")))
        for task in studio.tasks(project_id, annotations=True)
        for answer in task.annotations
    ]
    names = _pseudonyms(project, studio.accounts(), {answer["completed_by"] for answer, _ in raw})
    rows: list[Annotation] = []
    for answer, sentence_id in raw:
        before = known.get(answer["id"])
        same = before is not None and before.updated_at == answer["updated_at"]
        version = before.codebook if before is not None and same else codebook.version
        rows.append(read_answer(answer, sentence_id, names[answer["completed_by"]], version))
    rows.sort(key=lambda row: (row.sentence_id, row.annotator, row.studio_id or 0))
    kept = [row for row in rows if row.sentence_id in corpus]
    return PullSummary(
        annotations=len(rows),
        skips=sum(row.stance is None for row in rows),
        annotators=len({row.annotator for row in rows}),
        without_sentence=len(rows) - len(kept),
        changed=write_jsonl(path, rows),
    )


def _known(path: Path) -> Sequence[Annotation]:
    return read_jsonl(path, Annotation, "stance pull") if path.is_file() else []


def _pseudonyms(project: Path, accounts: dict[int, str], answering: set[int]) -> dict[int, str]:
    """A lasting pseudonym for each account that answered: A1, A2, … in the order of their account ids."""
    path = private_folder(project) / PSEUDONYMS
    names: dict[str, str] = msgspec.json.decode(path.read_bytes(), type=dict[str, str]) if path.is_file() else {}
    for account in sorted(answering):
        # An account that was deleted at the server keeps a name by its number.
        address = accounts.get(account, f"account {account}")
        names.setdefault(address, f"A{len(names) + 1}")
    write_bytes(path, msgspec.json.format(msgspec.json.encode(names)), mode=0o600)
    return {account: names[accounts.get(account, f"account {account}")] for account in answering}
