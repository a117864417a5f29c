"""The search, the fit, several targets, the model files, and what a model goes by."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import joblib
import msgspec
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import Pipeline

from corpus.errors import ExamplesError
from labeling.scheme import DEFAULT, Stance
from tests.support.examples import examples
from tests.support.labelled_texts import WORDS, made_up_examples, of_two_targets
from train.metrics import f_avg
from train.model import counted_texts, files, search, tfidf_logistic
from train.model.explain import explain, strongest
from train.model.mask import masked
from train.records import Example, Recipe, read_metrics
from train.settings import TrainSettings
from train.train_model import train

FAST = Recipe(features="word", c=3.0)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A search over one recipe, for tests of what comes after it."""
    monkeypatch.setattr(search, "FEATURES", ("word",))
    monkeypatch.setattr(search, "PENALTIES", (3.0,))


# --- the search


@pytest.mark.parametrize("features", tfidf_logistic.FEATURES)
def test_folds_see_exactly_the_features_of_a_pipeline_fitted_there(features: str) -> None:
    texts = [row.text for row in made_up_examples(groups=8)] + ["", "!", "Ünï x", "a  b\nc"]
    cut = (np.arange(0, len(texts), 2), np.arange(1, len(texts), 2))
    seen, unseen = counted_texts.weighted(counted_texts.counted(features, "t", texts), cut)
    union = tfidf_logistic.vectorizer(features)
    wanted = union.fit_transform([texts[n] for n in cut[0]])
    asked = union.transform([texts[n] for n in cut[1]])
    assert seen.shape == wanted.shape
    # The columns stand in another order: all products of texts are the same.
    assert abs(seen @ seen.T - wanted @ wanted.T).max() < 1e-5
    assert abs(unseen @ seen.T - asked @ wanted.T).max() < 1e-5
    assert abs(unseen @ unseen.T - asked @ asked.T).max() < 1e-5


@given(st.lists(st.lists(st.integers(0, 3), min_size=6, max_size=6), min_size=1, max_size=8))
def test_the_compact_basis_loses_nothing(rows: list[list[int]]) -> None:
    x = csr_matrix(np.array(rows, dtype=np.float64))
    x.eliminate_zeros()
    basis = tfidf_logistic.compact(x).toarray()
    assert basis.T @ basis == pytest.approx(np.eye(basis.shape[1]))
    assert x @ basis @ basis.T == pytest.approx(x.toarray())
    assert basis.shape[1] == len(set(map(tuple, x.T.toarray().tolist())))


@pytest.mark.parametrize("wide", [0, 1e9], ids=["by products of texts", "by n-grams"])
@pytest.mark.parametrize("features", ["word", "char_wb+word"])
def test_every_model_of_the_search_is_the_one_that_a_fit_from_scratch_gives(
    features: str, wide: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counted_texts, "WIDE", wide)
    # The trap: newton-cg, warm-started at its default tolerance, returns the model of the C before, silently.
    rows = made_up_examples()
    texts, labels = [row.text for row in rows], np.array([row.label for row in rows])
    cuts = list(GroupKFold(3).split(texts, labels, [row.group for row in rows]))
    found = list(counted_texts.chances(counted_texts.counted(features, "t", texts), labels, cuts, search.PENALTIES, 2))
    for (seen, held), given_ in zip(cuts, found, strict=True):
        for c, probabilities in zip(search.PENALTIES, given_, strict=True):
            exact = Pipeline(
                [
                    ("tfidf", tfidf_logistic.vectorizer(features)),
                    ("logistic", LogisticRegression(C=c, class_weight="balanced", tol=1e-9, max_iter=9999)),
                ]
            )
            exact.fit([texts[n] for n in seen], labels[seen])
            order = [list(exact.classes_).index(stance) for stance in DEFAULT.names]
            wanted = exact.predict_proba([texts[n] for n in held])[:, order]
            assert probabilities == pytest.approx(wanted, abs=2e-3)


@given(st.lists(st.lists(st.integers(0, 3), min_size=9, max_size=9), min_size=1, max_size=6))
def test_texts_in_coordinates_of_their_products_are_the_same_texts(rows: list[list[int]]) -> None:
    x = csr_matrix(np.array([*rows, rows[0]], dtype=np.float32))  # one stands twice
    if not x.nnz:
        return
    found = counted_texts.Product(x[:, np.argsort(-np.bincount(x.indices, minlength=9), kind="stable")])
    assert found.texts @ found.texts.T == pytest.approx((x @ x.T).toarray(), abs=1e-3)
    turned = np.arange(1.0, found.texts.shape[1] + 1)[None] / 7
    again = counted_texts.Product(x).weights(turned)
    assert x @ again.T == pytest.approx(counted_texts.Product(x).texts @ turned.T, abs=1e-2)


