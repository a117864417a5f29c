"""A new codebook at a real Label Studio: labels are merged and split, and no answer is lost."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.errors import StudioError, TableError
from corpus.store import read_jsonl, table_path
from labeling.migration.migrated_answers import Migrated, MigratedAnswers, migrated_rows
from labeling.records import Annotation, Verdict
from labeling.scheme import Scheme
from labeling.studio.answers import label_of, read_answer, relabelled, result
from labeling.studio.api_records import StudioTask
from labeling.studio.client import ANSWERS, Studio
from labeling.studio.connection import Server
from labeling.studio.local_server import sign_up
from tests.conftest import Run, book, vote
from tests.support.requests import call

OLD = ["favor", "against", "neutral", "none"]


def _project(stance: Run, names: Sequence[str], front: str) -> None:
    """Give the project these labels, and a codebook with this change list."""
    folder = stance.project
    (folder / "stance.toml").write_text(
        f'[target]\nname = "a tunnel"\n[labels]\nnames = {json.dumps(list(names))}\n[corpus]\nroot = "news"\n'
        f'[labeling]\ntitle = "{folder.name[-40:]}"\noverlap = 2\n',
        "utf-8",
    )
    (folder / "codebook.md").write_text(f"---\n{front}\n---\n# Codebook\n", "utf-8")


def _held(server: Server, stance: Run) -> tuple[list[StudioTask], str]:
    with Studio(server) as studio:
        project = studio.find_project(stance.project.name[-40:])
        assert project is not None
        return studio.tasks(project.id, ANSWERS), project.label_config or ""


def _labels(tasks: Sequence[StudioTask]) -> Counter[str | None]:
    return Counter(label_of(answer) for task in tasks for answer in task.annotations)


def _say(keys: Sequence[Server], tasks: Sequence[StudioTask], labels: Sequence[str]) -> None:
    """Each person labels each task, the second one now and then otherwise."""

    def one(at: int) -> None:
        task = tasks[at]
        for person, key in enumerate(keys):
            label = labels[(at + (person and at % 5 == 0)) % len(labels)]
            call(key, "POST", f"/api/tasks/{task.id}/annotations/", result=result(vote("", "", label)))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(one, range(len(tasks))))


def test_without_a_change_list_a_new_version_can_ask_the_annotators_again(stance: Run, server: Server) -> None:
    _project(stance, OLD, "")
    codebook = stance.project / "codebook.md"
    codebook.write_text("# Codebook\n\nVersion 1.0\n", "utf-8")
    stance("build", "news")
    stance("push")
    tasks, _ = _held(server, stance)
    key = Server(url=server.url, api_key=sign_up(server, f"{stance.project.name[-20:]}@stance.example", "a-long-pass"))
    _say([server, key], tasks[:3], ["favor"] * 3)
    stance("pull")
    stance("adjudicate")
    given = table_path(stance.project / "work", "annotations.jsonl").read_bytes()
    codebook.write_text("# Codebook\n\nVersion 2.0\n", "utf-8")
    again = "3 sentences were labelled under codebook 1.0, now 2.0: "
    ask = f"{again}`stance push --migrate` asks the annotators for them again\n"
    assert "of the sentences, 3 would be open again (labelled under codebook 1.0; it is 2.0 now)" in stance("status")
    assert [ask in stance(command) for command in ("status", "pull", "adjudicate")] == [True, True, True]
    said = stance("push", "--limit", "0")
    assert "nothing of this is done before `stance push --migrate`, which asks again for 3 sentences" in said
    assert "  6 answers favor: to be given again; removed at the server, so that their tasks are shown again\n" in said
    assert _labels(_held(server, stance)[0]).total() == 6
    assert "rewrote 0 answers at the server and removed 6" in stance("push", "--migrate")
    assert _labels(_held(server, stance)[0]).total() == 0
    assert f"{again}they wait for new answers\n" in stance("pull")
    assert table_path(stance.project / "work", "annotations.jsonl").read_bytes() == given
    assert "--migrate" not in stance("push", "--dry-run")


@pytest.mark.slow
def test_labels_are_merged_and_split_at_the_server_with_two_hundred_answers(stance: Run, server: Server) -> None:
    paragraphs = [f"The council spoke of tunnel number {n} on day {n * 7 % 31} of the month." for n in range(100)]
    for path in (stance.project / "news").rglob("*.txt"):
        path.unlink()
    (stance.project / "news" / "council.txt").write_text("\n\n".join(paragraphs) + "\n", "utf-8")
    _project(stance, OLD, "version: 1.0")
    stance("build", "news")
    stance("push")
    tasks, _ = _held(server, stance)
    assert len(tasks) == 100
    people = [
        Server(url=server.url, api_key=sign_up(server, f"{name}@stance.example", "a-long-password"))
        for name in ("ann", "bo")
    ]
    _say(people, tasks, OLD)
    stance("pull")
    stance("adjudicate")
    work = stance.project / "work"
    answers = table_path(work, "annotations.jsonl")
    given, first = answers.read_bytes(), _labels(_held(server, stance)[0])
    assert first.total() == 200
    settled = Counter(row.stance for row in read_jsonl(work / "verdicts.jsonl", Verdict, ""))

    # Merge: "neutral" becomes "none". Nothing happens before it is asked for.
    merged = ["favor", "against", "none", "mixed"]
    _project(stance, merged, "version: 2.0\nreopens: []\nrenames: {neutral: none}\nearlier: [{version: 1.0}]")
    said = stance("adjudicate", "--dry-run")
    assert "would have none" not in said
    assert f"{settled['neutral']} verdicts would get another label: {settled['neutral']} neutral → none" in said
    with pytest.raises(TableError, match=r"found neutral, of an earlier codebook .* run `stance adjudicate`"):
        stance("push", "--dry-run")
    stance("adjudicate")
    assert not {row.stance for row in read_jsonl(work / "verdicts.jsonl", Verdict, "")} - set(merged)
    plan = stance("push", "--dry-run")
    assert f"{first['neutral']} answers neutral → none: rewritten" in plan
    assert "the labelling page stays as it is until then" in plan
    stance("push")
    tasks, page = _held(server, stance)
    assert _labels(tasks) == first
    assert 'value="neutral"' in page
    assert "unchanged" in stance("pull")
    assert f"rewrote {first['neutral']} answers at the server and removed 0" in stance("push", "--migrate")
    tasks, page = _held(server, stance)
    expected = first + Counter({"none": first["neutral"]})
    del expected["neutral"]
    assert _labels(tasks) == expected
    assert 'value="neutral"' not in page
    assert 'value="mixed"' in page
    assert "unchanged" in stance("pull")
    assert answers.read_bytes() == given  # every answer as it was given
    assert len(migrated_rows(work)) == first["neutral"]
    assert "rewritten" not in stance("push", "--migrate")

    # Somebody edits a migrated answer: that is a new answer, under the present version.
    row = next(row for row in migrated_rows(work) if row.now == "none")
    with Studio(server) as studio:
        studio.rewrite_answer(row.studio_id, relabelled(row.answer, "mixed"))
    assert "1 edited and 0 deleted since" in stance("pull")
    rows = {row.studio_id: row for row in read_jsonl(answers, Annotation, "")}
    assert (rows[row.studio_id].stance, rows[row.studio_id].codebook) == ("mixed", "2.0")
    given = answers.read_bytes()

    # Split: "none" becomes "facts" and "both sides"; its answers must be given again.
    now = _labels(_held(server, stance)[0])
    chain = (
        "version: 3.0\nreopens: [none]\nearlier:\n- version: 2.0\n  reopens: []\n  renames: {neutral: none}\n"
        "- version: 1.0"
    )
    split = ["favor", "against", "mixed", "facts", "both sides"]
    settled = Counter(row.stance for row in read_jsonl(work / "verdicts.jsonl", Verdict, ""))
    _project(stance, split, chain)
    said = stance("adjudicate", "--dry-run")
    assert f"because the codebook asks for votes again: {settled['none']} none" in said
    stance("adjudicate")
    verdicts = read_jsonl(work / "verdicts.jsonl", Verdict, "")
    assert Counter(row.stance for row in verdicts)["none"] == 0
    plan = stance("push", "--migrate", "--dry-run")
    assert f"{first['none']} answers none: to be given again" in plan
    assert f"{first['neutral'] - 1} answers neutral: to be given again" in plan
    assert f"removed {now['none']}" in stance("push", "--migrate")
    tasks, page = _held(server, stance)
    left = Counter(now)
    del left["none"]
    assert _labels(tasks) == left
    assert 'value="facts"' in page
    assert 'value="none"' not in page
    assert "unchanged" in stance("pull")
    assert answers.read_bytes() == given  # what was removed at the server is kept

    # Whoever is asked again answers again.
    empty = next(task for task in tasks if not task.annotations)
    for key in people:
        call(key, "POST", f"/api/tasks/{empty.id}/annotations/", result=result(vote("", "", "facts")))
    stance("pull")
    stance("adjudicate")
    (again,) = [
        row for row in read_jsonl(work / "verdicts.jsonl", Verdict, "") if row.sentence_id == empty.data["sentence_id"]
    ]
    assert (again.stance, again.how, again.codebook) == ("facts", "unanimous", "3.0")
    assert len(read_jsonl(answers, Annotation, "")) == 202


@pytest.mark.slow
def test_an_answer_that_no_pull_has_fetched_is_not_migrated(stance: Run, server: Server) -> None:
    _project(stance, OLD, "version: 1.0")
    stance("build", "news")
    stance("push")
    tasks, _ = _held(server, stance)
    with Studio(server) as studio:
        studio.answer(tasks[0].id, result(vote("", "", "neutral")))
    _project(stance, ["favor", "against", "none"], "version: 2.0\nreopens: []\nrenames: {neutral: none}")
    with pytest.raises(StudioError, match="1 answer at the server with a label of an earlier codebook"):
        stance("push", "--migrate")
    assert _labels(_held(server, stance)[0]) == {"neutral": 1}
    stance("pull")
    (row,) = read_jsonl(table_path(stance.project / "work", "annotations.jsonl"), Annotation, "")
    assert (row.stance, row.codebook) == ("neutral", "0")  # of a version before the first that is listed
    assert "rewrote 1 answer " in stance("push", "--migrate")
    stance("adjudicate")
    (verdict,) = read_jsonl(stance.project / "work" / "verdicts.jsonl", Verdict, "")
    assert verdict.stance == "none"


def _migrated(**more: object) -> Migrated:
    kept = {"studio_id": 7, "created_at": "c", "updated_at": "u", "was": "neutral", "codebook": "1.0", "now": "none"}
    return Migrated(**{**kept, "to": "2.0", "answer": {}, **more})  # type: ignore[arg-type]


@given(st.sampled_from(["", "later"]), st.sampled_from(["later", "latest"]), st.sampled_from(["none", "favor"]))
def test_an_answer_is_read_as_it_was_given_unless_it_was_edited_since(at: str, seen: str, label: str) -> None:
    row = vote("s", "A1", label, studio_id=7, created_at="c", updated_at=seen, codebook="2.0")
    read = MigratedAnswers([_migrated(now="mixed"), _migrated(at=at)]).as_given(row)
    edited = label != "none" or (at and seen != at)
    assert (read.stance, read.codebook, read.updated_at) == (
        (label, "2.0", seen) if edited else ("neutral", "1.0", "u")
    )
    other = vote("s", "A1", "none", studio_id=7, created_at="d")
    assert MigratedAnswers([_migrated(at=at)]).as_given(other) is other


def test_a_migration_that_was_killed_does_not_hide_the_one_before_it() -> None:
    """The server holds the second name of a label still, and the third was noted before anything was sent."""
    first, second = _migrated(now="none", at="later"), _migrated(now="facts", to="3.0")
    row = vote("s", "A1", "none", studio_id=7, created_at="c", updated_at="later", codebook="3.0")
    read = MigratedAnswers([first, second]).as_given(row)
    assert (read.stance, read.codebook, read.updated_at) == ("neutral", "1.0", "u")


def test_what_was_never_confirmed_is_void_once_a_later_edit_is_known() -> None:
    """The annotator chose "favor" after the migration was killed, a pull saw it, and then the label that it meant."""
    known = vote("s", "A1", "favor", studio_id=7, created_at="c", updated_at="later", codebook="2.0")
    row = vote("s", "A1", "none", studio_id=7, created_at="c", updated_at="latest", codebook="2.0")
    assert MigratedAnswers([_migrated(at="")], [known]).as_given(row) is row
    removed = MigratedAnswers([_migrated(now=None)], [known])
    assert not removed.removed(known)
    assert removed.removed(msgspec.structs.replace(known, updated_at="u"))


def test_a_label_that_only_an_earlier_version_had_is_read_under_that_version(tmp_path: Path) -> None:
    from labeling.codebook import Change

    chain = book("2.0", Change(version="1.0"), Change(version="2.0", reopens=frozenset(), renames={"neutral": "none"}))
    scheme = Scheme(names=["favor", "against", "none"])
    raw = {"id": 7, "result": result(vote("", "", "neutral"))}
    assert read_answer(raw, "s", "A1", chain, scheme=scheme).codebook == "1.0"
    raw = {"id": 7, "result": result(vote("", "", "none"))}
    assert read_answer(raw, "s", "A1", chain, scheme=scheme).codebook == "2.0"
    with pytest.raises(StudioError, match=r"found \['neither'\]"):
        read_answer({"id": 7, "result": result(vote("", "", "neither"))}, "s", "A1", chain, scheme=scheme)
