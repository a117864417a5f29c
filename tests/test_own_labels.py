"""Data and projects with other labels than favor, against and none: read, trained, scored, published."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score

from corpus.errors import ExamplesError, TableError
from corpus.store import read_jsonl, table_path, write_jsonl
from labeling.records import Annotation
from labeling.sampling.sample_table import read_certainty
from labeling.scheme import DEFAULT, Scheme
from labeling.studio.tasks import read_predictions
from labeling.sync.question import template
from tests.conftest import Run
from train.examples.load import read
from train.examples.read_labels import labels_of, read_labels
from train.metrics import evaluate
from train.model import joint, tfidf_logistic
from train.model.files import load_model, save
from train.model.search import check_examples
from train.model.tfidf_logistic import columns
from train.records import Example, Recipe, read_metrics
from train.settings import TrainSettings
from train.starter import write_project
from train.train_model import train

RUMOUR = Scheme(names=["support", "deny", "query", "comment"], scored=["support", "deny"])


def examples(
    labels: Sequence[str], size: int = 90, targets: Sequence[str] = ("",), seed: int = 0, tests: Sequence[str] = ()
) -> list[Example]:
    """Texts with one telling word each; those toward the targets of `tests` are all in the test split."""
    random = np.random.default_rng(seed)
    rows = []
    for n in range(size):
        label, target = labels[n % len(labels)], targets[n // len(labels) % len(targets)]
        noise = " ".join(f"w{k}" for k in random.integers(0, 10**6, 6))
        split = "test" if n // len(labels) % 5 == 4 or target in tests else "train"
        rows.append(
            Example(
                sentence_id=str(n),
                text=f"{noise} sign{labels.index(label)}",
                label=label,
                target=target,
                group=f"g{n}",
                split=split,
            )
        )
    return rows


@pytest.mark.parametrize(
    ("found", "class_label", "given", "by", "names"),
    [
        (["FAVOR", "against"], [], None, "aliases", ["favor", "against"]),
        (["PRO", "CON"], [], None, "aliases", ["favor", "against"]),
        (["con", "neutral", "pro"], [], None, "aliases", DEFAULT.names),
        (["neutral"], [], None, "aliases", DEFAULT.names),
        (["support", "undermine"], [], None, "own", ["support", "undermine"]),
        (["support", "deny", "query", "comment"], [], None, "own", ["comment", "deny", "query", "support"]),
        (["support", "deny", "query", "comment"], [], RUMOUR, "settings", RUMOUR.names),
        (["5", "1", "3", "10", "-2"], [], None, "own", ["-2", "1", "3", "5", "10"]),
        (["refute", "unrelated"], ["support", "refute", "comment", "unrelated"], None, "class_label",
         ["support", "refute", "comment", "unrelated"]),
        (["favor", "none"], ["favor", "against", "none"], None, "class_label", DEFAULT.names),
        (["Yes", "yes", "no", "YES"], [], None, "own", ["no", "YES"]),
    ],
)  # fmt: skip
def test_the_labels_come_from_the_first_place_that_has_any(
    found: list[str], class_label: list[str], given: Scheme | None, by: str, names: list[str]
) -> None:
    done = read_labels("x.csv", Counter(found), class_label, given)
    assert (done.by, done.scheme.names) == (by, names)
    assert {row.written for row in done.spellings} == set(found)
    assert done.sentence.startswith(f"labels: {', '.join(names)} (")


@pytest.mark.parametrize(
    ("found", "given", "message"),
    [
        (["support", "maybe"], RUMOUR, r"not one of the labels of \[labels\] in stance.toml: 'maybe' \(1\); expected"),
        (["yes"], None, "holds no label scheme: names: expected 2 to 9 labels.*; found 1 label, yes"),
        ([str(n) for n in range(12)], None, r"expected 2 to 9 labels, .*; found 12 labels, 0, 1, 2"),
        (["yes", "no", "", ""], None, "2 of 4 rows have no label; fill or remove them"),
        (["yes", "n,o"], None, r"got 'n,o'\. Found 'n,o' \(1\), 'yes' \(1\)"),
    ],
)
def test_labels_that_cannot_be_used_are_one_error(found: list[str], given: Scheme | None, message: str) -> None:
    with pytest.raises(ExamplesError, match=message):
        read_labels("x.csv", Counter(found), (), given)


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc"), st.sampled_from("xyz")), min_size=1))
def test_scores_are_those_of_scikit_learn_for_any_scheme(rows: list[tuple[str, str, str]]) -> None:
    scheme = Scheme(names=["b", "a", "c", "d"], scored=["c", "d", "b"])
    true, guesses, groups = ([row[n] for row in rows] for n in range(3))
    found = evaluate(true, guesses, groups, 1, scheme=scheme)
    wanted = {
        names: f1_score(true, guesses, labels=list(names), average="macro", zero_division=0)
        for names in (("c", "d", "b"), ("b", "a", "c", "d"))
    }
    assert found.f_avg.value == pytest.approx(wanted["c", "d", "b"])
    assert found.macro_f1.value == pytest.approx(wanted["b", "a", "c", "d"])
    assert list(found.by_class) == scheme.names
    assert found.f_avg.low <= found.f_avg.value <= found.f_avg.high


def test_two_labels_have_the_probabilities_of_scikit_learn(tmp_path: Path) -> None:
    scheme = Scheme(names=["support", "undermine"])
    rows = examples(scheme.names, 60)
    model = tfidf_logistic.fit(Recipe(features="word", c=3.0), rows, scheme)
    texts = [row.text for row in rows]
    pipeline = model.pipelines[""]
    assert isinstance(pipeline["logistic"], LogisticRegression)
    np.testing.assert_allclose(model.probabilities(texts), pipeline.predict_proba(texts), atol=1e-6)
    wide = Scheme(names=["other", "undermine", "support"])
    found = columns(pipeline["logistic"], pipeline["tfidf"].transform(texts), wide.names)
    np.testing.assert_allclose(found[:, [2, 1]], model.probabilities(texts), atol=1e-12)
    assert not found[:, 0].any()
    save(model, tmp_path)
    assert load_model(tmp_path).predict(texts) == model.predict(texts)


def test_a_target_with_too_few_examples_stops_no_other() -> None:
    many = examples(["yes", "no"], 80, ["big"])
    few = examples(["yes", "no"], 12, ["small"], seed=1)
    scheme = Scheme(names=["yes", "no"])
    done = check_examples([*few, *many], 1, scheme)
    assert done.examples == many
    assert list(done.left_out) == ["small"]
    assert "found yes 5, no 5" in done.left_out["small"] or "training examples of each label" in done.left_out["small"]
    with pytest.raises(ExamplesError, match=r'none of the 2 targets .* set .train. targets = "joint" in stance.toml'):
        check_examples([*few, *(msgspec.structs.replace(row, target="other") for row in few)], 1, scheme)


def test_the_words_of_text_and_target_stay_apart() -> None:
    union = tfidf_logistic.vectorizer("text+target+pairs")
    union.fit([joint.joined("No more guns, \ue001please", "Gun laws"), joint.joined("More rain", "")])
    names = set(union.get_feature_names_out())
    assert {"text__no more", "text__rain", "text__please", "target__\ue000gun", "pairs__\ue001laws\ue002guns"} <= names
    assert not any("gun" in name and name.startswith("text__") and "guns" not in name for name in names)
    assert not any(name.startswith("text__") and any(mark in name for mark in "\ue000\ue001\ue002") for name in names)


@pytest.mark.slow
@pytest.mark.parametrize(
    "labels",
    [["support", "undermine"], ["agree", "disagree", "discuss", "unrelated"], ["1", "2", "3", "4", "5"]],
    ids=["2", "4", "5"],
)
def test_any_scheme_is_trained_and_scored(labels: list[str], tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    rows = examples(labels, 60 * len(labels))
    path.write_text("\n".join(json.dumps(msgspec.to_builtins(row)) for row in rows), "utf-8")
    said = Run(tmp_path)("train", str(path), "--out", str(tmp_path / "model"))
    assert said.splitlines()[0].startswith(f"labels: {', '.join(labels)} (the data's own, ")
    metrics, model = read_metrics(tmp_path / "model"), load_model(tmp_path / "model")
    assert list(metrics.labels) == model.labels == labels
    assert metrics.scheme.scored == labels
    assert metrics.test.f_avg.value == pytest.approx(metrics.test.macro_f1.value)
    assert metrics.test.f_avg.value > metrics.test.majority.f_avg.value
    assert model.probabilities(["sign1"]).shape == (1, len(labels))
    assert model.predict([f"sign{n} sign{n}" for n in range(len(labels))]) == labels


@pytest.mark.slow
def test_a_joint_model_reads_targets_that_it_never_saw(tmp_path: Path) -> None:
    targets = [f"topic{n} tax" for n in range(12)]
    rows = examples(["yes", "no"], 240, targets, tests=targets[9:])
    settings = TrainSettings(targets="joint")
    done = train(rows, tmp_path, settings, scheme=labels_of(rows))
    assert done.metrics.cv.features in tfidf_logistic.JOINT
    assert set(done.metrics.test.by_seen) == {"seen", "unseen"}
    assert sum(row.n for row in done.metrics.test.by_seen.values()) == done.metrics.test.n
    assert any("holds whole targets apart" in note for note in done.analysis.notes)
    model = load_model(tmp_path)
    assert model.targets == sorted(targets[:9])
    assert model.predict(["sign0", "sign1"], ["a new one", "a new one"]) == ["yes", "no"]
    with pytest.raises(ExamplesError, match="trained on several targets: say which of topic0 tax, "):
        model.predict(["sign0"])


def test_a_project_begins_with_its_own_labels(tmp_path: Path) -> None:
    said = Run(tmp_path)("init", "new", "--labels", "support, deny,query,comment")
    assert "wrote" in said
    book = (tmp_path / "new" / "codebook.md").read_text("utf-8")
    assert [line[2:].split("`")[1] for line in book.splitlines() if line.startswith("| `")] == RUMOUR.names
    assert "favor" not in book
    assert read_labels("x", {"Deny": 1, "query": 1}, (), Scheme(names=RUMOUR.names)).spellings[0].label == "deny"
    write_project(tmp_path / "usual")
    assert (tmp_path / "usual" / "codebook.md").read_bytes() == template(DEFAULT)
    with pytest.raises(AssertionError, match="--labels: names: expected 2 to 9 labels"):
        Run(tmp_path)("init", "other", "--labels", "one")
    assert not (tmp_path / "other").exists()


@pytest.fixture(scope="module")
def four(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the finished project with four labels, settled, trained, predicted, published and reported."""
    project = tmp_path_factory.mktemp("four") / "project"
    shutil.copytree(finished, project)
    with (project / "stance.toml").open("a", encoding="utf-8") as file:
        file.write('[labels]\nnames = ["support", "deny", "query", "comment"]\nscored = ["support", "deny"]\n')
        file.write('[publish]\nlicence = "cc0-1.0"\n')
    shutil.rmtree(project / "work" / "model")
    path = table_path(project / "work", "annotations.jsonl")
    rows = read_jsonl(path, Annotation, "")
    names = dict(zip(DEFAULT.names, RUMOUR.names, strict=False))
    half = {row.sentence_id for row in rows if row.stance == DEFAULT.names[2] and int(row.sentence_id[:2], 16) % 2}
    renamed = [
        msgspec.structs.replace(
            row,
            stance=None if row.stance is None else "comment" if row.sentence_id in half else names[row.stance],
        )
        for row in rows
    ]
    write_jsonl(path, renamed)
    run = Run(project)
    for command in (["adjudicate"], ["train"], ["predict"], ["publish", "--allow-open"], ["report"]):
        run(*command)
    return project