@pytest.mark.parametrize("features", ["word", "char_wb+word"])
def test_fits_on_shared_counts_judge_as_fits_from_scratch(features: str) -> None:
    rows = [*of_two_targets(), msgspec.structs.replace(made_up_examples()[0], target="never trained on")]
    recipe = Recipe(features=features, c=3.0)
    seen = [row for n, row in enumerate(rows[:-1]) if n % 3]
    asked = [row for n, row in enumerate(rows) if not n % 3 or n == len(rows) - 1]
    model = tfidf_logistic.fit(recipe, seen)
    wanted = tfidf_logistic.probabilities(model, [row.text for row in asked], [row.target for row in asked])
    with tfidf_logistic.calm():
        found = counted_texts.Fits(recipe, rows).probabilities(seen, asked)
    assert found == pytest.approx(wanted, abs=2e-3)


@pytest.mark.parametrize("features", tfidf_logistic.FEATURES)
def test_a_model_has_the_vectorizers_that_scikit_learn_would_have_fitted(features: str) -> None:
    rows = [
        *made_up_examples(groups=6),
        Example(sentence_id="x", text="Ünï\u2003x  a\nb İ ⅷ 👩‍🚀 \U00010400", label="none"),
    ]
    rows = [msgspec.structs.replace(row, target="t") for row in rows]
    pipeline = tfidf_logistic.fit(Recipe(features=features, c=1.0), rows).pipelines["t"]
    union = tfidf_logistic.vectorizer(features)
    wanted = union.fit_transform([row.text for row in rows])
    assert abs(pipeline["tfidf"].transform([row.text for row in rows]) - wanted).max() == 0
    for (_, ours), (_, theirs) in zip(pipeline["tfidf"].transformer_list, union.transformer_list, strict=True):
        assert ours.vocabulary_ == theirs.vocabulary_
        assert (ours.idf_ == theirs.idf_).all()
        assert ours.get_feature_names_out().tolist() == theirs.get_feature_names_out().tolist()


@pytest.mark.slow
def test_the_search_is_scored_on_probabilities_that_never_saw_the_group() -> None:
    # Each group's label is written in a word of its own: out of fold nobody can know it.
    random = np.random.default_rng(0)
    rows = [
        Example(
            sentence_id=f"{g}-{n}",
            text=f"secret{g} secret{g} {random.choice(['a', 'b'])}",
            label=DEFAULT.names[g % 3],
            group=f"g{g}",
        )
        for g in range(30)
        for n in range(4)
    ]
    found = search.search(rows, seed=1)
    assert found.out_of_fold.shape == (120, 3)
    assert found.out_of_fold.sum(axis=1) == pytest.approx(np.ones(120))
    labels = [row.label for row in rows]
    assert f_avg(labels, [DEFAULT.names[n] for n in found.out_of_fold.argmax(axis=1)]) < 0.6


@pytest.mark.slow
def test_the_trial_chosen_is_the_one_of_the_probabilities_returned() -> None:
    rows = made_up_examples()
    found = search.search(rows, seed=1)
    assert len(found.trials) == len(tfidf_logistic.FEATURES) * len(search.PENALTIES)
    assert [trial.f_avg for trial in found.trials] == sorted((trial.f_avg for trial in found.trials), reverse=True)
    labels = [row.label for row in rows]
    given_ = [DEFAULT.names[n] for n in found.out_of_fold.argmax(axis=1)]
    assert f_avg(labels, given_) == pytest.approx(found.trials[0].f_avg, abs=0.02)  # of means over repeats


@pytest.mark.slow
def test_equally_good_recipes_give_the_simplest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "f_avg", lambda *_: 0.5)
    monkeypatch.setattr(search, "macro_f1", lambda *_: 0.5)
    best = search.search(made_up_examples(), seed=1).trials[0].recipe
    assert best == Recipe(features=tfidf_logistic.FEATURES[0], c=search.PENALTIES[0])


