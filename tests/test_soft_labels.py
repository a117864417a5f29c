"""Learning from votes: weighted copies, how votes are read, and the distances between probabilities and votes."""

from __future__ import annotations

import json
from math import lcm
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from scipy.spatial.distance import cityblock
from scipy.stats import entropy
from sklearn.linear_model import LogisticRegression

from corpus.errors import ExamplesError
from corpus.records import SENTENCES
from corpus.store import write_jsonl, write_table
from labeling.records import Verdict
from labeling.scheme import DEFAULT, Scheme
from tests.support.commands import run_command
from tests.support.examples import examples
from tests.support.labelled_texts import WORDS, made_up_examples, of_two_targets
from train.examples.from_verdicts import from_verdicts, keep_examples, plan_examples, read_examples
from train.examples.load import load_examples
from train.examples.soft_votes import check_votes, learnable
from train.input_digests import of_examples
from train.intervals import FEWEST
from train.model import files, tfidf_logistic
from train.model.counted_texts import Fits
from train.model.search import search
from train.model.soft_labels import copies, shares_of
from train.predict.cross_fit import refit
from train.predict.judge import open_model
from train.records import Example, Recipe, read_metrics
from train.settings import Settings, TrainSettings, told
from train.train_model import train
from train.vote_scores import FARTHEST, LEAST, distances

pytestmark = pytest.mark.usefixtures("searched_once")

LETTERS = Scheme(names=["one", "two", "three"])
RECIPE = Recipe(features="word", c=3.0, votes="soft")


def voted(examples: list[Example], seed: int = 0) -> list[Example]:
    """The examples with five votes each: four for their label in most cases, and one or two for another label."""
    random = np.random.default_rng(seed)
    rows = []
    for row in examples:
        others = [name for name in DEFAULT.names if name != row.label]
        few = int(random.integers(0, 3))
        votes = {row.label: 5 - few} | ({str(random.choice(others)): few} if few else {})
        rows.append(msgspec.structs.replace(row, votes=votes))
    return rows


# --- the fit

COUNTS = st.tuples(*[st.integers(0, 3)] * 3).filter(any)


