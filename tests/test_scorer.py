"""The scorer gives the probabilities of scikit-learn's pipeline, whatever the texts."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import softmax
from sklearn.pipeline import Pipeline

from benchmarks.train import _texts
from labeling.scheme import DEFAULT
from tests.support.examples import examples
from train.model import ngrams, tfidf_logistic
from train.model.joint import joined
from train.model.key_table import DENSE, key_table
from train.model.scorer import LETTERS, Scorer, scorer
from train.records import Example, Recipe

AWKWARD = [
    "",
    " ",
    "a",
    "Straße İstanbul ΑΣ ﬁ",
    "हिन्दी की किताब",
    "会谈周一结束 下雨了。",
    "a  b\t\n c\u00a0\u2003d",
    "\ud800 lone \udfff",
    "\0 nul \0\0",
    "😀👩‍👩‍👧 e\u0301",
    "\U0010ffff\uffff",
]
TRAINING = [*_texts(60)[0], *AWKWARD, "the talks ended the talks ended the talks", "不 好 " * 30]


TARGETS = ["gun laws", "İstanbul", "会谈", ""]


def _fitted(features: str, texts: list[str], c: float = 30.0, labels: Sequence[str] = DEFAULT.names) -> Pipeline:
    rows = [
        Example(sentence_id=str(n), text=text, label=labels[n % len(labels)])
        for n, text in enumerate(_read(features, texts))
    ]
    return tfidf_logistic.fit(Recipe(features=features, c=c), rows).pipelines[""]


def _read(features: str, texts: list[str]) -> list[str]:
    """The texts as a model reads them: a joint one in turn with each of the targets."""
    if features not in tfidf_logistic.JOINT:
        return texts
    return [joined(text, TARGETS[n % len(TARGETS)]) for n, text in enumerate(texts)]


FITTED = {features: _fitted(features, TRAINING) for features in tfidf_logistic.PARTS}


def _scorer(pipeline: Pipeline) -> Scorer:
    found = scorer(pipeline)
    assert found is not None
    return found


def _in_double_precision(pipeline: Pipeline, texts: list[str]) -> NDArray[np.float64]:
    """The decision values of scikit-learn's own pipeline, with the same numbers in double precision."""
    columns, place = [], 0
    coefficients = pipeline["logistic"].coef_.astype(np.float64)
    weights: dict[str, float] = pipeline["tfidf"].transformer_weights or {}
    for name, part in pipeline["tfidf"].transformer_list:
        double = type(part)(**part.get_params() | {"dtype": np.float64})
        double.vocabulary_, double.fixed_vocabulary_ = part.vocabulary_, False
        double._tfidf = part._tfidf
        idf, part._tfidf.idf_ = part._tfidf.idf_, part._tfidf.idf_.astype(np.float64)
        x = double.transform(texts) * weights.get(name, 1)
        part._tfidf.idf_ = idf
        columns.append(x @ coefficients[:, place : place + x.shape[1]].T)
        place += x.shape[1]
    found: NDArray[np.float64] = sum(columns) + pipeline["logistic"].intercept_
    return found


WORDS = st.sampled_from(sorted({word for text in TRAINING for word in text.split()}))
TEXTS = st.lists(
    st.one_of(st.text(), st.lists(WORDS, max_size=20).map(" ".join), st.text("ab \u0301\n", max_size=30)), max_size=8
)


@pytest.mark.parametrize("features", tfidf_logistic.PARTS)
@given(TEXTS)
@example(AWKWARD)
@example(TRAINING)
@settings(deadline=None, max_examples=examples(150))
def test_scores_are_those_of_scikit_learn(features: str, texts: list[str]) -> None:
    if not texts:
        assert _scorer(FITTED[features]).decisions(texts).shape == (0, 3)
        return
    texts = _read(features, texts)
    found = _scorer(FITTED[features]).decisions(texts)
    np.testing.assert_allclose(found, _in_double_precision(FITTED[features], texts), atol=1e-9)
    pipeline = FITTED[features]
    single = pipeline["logistic"].decision_function(pipeline["tfidf"].transform(texts)).astype(np.float64)
    assert np.abs(softmax(found, axis=1) - softmax(single, axis=1)).max() < 1e-6