def test_a_fit_that_stops_early_is_refused_even_where_the_solver_is_content(monkeypatch: pytest.MonkeyPatch) -> None:
    for more in ({"max_iter": 1}, {"tol": 0.1}):
        monkeypatch.setattr(tfidf_logistic, "classifier", lambda c, more=more: LogisticRegression(C=c, **more))
        with pytest.raises(ExamplesError, match="did not converge: expected a slope of at most 4e-06, found"):
            tfidf_logistic.fit(FAST, made_up_examples())


def test_the_slope_is_zero_at_the_optimum_and_the_derivative_elsewhere() -> None:
    rows = made_up_examples()
    x = tfidf_logistic.vectorizer("word").fit_transform([row.text for row in rows]).astype(np.float64)
    y = np.array([row.label for row in rows])
    model = LogisticRegression(C=2.0, class_weight="balanced", solver="newton-cg", tol=1e-10, max_iter=999).fit(x, y)
    assert tfidf_logistic.slope(model, x, y) < 1e-9
    model.intercept_ = model.intercept_ + np.array([0.3, 0.0, -0.3])
    weight = np.array([len(y) / 3 / (y == label).sum() for label in y])

    def loss(push: float) -> float:
        chances = np.exp(model.decision_function(x) + np.array([push, 0, 0]))
        chances /= chances.sum(axis=1, keepdims=True)
        hit = chances[np.arange(len(y)), np.searchsorted(model.classes_, y)]
        return float(-(weight * np.log(hit)).sum() / weight.sum())

    assert tfidf_logistic.slope(model, x, y) >= abs(loss(1e-5) - loss(-1e-5)) / 2e-5 - 1e-6 > 0.01


# --- several targets


def test_each_target_has_its_own_model(tmp_path: Path, quick: None) -> None:
    metrics = train(of_two_targets(), tmp_path, TrainSettings()).metrics
    assert set(metrics.test.by_target) == {"t", "u"}
    assert min(score.f_avg for score in metrics.test.by_target.values()) > 0.7  # one model for both would be at chance
    assert metrics.test.mean_f_avg == pytest.approx(np.mean([score.f_avg for score in metrics.test.by_target.values()]))
    assert sum(score.n for score in metrics.test.by_target.values()) == metrics.test.n
    assert "on a target that is not among the 2 trained on" in metrics.warnings[0]
    assert read_metrics(tmp_path) == metrics
    model = files.load_model(tmp_path)
    texts = ["send soldiers now brave"] * 2
    chances = tfidf_logistic.probabilities(model, texts, ["t", "u"])
    assert [DEFAULT.names[n] for n in chances.argmax(axis=1)] == ["favor", "against"]
    assert tfidf_logistic.probabilities(model, texts[:1], ["other"])[0] == pytest.approx(chances.mean(axis=0))
    assert model.unseen(["t", "other", "other"]) == ["other"]
    with pytest.raises(ExamplesError, match="say which of t, u"):
        tfidf_logistic.probabilities(model, texts)


def test_targets_in_the_test_split_alone_are_scored_and_warned_of(tmp_path: Path, quick: None) -> None:
    rows = [msgspec.structs.replace(row, split="test" if row.target == "u" else "train") for row in of_two_targets()]
    metrics = train(rows, tmp_path, TrainSettings()).metrics
    assert metrics.warnings == [f"{metrics.test.n} test examples are toward targets never seen in training: u."]
    assert metrics.test.f_avg.value < 0.4


MOST: list[tuple[str, Stance]] = [("t", "favor"), ("u", "against")]


def test_the_majority_is_each_targets_most_frequent_training_label(tmp_path: Path, quick: None) -> None:
    rows = [
        Example(
            sentence_id=f"{target}{n}",
            text=f"{label} word{n % 7}",
            label=label,
            target=target,
            group=f"{target}{n}",
            split=split,
        )
        for target, most in MOST
        for split in ("train", "test")
        for n, label in enumerate([most] * 20 + [stance for stance in DEFAULT.names if stance != most] * 10)
    ]
    metrics = train(rows, tmp_path, TrainSettings()).metrics
    assert metrics.test.majority.accuracy.value == 0.5
    assert metrics.test.majority.f_avg.value == pytest.approx(2 * 20 / (40 + 30))


