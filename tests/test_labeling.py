"""Rounds, the queue and files instead of a server: the labelling stages together, against a real Label Studio."""

from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from corpus.errors import ConfigError, StanceError, StudioError, TableError
from corpus.store import locked, read_jsonl, table_path, write_jsonl
from labeling.adopt.exported import Unmatched
from labeling.records import Adjudication, Annotation, Unsettled, Verdict
from labeling.sampling.sample_table import read_sample
from labeling.scheme import Stance
from labeling.studio.answers import chosen, result
from labeling.studio.api_records import Project, StudioTask
from labeling.studio.client import ANSWERS, Studio
from labeling.studio.connection import Server
from tests.conftest import Run, vote


def _project(server: Server, title: str) -> Project:
    with Studio(server) as studio:
        found = studio.find_project(title)
    assert found is not None
    return found


def _tasks(server: Server, title: str) -> list[StudioTask]:
    with Studio(server) as studio:
        return studio.tasks(_project(server, title).id, ANSWERS)


def _title(stance: Run) -> str:
    return stance.project.name[-40:]


def _answer(server: Server, task: StudioTask, stance: Stance) -> None:
    with Studio(server) as studio:
        studio.answer(task.id, result(vote("", "", stance)), seconds=3.0)


def _answers(*stances: Stance | None, **more: object) -> list[Annotation]:
    return [vote("", f"A{n}", stance, **more) for n, stance in enumerate(stances, 1)]


def _settings(stance: Run, text: str) -> None:
    path = stance.project / "stance.toml"
    path.write_text(path.read_text("utf-8").replace("[labeling]\n", f"[labeling]\n{text}\n"), "utf-8")


def _predict(work: Path) -> None:
    ids = pq.read_table(work / "sentences.parquet").column("sentence_id").to_pylist()
    rows = [
        {"sentence_id": id_, "stance": "favor", "favor": 0.4 + 0.02 * n, "against": 0.1, "none": 0.1, "model": "m1"}
        for n, id_ in enumerate(ids)
    ]
    import pyarrow as pa

    pq.write_table(pa.Table.from_pylist(rows), work / "predictions.parquet")


# --- rounds


def test_a_round_is_drawn_once_and_the_next_one_when_it_is_answered(stance: Run, server: Server) -> None:
    stance("build", "news")
    assert "round 1: 4 at random" in stance("push", "--limit", "4")
    again = stance("push", "--limit", "4")
    assert "round 1 again, 4 at random: 4 of its sentences have no answer yet" in again
    assert "nothing to send, 4 unchanged" in again
    for task in _tasks(server, _title(stance)):
        _answer(server, task, "none")
    stance("pull")
    assert "round 2: 4 at random" in stance("push", "--limit", "4")
    assert len(_tasks(server, _title(stance))) == 8
    sample = read_sample(stance.project / "work")
    assert [(row.round, row.by, row.probability) for row in sample] == [(1, "random", 4 / 12)] * 4 + [
        (2, "random", 4 / 8)
    ] * 4
    said = stance("push")
    assert "nothing to send, 8 unchanged" in said
    assert "4 sentences that no round has drawn stay here; `stance push --all` would send them too" in said
    assert "4 to create, 8 unchanged" in stance("push", "--all")
    status = json.loads(stance("status", "--json"))
    assert status["sentences"] == 12


def test_a_dry_round_is_not_recorded(stance: Run) -> None:
    stance("build", "news")
    stance("push", "--limit", "4", "--dry-run")
    assert not (stance.project / "labels" / "sample.parquet").exists()
    assert not (stance.project / ".stance").exists()


def test_uncertainty_needs_predictions_and_mixes_in_a_random_share(stance: Run) -> None:
    stance("build", "news")
    with pytest.raises(TableError, match=r"predictions\.parquet is not there: run `stance predict`"):
        stance("push", "--limit", "5", "--by", "uncertainty")
    _predict(stance.project / "work")
    stance("push", "--limit", "5", "--by", "uncertainty")
    sample = read_sample(stance.project / "work")
    assert sorted(row.by for row in sample) == ["random"] + ["uncertainty"] * 4
    assert [row.probability for row in sample if row.by == "uncertainty"] == [None] * 4
    assert [row.probability for row in sample if row.by == "random"] == [1 / 12]
    assert "round 1 again, 5 by the model's uncertainty" in stance("push", "--limit", "5", "--by", "uncertainty")


