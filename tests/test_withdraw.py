"""Which sentences a push sends without being told so, and rounds that are taken back."""

from __future__ import annotations

import json
import os
import re
from itertools import product
from pathlib import Path

import msgspec
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from corpus.errors import StanceError, StudioError
from corpus.store import table_path, write_jsonl
from labeling.records import LabelingSettings, Task
from labeling.sampling.corpus_shares import weights
from labeling.sampling.rounds import draw_round, queue_command, takes_everything
from labeling.sampling.sample_table import Draw, read_sample, write_sample
from labeling.sampling.withdraw import plan_withdrawal
from labeling.studio.answers import chosen
from labeling.studio.api_records import StudioTask
from labeling.studio.client import Studio
from labeling.studio.connection import Server
from labeling.studio.local_server import sign_up
from labeling.studio.tasks import data
from labeling.sync import push_size
from tests.conftest import Run, vote
from tests.support.corpora import TARGET, corpus_of

SETTINGS = LabelingSettings()


def _held(server: Server, stance: Run, ending: str = "") -> list[StudioTask]:
    title = stance.project.name[-40:]
    with Studio(server) as studio:
        found = studio.find_project(title + ending)
        return studio.tasks(found.id) if found else []


def _ids(tasks: list[StudioTask]) -> list[str]:
    return sorted(str(task.data["sentence_id"]) for task in tasks)


def _answer(server: Server, task: StudioTask, *choices: str) -> None:
    with Studio(server) as studio:
        studio.answer(task.id, [chosen("stance", choice) for choice in choices], seconds=3.0)


def _draft(server: Server, task: StudioTask, email: str) -> None:
    """A colleague's answer that was begun and not submitted."""
    key = sign_up(server, email, "a-long-password")
    with Studio(Server(url=server.url, api_key=key)) as colleague:
        sent = colleague._transport.request(
            f"api/tasks/{task.id}/drafts", method="POST", json={"result": [chosen("stance", "favor")], "lead_time": 2}
        )
    assert sent.status_code == 201


# --- what a push sends that names no limit


@pytest.mark.parametrize("pushes", list(product(["plain", "none", "some", "everything"], repeat=3)), ids="-".join)
def test_a_push_that_names_no_limit_never_draws_after_a_round_of_some(tmp_path: Path, pushes: tuple[str, ...]) -> None:
    work = tmp_path
    corpus = corpus_of(work, {id_: id_ for id_ in "abcdefgh"})
    held, sampled = 0, False
    for push in pushes:
        limit = {"none": 0, "some": 2}.get(push)
        drawn = draw_round(corpus, work, set(), SETTINGS, TARGET, limit=limit, everything=push == "everything")
        left = 8 - held
        assert drawn.new == {"plain": 0 if sampled else left, "none": 0, "some": min(2, left), "everything": left}[push]
        held, sampled = held + drawn.new, sampled or (push == "some" and drawn.new > 0)
        write_sample(work, drawn.draws)
        write_jsonl(table_path(work, "annotations.jsonl"), [vote(row.sentence_id, "A1", "none") for row in drawn.draws])


def test_a_push_without_its_sample_sends_no_more_than_the_server_holds(tmp_path: Path) -> None:
    corpus = corpus_of(tmp_path, {id_: id_ for id_ in "abcd"})
    drawn = draw_round(corpus, tmp_path, {"a", "b"}, SETTINGS, TARGET)
    assert [row.by for row in drawn.draws] == ["server", "server"]
    assert drawn.notes == ["2 sentences that no round has drawn stay here; `stance push --all` would send them too"]


def test_new_sentences_join_a_project_that_takes_everything(tmp_path: Path) -> None:
    first = draw_round(corpus_of(tmp_path, {id_: id_ for id_ in "ab"}), tmp_path, set(), SETTINGS, TARGET)
    write_sample(tmp_path, first.draws)
    later = draw_round(corpus_of(tmp_path, {id_: id_ for id_ in "abc"}), tmp_path, set("ab"), SETTINGS, TARGET)
    assert [(row.sentence_id, row.round, row.by) for row in later.draws[2:]] == [("c", 2, "all")]


def test_the_hint_of_adjudicate_sends_the_queue_and_nothing_else(stance: Run, server: Server) -> None:
    stance("build", "news")
    stance("push", "--limit", "3")
    ids = [task.data["sentence_id"] for task in _held(server, stance)]
    split = [row for id_ in ids[:2] for row in (vote(id_, "A1", "favor"), vote(id_, "A2", "against"))]
    write_jsonl(table_path(stance.project / "work", "annotations.jsonl"), split)
    said = stance("adjudicate")
    assert "2 sentences open" in said
    assert "next: `stance push` puts the 2 open sentences into the queue" in said
    said = stance("push")
    assert "queue: 2 to create" in said
    assert re.search(rf"settle what is open at {server.url}/projects/\d+/data\?labeling=1", said)
    assert _ids(_held(server, stance)) == sorted(ids)
    assert len(_held(server, stance, " - queue")) == 2
    assert "9 sentences that no round has drawn stay here" in stance("push")