@pytest.mark.slow
def test_semeval_2016_through_the_plain_command(shared: Path, tmp_path: Path) -> None:
    from click.testing import CliRunner

    from stance.command_line import cli

    data = str(shared / "data" / "semeval2016_task6" / "examples.jsonl")
    result = CliRunner().invoke(cli, ["train", data, "--out", str(tmp_path)], catch_exceptions=False)
    assert result.exit_code == 0
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics["test"]["majority"]["f_avg"]["value"] == pytest.approx(0.6522, abs=5e-5)
    assert metrics["cv"]["f_avg"] >= 0.685
    assert metrics["test"]["f_avg"]["value"] >= 0.66


# --- data that nothing can be learned from


def _row(n: int, text: str, label: str, group: int | None = None, split: str = "train") -> Example:
    return msgspec.convert(
        {
            "sentence_id": str(n),
            "text": text,
            "label": label,
            "group": f"g{n if group is None else group}",
            "split": split,
        },
        Example,
    )


def _thirty(text: Callable[[int], str], size: int = 45) -> list[Example]:
    rows = [_row(n, text(n), DEFAULT.names[n % 3]) for n in range(size)]
    return rows + [_row(1000 + n, text(n), DEFAULT.names[n % 3], split="test") for n in range(6)]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (_thirty(lambda n: ""), "all 45 training texts are the same, ''"),
        (_thirty(lambda n: "Same words."), "all 45 training texts are the same, 'Same words.'"),
        (_thirty(lambda n: " " * n), "hold no word or characters to learn from"),
        (_thirty(lambda n: "." * (1 + n % 5)), "hold no word or characters to learn from"),
        (_thirty(lambda n: "words" if n == 0 else "?" * n), "hold no word or characters to learn from"),
        ([_row(n, f"w{n}", "favor", split="test" if n < 9 else "train") for n in range(60)], "all of them favor"),
        (_thirty(lambda n: f"w{n}") + [_row(n, "x", "none", split="test") for n in range(3)], ""),
        ([_row(n, f"w{n}", DEFAULT.names[n % 2 if n > 1 else 2], split="train") for n in range(60)], "found none 2"),
        ([_row(n, f"w{n}", DEFAULT.names[n % 3], n % 2) for n in range(60)], "needs 5, found 2"),
        ([_row(n, f"w{n}", DEFAULT.names[n % 3]) for n in range(10)], "at least 10 training examples"),
        (
            [_row(n, f"w{n}", "none" if n < 12 else DEFAULT.names[n % 2], 0 if n < 12 else n) for n in range(60)]
            + [_row(99, "w", "favor", split="test")],
            "cannot hold none apart: its 12 training examples stand in 1 groups",
        ),
        ([_row(n, f"w{n}", DEFAULT.names[n % 3]) for n in range(60)], "no example is in the test split"),
        (of_two_targets(2), "none of the 2 targets has enough .* of 't': too few labels"),
    ],
)  # fmt: skip
def test_hopeless_data_is_one_clear_error(tmp_path: Path, rows: list[Example], message: str, quick: None) -> None:
    if not message:
        train(rows, tmp_path / "model", TrainSettings())
        return
    with pytest.raises(ExamplesError, match=message):
        train(rows, tmp_path / "model", TrainSettings())
    assert not (tmp_path / "model").exists()


@pytest.mark.slow
def test_odd_data_gives_a_sensible_model_and_no_nan(tmp_path: Path) -> None:
    odd = ["", " ", "\n", "\x00", "a\x00", "ab\x00", "\ud800", "İİ", "x" * 5000, "1", "é" * 3, "🙂🙂", "!?"]
    rows = _thirty(lambda n: odd[n % len(odd)] + (" send it" if n % 3 == 0 else " never" if n % 3 == 1 else ""), 78)
    metrics = train(rows, tmp_path, TrainSettings()).metrics
    found = msgspec.json.encode(metrics)
    assert b"null" not in found
    model = files.load_model(tmp_path)
    chances = tfidf_logistic.probabilities(model, [*odd, "nothing it knows"])
    assert np.isfinite(chances).all()
    assert chances.sum(axis=1) == pytest.approx(np.ones(len(odd) + 1))
    assert tfidf_logistic.probabilities(model, []).shape == (0, 3)