def test_keywords_that_no_sentence_has_are_named(stance: Run) -> None:
    stance("build", "news")
    _settings(stance, 'keywords = ["quux"]')
    with pytest.raises(ConfigError, match="quux"):
        stance("push", "--limit", "5", "--by", "keyword")


def test_by_without_a_limit_is_wrong_usage(stance: Run) -> None:
    from stance.command_line import cli

    done = CliRunner().invoke(cli, ["-C", str(stance.project), "push", "--by", "random"])
    assert done.exit_code == 2
    assert "--by needs --limit" in done.output


@pytest.mark.slow
def test_what_the_server_held_before_there_were_rounds_is_not_drawn_again(stance: Run, server: Server) -> None:
    stance("build", "news")
    stance("push", "--limit", "4")
    (stance.project / "labels" / "sample.parquet").unlink()
    assert "round 2: 3 at random" in stance("push", "--limit", "3")
    sample = read_sample(stance.project / "work")
    assert [(row.round, row.by) for row in sample] == [(1, "server")] * 4 + [(2, "random")] * 3
    assert len({row.sentence_id for row in sample}) == len(_tasks(server, _title(stance))) == 7


@pytest.mark.slow
def test_control_items_repeat_settled_sentences_and_are_no_votes(stance: Run, server: Server) -> None:
    stance("build", "news")
    stance("push", "--limit", "3")
    for task in _tasks(server, _title(stance)):
        _answer(server, task, "favor")
    stance("pull")
    stance("adjudicate")
    assert "control round 2: 2 settled sentences again" in stance("push", "--limit", "0", "--control", "2")
    assert "control round 2 again" in stance("push", "--limit", "0", "--control", "2")
    controls = [task for task in _tasks(server, _title(stance)) if task.key and task.key[1]]
    assert [task.data["control"] for task in controls] == [2, 2]
    for task in controls:
        _answer(server, task, "against")
    stance("pull")
    rows = read_jsonl(stance.project / "labels" / "annotations.jsonl", Annotation, "")
    assert sorted((row.control, row.stance) for row in rows) == [(0, "favor")] * 3 + [(2, "against")] * 2
    stance("adjudicate")
    verdicts = read_jsonl(stance.project / "work" / "verdicts.jsonl", Verdict, "")
    assert [(row.stance, row.how) for row in verdicts] == [("favor", "single")] * 3
    assert "A1" in stance("status")


# --- plans


@pytest.mark.slow
def test_tasks_whose_sentence_left_are_reported_and_never_deleted_with_answers(stance: Run, server: Server) -> None:
    stance("build", "news")
    stance("push")
    gone = [task for task in _tasks(server, _title(stance)) if "aid bill" in task.data["text"] + task.data["before"]]
    assert len(gone) > 1
    _answer(server, gone[0], "favor")
    (stance.project / "news" / "sentinel" / "bill.txt").unlink()
    stance("pull")
    stance("build", "news", "--force")
    said = stance("push")
    assert "4 on the server only" in said
    assert "1 of those on the server only holds answers: it stays" in said
    assert "3 of those on the server only hold no answer: the same command with --prune removes them" in said
    assert len(_tasks(server, _title(stance))) == 12
    stance("push", "--prune")
    held = _tasks(server, _title(stance))
    assert len(held) == 9
    assert gone[0].id in {task.id for task in held}
    assert "1 of them is to a sentence that the corpus doesn't have any more" in stance("pull")


@pytest.mark.slow
def test_a_second_task_of_a_sentence_is_removed_unless_it_holds_answers(stance: Run, server: Server) -> None:
    stance("build", "news")
    stance("push")
    title = _title(stance)
    first, second, third, *_ = _tasks(server, title)
    with Studio(server) as studio:  # as a second import of the same tasks by hand would leave them
        studio.import_tasks(_project(server, title).id, [{"data": task.data} for task in (first, second, third)])
    again = {str(task.data["sentence_id"]): task for task in _tasks(server, title)[12:]}
    _answer(server, again[second.data["sentence_id"]], "none")
    _answer(server, again[third.data["sentence_id"]], "none")
    _answer(server, third, "favor")
    said = stance("push")
    assert "2 second tasks of a sentence, without answers: removed" in said
    assert "1 sentence has two tasks with answers: both stay" in said
    held = _tasks(server, title)
    assert len(held) == 13
    assert {again[second.data["sentence_id"]].id, third.id, again[third.data["sentence_id"]].id} <= {
        task.id for task in held
    }
    assert "nothing to send" in stance("push")
    assert "3 answers of 1 annotator" in stance("pull")