@settings(max_examples=examples(40), deadline=None)
@given(st.lists(COUNTS, min_size=6, max_size=12), st.integers(0, 99))
def test_a_weighted_fit_is_the_fit_on_an_explicitly_duplicated_data_set(
    counts: list[tuple[int, int, int]], seed: int
) -> None:
    counts = [*counts, (1, 0, 0), (0, 1, 0), (0, 0, 1)]
    x = csr_matrix(np.random.default_rng(seed).random((len(counts), 5)).astype(np.float32))
    table = np.array(counts, dtype=float)
    shares = table / table.sum(axis=1, keepdims=True)
    times = lcm(*(sum(row) for row in counts))
    places = [(n, label) for n, row in enumerate(counts) for label in range(3) for _ in range(row[label])]
    repeated = [place for place in places for _ in range(times // sum(counts[place[0]]))]
    with tfidf_logistic.calm():
        soft = tfidf_logistic.classifier(3.0)
        tfidf_logistic.fit_logistic(soft, *copies(x, np.array(["one"] * len(counts)), shares, LETTERS))
        labels = np.array([LETTERS.names[label] for _, label in repeated])
        # In double precision: single precision adds up thousands of rows too coarsely for a small C.
        plain = LogisticRegression(C=3.0 / times, class_weight="balanced", solver="newton-cg", tol=1e-8, max_iter=500)
        plain.fit(x[[n for n, _ in repeated]].astype(np.float64), labels)
    assert soft.classes_.tolist() == plain.classes_.tolist()
    assert soft.coef_ == pytest.approx(plain.coef_, abs=1e-3)
    assert soft.predict_proba(x) == pytest.approx(plain.predict_proba(x), abs=1e-3)


def test_a_fit_on_votes_that_all_agree_is_the_fit_on_labels() -> None:
    examples = made_up_examples()
    alike = [msgspec.structs.replace(row, votes={row.label: 3}) for row in examples]
    texts = [row.text for row in examples]
    hard, soft = (tfidf_logistic.fit(RECIPE, rows).probabilities(texts) for rows in (examples, alike))
    assert soft == pytest.approx(hard, abs=1e-4)


def test_votes_change_the_probabilities_toward_their_shares() -> None:
    examples = voted(made_up_examples())
    plain = [msgspec.structs.replace(row, votes={}) for row in examples]
    texts, shares = [row.text for row in examples], shares_of(examples, DEFAULT)
    assert shares is not None
    hard, soft = (tfidf_logistic.fit(RECIPE, rows).probabilities(texts) for rows in (plain, examples))
    assert np.abs(soft - shares).sum() < 0.9 * np.abs(hard - shares).sum()


def test_copies_do_not_change_how_frequent_a_word_is() -> None:
    examples = voted(made_up_examples())
    plain = [msgspec.structs.replace(row, votes={}) for row in examples]
    soft, hard = (tfidf_logistic.fit(RECIPE, rows).pipelines["t"]["tfidf"] for rows in (examples, plain))
    assert soft.transform(["harvest war"]).toarray() == pytest.approx(hard.transform(["harvest war"]).toarray())


@pytest.mark.parametrize("features", ["word", "char"])  # the second is fitted on the texts' products
def test_cross_validation_fits_the_same_models_from_votes(features: str) -> None:
    examples = [msgspec.structs.replace(row, split="train") for row in voted(made_up_examples())]
    seen, held = examples[:120], examples[120:]
    recipe = msgspec.structs.replace(RECIPE, features=features)
    fitted = tfidf_logistic.fit(recipe, seen).probabilities([row.text for row in held])
    assert Fits(recipe, examples)(seen, held) == [DEFAULT.names[n] for n in fitted.argmax(axis=1)]
    assert Fits(recipe, examples).probabilities(seen, held) == pytest.approx(fitted, abs=1e-4)


def test_the_search_learns_from_votes_and_keeps_the_copies_of_an_example_in_one_fold() -> None:
    examples = made_up_examples()
    # All votes of group g0 are for another label than the words say: only folds that have seen them could know it.
    wrong = {"favor": "none", "none": "against", "against": "favor"}
    rows = [
        msgspec.structs.replace(row, votes={wrong[row.label] if row.group == "g0" else row.label: 3})
        for row in examples
    ]
    found = search(rows, seed=1, features=("word",), all_folds=True)
    mine = [n for n, row in enumerate(rows) if row.group == "g0"]
    given = [DEFAULT.names[n] for n in found.out_of_fold[mine].argmax(axis=1)]
    assert sum(label == wrong[rows[n].label] for n, label in zip(mine, given, strict=True)) <= 1
    assert len(found.out_of_fold) == len(rows)


# --- which votes count


def test_votes_for_a_label_without_a_verdict_are_left_out_and_counted() -> None:
    rows = [
        Example(sentence_id="1", text="a", label="favor", votes={"favor": 2, "none": 1}, split="train"),
        Example(sentence_id="2", text="b", label="against", votes={"against": 3}, split="train"),
        Example(sentence_id="3", text="c", label="favor", split="train"),
        Example(sentence_id="4", text="d", label="favor", votes={"favor": 2, "none": 1}, split="test"),
    ]
    found = learnable(rows)
    assert [row.votes for row in found.examples] == [{"favor": 2}, {"against": 3}, {}, {"favor": 2, "none": 1}]
    assert found.notes[0].startswith("2 of 3 training examples have three votes or more")
    assert found.notes[1].endswith("were left out: none 1")
    lost = [Example(sentence_id="5", text="e", label="favor", split="train", votes={"deny": 1, "query": 2, "favor": 1})]
    assert learnable(lost, Scheme(names=["query", "favor", "deny"])).notes[1].endswith("left out: query 2, deny 1")


def test_without_three_votes_there_is_nothing_to_learn_from() -> None:
    with pytest.raises(ExamplesError, match=r'votes = "soft" .*3 votes or more; found none among 144'):
        check_votes(made_up_examples())
    with pytest.raises(ExamplesError, match='set votes = "hard"'):
        train(made_up_examples(), Path("nowhere"), TrainSettings(votes="soft"))


# --- reading votes

FORMS: dict[str, Any] = {
    "list": ["pro", "Favor", "none"],
    "people": {"ann": "pro", "bo": "favor", "cy": "none", "di": None},
    "numbers": {"favor": 2, "none": 1, "against": None},
    "published": [
        {"annotator": name, "stance": label} for name, label in zip("abc", ["pro", "pro", "none"], strict=True)
    ],
    "text": "pro; favor; none",
    "json": '["pro", "favor", "none"]',
}


@pytest.mark.parametrize("form", FORMS)
def test_votes_are_read_in_every_form(tmp_path: Path, form: str) -> None:
    path = tmp_path / "data.jsonl"
    rows = [{"text": "one", "label": "pro", "votes": FORMS[form]}, {"text": "two", "label": "against", "votes": None}]
    rows += [{"text": "three", "label": "none", "votes": "none, none"}]
    path.write_text("\n".join(map(json.dumps, rows)))
    assert [row.votes for row in load_examples(path, "soft")] == [{"favor": 2, "none": 1}, {}, {}]
    assert [row.votes for row in load_examples(path)] == [{}, {}, {}]


def test_votes_for_unknown_labels_are_one_error(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("text,label,votes\none,favor,favor;favor;none\ntwo,none,none;nonne;none\n")
    with pytest.raises(
        ExamplesError, match=r"data.csv: the votes of row 2: found 'nonne', which is none of the labels"
    ):
        load_examples(path, "soft")
    path.write_text("text,label\none,favor\ntwo,none\n")
    with pytest.raises(ExamplesError, match="needs a column votes; found text, label"):
        load_examples(path, "soft")
    path.write_text('text,label,votes\none,favor,"{""favor"": 1.5, ""none"": 2}"\ntwo,none,\n')
    with pytest.raises(ExamplesError, match=r"row 1: found 1\.5 votes"):
        load_examples(path, "soft")


# --- distances


def test_distances_are_those_computed_by_hand() -> None:
    shares, chances = np.array([[2 / 3, 0, 1 / 3], [0, 1, 0]]), np.array([[0.5, 0.25, 0.25], [0, 1, 0]])
    found = distances(shares, chances, ["a", "b"], seed=1)
    by_hand = -(2 / 3 * np.log(0.5) + 1 / 3 * np.log(0.25)) / 2
    assert found.cross_entropy.value == pytest.approx(by_hand)
    assert found.manhattan.value == pytest.approx((1 / 6 + 1 / 4 + 1 / 12) / 2)
    assert (found.manhattan.low, found.manhattan.high) == (0, 2)  # two groups: nothing is known
    assert (found.cross_entropy.low, found.cross_entropy.high) == (0, FARTHEST[0])


def test_a_vote_that_was_thought_impossible_costs_much_but_not_infinitely_much() -> None:
    found = distances(np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]]), ["a"], seed=1)
    assert found.cross_entropy.value == pytest.approx(-np.log(LEAST))
    assert found.manhattan.value == 2