def test_many_more_features_than_rows_are_no_trouble() -> None:
    random = np.random.default_rng(0)
    rows = [
        _row(n, " ".join(f"w{k}" for k in random.integers(0, 10**6, 2500)), DEFAULT.names[n % 3]) for n in range(30)
    ]
    model = tfidf_logistic.fit(Recipe(features="word", c=10.0), rows)
    assert len(model.pipelines[""]["tfidf"].get_feature_names_out()) > 10**5
    chances = tfidf_logistic.probabilities(model, [row.text for row in rows])
    assert [DEFAULT.names[n] for n in chances.argmax(axis=1)] == [row.label for row in rows]


# --- masked mentions


def test_masking_tells_the_sides_of_the_mention_apart(tmp_path: Path, quick: None) -> None:
    # Who did it to whom: the same words, and only the side of the mention tells.
    sides = {"favor": "[T]Ada{n}[/T] helps Bo", "against": "Bo helps [T]Ada{n}[/T]", "none": "Bo met [T]Ada{n}[/T]"}
    rows = _thirty(lambda n: sides[DEFAULT.names[n % 3]].replace("{n}", str(n)))
    metrics = train(rows, tmp_path, TrainSettings(mask=True)).metrics
    assert metrics.test.accuracy.value == 1.0
    model = files.load_model(tmp_path)
    texts = ["[T]Zoe[/T] helps Bo", "Bo helps [T]Zoe[/T]"]
    chances = tfidf_logistic.probabilities(model, texts)
    assert [DEFAULT.names[n] for n in chances.argmax(axis=1)] == ["favor", "against"]
    assert [piece for piece, _ in explain(model, texts[0])] == ["targetmention", "helps", "Bo", "helps_r", "bo_r"]
    assert "helps_l" in dict(strongest(model, rows, 20)[""]["against"])


@given(st.text(max_size=20), st.text(max_size=10), st.text(max_size=20))
def test_masking_twice_is_masking_once_and_unmarked_texts_stay(before: str, mention: str, after: str) -> None:
    once = masked(f"{before}[T]{mention}[/T]{after}")
    assert masked(once) == once
    assert masked(before) == before


def test_masking_without_a_marked_mention_says_how_to_mark_one(tmp_path: Path) -> None:
    with pytest.raises(ExamplesError, match=r"write \[T\] before it and \[/T\] after it"):
        train(made_up_examples(), tmp_path, TrainSettings(mask=True))


# --- the model files


@pytest.mark.parametrize("rows", [made_up_examples(), of_two_targets()], ids=["one target", "two targets"])
@pytest.mark.parametrize("features", tfidf_logistic.FEATURES)
def test_saved_models_judge_as_before(tmp_path: Path, rows: list[Example], features: str) -> None:
    model = tfidf_logistic.fit(Recipe(features=features, c=1.0), rows)
    assert files.save(model, tmp_path) == [True] * 3
    assert files.save(tfidf_logistic.fit(model.recipe, rows), tmp_path) == [False] * 3
    texts, targets = [row.text for row in rows], [row.target for row in rows]
    before = tfidf_logistic.probabilities(model, texts, targets)
    for trust in (False, True):
        opened = files.load_model(tmp_path, trust=trust)
        assert opened.recipe == model.recipe
        assert (tfidf_logistic.probabilities(opened, texts, targets) == before).all()


@pytest.mark.slow
def test_two_processes_write_the_same_bytes(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from tests.support.labelled_texts import of_two_targets; "
        "from train.model import files, tfidf_logistic; from train.records import Recipe; "
        "files.save(tfidf_logistic.fit(Recipe(features='char_wb+word', c=1.0), of_two_targets()), Path(sys.argv[1]))"
    )
    for name in "abc":  # memory addresses differ, mostly
        subprocess.run([sys.executable, "-c", code, str(tmp_path / name)], check=True, cwd=Path(__file__).parent.parent)
    for file in ("model.skops", "model.joblib", "model.json"):
        assert len({(tmp_path / name / file).read_bytes() for name in "abc"}) == 1, file


def test_ngrams_that_an_array_would_change_survive(tmp_path: Path) -> None:
    rows = [
        _row(n, "ab\0 ab" if n % 3 == 0 else "ab b\0" if n % 3 == 1 else "ab b", DEFAULT.names[n % 3])
        for n in range(30)
    ]
    model = tfidf_logistic.fit(Recipe(features="char", c=3.0), rows)
    files.save(model, tmp_path)
    texts = [row.text for row in rows]
    assert (
        tfidf_logistic.probabilities(files.load_model(tmp_path), texts) == tfidf_logistic.probabilities(model, texts)
    ).all()