@pytest.mark.slow
def test_an_interface_changed_at_the_server_stays_until_forced(stance: Run, server: Server) -> None:
    stance("build", "news")
    stance("push", "--limit", "2")
    title = _title(stance)
    mine = (_project(server, title).label_config or "").replace("What stance", "Which stance")
    with Studio(server) as studio:
        studio.change_project(_project(server, title).id, label_config=mine)
    said = stance("push", "--limit", "2")
    assert "the labelling interface was changed at the server and stays" in said
    assert "Which stance" in (_project(server, title).label_config or "")
    (stance.project / "codebook.md").write_text("# New\n\nVersion 2.0\n")
    assert "changed at the server" in stance("push", "--limit", "2")
    assert "Version 2.0" in (_project(server, title).expert_instruction or "")
    assert (_project(server, title).description or "").count("Sentences to label.") == 1
    assert "the labelling page" in stance("push", "--limit", "2", "--force")
    assert "What stance" in (_project(server, title).label_config or "")
    assert "settings to change" not in stance("push", "--limit", "2")


@pytest.mark.slow
def test_an_older_interface_of_ours_is_renewed_without_force(
    stance: Run, server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from labeling.studio import project_page
    from labeling.sync import push_plan

    older = tmp_path / "older.xml"
    older.write_text(project_page.INTERFACE.read_text("utf-8").replace("What stance", "Old stance"))
    stance("build", "news")
    with monkeypatch.context() as patch:
        patch.setattr(push_plan, "INTERFACE", older)
        stance("push", "--limit", "1")
    old = _project(server, _title(stance))
    assert "Old stance" in (old.label_config or "")
    said = old.description or ""
    assert said.startswith("Sentences to label. ")
    with Studio(server) as studio:  # as earlier versions described it
        studio.change_project(old.id, description=said[said.index("Made by") :])
    assert "settings to change: the labelling page" in stance("push", "--limit", "1")
    now = _project(server, _title(stance))
    assert "What stance" in (now.label_config or "")
    assert re.fullmatch(
        r"Sentences to label\. `stance push` needs the rest of this line: Made by stance; interface \w{16}, "
        r"instruction \w{16}",
        now.description or "",
    )
    assert "settings to change" not in stance("push", "--limit", "1")


def _overlaps(server: Server, project: Project) -> list[int]:
    """The number of annotators that the server asks for each task of a project."""
    params = {"project": project.id, "page_size": 100, "fields": "task_only", "include": "id,overlap"}
    with Studio(server) as studio:
        page = studio._transport.request("api/tasks/", method="GET", params=params).json()
    return [task["overlap"] for task in page["tasks"]]


def test_overlap_and_its_share_are_obeyed_by_the_server(stance: Run, server: Server) -> None:
    _settings(stance, "overlap_share = 0.25")
    stance("build", "news")
    stance("push")
    project = _project(server, _title(stance))
    assert (project.maximum_annotations, project.overlap_cohort_percentage) == (2, 25)
    assert not project.show_instruction
    assert sorted(_overlaps(server, project)) == [1] * 9 + [2] * 3


@pytest.mark.slow
@pytest.mark.parametrize("overlap", [1, 3])
def test_another_overlap_holds_for_the_sentences_at_the_server_too(stance: Run, server: Server, overlap: int) -> None:
    stance("build", "news")
    stance("push")
    path = stance.project / "stance.toml"
    path.write_text(path.read_text("utf-8").replace("overlap = 2", f"overlap = {overlap}"), "utf-8")
    assert f"note: the server asks 2 annotators for each sentence, stance.toml {overlap}: the next" in stance("doctor")
    said = f"annotators for each sentence: 2 at the server so far, {overlap} now, also for sentences that were sent"
    assert said in stance("push")
    assert "note: the server asks" not in stance("doctor")
    project = _project(server, _title(stance))
    assert _overlaps(server, project) == [overlap] * 12
    assert "annotators for each sentence" not in stance("push")


@pytest.mark.slow
def test_blind_labelling_is_one_project_an_annotator(stance: Run, server: Server) -> None:
    _settings(stance, "blind = true")
    stance("build", "news")
    stance("push")
    titles = [f"{_title(stance)} - {n}" for n in (1, 2)]
    both = [_tasks(server, title) for title in titles]
    assert [len(tasks) for tasks in both] == [12, 12]
    assert all(_project(server, title).maximum_annotations == 1 for title in titles)
    key = both[0][0].data["sentence_id"]
    _answer(server, both[0][0], "favor")
    _answer(server, next(task for task in both[1] if task.data["sentence_id"] == key), "none")
    assert "2 answers of 1 annotator" in stance("pull")
    assert "no task of the annotators is new or has changed" in stance("pull")


@pytest.mark.slow
def test_predictions_are_hidden_unless_asked_for(stance: Run, server: Server) -> None:
    stance("build", "news")
    _predict(stance.project / "work")
    stance("push", "--limit", "2")
    project = _project(server, _title(stance))
    assert project.show_collab_predictions is False
    said = stance("push", "--limit", "5", "--by", "document", "--predictions")
    assert "2 of the tasks there get the model's prediction" in said
    with Studio(server) as studio:
        tasks = studio.tasks(project.id)
    assert [task.total_predictions for task in tasks] == [1] * 7
    assert _project(server, _title(stance)).show_collab_predictions is True
    stance("push", "--limit", "5", "--by", "document", "--predictions")
    with Studio(server) as studio:
        assert [task.total_predictions for task in studio.tasks(project.id)] == [1] * 7


def test_two_pushes_of_one_project_are_kept_apart(stance: Run) -> None:
    stance("build", "news")
    with locked(stance.project, "push"), pytest.raises(StanceError, match="another `stance push` of this project"):
        stance("push")
    with locked(stance.project, "pull"), pytest.raises(StanceError, match="another `stance pull` of this project"):
        stance("pull")


@pytest.mark.slow
def test_a_project_that_is_read_no_more_keeps_its_answers(stance: Run, server: Server) -> None:
    stance("build", "news")
    stance("push", "--limit", "2")
    first, second = _tasks(server, _title(stance))
    _answer(server, first, "favor")
    assert "1 answer of" in stance("pull")
    path = stance.project / "stance.toml"
    path.write_text(path.read_text("utf-8").replace(_title(stance), f"{_title(stance)[:38]} b"), "utf-8")
    stance("push", "--limit", "2")
    other = next(
        task
        for task in _tasks(server, f"{_title(stance)[:38]} b")
        if task.data["sentence_id"] == second.data["sentence_id"]
    )
    _answer(server, other, "against")
    assert "2 answers" in stance("pull")
    assert "no task of the annotators is new or has changed" in stance("pull")
    rows = read_jsonl(stance.project / "labels" / "annotations.jsonl", Annotation, "")
    assert sorted(row.stance or "" for row in rows) == ["against", "favor"]
    assert not (stance.project / "labels" / "history.jsonl").exists()


def test_votes_on_two_copies_of_a_sentence_are_votes_on_one(stance: Run) -> None:
    stance("build", "news")
    work = stance.project / "work"
    table = pq.read_table(work / "sentences.parquet").to_pylist()
    one, two = [row["sentence_id"] for row in table if row["text"].startswith('"We will send')]
    write_jsonl(table_path(work, "annotations.jsonl"), [vote(one, "A1", "favor"), vote(two, "A2", "against")])
    assert "1 sentence open, listed in" in stance("adjudicate")


# --- the queue


def test_the_queue_shows_the_votes_and_its_answers_settle(stance: Run, server: Server) -> None:
    stance("build", "news")
    stance("push")
    work = stance.project / "work"
    ids = [task.data["sentence_id"] for task in _tasks(server, _title(stance))[:3]]
    votes: list[tuple[Stance, Stance, Stance]] = [("favor", "against", "none"), ("favor", "favor", "favor")]
    rows = [
        msgspec.structs.replace(row, sentence_id=id_, comment="unclear" if row.annotator == "A2" else "")
        for id_, of in zip(ids, votes, strict=False)
        for row in _answers(*of)
    ]
    rows += [msgspec.structs.replace(row, sentence_id=ids[2]) for row in _answers("favor", "against")]
    write_jsonl(table_path(work, "annotations.jsonl"), rows)
    said = stance("adjudicate")
    assert "1 sentence settled: 1 unanimous" in said
    assert "2 sentences open" in said
    assert "queue: 2 to create" in stance("push")
    title = f"{_title(stance)[:42]} - queue"
    first, second = _tasks(server, title)
    assert {first.data["sentence_id"], second.data["sentence_id"]} == {ids[0], ids[2]}
    shown = first if first.data["sentence_id"] == ids[0] else second
    assert (shown.data["votes"], shown.data["comments"]) == ("A1 favor · A2 against · A3 none", "A2: unclear")
    with Studio(server) as studio:
        note = {"from_name": "note", "to_name": "text", "type": "textarea", "value": {"text": ["a report of both"]}}
        studio.answer(
            shown.id,
            [chosen("stance", "none"), chosen("confidence", "high"), note, chosen("codebook", "codebook")],
        )
    stance("push")  # nothing to do: an answered queue task stays as it was shown
    said = stance("pull")
    assert "\nread the queue: 1 answer of adjudicators\n" in said
    assert "\ndecided in the queue: 1 sentence; `stance adjudicate` makes the decisions verdicts\n" in said
    assert "labels/adjudications.jsonl" in said
    adjudications = read_jsonl(table_path(work, "adjudications.jsonl"), Adjudication, "")
    assert [(row.stance, row.confidence, row.note, row.codebook_should_say) for row in adjudications] == [
        ("none", "high", "a report of both", True)
    ]
    assert "1 adjudicated" in stance("adjudicate")
    verdict = next(row for row in read_jsonl(work / "verdicts.jsonl", Verdict, "") if row.sentence_id == ids[0])
    assert (verdict.stance, verdict.how, verdict.adjudicator, verdict.note, verdict.flag) == (
        ("none", "adjudicated", "A4", "a report of both", "")  # A1 to A3 are the people of the annotations
    )
    assert verdict.settled_at
    assert verdict.votes == {"A1": "favor", "A2": "against", "A3": "none"}
    # The other tie is settled by a third vote: its task leaves the queue, the answered one stays.
    write_jsonl(table_path(work, "annotations.jsonl"), [*rows, vote(ids[2], "A3", "favor")])
    stance("adjudicate")
    stance("push")
    assert [task.data["sentence_id"] for task in _tasks(server, title)] == [ids[0]]
    assert "decided in the queue" not in stance("pull")  # it is their verdict by now


# --- files instead of a server


def test_tasks_in_a_file_and_an_export_do_the_same_job(
    stance: Run, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    stance("build", "news")
    monkeypatch.delenv("LABEL_STUDIO_URL")
    monkeypatch.delenv("LABEL_STUDIO_API_KEY")
    assert "tasks: 12, 12 of them new" in stance("push", "--to", "tasks.json")
    assert "unchanged: tasks.json" in stance("push", "--to", "tasks.json")
    tasks = json.loads((stance.project / "tasks.json").read_text())
    assert (stance.project / "tasks.xml").read_text() == _interface() + "\n"
    # A server that has them by its own import, and its export, as a person would make them in the browser.
    with Studio(server) as studio:
        project_id = studio.create_project(_title(stance), label_config=(_interface()))
        studio.import_tasks(project_id, tasks)
        held = studio.tasks(project_id)
        studio.answer(held[0].id, result(vote("", "", "against", unsure=True)), seconds=2.0)
        studio.answer(held[1].id, [])
        export = studio._transport.request(
            f"api/projects/{project_id}/export", method="GET", params={"exportType": "JSON"}
        ).content
    (stance.project / "export.json").write_bytes(export)
    assert "2 answers to tasks of this project, 0 adopted" in stance("pull", "--from", "export.json")
    rows = read_jsonl(stance.project / "labels" / "annotations.jsonl", Annotation, "")
    assert sorted((row.sentence_id, row.stance, row.unsure) for row in rows) == sorted(
        [(held[0].data["sentence_id"], "against", True), (held[1].data["sentence_id"], None, False)]
    )
    assert "unchanged: labels/annotations.jsonl" in stance("pull", "--from", "export.json")
    monkeypatch.setenv("LABEL_STUDIO_URL", server.url)
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", server.api_key)
    assert "unchanged: labels/annotations.jsonl" in stance("pull")  # the same answers, by the API


def _interface() -> str:
    from labeling.studio.project_page import INTERFACE, page

    return page(INTERFACE)


def test_labels_of_a_project_made_by_hand_are_adopted_by_their_text(stance: Run) -> None:
    stance("build", "news")
    by = {"id": 9, "email": "kim@lab.example"}

    def task(id_: int, text: str, *choices: str) -> dict[str, object]:
        return {
            "id": id_,
            "data": {"sentence": text, "nr": id_},
            "annotations": [
                {
                    "id": 10 * id_ + n,
                    "completed_by": by,
                    "result": [{"from_name": "label", "type": "choices", "value": {"choices": [choice]}}],
                    "created_at": "2031-01-01T00:00:00Z",
                    "updated_at": "2031-01-01T00:00:00Z",
                }
                for n, choice in enumerate(choices)
            ],
        }

    export = [
        task(1, "The opposition called the visit a waste of public money!", "Con"),  # another final mark
        task(2, "She spoke with the dockers for an  hour.", "Neutral", "irrelevant"),
        task(3, "Nobody ever wrote this sentence in any article.", "Pro"),
        task(4, "“We will send instructors and nobody else,” she said.", "PRO"),  # in two articles: one group
    ]
    (stance.project / "export.json").write_text(json.dumps(export))
    said = stance("pull", "--from", "export.json")
    assert "0 answers to tasks of this project, 3 adopted by the sentence's text or id, of 1 annotator\n" in said
    assert "read 'Con' as against" in said
    work = stance.project / "work"
    unmatched = read_jsonl(work / "unmatched.jsonl", Unmatched, "")
    assert [(row.task, row.reason) for row in unmatched] == [
        (2, "no choice that is a stance: 'irrelevant'"),
        (3, "no sentence of the corpus has its text"),
    ]
    rows = read_jsonl(table_path(work, "annotations.jsonl"), Annotation, "")
    assert sorted(row.stance or "" for row in rows) == ["against", "favor", "none"]
    assert all(row.adopted and row.annotator == "A1" for row in rows)
    assert "kim@lab.example" not in table_path(work, "annotations.jsonl").read_text()
    stance("push")
    stance("pull")  # what was adopted stays
    assert read_jsonl(table_path(work, "annotations.jsonl"), Annotation, "") == rows
    assert "3 single" in stance("adjudicate")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "expected an export of Label Studio .JSON, JSON-MIN or CSV."),
        ('[{"id": 1, "sentence": "x", "choice": "pro"}]', "no column says who gave the answers"),
        ('[{"id": 1, "data": {}, "annotations": [{"id": 1}]}]', "task 1: expected annotations with id and result"),
    ],
)
def test_a_file_that_is_no_export_is_one_clear_error(stance: Run, content: str, message: str) -> None:
    stance("build", "news")
    (stance.project / "export.json").write_text(content)
    with pytest.raises(TableError, match=message):
        stance("pull", "--from", "export.json")
    assert not (stance.project / "labels" / "annotations.jsonl").exists()


