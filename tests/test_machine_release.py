"""Machine coders in the report and in a release: declared, and nowhere among people's answers."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from datasets import load_dataset

from corpus.errors import PublishError
from corpus.store import read_jsonl, table_path
from labeling.machine.answers import keep_prompt, write_answers
from labeling.machine.records import MachineAnswer, MachineSettings
from labeling.records import Annotation, LabelingSettings
from labeling.votes import latest_votes
from tests.conftest import Run, copy_project
from train.settings import Settings, told

PROMPT = "Say what it is.\n"


@pytest.fixture
def labelled(tmp_path: Path, finished: Path) -> Path:
    """A copy of the finished project."""
    project = copy_project(finished, tmp_path / "project")
    shutil.copytree(finished / "news", project / "news")
    return project


def add_machine(project: Path, prompt: str = PROMPT) -> list[MachineAnswer]:
    """Add a machine coder that always says against, refuses once, and was asked some questions twice."""
    work = project / "work"
    votes = latest_votes(read_jsonl(table_path(work, "annotations.jsonl"), Annotation, ""))
    kept = keep_prompt(work, prompt)
    rows = [
        MachineAnswer(
            sentence_id=key,
            stance="against" if n else None,
            refused="" if n else "the article says: Report: secret words of the article",
            coder="robot",
            model="robot-1",
            prompt=kept,
            codebook="1.0",
            sample=sample,
            temperature=0.5,
            probabilities={"favor": 0.25, "against": 0.5, "none": 0.25} if n % 2 else None,
            created_at=f"2026-11-0{1 + n % 2}T00:00:00Z",
        )
        for n, key in enumerate(sorted(votes))
        for sample in ((1, 2) if n < 10 else (1,))
    ]
    rows.append(MachineAnswer(sentence_id="0" * 32, stance="favor", coder="robot", model="robot-1", prompt=kept))
    write_answers(work, rows)
    return rows


def files_in(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def publish(project: Path, name: str, *more: str) -> dict[str, bytes]:
    Run(project)("publish", "--allow-open", "--out", str(project / name), *more)
    return files_in(project / name)


@pytest.mark.parametrize("licence", ["", '[publish]\nlicence = "cc0-1.0"\n'])
def test_a_release_has_machine_answers_in_a_config_of_their_own_and_nothing_else_changes(
    labelled: Path, licence: str
) -> None:
    with (labelled / "stance.toml").open("a") as file:
        file.write(licence)
    before = publish(labelled, "out")
    rows = add_machine(labelled)
    after = publish(labelled, "out")
    assert {name for name in before if name.endswith(".parquet")} < after.keys()
    for name in before.keys() - {"README.md", "manifest.json", "croissant.json"}:
        assert after[name] == before[name], name
    new = after.keys() - before.keys()
    assert new == {"machine/train-00000-of-00001.parquet", f"prompts/{rows[0].prompt}.txt"}
    assert after[f"prompts/{rows[0].prompt}.txt"] == PROMPT.encode()

    opened = load_dataset(str(labelled / "out"), "machine", cache_dir=str(labelled / "cache"))["train"]
    assert len(opened) == len(rows) - 1  # the sentence that the corpus doesn't have is left out
    assert opened.features["stance"].names == ["favor", "against", "none"]
    first = next(row for row in opened if row["stance"] is None)
    assert first["refused"] is True
    other = next(row for row in opened if row["probabilities"])
    assert [cell["probability"] for cell in other["probabilities"]] == [0.25, 0.5, 0.25]
    assert {(row["coder"], row["model"], row["temperature"]) for row in opened} == {("robot", "robot-1", 0.5)}
    assert not any(b"secret words" in data for data in after.values())

    card = after["README.md"].decode()
    assert "config_name: machine" in card
    assert f"| robot | robot-1 | {rows[0].prompt} | 1.0 | 0.5 | 2026-11-01 to 2026-11-02 |" in card
    assert "They are no annotations" in card
    assert 'load_dataset(name, "machine")' in card
    for other_file in ("gold", "annotations"):
        assert not any(b"robot" in data for name, data in after.items() if name.startswith(f"{other_file}/"))

    (labelled / "work" / "machine.jsonl").unlink()
    shutil.rmtree(labelled / "work" / "prompts")
    assert publish(labelled, "out") == before, "the release without machine coders has come back to the byte"


def test_a_standoff_release_refuses_a_prompt_that_quotes_an_article(labelled: Path) -> None:
    article = next((labelled / "news").glob("*.txt")).read_text().split("\n")[0]
    rows = add_machine(labelled, f"An example: {article}\n")
    with pytest.raises(PublishError, match=rf"prompts/{rows[0].prompt}\.txt"):
        publish(labelled, "out")


def test_machine_answers_change_no_vote_verdict_agreement_example_or_share(labelled: Path) -> None:
    run = Run(labelled)

    def state() -> tuple[dict[str, object], dict[str, bytes]]:
        run("adjudicate")
        status = json.loads(run("status", "--json"))
        status.pop("machine")
        names = ("verdicts.jsonl", "queue.jsonl", "examples.parquet")
        return status, {name: (labelled / "work" / name).read_bytes() for name in names}

    before = state()
    add_machine(labelled)
    assert state() == before
    shown = run("status")
    assert "robot (robot-1), prompt" in shown
    assert "the alternative annotator test needs 3 people" in shown
    assert "robot" not in run("status").split("machine coders, which never count as people")[0]


def test_the_report_shows_machine_coders_only_where_there_are_some(labelled: Path) -> None:
    run = Run(labelled)
    run("report")
    page = labelled / "work" / "report.html"
    before = page.read_text()
    assert "Machine coders" not in before
    add_machine(labelled)
    assert "report.html shows an earlier state" in run("status")
    run("report")
    after = page.read_text()
    assert '<a href="#machine">Machine coders</a>' in after
    assert "robot (robot-1), prompt" in after
    assert "never counted as people" in after
    assert "repeated itself in" in after
    methods = after.split('<h2 id="methods">', 1)[1]
    assert "None of these answers counts as a vote" in methods
    assert "Machine coders beside the people" in methods
    assert "the majority of the other people" in after


def test_the_release_s_names_stand_for_people_beside_machine_coders(labelled: Path) -> None:
    path = table_path(labelled / "work", "annotations.jsonl")
    text = path.read_text().replace('"A2"', '"Berta Known"')
    path.write_text(text)
    add_machine(labelled)
    run = Run(labelled)
    run("adjudicate")
    run("train")
    after = publish(labelled, "out")
    assert not any(b"Berta" in data for data in after.values())


def test_what_was_made_before_there_were_machine_coders_is_not_out_of_date() -> None:
    usual = told(Settings())
    assert "machine" not in usual
    assert not {"assist_share", "assign"} & usual["labeling"].keys()
    changed = told(Settings(machine=MachineSettings(epsilon=0.1), labeling=LabelingSettings(assist_share=0.5)))
    assert changed["machine"]["epsilon"] == 0.1
    assert changed["labeling"]["assist_share"] == 0.5


def test_another_scheme_is_used_throughout(tmp_path: Path) -> None:
    from labeling.machine.answers import by_series
    from labeling.machine.comparison import compare
    from labeling.scheme import Scheme

    scheme = Scheme(names=["1", "2", "3", "4"], ordered=True)
    rows = [MachineAnswer(sentence_id=f"s{n}", stance="2", coder="c", model="m", prompt="p") for n in range(40)]
    votes = {f"s{n}": {"A1": "1", "A2": "2", "A3": "3"} for n in range(40)}
    found = compare(by_series(rows), votes, {key: key for key in votes}, scheme, 0.15)
    (coder,) = found.coders
    assert list(coder.shares) == scheme.names
    assert coder.test is not None
    # In the middle of the scale it is never farther from two people than the third is.
    assert coder.test.advantage == 1