@given(st.integers(1, 30), st.integers(2, 5), st.integers(0, 99))
def test_distances_are_those_of_scipy(n: int, labels: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    shares, chances = random.dirichlet(np.ones(labels), n), random.dirichlet(np.ones(labels), n)
    found = distances(shares, chances, [str(n % 7) for n in range(n)], seed=1)
    crossed = [entropy(q) + entropy(q, p) for q, p in zip(shares, chances, strict=True)]
    assert found.cross_entropy.value == pytest.approx(np.mean(crossed))
    assert found.manhattan.value == pytest.approx(np.mean(list(map(cityblock, shares, chances))))


def test_intervals_of_distances_draw_groups() -> None:
    random = np.random.default_rng(0)
    shares = random.dirichlet(np.ones(3), 20)
    chances = random.dirichlet(np.ones(3), 20)
    alone = distances(shares, chances, [str(n) for n in range(20)], seed=1)
    tenfold = distances(
        np.repeat(shares, 10, axis=0), np.repeat(chances, 10, axis=0), [str(n // 10) for n in range(200)], seed=1
    )
    assert tenfold.manhattan.value == pytest.approx(alone.manhattan.value)
    assert tenfold.manhattan.low < tenfold.manhattan.value < tenfold.manhattan.high
    # Ten copies of an example in one group say no more than one of them.
    assert tenfold.manhattan.high - tenfold.manhattan.low > 0.5 * (alone.manhattan.high - alone.manhattan.low)
    few = distances(shares, chances, [str(n % (FEWEST - 1)) for n in range(20)], seed=1)
    assert (few.manhattan.low, few.manhattan.high) == (0, 2)


# --- the whole training


@pytest.mark.parametrize("targets", [pytest.param("each", marks=pytest.mark.slow), "joint"])
def test_training_on_votes_measures_the_distance_to_them(tmp_path: Path, targets: Literal["each", "joint"]) -> None:
    examples = voted(of_two_targets())
    done = train(examples, tmp_path / "soft", TrainSettings(votes="soft", targets=targets))
    plain = train(examples, tmp_path / "hard", TrainSettings(targets=targets))
    votes = done.metrics.test.votes
    assert votes is not None
    assert plain.metrics.test.votes is None
    assert votes.n == done.metrics.test.n
    assert votes.cross_entropy.low < votes.cross_entropy.value < votes.cross_entropy.high
    assert votes.entropy < votes.cross_entropy.value < votes.constant.cross_entropy.value
    assert votes.manhattan.value < votes.constant.manhattan.value
    assert any("are learned by the shares of their votes" in note for note in done.analysis.notes)
    assert files.load_model(tmp_path / "soft").recipe.votes == "soft"
    card = json.loads((tmp_path / "hard" / "model.json").read_text())
    assert set(card["recipe"]) == {"features", "c"}
    assert "votes" not in json.loads((tmp_path / "hard" / "metrics.json").read_text())["test"]
    assert (tmp_path / "hard" / "model.skops").read_bytes() != (tmp_path / "soft" / "model.skops").read_bytes()


def test_by_default_votes_change_no_file(tmp_path: Path) -> None:
    examples = made_up_examples()
    train(examples, tmp_path / "without", TrainSettings())
    train(voted(examples), tmp_path / "with", TrainSettings())
    for name in ("model.skops", "model.json", "metrics.json", "analysis.json", "predictions.parquet"):
        assert (tmp_path / "with" / name).read_bytes() == (tmp_path / "without" / name).read_bytes()
    assert of_examples(voted(examples), TrainSettings(votes="soft")) != of_examples(examples, TrainSettings())
    assert "votes" not in told(Settings())["train"]


def test_the_command_learns_from_a_column_of_votes(project: Path) -> None:
    rows = [
        {
            "text": row.text,
            "label": row.label,
            "group": row.group,
            "votes": [k for k, n in row.votes.items() for _ in range(n)],
        }
        for row in voted(made_up_examples())
    ]
    (project / "data.jsonl").write_text("\n".join(map(json.dumps, rows)))
    settings = (project / "stance.toml").read_text()
    (project / "stance.toml").write_text(settings + '\n[train]\nvotes = "soft"\n')
    said = run_command(project, "train", "data.jsonl", "--out", "model")
    assert "votes    cross-entropy 0." in said
    assert "to the votes for" in said
    assert read_metrics(project / "model").test.votes is not None


def test_a_projects_votes_are_kept_with_the_examples(tmp_path: Path) -> None:
    columns: dict[str, list[Any]] = {field.name: [""] * 12 for field in SENTENCES}
    columns |= {name: [0] * 12 for name in ("index", "start", "end")}
    columns |= {name: [f"s{n:02}" for n in range(12)] for name in ("sentence_id", "text", "copy_id", "cluster_id")}
    columns |= {"article_id": [f"a{n}" for n in range(12)]}
    write_table(tmp_path / "sentences.parquet", pa.table(columns, schema=SENTENCES))
    votes = {"A1": "favor", "A2": "favor", "A3": "none"}
    verdicts = [Verdict(sentence_id=f"s{n:02}", stance="favor", how="majority", votes=votes) for n in range(11)]
    verdicts += [Verdict(sentence_id="s11", stance="none", how="adjudicated", votes={"A1": "favor", "A2": "none"})]
    write_jsonl(tmp_path / "verdicts.jsonl", verdicts)
    soft = TrainSettings(votes="soft")
    plan = plan_examples(tmp_path, "t", soft)
    keep_examples(tmp_path, plan, soft)
    assert read_examples(tmp_path) == plan.examples
    assert [row.votes for row in plan.examples] == [{"favor": 2, "none": 1}] * 11 + [{}]
    from_verdicts(tmp_path, "t", TrainSettings())
    assert all(not row.votes for row in read_examples(tmp_path))


@pytest.mark.parametrize("votes", ["soft", "hard"])
def test_models_of_folds_learn_as_the_model_does(tmp_path: Path, votes: Literal["hard", "soft"]) -> None:
    examples = voted(made_up_examples())
    texts = [" ".join(words) for words in WORDS.values()]
    recipe = msgspec.structs.replace(RECIPE, votes=votes)
    rows = [row if votes == "soft" else msgspec.structs.replace(row, votes={}) for row in examples]
    files.save(tfidf_logistic.fit(recipe, rows), tmp_path)
    expected = tfidf_logistic.fit(recipe, rows).probabilities(texts)
    assert refit(open_model(tmp_path, "t"), examples, DEFAULT).chances(texts) == pytest.approx(expected, abs=1e-4)