def test_a_choice_that_the_codebook_lacks_is_an_error_in_our_own_export_too(stance: Run) -> None:
    stance("build", "news")
    stance("push", "--to", "tasks.json")
    data = json.loads((stance.project / "tasks.json").read_text())[0]["data"]
    answer = {"id": 5, "completed_by": 1, "result": [chosen("stance", "pro")]}
    (stance.project / "export.json").write_text(json.dumps([{"id": 1, "data": data, "annotations": [answer]}]))
    with pytest.raises(StudioError, match=r"annotation 5 .*found \['pro'\]"):
        stance("pull", "--from", "export.json")


def test_ignored_accounts_count_nowhere_and_every_figure_says_so(stance: Run) -> None:
    stance("build", "news")
    work = stance.project / "work"
    id_ = pq.read_table(work / "sentences.parquet").column("sentence_id").to_pylist()[0]
    rows = [msgspec.structs.replace(row, sentence_id=id_) for row in _answers("favor", "favor", "against")]
    write_jsonl(table_path(work, "annotations.jsonl"), rows)
    assert "1 majority" in stance("adjudicate")
    _settings(stance, 'ignore = ["A3"]')
    said = stance("adjudicate")
    assert "1 unanimous" in said
    assert "counted: those of A1, A2; not A3" in said
    assert "A3" in stance("status")
    queue = read_jsonl(work / "queue.jsonl", Unsettled, "")
    assert queue == []
