"""Two colleagues share a project folder by git: both pull, git merges, and nobody's answer is lost or another's."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.store import read_jsonl
from labeling.codebook import Codebook
from labeling.identity.account_register import Minted
from labeling.records import Annotation, LabelingSettings, Superseded
from labeling.studio.answers import chosen
from labeling.studio.api_records import StudioTask
from labeling.studio.tasks import Corpus
from labeling.sync.export_files import read_export
from labeling.sync.merged_files import owners
from labeling.sync.pull import pull
from tests.support.corpora import corpus_of
from tests.support.examples import examples
from tests.support.fake_server import FakeServer

BOOK = Codebook(text="", version="1.0")
KEYS = "stuvwx"


def git(folder: Path, *words: str) -> str:
    who = ("-c", "user.name=Kim", "-c", "user.email=kim@lab.example", "-c", "init.defaultBranch=main")
    done = subprocess.run(["git", *who, *words], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


class Colleague:
    """A clone of the project on a computer of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        if not (folder / "work").exists():
            corpus_of(folder / "work", {key: key for key in KEYS})

    def commit(self) -> None:
        git(self.folder, "add", "labels")
        git(self.folder, "commit", "-qm", "Pull")

    def export(self, name: str, tasks: list[dict[str, Any]], **how: Any) -> list[str]:
        (self.folder / name).write_text(json.dumps(tasks))
        work = self.folder / "work"
        return read_export(self.folder / name, Corpus(work), work, self.folder, BOOK, **how).notes

    def pull(self, server: FakeServer) -> None:
        pull(server, LabelingSettings(), self.folder / "work", self.folder, BOOK)  # type: ignore[arg-type]

    def merge(self, other: Colleague) -> None:
        git(self.folder, "pull", "-q", "--no-rebase", "--no-edit", str(other.folder), "main")

    def rows(self) -> list[Annotation]:
        return read_jsonl(self.folder / "labels" / "annotations.jsonl", Annotation, "")

    def votes(self) -> dict[tuple[str, int | None], str]:
        return {(row.sentence_id, row.studio_id): row.annotator for row in self.rows()}


@pytest.fixture
def ann(tmp_path: Path) -> Colleague:
    folder = tmp_path / "ann"
    folder.mkdir()
    git(folder, "init", "-q")
    (folder / ".gitignore").write_text("work\n.stance\n*.json\n")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "Begin")
    return Colleague(folder)


def clone(colleague: Colleague) -> Colleague:
    folder = colleague.folder.parent / "bo"
    git(colleague.folder.parent, "clone", "-q", str(colleague.folder), str(folder))
    return Colleague(folder)


def _exported(second: int, *answers: tuple[str, str], by: object = 1) -> list[dict[str, Any]]:
    """The export of a Label Studio of somebody's own, in which each answer is to a sentence (first) a stance."""
    return [
        {
            "id": n,
            "data": {"sentence_id": key},
            "created_at": f"2026-01-01T12:00:{second:02}.{n:06}Z",
            "annotations": [
                {
                    "id": n,
                    "completed_by": by,
                    "result": [chosen("stance", stance)],
                    "created_at": f"2026-01-02T12:00:{second:02}.{n:06}Z",
                    "updated_at": f"2026-01-02T12:00:{second:02}.{n:06}Z",
                }
            ],
        }
        for n, (key, stance) in enumerate(answers, 1)
    ]


def _served(*answers: tuple[int, int, str, str]) -> FakeServer:
    """A server with answers: number, account, sentence, stance; a later month if the stance has an exclamation mark."""
    held: dict[str, list[dict[str, Any]]] = {}
    for number, account, key, stance in answers:
        row = {
            "id": number,
            "completed_by": account,
            "result": [chosen("stance", stance.strip("!"))],
            "created_at": f"2026-01-02T12:00:00.{number:06}Z",
            "updated_at": f"2026-0{2 + stance.count('!')}-02T12:00:00.{number:06}Z",
        }
        held.setdefault(key, []).append(row)
    tasks = [
        StudioTask(
            id=KEYS.index(key) + 1,
            data={"sentence_id": key},
            annotations=rows,
            created_at=f"2026-01-01T12:00:00.{KEYS.index(key) + 1:06}Z",
            updated_at=max(row["updated_at"] for row in rows),
        )
        for key, rows in held.items()
    ]
    return FakeServer(tasks, None, {account: f"u{account}@localhost" for _, account, _, _ in answers})


