"""`stance` alone, the last line of every command, and `stance doctor`: where a project stands and what comes next."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from corpus.errors import ConfigError, PublishError
from corpus.store import read_jsonl, table_path, write_jsonl
from labeling.records import Annotation, LabelingSettings, Unsettled, Verdict
from labeling.sampling.sample_table import Draw, write_sample
from labeling.studio.connection import Server
from labeling.sync.sent_queue import SentQueue, write_queue
from labeling.vote_counts import VoteCounts, vote_counts
from stance.next_step import next_step
from tests.conftest import Run, copy_tables, vote, write_news
from train.settings import read_settings

TARGET = "a new tunnel"


def _next(run: Run, *command: str) -> str:
    """The last line that a command prints, which says what comes next; "" if it says nothing."""
    last = run(*command).rstrip().split("\n")[-1]
    return last.removeprefix("next: ") if last.startswith("next: ") else ""


@pytest.fixture
def begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A project as `stance init` leaves it, without a server."""
    for name in ("LABEL_STUDIO_URL", "LABEL_STUDIO_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    Run(tmp_path)("init", "--target", TARGET)
    return Run(tmp_path)


def _ready(run: Run) -> None:
    """Fill the codebook in."""
    path = run.project / "codebook.md"
    path.write_text(re.sub(r"\{\{.*?\}\}", TARGET, path.read_text("utf-8")), "utf-8")


def _ids(run: Run) -> list[str]:
    table = pq.read_table(run.project / "work" / "sentences.parquet").to_pylist()
    return [row["sentence_id"] for row in table if row["copy_id"] == row["sentence_id"]]


def _answers(run: Run, *rows: Annotation) -> None:
    write_jsonl(table_path(run.project / "work", "annotations.jsonl"), rows)


def test_outside_of_a_project_it_says_how_to_begin(tmp_path: Path) -> None:
    said = Run(tmp_path)()
    assert "no stance.toml" in said
    for line in ("stance init NAME ", "stance demo ", "stance -C FOLDER ", "stance --help "):
        assert f"\n  {line}" in said
    assert not list(tmp_path.iterdir())


def test_each_step_of_a_beginner_leads_to_the_next(begun: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _next(begun) == "put your articles into the folder news, then `stance build news`"
    write_news(begun.project / "news")
    assert _next(begun) == "`stance build news`"
    rules = "put your own rules into codebook.md, wherever it has double braces: annotators read it"
    assert _next(begun, "build", "news") == rules
    _ready(begun)
    number = len(_ids(begun))
    said = _next(begun)
    assert said.startswith("`stance serve` in a second terminal, then `stance push` for all sentences, or")
    write_sample(begun.project / "work", [Draw(sentence_id=key, round=1, by="all") for key in _ids(begun)])
    assert f"{number} sentences drawn, no answers fetched yet\nnext: let people label" in begun()
    assert _next(begun).endswith("then `stance pull`")
    settings = read_settings(begun.project, required=True)
    monkeypatch.chdir(begun.project)
    assert next_step(settings, "push").startswith(
        "let people label them (3 annotators each; for another number, set [labeling] overlap in stance.toml and push "
        "again first), then `stance pull`, as often as you like"
    )


def test_where_a_project_stands_is_told_in_numbers(begun: Run) -> None:
    write_news(begun.project / "news")
    begun("build", "news")
    _ready(begun)
    keys = _ids(begun)
    write_sample(begun.project / "work", [Draw(sentence_id=key, round=1, by="random") for key in keys[:6]])
    _answers(
        begun,
        *(vote(key, name, "favor") for key in keys[:3] for name in ("A1", "A2", "A3")),
        *(vote(key, name, label) for key in keys[3:5] for name, label in (("A1", "none"), ("A2", "against"))),
    )
    assert "6 sentences drawn, 5 answered, 5 of them by two people or more\n" in begun()
    assert _next(begun).startswith(
        "let people label the 3 sentences with too few answers, then `stance pull`; or `stance"
    )
    said = begun("adjudicate")
    assert "3 sentences settled: 3 unanimous\n2 sentences open, listed in work/queue.jsonl\n" in said
    assert _next(begun, "adjudicate").startswith("`stance push` puts the 2 open sentences into the queue; once people")
    assert "3 sentences settled, 2 open" in begun()
    assert _next(begun, "status") == _next(begun)
    assert _next(begun).startswith("`stance push` puts the 2 open sentences into the queue")
    # Everybody has answered: nothing is left to fetch, and too little for a model.
    _answers(begun, *(vote(key, name, "favor") for key in keys[:6] for name in ("A1", "A2", "A3")))
    assert _next(begun) == "`stance adjudicate`"
    assert _next(begun, "adjudicate") == (
        "`stance publish`; a model takes more labels: too few labels to train on: expected at least 10 training "
        "examples of each label that occurs; found favor 6"
    )


def test_a_labelled_project_is_led_to_the_end(finished: Path, tmp_path: Path) -> None:
    shutil.copytree(finished, tmp_path / "project")
    run = Run(tmp_path / "project")
    (run.project / "stance.toml").write_text(
        (run.project / "stance.toml").read_text("utf-8").replace("a target <b>", "a target")
        + '[labeling]\noverlap = 2\n[publish]\nlicence = "cc0-1.0"\n',
        "utf-8",
    )
    assert "out of date: " in run()
    assert _next(run) == _next(run, "predict") == _next(run, "report") == "`stance train`"
    (run.project / "work" / "predictions.parquet").unlink()
    assert _next(run, "train") == "`stance predict`"
    # Publish refuses open sentences: what comes next is what works.
    todo = "`stance push --limit 0` puts them into the queue, if no other computer has done so already; decide them"
    leave = "or leave them out: `stance publish --allow-open`"
    then = "there, then `stance pull`, `stance adjudicate`, `stance train`, `stance predict` and `stance publish`"
    assert _next(run, "predict") == _next(run) == f"6 sentences are open: {todo} {then}; {leave}"
    with pytest.raises(PublishError, match=r"^Nothing was published\. 6 sentences are open "):
        run("publish")
    keys = [row.sentence_id for row in read_jsonl(run.project / "work" / "queue.jsonl", Unsettled, "")]
    write_queue(run.project, SentQueue(url="http://studio.example/projects/2", sentences=keys))
    todo = "decide them in the queue at http://studio.example/projects/2, then `stance pull`, `stance adjudicate`, `"
    assert _next(run).startswith(f"6 sentences are open: {todo}")
    with pytest.raises(
        PublishError, match=r"What to do: decide them in the queue at http://studio\.example/projects/2"
    ):
        run("publish")
    assert _next(run, "publish", "--allow-open") == "`stance report`"
    assert _next(run, "report") == ""
    assert run("report").endswith("\nnothing is left to do: everything that was made is up to date\n")
    assert run("doctor").count("everything that was made is up to date") == 1
    # Predictions of another model come before a report that would show them.
    predictions = run.project / "work" / "predictions.parquet"
    kept = predictions.read_bytes()
    pq.write_table(pq.read_table(predictions).replace_schema_metadata(), predictions)
    assert _next(run, "publish", "--allow-open") == "`stance predict`"
    predictions.write_bytes(kept)
    said = run()
    assert "made so far: a model (work/model/model.json), predictions (work/predictions.parquet), a dataset (" in said
    assert "next:" not in said
    assert "out of date" not in said


def test_labels_are_not_trained_on_or_published_under_another_target(finished: Path, tmp_path: Path) -> None:
    shutil.copytree(finished, tmp_path / "project")
    run = Run(tmp_path / "project")
    (run.project / "codebook.md").write_text("# Codebook\n\nVersion 1.0\n\nTarget: the old tunnel\n", "utf-8")
    before = files_of(run.project / "work")
    for command in (["train"], ["publish", "--allow-open"]):
        with pytest.raises(ConfigError, match=r"codebook\.md, line 5: the codebook is for the target 'the old tunnel'"):
            run(*command)
    assert files_of(run.project / "work") == before


def test_a_dataset_without_text_gets_no_text_unasked(finished: Path, tmp_path: Path) -> None:
    shutil.copytree(finished, tmp_path / "project")
    run = Run(tmp_path / "project")
    toml = run.project / "stance.toml"
    text = toml.read_text("utf-8").replace("a target <b>", "a target")
    toml.write_text(text + '[labeling]\noverlap = 2\n[publish]\nlicence = "cc0-1.0"\n', "utf-8")
    run("train")
    run("predict")
    run("publish", "--standoff", "--allow-open")
    (run.project / "codebook.md").write_text("# Codebook\n\nVersion 1.0\n\nIn other words.\n", "utf-8")
    assert "the codebook has changed since work/dataset was made: run `stance publish --standoff`" in run()
    assert _next(run).endswith(
        "`stance predict` and `stance publish --standoff`; or leave them out: `stance publish --standoff --allow-open`"
    )
    # Nothing with text is uploaded by a command that may have been meant for a dataset without it.
    held = "work/dataset held no text of the articles before, and holds it now, because [publish] names a licence"
    with pytest.raises(PublishError, match=rf"^{re.escape(held)}.* Nothing was uploaded: if they may, run the same"):
        run("publish", "--allow-open", "--repo", "org/corpus")
    run("publish", "--standoff", "--allow-open")
    assert f"warning: {held}" in run("publish", "--allow-open")
    assert "held no text" not in run("publish", "--allow-open")


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_who_trained_on_a_part_is_led_on_and_told_last_that_people_may_label_more(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(finished, tmp_path / "project")
    run = Run(tmp_path / "project")
    keys = _ids(run)
    write_sample(run.project / "work", [Draw(sentence_id=key, round=1, by="all") for key in keys])
    with (run.project / "stance.toml").open("a") as file:
        file.write("[labeling]\noverlap = 5\n")
    run("adjudicate")
    assert _next(run, "train") == "`stance predict`"
    sent = [row.sentence_id for row in read_jsonl(run.project / "work" / "queue.jsonl", Unsettled, "")]
    write_queue(run.project, SentQueue(url="http://studio.example/projects/2", sentences=sent[:2]))
    both = "let people label the 151 sentences with too few answers and decide the 2 open sentences in the queue"
    assert _next(run) == f"`stance predict`; and {both}, then `stance pull`"
    write_queue(run.project, SentQueue(url="", sentences=[]))
    people = "let people label the 151 sentences with too few answers"
    assert _next(run) == f"`stance predict`; and {people}, then `stance pull`"
    monkeypatch.chdir(run.project)
    after_push = next_step(read_settings(run.project, required=True), "push")
    assert after_push.startswith(f"{people} (5 annotators each, as [labeling] overlap says)")
    assert after_push.endswith("then `stance pull`, as often as you like; meanwhile `stance predict`")
    run("predict")
    run("publish", "--allow-open")
    run("report")
    assert _next(run) == "`stance pull` when people have labelled more: 151 sentences have too few answers"


def test_who_has_settled_single_votes_may_wait_for_more_or_train(begun: Run) -> None:
    write_news(begun.project / "news")
    begun("build", "news")
    _ready(begun)
    keys = _ids(begun)[:4]
    write_sample(begun.project / "work", [Draw(sentence_id=key, round=1, by="random") for key in keys])
    _answers(begun, *(vote(key, "A1", "favor") for key in keys))
    assert _next(begun, "adjudicate").startswith(
        "`stance pull` when people have labelled more: 4 sentences have too few answers; or run `stance train`, which "
        "learns from what is settled so far"
    )


def test_a_dataset_needs_no_model_and_a_later_training_keeps_its_splits(finished: Path, tmp_path: Path) -> None:
    copy_tables(finished / "work", tmp_path / "work")
    for name in ("stance.toml", "codebook.md"):
        shutil.copy(finished / name, tmp_path)
    shutil.rmtree(tmp_path / "work" / "model")
    (tmp_path / "work" / "examples.parquet").unlink()
    table_path(tmp_path / "work", "splits.jsonl").unlink()
    run = Run(tmp_path)
    said = run("publish", "--allow-open")
    assert "wrote work/dataset (load_dataset opens it)" in said
    split_of = {
        row["sentence_id"]: row["split"] for row in pq.read_table(tmp_path / "work" / "examples.parquet").to_pylist()
    }
    run("train")
    again = pq.read_table(tmp_path / "work" / "examples.parquet").to_pylist()
    assert {row["sentence_id"]: row["split"] for row in again} == split_of


def _counts(folder: Path, **settings: object) -> VoteCounts:
    return vote_counts(folder / "work", LabelingSettings(**settings), None, frozenset({"A9"}))  # type: ignore[arg-type]


def test_votes_are_counted_by_sentence_and_by_what_the_project_asks_for(begun: Run) -> None:
    write_news(begun.project / "news")
    begun("build", "news")
    keys = _ids(begun)
    assert _counts(begun.project) == VoteCounts(
        drawn=False, sentences=len(keys), labelled=0, shared=0, lacking=len(keys), waiting=len(keys), people=0
    )
    write_sample(begun.project / "work", [Draw(sentence_id=key, round=1, by="random") for key in keys[:4]])
    _answers(
        begun,
        vote(keys[0], "A1", "favor"),
        vote(keys[0], "A2", None),  # a skip is no vote
        vote(keys[1], "A1", "none"),
        vote(keys[1], "A2", "none"),
        vote(keys[1], "A9", "none"),  # ignored
        vote(keys[2], "A9", "favor"),  # ignored, but it takes the second place at the server
        vote(keys[2], "A1", "favor"),
        vote(keys[5], "A3", "none"),  # not drawn
    )
    assert _counts(begun.project, overlap=2) == VoteCounts(
        drawn=True, sentences=4, labelled=3, shared=1, lacking=3, waiting=1, people=2
    )
    # What people have decided in the queue needs no more votes.
    decided = Verdict(sentence_id=keys[0], stance="favor", how="adjudicated", votes={"A1": "favor"}, adjudicator="A1")
    write_jsonl(begun.project / "work" / "verdicts.jsonl", [decided])
    assert _counts(begun.project, overlap=2).lacking == 2


def test_doctor_says_what_is_there_and_what_is_missing(begun: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    said = begun("doctor")
    assert re.search(r"^stance \S+ in Python 3\.\d+\.\d+ \(\w+\); datasets \S+, label-studio-sdk \S+, pyarrow", said)
    for extra in ("documents", "llm", "spark"):
        assert re.search(rf"^optional extra {extra}: ", said, re.MULTILINE)
    assert "extra test" not in said
    assert re.search(r"^disk: [\d.,]+ GB free in ", said, re.MULTILINE)
    assert "codebook: not ready for annotators: codebook.md, lines 7, " in said
    assert "corpus: none yet" in said
    assert "server: no Label Studio server is known" in said
    import importlib.metadata

    real = importlib.metadata.version

    def version(name: str) -> str:
        if name == "openai":
            raise importlib.metadata.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    assert "optional extra llm: not installed; `pip install 'stance-corpus[llm]'` adds it" in begun("doctor")
    (begun.project / "stance.toml").write_text("[labelling]\n")
    assert "project: stance.toml: line 1: there is no section [labelling]" in begun("doctor")
    (begun.project / "stance.toml").unlink()
    assert "project: none in this folder" in begun("doctor")
    assert sorted(path.name for path in begun.project.iterdir()) == ["codebook.md", "news"]


def test_doctor_asks_the_server_what_the_key_allows_and_changes_nothing(stance: Run, server: Server) -> None:
    stance("build", "news")
    title = (stance.project / "stance.toml").read_text("utf-8").split('title = "')[1].split('"')[0]
    said = stance("doctor")
    assert f"server: {server.url} answers, Label Studio " in said
    assert "the key is that of owner@stance.example" in said
    assert "key: it may make projects\n" in said
    assert re.search(r"key: it may read the server's \d+ accounts?, which `pull` needs", said)
    assert f"project at the server: {title!r} is not there yet; `stance push` makes it" in said
    assert f"{title!r} is not there yet" in stance("doctor")
    assert "everything that was made is up to date" in said
    stance("push")
    assert re.search(r"number \d+, with 12 tasks and 0 answers", stance("doctor"))
    os.environ["LABEL_STUDIO_API_KEY"] = "0" * 40
    assert f"server: connecting: {server.url} does not accept the API key" in stance("doctor")


def test_open_sentences_that_wait_in_the_queue_are_not_sent_again(begun: Run) -> None:
    write_news(begun.project / "news")
    begun("build", "news")
    _ready(begun)
    keys = _ids(begun)
    write_sample(begun.project / "work", [Draw(sentence_id=key, round=1, by="random") for key in keys[:4]])
    _answers(
        begun, *(vote(key, name, label) for key in keys[:4] for name, label in (("A1", "none"), ("A2", "against")))
    )
    begun("adjudicate")
    assert _next(begun).startswith("`stance push` puts the 4 open sentences into the queue")
    write_queue(begun.project, SentQueue(url="http://studio.example/projects/2", sentences=keys[:4]))
    decide = "decide the 4 open sentences in the queue at http://studio.example/projects/2, then `stance pull` and"
    assert _next(begun).startswith(decide)
    assert _next(begun).endswith("; or leave them without a label: `stance train`")
    # A sentence that is open since has to be sent, too.
    write_queue(begun.project, SentQueue(url="http://studio.example/projects/2", sentences=keys[:3]))
    assert _next(begun).startswith("`stance push` puts the 4 open sentences into the queue")


def test_a_report_before_any_label_leads_to_the_labels(begun: Run) -> None:
    write_news(begun.project / "news")
    begun("build", "news")
    _ready(begun)
    assert "`stance push`" in _next(begun, "report")


def test_a_new_version_of_the_codebook_is_looked_at_before_it_opens_verdicts(begun: Run) -> None:
    write_news(begun.project / "news")
    begun("build", "news")
    _ready(begun)
    keys = _ids(begun)
    write_sample(begun.project / "work", [Draw(sentence_id=key, round=1, by="random") for key in keys[:4]])
    voted = ((key, name) for key in keys[:4] for name in ("A1", "A2"))
    _answers(begun, *(vote(*one, "none", codebook="1.0", studio_id=at) for at, one in enumerate(voted)))
    begun("adjudicate")
    path = begun.project / "codebook.md"
    path.write_text(path.read_text("utf-8").replace("Version 1.0", "Version 1.1"), "utf-8")
    assert _next(begun).startswith("`stance adjudicate --dry-run`: the codebook has version 1.1 now")
    front = "---\nversion: 1.1\nreopens: [none]\nearlier:\n- version: 1.0\n---\n"
    path.write_text(front + path.read_text("utf-8").replace("Version 1.1\n", ""), "utf-8")
    assert _next(begun) == "`stance adjudicate`"
    begun("adjudicate")
    # What the codebook asks for again is for those to label who did, and not for the queue of disagreements.
    asked = "`stance push --migrate`, which asks the annotators again for what they labelled under codebook 1.0; or "
    assert _next(begun, "adjudicate") == f"{asked}leave them without a label: `stance train`"


def test_the_folder_above_a_project_says_where_it_is(begun: Run) -> None:
    write_news(begun.project / "inner" / "news")
    (begun.project / "stance.toml").rename(begun.project / "inner" / "stance.toml")
    (begun.project / "codebook.md").unlink()
    said = _next(begun, "build", "inner/news")
    assert said == "there is a project in inner: `cd inner`, and build there"
