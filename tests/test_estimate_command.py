"""`stance estimate` on a small real project: the model, machine coders, files of predictions, and what it writes."""

from __future__ import annotations

import csv
import json
import random
import re
import shutil
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click import UsageError

from corpus.build import build
from corpus.errors import StanceError, TableError
from corpus.records import CorpusSettings
from corpus.store import write_jsonl
from labeling.records import Annotation, LabelingSettings, Verdict
from labeling.sampling.sample import draw
from labeling.sampling.sample_table import write_sample
from labeling.scheme import DEFAULT, Scheme, Stance
from labeling.studio.tasks import Corpus
from tests.support.commands import run_command
from train.archive.predict_archive import predict_archive
from train.estimate.coder import read_coder
from train.estimate.estimates import Estimates, estimate
from train.examples.from_verdicts import from_verdicts
from train.predict.predict import predict_corpus
from train.predict.sentence_arrays import read_layout
from train.predict.shares import PredictionShares
from train.settings import TrainSettings
from train.train_model import train

TARGET = "sending Western troops to Ukraine"
WORDS = {
    "favor": "send brave help".split(),
    "against": "never risk war".split(),
    "none": "harvest bridge price".split(),
}


def _true(text: str) -> Stance:
    return next(stance for stance in DEFAULT.names if text.split()[1] in WORDS[stance])


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with 160 randomly drawn verdicts, a model and its predictions."""
    chance = random.Random(1)
    folder = tmp_path_factory.mktemp("project")
    work = folder / "work"
    (folder / "stance.toml").write_text(f'[target]\nname = "{TARGET}"\n')
    rows = []
    for n in range(80):
        texts = []
        for _ in range(6):
            stance = DEFAULT.names[chance.choice([0, 1, 1, 2, 2, 2])]
            others = chance.sample([word for words in WORDS.values() for word in words], 4)
            texts.append(f"The {chance.choice(WORDS[stance])} {' '.join(others)} of day {chance.randrange(10**6)}.")
        outlet = ["Gazette", "Sentinel"][n % 2] if n > 3 else ""
        rows.append({"id": f"a{n}", "outlet": outlet, "published": f"2024-0{4 + n % 2}-11", "text": "\n\n".join(texts)})
    (folder / "news.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    build([folder / "news.jsonl"], work, CorpusSettings(root=str(folder)))
    corpus = Corpus(work)
    pool = corpus.units(corpus.chosen())
    draws = draw(pool, "random", 160, earlier=[], settings=LabelingSettings(), target=TARGET)
    write_sample(work, draws)
    text = {unit.sentence_id: unit.text for unit in pool}
    verdicts = [
        Verdict(sentence_id=row.sentence_id, stance=_true(text[row.sentence_id]), how="single", votes={})
        for row in draws
    ]
    write_jsonl(work / "verdicts.jsonl", verdicts)
    examples, _ = from_verdicts(work, TARGET, TrainSettings())
    train(examples, work / "model", TrainSettings())
    predict_corpus(work, TARGET)
    return folder


def _sentences(project: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(project / "work" / "sentences.parquet").to_pylist()
    return rows


def test_the_models_shares_are_those_that_predict_gives(project: Path) -> None:
    found = estimate(project / "work", TARGET, ["outlet", "month"])
    told = msgspec.json.decode((project / "work" / "shares.json").read_bytes(), type=PredictionShares)
    assert found.power == told.power
    theirs = {(row.kind, row.name, row.stance): row for row in told.rows}
    for group in found.groups:
        for share in group.shares:
            name = "" if share.group == "(no outlet given)" else share.group
            row = theirs[share.column or "all", name, share.stance]  # type: ignore[index]
            assert (share.ppi, share.naive) == (row.corrected, row.raw)
            assert group.support.sampled == row.labelled
    assert {row.form for row in found.coefficients} == {"linear", "logistic"}


def test_the_command_prints_and_writes_all_figures(project: Path, tmp_path: Path) -> None:
    out = run_command(project, "estimate", "--by", "outlet,month", "--to", str(tmp_path / "all.csv"))
    for line in ("coder: model ", "by outlet", "differences in points", "linear regression", "naive shares: "):
        assert line in out
    assert re.search(
        r"no corrected estimate: it takes 50 labels in 10 articles, and there are only 24 different sentences, c",
        out,
    )
    with (tmp_path / "all.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    found = estimate(project / "work", TARGET, ["outlet", "month"])
    assert len(rows) == 4 * 3 * len(found.groups) + 4 * len(found.differences) + 3 * len(found.coefficients)
    first = found.groups[0].shares[0]
    assert first.ppi is not None
    (row,) = (
        row for row in rows if (row["group"], row["stance"], row["estimator"]) == ("", "favor", "ppi")
        and row["estimate"] == "share"
    )  # fmt: skip
    assert [float(row[name]) for name in ("value", "low", "high")] == list(msgspec.structs.astuple(first.ppi))
    run_command(project, "estimate", "--to", str(tmp_path / "all.json"))
    assert "unchanged" in run_command(project, "estimate", "--to", str(tmp_path / "all.json"))
    read = msgspec.json.decode((tmp_path / "all.json").read_bytes(), type=Estimates)
    assert read.groups == found.groups[:1]


def test_a_plan_counts_sentences_and_annotators(project: Path, tmp_path: Path) -> None:
    shutil.copytree(project, tmp_path / "copy")
    out = run_command(tmp_path / "copy", "estimate", "--plan", "--width", "0.1", "--to", "plan.csv")
    assert "to a width of 0.1 from end to end, from 160 labels" in out
    assert "how many annotators it takes is not known" in out
    assert (tmp_path / "copy" / "plan.csv").read_text().startswith("column,group,other,stance,width,wanted,")
    ids = [row["sentence_id"] for row in _sentences(project)][:60]
    answers = [
        Annotation(sentence_id=name, annotator=f"A{k}", stance=DEFAULT.names[(n + k * (n % 3 == 0)) % 3], studio_id=n)
        for n, name in enumerate(ids)
        for k in (1, 2)
    ]
    write_jsonl(tmp_path / "copy" / "labels" / "annotations.jsonl", answers)
    out = run_command(tmp_path / "copy", "estimate", "--plan", "--width", "0.1")
    assert "annotators: 2; on the same sentences their shares differ" in out


def test_a_file_of_predictions_is_a_coder_too(project: Path, tmp_path: Path) -> None:
    rows = [{"sentence_id": row["sentence_id"], "gpt": _true(row["text"])} for row in _sentences(project)]
    written = [row | {"gpt": {"favor": "pro"}.get(row["gpt"], row["gpt"])} for row in rows]
    (tmp_path / "gpt.jsonl").write_text("".join(json.dumps(row) + "\n" for row in written))
    out = run_command(project, "estimate", "--coder", f"{tmp_path / 'gpt.jsonl'}:gpt")
    assert "read 'pro' as favor" in out
    assert "the intervals hold only if the coder has not learned from the verdicts" in out
    table = pa.Table.from_pylist([row | {"stance": row["gpt"]} for row in rows[: len(rows) // 2]])
    pq.write_table(table, tmp_path / "half.parquet")
    found = estimate(project / "work", TARGET, coder=str(tmp_path / "half.parquet"))
    assert any(note.startswith(f"the coder gave a label to {len(rows) // 2} of {len(rows)}") for note in found.notes)


def test_the_scores_of_an_archive_are_a_coder_too(project: Path, tmp_path: Path) -> None:
    out = tmp_path / "archive"
    predict_archive([project / "work"], project / "work" / "model", out, CorpusSettings(), target=TARGET, workers=1)
    found = estimate(project / "work", TARGET, ["outlet"], coder=str(out))
    own = estimate(project / "work", TARGET, ["outlet"])
    assert [group.shares[0].naive for group in found.groups] == [group.shares[0].naive for group in own.groups]
    assert found.coder == f"the model of the archive {out}"
    (out / "scores" / "_SUCCESS").unlink()
    with pytest.raises(StanceError, match="expected a folder with the finished scores of an archive"):
        estimate(project / "work", TARGET, coder=str(out))
    (out / "scores" / "_SUCCESS").touch()
    unit = read_layout(project / "work").unit
    with pytest.raises(TableError, match="expected the labels pro, con; found 'against'"):
        read_coder(project / "work", str(out), unit, Scheme(names=["pro", "con"]))


def test_a_machine_coders_answers_are_read_with_their_ties(project: Path, tmp_path: Path) -> None:
    shutil.copytree(project, tmp_path / "copy")
    work = tmp_path / "copy" / "work"
    ids = [row["sentence_id"] for row in _sentences(project)]
    given: list[list[str | None]] = [["favor"], ["favor", "none", "favor"], ["against", "none"], [None]]
    answers = [("gpt", n, stance) for n, stances in enumerate(given) for stance in stances]
    answers += [("other", n, "none") for n in range(4)]
    lines = [
        {"sentence_id": ids[n], "annotator": None, "stance": stance, "coder": coder, "model": "m", "prompt": "p"}
        for coder, n, stance in answers
    ]
    (work / "machine.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    unit = read_layout(work).unit
    found = read_coder(work, "gpt", unit, DEFAULT)
    assert found.given[:5].tolist() == [0, 0, -1, -1, -1]
    assert "sentences with equally many answers for two labels, which count as unlabelled: 1" in "\n".join(found.notes)
    assert read_coder(work, "other", unit, DEFAULT).given[:5].tolist() == [2, 2, 2, 2, -1]
    copies = unit.copy()
    copies[4] = copies[0]
    assert read_coder(work, "gpt", copies, DEFAULT).given[:5].tolist() == [0, 0, -1, -1, 0]
    with pytest.raises(StanceError, match="has no label by a coder of this name; its coders are: gpt, other"):
        read_coder(work, "llama", unit, DEFAULT)
    (work / "machine.jsonl").write_text(json.dumps(lines[0] | {"stance": "maybe"}) + "\n")
    with pytest.raises(TableError, match=r"answer 1: expected one of the labels .* found 'maybe'"):
        read_coder(work, "gpt", unit, DEFAULT)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            [{"sentence_id": "x", "label": "favor"}],
            "expected the columns sentence_id and stance; found sentence_id, label",
        ),
        ([{"sentence_id": "x", "stance": "favor"}], "found none of its 480 sentences among the 1 with a label"),
        ([{"sentence_id": "x", "stance": "maybe"}], "row 1, column stance: expected one of favor, against, none, or"),
        (
            [{"sentence_id": "x", "stance": "favor"}, {"sentence_id": "x", "stance": "none"}],
            "row 2: expected one label for each sentence; found favor and none for x",
        ),
    ],
)
def test_bad_predictions_are_one_message(
    project: Path, tmp_path: Path, rows: list[dict[str, str]], message: str
) -> None:
    (tmp_path / "bad.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(StanceError, match=message):
        estimate(project / "work", TARGET, coder=str(tmp_path / "bad.jsonl"))


def test_bad_requests_are_one_message(project: Path, tmp_path: Path) -> None:
    for arguments in (["--plan"], ["--width", "0.1"], ["--by", "outlet,"], ["--plan", "--width", "1.5"]):
        with pytest.raises(UsageError):
            run_command(project, "estimate", *arguments)
    with pytest.raises(StanceError, match=r"--by tone: expected month, year, or a column of work/articles.parquet"):
        run_command(project, "estimate", "--by", "tone")
    with pytest.raises(StanceError, match=r"all.xlsx: expected a file that ends in .csv or .json"):
        run_command(project, "estimate", "--to", "all.xlsx")
    with pytest.raises(StanceError, match=r"expected answers of machine coders in work/machine.jsonl, which is"):
        run_command(project, "estimate", "--coder", "gpt")
    shutil.copytree(project, tmp_path / "copy")
    path = tmp_path / "copy" / "work" / "predictions.parquet"
    pq.write_table(pq.read_table(path).slice(5), path)
    with pytest.raises(TableError, match=r"predictions.parquet: expected .* the 480 sentences .*found 475 sentences"):
        run_command(tmp_path / "copy", "estimate")


def test_a_project_without_verdicts_has_naive_figures_alone(project: Path, tmp_path: Path) -> None:
    shutil.copytree(project, tmp_path / "copy")
    (tmp_path / "copy" / "work" / "verdicts.jsonl").unlink()
    out = run_command(tmp_path / "copy", "estimate", "--by", "outlet")
    assert "not corrected: there are no verdicts on this corpus yet" in out
    assert "50 more labels would be needed" in out
    assert "they should not be reported" in out