def test_the_hint_in_a_project_that_pushed_nothing_yet_sends_only_the_queue(stance: Run, server: Server) -> None:
    stance("build", "news")
    id_ = pq.read_table(stance.project / "work" / "sentences.parquet").column("sentence_id").to_pylist()[0]
    split = [vote(id_, "A1", "favor", adopted=True), vote(id_, "A2", "against", adopted=True)]
    write_jsonl(table_path(stance.project / "work", "annotations.jsonl"), split)
    assert "next: `stance push --limit 0` puts the 1 open sentence into the queue" in stance("adjudicate")
    assert "queue: 1 to create" in stance("push", "--limit", "0")
    assert _held(server, stance) == []
    assert queue_command([]) == "stance push --limit 0"
    assert takes_everything([])


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["--all", "--limit", "3"], "--all draws all that are left, --limit some of them"),
        (["--all", "--by", "random"], "--by needs --limit"),
        (["--withdraw", "1", "--limit", "3"], "--withdraw takes a round back and sends nothing"),
        (["--withdraw", "1", "--all"], "--withdraw takes a round back and sends nothing"),
        (["--withdraw", "1", "--prune"], "--withdraw takes a round back and sends nothing"),
        (["--withdraw", "0"], "0 is not in the range x>=1"),
    ],
)
def test_wishes_that_exclude_each_other_are_wrong_usage(tmp_path: Path, command: list[str], message: str) -> None:
    from stance.command_line import cli

    done = CliRunner().invoke(cli, ["-C", str(tmp_path), "push", *command])
    assert done.exit_code == 2
    assert message in done.output


# --- rounds taken back


def test_an_accidental_push_of_everything_is_undone(stance: Run, server: Server) -> None:
    stance("build", "news")
    stance("push", "--limit", "3")
    before, ids = read_sample(stance.project / "work"), _ids(_held(server, stance))
    _answer(server, _held(server, stance)[0], "favor")
    assert "round 2: all 9 sentences" in stance("push", "--all")
    assert len(_held(server, stance)) == 12
    assert "round 2 (9 by all): 9 tasks to remove, none answered" in stance("push", "--withdraw", "2", "--dry-run")
    assert len(_held(server, stance)) == 12
    assert "took round 2 back" in stance("push", "--withdraw", "2")
    assert _ids(_held(server, stance)) == ids
    assert read_sample(stance.project / "work") == before
    assert "1 answer of 1 annotator" in stance("pull")
    assert "round 2: 4 in whole articles" in stance("push", "--limit", "4", "--by", "document")


def test_a_round_that_somebody_began_to_label_is_not_taken_back(stance: Run, server: Server) -> None:
    stance("build", "news")
    stance("push", "--limit", "2")
    stance("push", "--all")
    later = {row.sentence_id for row in read_sample(stance.project / "work") if row.round == 2}
    one, two, three, *_ = [task for task in _held(server, stance) if task.data["sentence_id"] in later]
    _draft(server, one, "begins@withdraw.example")
    with pytest.raises(StanceError, match="taken back: among its 10 sentences are 1 with a draft"):
        stance("push", "--withdraw", "2")
    _answer(server, two, "favor")
    _answer(server, three)
    with pytest.raises(StanceError, match="10 sentences are 2 with an answer or a skip and 1 with a draft"):
        stance("push", "--withdraw", "2")
    assert len(_held(server, stance)) == 12
    assert len(read_sample(stance.project / "work")) == 12


def test_an_answer_that_came_home_keeps_its_round_although_the_server_lost_it(stance: Run, server: Server) -> None:
    stance("build", "news")
    stance("push", "--limit", "2")
    task = _held(server, stance)[0]
    rows = [vote(str(task.data["sentence_id"]), "A1", "favor")]
    write_jsonl(table_path(stance.project / "work", "annotations.jsonl"), rows)
    with pytest.raises(StanceError, match="are 1 with an answer"):
        stance("push", "--withdraw", "1")
    adopted = [vote(row.sentence_id, "A1", "favor", adopted=True) for row in rows]
    write_jsonl(table_path(stance.project / "work", "annotations.jsonl"), adopted)
    stance("push", "--withdraw", "1")
    assert _held(server, stance) == []
    assert read_sample(stance.project / "work") == []
    assert json.loads(stance("status", "--json"))["sentences"] == 12


