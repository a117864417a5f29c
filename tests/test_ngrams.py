"""Counts of n-grams: the same as scikit-learn's, whatever the text."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer

from train.model import ngrams, tfidf_logistic

TEXTS = st.lists(
    st.text(st.sampled_from("ab \n\t\u2003\u00a0éİßΣ日🙂\u0301.,\x1c") | st.characters(exclude_categories=["Cs"])),
    max_size=6,
)


@settings(deadline=None)
@given(TEXTS, st.sampled_from(tfidf_logistic.FEATURES))
@example(["a", "", "  ", "ab  cd", "İ x"], "char")
@example(["a", "", "  ", "ab  cd", "İ x"], "char_wb+word")
def test_counts_are_those_of_scikit_learn(texts: list[str], features: str) -> None:
    for _, part, _ in tfidf_logistic.parts(features):
        try:
            wanted = CountVectorizer.fit_transform(part, texts)
        except ValueError:
            with pytest.raises(ValueError, match="empty vocabulary"):
                ngrams.count(part, texts)
            continue
        found = ngrams.count(part, texts)
        names = found.ngrams()
        assert sorted(names) == sorted(part.vocabulary_)
        order = np.argsort([part.vocabulary_[name] for name in names])
        assert (found.matrix[:, order] != wanted).nnz == 0
        assert found.matrix.dtype == wanted.dtype
        assert not hasattr(part, "fixed_vocabulary_") or part.vocabulary is None


def test_an_alphabet_too_large_for_numbers_is_counted_by_scikit_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    (_, part, _), *_ = tfidf_logistic.parts("char")
    texts = ["one text", "another text"]
    wanted = ngrams.count(part, texts)
    monkeypatch.setattr(ngrams, "LARGEST", 1)
    found = ngrams.count(part, texts)
    assert sorted(found.ngrams()) == sorted(wanted.ngrams())
    assert found.matrix.sum() == wanted.matrix.sum()