@pytest.mark.parametrize("labels", [["no", "yes"], ["strong", "weak", "none", "both"]])
def test_probabilities_are_those_of_the_labels_of_a_scheme(labels: list[str]) -> None:
    pipeline = _fitted("word", TRAINING, labels=labels)
    named = ["unused", *reversed(labels)]
    wanted = tfidf_logistic.columns(pipeline["logistic"], pipeline["tfidf"].transform(AWKWARD), named)
    found = _scorer(pipeline).probabilities(AWKWARD, named)
    np.testing.assert_allclose(found, wanted, atol=1e-6)
    assert found.shape == (len(AWKWARD), len(named))
    assert (found[:, 0] == 0).all()
    given = pipeline["logistic"].predict_proba(pipeline["tfidf"].transform(AWKWARD))
    for place, label in enumerate(pipeline["logistic"].classes_.tolist()):
        np.testing.assert_allclose(found[:, named.index(label)], given[:, place], atol=1e-6)


@pytest.mark.parametrize("features", tfidf_logistic.FEATURES)
def test_scores_of_texts_longer_than_a_batch(features: str) -> None:
    long = " ".join(_texts(3200)[0])
    assert len(long) > 2 * LETTERS
    texts = ["", long, "short", "a" * (LETTERS + 1), *_texts(40)[0], *[long[:9_000]] * 20]
    found = _scorer(FITTED[features]).decisions(texts)
    np.testing.assert_allclose(found, _in_double_precision(FITTED[features], texts), atol=1e-9)
    alone = np.concatenate([_scorer(FITTED[features]).decisions([text]) for text in texts])
    assert (found == alone).all()  # to the bit: no text depends on the others of its batch


def test_many_characters_are_left_to_scikit_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ngrams.alphabet_of([chr(0x4E00 + n) for n in range(6207)]).fits(5)
    assert not ngrams.alphabet_of([chr(0x4E00 + n) for n in range(6208)]).fits(5)
    monkeypatch.setattr(ngrams, "LARGEST", 1)
    assert scorer(FITTED["char"]) is None
    assert scorer(FITTED["word"]) is not None  # words have no such limit


@pytest.mark.parametrize(
    "setting",
    [{"ngram_range": (2, 6)}, {"lowercase": False}, {"norm": None}, {"stop_words": ["a"]}, {"token_pattern": r"\w\w+"}],
)
def test_other_vectorizers_are_left_to_scikit_learn(setting: dict[str, Any]) -> None:
    pipeline = _fitted("word", TRAINING)
    pipeline["tfidf"].transformer_list[0][1].set_params(**setting)
    assert scorer(pipeline) is None


@given(st.lists(st.integers(0, 2**63 - 1), unique=True, max_size=60), st.lists(st.integers(0, 2**63 - 1)))
@example([7, 7 + DENSE], [7])
def test_every_number_is_found_and_no_other(keys: list[int], others: list[int]) -> None:
    columns = np.arange(1, len(keys) + 1, dtype=np.int32)
    place = dict(zip(keys, columns.tolist(), strict=True))
    asked = [*keys, *others]
    table = key_table(np.array(keys, np.int64), columns, 2**63)
    assert table.find(np.array(asked, np.int64)).tolist() == [place.get(key, 0) for key in asked]
    small = [key % DENSE for key in asked]
    place = {key: n for n, key in enumerate(dict.fromkeys(key % DENSE for key in keys), 1)}
    dense = key_table(np.array(list(place), np.int64), np.array(list(place.values()), np.int32), DENSE)
    assert dense.find(np.array(small, np.int64)).tolist() == [place.get(key, 0) for key in small]


def test_numbers_of_one_place_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    from train.model import key_table as module

    monkeypatch.setattr(module, "_places", lambda keys, shift: np.full(len(keys), 3))
    keys = np.array([5, 9, 11, 40], np.int64)
    table = key_table(keys, np.array([1, 2, 3, 4], np.int32), DENSE + 1)
    assert table.find(np.array([40, 6, 11, 5, 9], np.int64)).tolist() == [4, 0, 3, 1, 2]


def test_the_pattern_of_words_matches_no_space() -> None:
    # Pairs of words are told apart by their space.
    patterns = {part.token_pattern for parts in tfidf_logistic.PARTS.values() for part in parts.values()}
    assert not any(re.search(pattern, " \t\n\u2003") for pattern in patterns)


def test_a_process_that_only_scores_imports_no_scikit_learn() -> None:
    code = "import sys, train.predict.score_corpus; print({'sklearn', 'pandas', 'skops'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