def test_exports_pulled_by_two_colleagues_are_two_new_people_after_git_merged_them(ann: Colleague) -> None:
    ann.export("one.json", _exported(1, ("s", "favor"), ("u", "none")))
    ann.commit()
    bo = clone(ann)
    ann.export("two.json", _exported(2, ("s", "against"), ("t", "favor")))
    ann.commit()
    bo.export("three.json", _exported(3, ("s", "none"), ("t", "none"), ("x", "favor")))
    bo.commit()
    assert {row.annotator for row in ann.rows()} == {row.annotator for row in bo.rows()} == {"A1", "A2"}
    bo.merge(ann)
    git(ann.folder, "pull", "-q", "--no-rebase", str(bo.folder), "main")
    tables = []
    for colleague in (ann, bo):
        colleague.export("one.json", _exported(1, ("s", "favor"), ("u", "none")))  # any pull makes one of both
        people: dict[str, set[str]] = {}
        for row in colleague.rows():
            people.setdefault(row.source, set()).add(row.annotator)
        assert len(colleague.rows()) == 7
        assert sorted(map(sorted, people.values())) == [["A1"], ["A2"], ["A3"]]
        tables.append([path.read_bytes() for path in sorted((colleague.folder / "labels").glob("*.jsonl"))])
    assert tables[0] == tables[1]
    for name, second in (("two.json", 2), ("three.json", 3)):  # each computer finds its people again
        for colleague in (ann, bo):
            answers = {2: (("s", "against"), ("t", "favor")), 3: (("s", "none"), ("t", "none"), ("x", "favor"))}
            colleague.export(name, _exported(second, *answers[second]))
            assert [path.read_bytes() for path in sorted((colleague.folder / "labels").glob("*.jsonl"))] == tables[0]


def test_one_server_pulled_by_two_colleagues_at_different_times(ann: Colleague) -> None:
    """Ann sees account 4 first and calls it A3; Bo sees account 3 too, which is A3 for him, and 4 is A4."""
    early = [(1, 1, "s", "favor"), (2, 2, "s", "none")]
    ann.pull(_served(*early))
    ann.commit()
    bo = clone(ann)
    seen = [*early, (3, 4, "t", "favor"), (4, 4, "u", "none")]
    ann.pull(_served(*seen))
    ann.commit()
    later = [(1, 1, "s", "against!"), *seen[1:], (5, 3, "t", "against"), (6, 3, "v", "none")]
    bo.pull(_served(*later))
    bo.commit()
    assert ann.votes()["t", 3] == "A3"
    assert bo.votes()["t", 3] == "A4"
    bo.merge(ann)
    git(ann.folder, "pull", "-q", "--no-rebase", str(bo.folder), "main")
    right = {
        ("s", 1): "A1",
        ("s", 2): "A2",
        ("t", 3): "A4",
        ("u", 4): "A4",
        ("t", 5): "A3",
        ("v", 6): "A3",
    }
    for colleague in (ann, bo):
        colleague.pull(_served(*later))
        assert colleague.votes() == right
        assert len(colleague.rows()) == 6
        history = read_jsonl(colleague.folder / "labels" / "history.jsonl", Superseded, "")
        assert [(row.why, row.answer.stance) for row in history] == [("edited", "favor")]
    new = [*later, (7, 3, "w", "favor"), (8, 4, "w", "none")]
    for colleague in (ann, bo):
        colleague.pull(_served(*new))
        assert colleague.votes() == {**right, ("w", 7): "A3", ("w", 8): "A4"}


def test_two_edits_of_one_answer_are_one_answer_and_its_history_after_a_merge(ann: Colleague) -> None:
    ann.pull(_served((1, 1, "s", "favor"), (2, 1, "t", "favor")))
    ann.commit()
    bo = clone(ann)
    ann.pull(_served((1, 1, "s", "none!"), (2, 1, "t", "favor")))
    ann.commit()
    bo.pull(_served((1, 1, "s", "against!!"), (2, 1, "t", "favor")))
    bo.commit()
    ann.merge(bo)
    ann.pull(_served((1, 1, "s", "against!!"), (2, 1, "t", "favor")))
    assert [(row.sentence_id, row.stance) for row in ann.rows()] == [("s", "against"), ("t", "favor")]
    history = read_jsonl(ann.folder / "labels" / "history.jsonl", Superseded, "")
    assert sorted(str(row.answer.stance) for row in history) == ["favor", "none"]


def test_unknown_people_of_two_computers_stay_apart(ann: Colleague) -> None:
    ann.export("one.json", _exported(1, ("s", "favor")))
    ann.commit()
    bo = clone(ann)
    ann.export("two.json", _exported(2, ("s", "against"), by=None))
    ann.commit()
    bo.export("three.json", _exported(3, ("s", "none"), by=None))
    bo.commit()
    ann.merge(bo)
    ann.export("one.json", _exported(1, ("s", "favor")))
    assert sorted(row.annotator for row in ann.rows()) == ["A1", "unknown 1", "unknown 2"]


NAMES = st.sampled_from(["A1", "A2", "A3", "A10"])
MINTED = st.lists(st.builds(Minted, annotator=NAMES, source=st.sampled_from("pq"), account=st.sampled_from("abc")))


@settings(max_examples=examples(300))
@given(MINTED, st.randoms(use_true_random=False))
def test_each_account_gets_one_pseudonym_and_each_pseudonym_one_account_whatever_the_order(
    rows: list[Minted], chance: Any
) -> None:
    found = owners(rows, {row.annotator for row in rows})
    shuffled = [*rows, *rows]
    chance.shuffle(shuffled)
    assert owners(shuffled, {row.annotator for row in rows}) == found
    accounts = {(row.source, row.account) for row in rows}
    assert {(row.source, row.account) for row in found.kept} == accounts
    assert len({row.annotator for row in found.kept}) == len(accounts) == len(found.kept)
    assert owners(found.kept, ()).kept == found.kept  # what is decided stays
    assert owners(found.kept, ()).renamed == {}
