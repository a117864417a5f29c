"""Compare the sentences of other languages than English with other packages in one run.

    STANCE_TEST_DATA=FOLDER python -m benchmarks.languages

The test data are paragraphs of the news part of each language's UD PUD treebank. Packages that cannot be imported, or
that do not know a language, leave their cells empty.
"""

from __future__ import annotations

import importlib
import json
import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.corpus import Cut, Span, _in_order, _row, _table
from corpus.sentences.split import sentence_spans


def _pysbd(peer: Any, language: str) -> Cut:
    return partial(_in_order, peer.Segmenter(language, clean=False).segment)


def _splitter(peer: Any, language: str) -> Cut:
    return partial(_in_order, peer.SentenceSplitter(language).split)


def _sentencex(peer: Any, language: str) -> Cut:
    return partial(_in_order, partial(peer.segment, language))


PEERS: list[tuple[str, Callable[[Any, str], Cut]]] = [
    ("sentencex", _sentencex),
    ("sentence_splitter", _splitter),
    ("pysbd", _pysbd),
]


def main() -> None:
    """Print the table, in Markdown."""
    if not (data := os.environ.get("STANCE_TEST_DATA")):
        print("Left out: STANCE_TEST_DATA is not set; it names the folder of the public test data")
        return
    _table("language", "rules for English", "stance", "Mchar per CPU s", *(name for name, _ in PEERS))
    for path in sorted((Path(data) / "data" / "ud_pud_news").glob("*.jsonl")):
        rows = map(json.loads, path.read_text("utf-8").splitlines())
        gold: list[tuple[str, list[Span]]] = [(row["text"], row["spans"]) for row in rows]
        own = partial(sentence_spans, language=path.stem)
        peers = [_peer(name, make, path.stem, gold) for name, make in PEERS]
        _row(path.stem, _f1(sentence_spans, gold), _f1(own, gold), _speed(own, gold), *peers)


def _peer(name: str, make: Callable[[Any, str], Cut], language: str, gold: list[tuple[str, list[Span]]]) -> str:
    try:
        return _f1(make(importlib.import_module(name), language), gold)
    except Exception:  # it is missing, or says in its own way that it does not know the language
        return ""


def _f1(cut: Cut, gold: list[tuple[str, list[Span]]]) -> str:
    right = found = wanted = 0
    for text, spans in gold:
        ours = {len(text[:end].rstrip()) for _, end in cut(text)[:-1]}
        theirs = {end for _, end in spans[:-1]}
        right, found, wanted = right + len(ours & theirs), found + len(ours), wanted + len(theirs)
    return f"{200 * right / (found + wanted):.1f}"


def _speed(cut: Cut, gold: list[tuple[str, list[Span]]]) -> str:
    seconds = []
    for _ in range(5):
        start = time.process_time()
        for _ in range(5):
            for text, _ in gold:
                cut(text)
        seconds.append(time.process_time() - start)
    return f"{5 * sum(len(text) for text, _ in gold) / min(seconds) / 1e6:.1f}"


if __name__ == "__main__":
    main()