def test_the_joblib_file_opens_without_this_package(tmp_path: Path) -> None:
    files.save(tfidf_logistic.fit(FAST, of_two_targets()), tmp_path)
    (tmp_path / "model.skops").unlink()
    code = (
        "import joblib, sys; models = joblib.load(sys.argv[1]); "
        "print([type(one).__module__ for one in models.values()], models['u'].predict(['send soldiers now'])[0]); "
        "assert not {'corpus', 'labeling', 'train', 'msgspec'} & set(sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-W", "error", "-c", code, str(tmp_path / "model.joblib")],
        capture_output=True, text=True, check=True, cwd=tmp_path,
    )  # fmt: skip
    assert done.stdout.split("] ") == ["['sklearn.pipeline', 'sklearn.pipeline'", "against\n"]


def test_other_users_can_open_the_skops_file_with_skops_alone(tmp_path: Path) -> None:
    import skops.io

    model = tfidf_logistic.fit(Recipe(features="char_wb+word", c=1.0), made_up_examples())
    files.save(model, tmp_path)
    assert skops.io.get_untrusted_types(file=tmp_path / "model.skops") == []
    texts = [row.text for row in made_up_examples()]
    opened = skops.io.load(tmp_path / "model.skops")
    assert (opened.predict_proba(texts) == model.pipelines["t"].predict_proba(texts)).all()


class _Planted:
    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return Path.write_text, (Path("ran"), "x")  # type: ignore[return-value]


def test_a_joblib_file_is_not_unpickled_unless_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    files.save(tfidf_logistic.fit(FAST, made_up_examples()), tmp_path)
    joblib.dump(_Planted(), tmp_path / "model.joblib")
    files.load_model(tmp_path)
    assert not Path("ran").exists()
    with pytest.raises(ExamplesError, match="expected a pipeline for each of 't'"):
        files.load_model(tmp_path, trust=True)
    assert Path("ran").exists()  # that is what trust means


def test_a_model_file_with_other_types_is_refused(tmp_path: Path) -> None:
    import skops.io

    files.save(tfidf_logistic.fit(FAST, made_up_examples()), tmp_path)
    skops.io.dump(Path, tmp_path / "model.skops")
    with pytest.raises(ExamplesError, match="types that are not scikit-learn's"):
        files.load_model(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scikit_learn": "1.8.3"}, r"made with scikit-learn 1\.8\.3, here is .* install scikit-learn 1\.8\.\*"),
        ({"labels": ["against", "none"]}, r"expected classes of against, none; found \['against', 'favor', 'none'\]"),
        ({"labels": ["none"]}, "labels: names: expected 2 to 9 labels"),
        ({"targets": ["x", "y"]}, "expected a pipeline for each of 'x', 'y'"),
        ({"recipe": 1}, r"Expected `object`, got `int` - at `\$.recipe`; run `stance train` again"),
    ],
)
def test_a_model_of_another_kind_is_refused_with_what_to_do(
    tmp_path: Path, change: dict[str, object], message: str
) -> None:
    files.save(tfidf_logistic.fit(FAST, made_up_examples()), tmp_path)
    card = json.loads((tmp_path / "model.json").read_text())
    (tmp_path / "model.json").write_text(json.dumps(card | change))
    with pytest.raises(ExamplesError, match=message):
        files.load_model(tmp_path)


def test_a_patch_release_of_scikit_learn_is_welcome(tmp_path: Path) -> None:
    files.save(tfidf_logistic.fit(FAST, made_up_examples()), tmp_path)
    card = json.loads((tmp_path / "model.json").read_text())
    card["scikit_learn"] = card["scikit_learn"].rsplit(".", 1)[0] + ".99"
    (tmp_path / "model.json").write_text(json.dumps(card))
    files.load_model(tmp_path)


@pytest.mark.parametrize("name", ["model.skops", "model.json"])
def test_missing_and_damaged_files_are_named(tmp_path: Path, name: str) -> None:
    files.save(tfidf_logistic.fit(FAST, made_up_examples()), tmp_path)
    path = tmp_path / name
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ExamplesError, match=name):
        files.load_model(tmp_path)
    path.unlink()
    with pytest.raises(ExamplesError, match=f"{name} is not there"):
        files.load_model(tmp_path)


# --- explanations