@pytest.mark.slow
def test_a_project_of_four_labels_publishes_a_dataset_with_them(four: Path, tmp_path: Path) -> None:
    from datasets import load_dataset

    opened = load_dataset(str(four / "work" / "dataset"), "gold", cache_dir=str(tmp_path))
    assert opened["train"].features["label"].names == RUMOUR.names
    assert {row for part in opened.values() for row in part["label"]} == {0, 1, 2, 3}
    card = (four / "work" / "dataset" / "README.md").read_text("utf-8")
    assert "A label is `support`, `deny`, `query` or `comment`." in card
    assert "F_avg is the mean F1 of `support` and `deny`." in card
    loaded = read(four / "work" / "dataset")
    assert (loaded.labels.by, loaded.labels.scheme.names) == ("class_label", RUMOUR.names)
    for name in ("README.md", "croissant.json", "CHANGELOG.md"):
        assert "`favor`" not in (four / "work" / "dataset" / name).read_text("utf-8")


@pytest.mark.slow
def test_predictions_and_page_of_a_project_have_its_labels(four: Path, tmp_path: Path) -> None:
    work, scheme = four / "work", RUMOUR
    assert read_certainty(work, scheme).keys() == read_predictions(work, scheme).keys()
    metrics = read_metrics(work / "model")
    assert metrics.scored == scheme.scored
    page = (work / "report.html").read_text("utf-8")
    assert "the mean F1 of support and deny" in page
    assert ".label-4 {" in page
    assert "favor" not in page.partition('id="provenance"')[0].partition("</style>")[2]
    run = Run(four)
    run("predict", str(work / "model"), str(four / "news"), "--out", str(tmp_path / "archive"))
    counts = json.loads((tmp_path / "archive" / "manifest.json").read_text("utf-8"))["sentences"]
    assert list(counts) == scheme.names
    assert sum(counts.values()) == len(read_certainty(work, scheme))
    copy = tmp_path / "copy"
    shutil.copytree(four, copy)
    text = (copy / "stance.toml").read_text("utf-8")
    (copy / "stance.toml").write_text(text.replace('"comment"', '"remark"'), "utf-8")
    with pytest.raises(TableError, match=r"expected one of the labels of \[labels\]"):
        Run(copy)("adjudicate")
