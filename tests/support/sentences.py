"""Check segmentation by texts with a mark at each boundary between sentences."""

from __future__ import annotations

from corpus.sentences.split import sentence_spans


def cut(text: str) -> list[str]:
    return [text[start:end] for start, end in sentence_spans(text)]


def check(marked: str) -> None:
    assert cut(marked.replace("|", "")) == [sentence.strip() for sentence in marked.split("|")]