@cache
def _fitted(features: str) -> tfidf_logistic.Model:
    return tfidf_logistic.fit(Recipe(features=features, c=3.0), made_up_examples())


known = st.lists(st.sampled_from([word for words in WORDS.values() for word in words]), max_size=8).map(" ".join)


@settings(max_examples=examples(60), deadline=None)
@given(
    st.one_of(
        known, st.text(max_size=40), st.lists(st.sampled_from("aİ .\n\t'no refuse\x00🙂"), max_size=30).map("".join)
    )
)
@example(" no")
@example("İ no  no\n\nbrave-now, x")
def test_contributions_sum_to_the_decision_less_the_intercept(text: str) -> None:
    for features in tfidf_logistic.FEATURES:
        model = _fitted(features)
        pipeline = model.pipelines["t"]
        pieces = explain(model, text)
        assert [piece for piece, _ in pieces] == text.split()
        decision = (pipeline.decision_function([text])[0] - pipeline["logistic"].intercept_).tolist()
        for stance, wanted in zip(pipeline.classes_, decision, strict=True):
            assert sum(push[stance] for _, push in pieces) == pytest.approx(wanted, abs=2e-5), features


@pytest.mark.parametrize("features", tfidf_logistic.FEATURES)
def test_the_word_that_pushes_is_the_one_that_was_learned(features: str) -> None:
    pushes = dict(explain(_fitted(features), "price soldiers never"))
    assert max(pushes, key=lambda word: pushes[word]["favor"]) == "soldiers"
    assert max(pushes, key=lambda word: pushes[word]["against"]) == "never"
    assert max(pushes, key=lambda word: pushes[word]["none"]) == "price"


@pytest.mark.parametrize("features", tfidf_logistic.FEATURES)
def test_the_strongest_words_are_those_of_the_stance_whatever_is_counted(features: str) -> None:
    found = strongest(_fitted(features), made_up_examples(), 5)["t"]
    for stance, rows in found.items():
        assert len(rows) == 5
        assert {name.split()[0] for name, _ in rows} <= set(WORDS[stance])
        assert [weight for _, weight in rows] == sorted((weight for _, weight in rows), reverse=True)
    everything = [
        name for rows in strongest(_fitted(features), made_up_examples(), 999)["t"].values() for name, _ in rows
    ]
    assert len(everything) == len(set(everything))  # a word speaks most for one stance


def test_a_word_of_one_text_is_not_among_the_strongest() -> None:
    rows = [*made_up_examples(), _row(0, "zeppelin zeppelin", "favor"), _row(1, "zeppelin", "favor")]
    rows = [msgspec.structs.replace(row, target="t") for row in rows]
    model = tfidf_logistic.fit(FAST, rows)
    assert "zeppelin" not in dict(strongest(model, rows, 99)["t"]["favor"])
    rows.append(msgspec.structs.replace(rows[-1], sentence_id="2"))
    assert "zeppelin" in dict(strongest(model, rows, 99)["t"]["favor"])


def test_explaining_needs_to_know_the_target() -> None:
    model = tfidf_logistic.fit(FAST, of_two_targets())
    assert explain(model, "refuse", "t")[0][1]["against"] > 0 > explain(model, "refuse", "u")[0][1]["against"]
    with pytest.raises(ExamplesError, match="one of the model's targets, t, u; found None"):
        explain(model, "refuse")


def test_many_letters_are_searched_in_part_and_scored_in_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    from train.model import search as searching

    monkeypatch.setattr(searching, "FEATURES", ("word",))
    rows = [
        Example(
            sentence_id=str(n), text=f"{' '.join(WORDS[DEFAULT.names[n % 3]])} thing{n % 7} other{n}",
            label=DEFAULT.names[n % 3], target="", group=f"g{n // 2}",
        )
        for n in range(240)
    ]  # fmt: skip
    whole = searching.search(rows, 1)
    assert whole.examples == 240
    monkeypatch.setattr(searching, "LETTERS", sum(len(row.text) for row in rows) // 3)
    part = searching.search(rows, 1)
    assert 60 < part.examples < 90
    assert part.out_of_fold.shape == whole.out_of_fold.shape
    assert part.out_of_fold.sum(axis=1) == pytest.approx(np.ones(240))
    assert searching.search(rows[::-1], 1).examples == part.examples
    monkeypatch.setattr(searching, "LETTERS", 100)
    assert searching.search(rows, 1).examples == 240, "too few would be left to search on"