@pytest.mark.slow
def test_an_answer_given_while_a_round_is_taken_back_stays_and_so_does_the_round(
    stance: Run, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    stance("build", "news")
    stance("push")
    task, real = _held(server, stance)[4], Studio.remove_tasks

    def late(self: Studio, project_id: int, ids: list[int]) -> int:
        _answer(server, task, "none")
        return real(self, project_id, ids)

    with monkeypatch.context() as patch:
        patch.setattr(Studio, "remove_tasks", late)
        with pytest.raises(StanceError, match="1 of its tasks was answered or begun meanwhile"):
            stance("push", "--withdraw", "1")
    assert [held.id for held in _held(server, stance)] == [task.id]
    assert len(read_sample(stance.project / "work")) == 12
    assert "11 to create, 1 unchanged" in stance("push")


@pytest.mark.slow
def test_a_withdrawal_that_was_cut_off_is_finished_by_the_next(
    stance: Run, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    stance("build", "news")
    stance("push", "--limit", "5")

    def broken(*_: object) -> bool:
        raise StudioError("cut off")

    with monkeypatch.context() as patch:
        patch.setattr("labeling.sampling.withdraw.write_sample", broken)
        with pytest.raises(StudioError):
            stance("push", "--withdraw", "1")
    assert _held(server, stance) == []
    assert "0 tasks to remove" in stance("push", "--withdraw", "1")
    assert read_sample(stance.project / "work") == []


@pytest.mark.slow
def test_a_blind_round_is_taken_back_from_every_project(stance: Run, server: Server) -> None:
    path = stance.project / "stance.toml"
    path.write_text(path.read_text("utf-8").replace("[labeling]\n", "[labeling]\nblind = true\n"), "utf-8")
    stance("build", "news")
    stance("push", "--limit", "4")
    _answer(server, _held(server, stance, " - 2")[0], "favor")
    with pytest.raises(StanceError, match="are 1 with an answer"):
        stance("push", "--withdraw", "1")
    stance("push", "--all")
    assert [len(_held(server, stance, f" - {n}")) for n in (1, 2)] == [12, 12]
    stance("push", "--withdraw", "2")
    assert [len(_held(server, stance, f" - {n}")) for n in (1, 2)] == [4, 4]


@pytest.mark.slow
def test_a_control_round_is_taken_back_by_its_number(stance: Run, server: Server) -> None:
    stance("build", "news")
    stance("push", "--limit", "3")
    for task in _held(server, stance):
        _answer(server, task, "favor")
    stance("pull")
    stance("adjudicate")
    stance("push", "--control", "2")
    assert sorted(task.key[1] for task in _held(server, stance) if task.key) == [0, 0, 0, 2, 2]
    stance("push", "--withdraw", "2")
    assert [task.key[1] for task in _held(server, stance) if task.key] == [0, 0, 0]
    assert "control round 2: 2 settled sentences again" in stance("push", "--control", "2")


def test_a_round_in_a_file_is_taken_back_without_a_server(stance: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    stance("build", "news")
    monkeypatch.delenv("LABEL_STUDIO_URL")
    stance("push", "--limit", "3", "--to", "tasks.json")
    assert "tasks: 3, 0 of them new" in stance("push", "--to", "tasks.json")  # no more than the round
    stance("push", "--all", "--to", "tasks.json")
    assert len(json.loads((stance.project / "tasks.json").read_text())) == 12
    assert "remove the round's tasks by hand" in stance("push", "--withdraw", "2", "--to", "tasks.json")
    assert len(json.loads((stance.project / "tasks.json").read_text())) == 3


def test_a_round_that_another_was_drawn_after_is_taken_back_after_it(tmp_path: Path) -> None:
    corpus_of(tmp_path, {id_: id_ for id_ in "abcdef"})
    first = [Draw(sentence_id=id_, round=1, by="random", probability=2 / 6) for id_ in "ab"]
    second = [Draw(sentence_id=id_, round=2, by="random", probability=2 / 4) for id_ in "cd"]
    control = [Draw(sentence_id="a", round=3, by="control")]
    write_sample(tmp_path, [*first, *second, *control])
    assert weights([*first, *second], 6)
    assert not weights(second, 6)  # without the first round, the second speaks for nothing: so it goes first
    with pytest.raises(StanceError, match="first run `stance push --withdraw 2`"):
        plan_withdrawal(None, tmp_path, SETTINGS, 1)
    assert plan_withdrawal(None, tmp_path, SETTINGS, 2).left == [*first, *control]
    assert plan_withdrawal(None, tmp_path, SETTINGS, 3).left == [*first, *second]
    with pytest.raises(StanceError, match="there is no round 4 to take back: the rounds drawn so far are 1, 2, 3"):
        plan_withdrawal(None, tmp_path, SETTINGS, 4)


@pytest.mark.slow
def test_of_exact_copies_the_one_at_the_server_is_the_rounds_task(stance: Run, server: Server) -> None:
    stance("build", "news")
    stance("push")
    sample = read_sample(stance.project / "work")
    table = pq.read_table(stance.project / "work" / "sentences.parquet").to_pylist()
    one, two = [row["sentence_id"] for row in table if row["text"].startswith('"We will send')]
    drawn = {row.sentence_id for row in sample}
    other = {one: two, two: one}
    # The sample names the copy that the server doesn't hold, as after an article was added.
    write_sample(
        stance.project / "work",
        [
            Draw(sentence_id=other.get(row.sentence_id, row.sentence_id), round=1, by="all", probability=1.0)
            for row in sample
        ],
    )
    assert drawn & {one, two}
    stance("push", "--withdraw", "1")
    assert _held(server, stance) == []


# --- what a push says before it sends very much


def _large(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A project of twelve sentences where eight are a large push."""
    corpus_of(folder / "work", {f"s{n}": f"s{n}" for n in range(12)})
    (folder / "stance.toml").write_text(f'[target]\nname = "{TARGET}"\n')
    monkeypatch.setattr(push_size, "LARGE", 8)


def _push(folder: Path, *arguments: str, terminal: bool = False, answer: str = "") -> Result:
    from stance.command_line import cli
    from stance.commands import push_command

    with pytest.MonkeyPatch.context() as patch:
        if terminal:
            patch.setattr(push_command, "_is_terminal", lambda: True)
        here = Path.cwd()
        try:
            return CliRunner().invoke(cli, ["-C", str(folder), "push", *arguments], input=answer)
        finally:
            os.chdir(here)


def test_a_large_push_without_a_limit_needs_a_yes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _large(tmp_path, monkeypatch)
    refused = _push(tmp_path, "--to", "tasks.json")
    assert refused.exit_code == 1
    said = str(refused.exception)
    assert "12 new tasks without --limit: about 0 seconds and 0 MB; the server would then hold 12 tasks" in said
    assert "--yes" in said
    assert "--limit N" in said
    assert not (tmp_path / "tasks.json").exists()
    assert not read_sample(tmp_path / "work")
    assert _push(tmp_path, "--to", "tasks.json", "--dry-run").exit_code == 0
    declined = _push(tmp_path, "--to", "tasks.json", terminal=True, answer="n\n")
    assert declined.exit_code == 1
    assert "Send them all?" in declined.output
    assert not read_sample(tmp_path / "work")
    assert _push(tmp_path, "--to", "tasks.json", "--limit", "9").exit_code == 0
    assert _push(tmp_path, "--to", "tasks.json", "--all").exit_code == 0  # three are left
    assert len(json.loads((tmp_path / "tasks.json").read_text())) == 12


@pytest.mark.parametrize(("arguments", "terminal", "answer"), [(["--yes"], False, ""), ([], True, "y\n")])
def test_a_large_push_goes_on_with_a_yes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], terminal: bool, answer: str
) -> None:
    _large(tmp_path, monkeypatch)
    done = _push(tmp_path, "--to", "tasks.json", *arguments, terminal=terminal, answer=answer)
    assert done.exit_code == 0, done.output
    assert len(read_sample(tmp_path / "work")) == 12


def test_a_large_push_to_a_server_needs_a_yes_too(stance: Run, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    stance("build", "news")
    monkeypatch.setattr(push_size, "LARGE", 8)
    with pytest.raises(StanceError, match=r"12 new tasks without --limit.*hold 12 tasks.*--yes"):
        stance("push")
    assert not _held(server, stance)
    stance("push", "--limit", "9")
    assert len(_held(server, stance)) == 9
    assert "3 to create" in stance("push", "--all")


def test_the_size_of_a_push_is_that_of_its_tasks() -> None:
    task = Task(sentence_id="s", text="x" * 900, before="", after="", title="", outlet="", published="", target="t")
    size = push_size.push_size([task] * 2000, new=1_000_000, held=5)
    each = len(msgspec.json.encode(data(task)))
    assert size.is_large
    assert str(size) == (
        f"1,000,000 new tasks without --limit: about 5 minutes and {each:,} MB; the server would then hold "
        "1,000,005 tasks of this project"
    )
    assert not push_size.push_size([task], new=10_000, held=10**6).is_large
