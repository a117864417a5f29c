"""Compare the sentences of saved news pages with the text that people marked as the article.

    python -m benchmarks.pages FOLDER

FOLDER is a copy of the scrapinghub article extraction benchmark: `ground-truth.json` and the pages in `html/`. A
sentence that was found is right if its letters and digits stand one after another in the marked text; a marked sentence
with final punctuation is found if its letters and digits stand so in the found sentences. Pages on which nothing is
found count with no sentence.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import unicodedata
from pathlib import Path
from statistics import fmean

import msgspec
import pyarrow as pa

from benchmarks.corpus import _row, _table
from corpus.reading.language_of_text import code_of, language_of
from corpus.reading.text_encoding import NotTextError
from corpus.reading.web.html_page import read_page
from corpus.records import CorpusSettings
from corpus.sentences.cut_articles import cut_articles
from corpus.sentences.split import sentence_spans

_FINAL = re.compile(r"[.!?]['\"”’)]*$")


def main() -> None:
    """Print the table, in Markdown."""
    parser = argparse.ArgumentParser(description="Precision and recall of the sentences of saved news pages.")
    parser.add_argument("folder", type=Path, help="folder of the benchmark, with ground-truth.json and html/")
    folder: Path = parser.parse_args().folder
    right, found, met, wanted = list[int](), list[int](), list[int](), list[int]()
    for name, truth in json.loads((folder / "ground-truth.json").read_text("utf-8")).items():
        texts, language = _sentences(gzip.decompress((folder / "html" / f"{name}.html.gz").read_bytes()))
        body: str = truth["articleBody"]
        gold = [body[start:end] for start, end in sentence_spans(body, language)]
        gold = [sentence for sentence in gold if _FINAL.search(sentence)]
        marked, ours = _letters(body), _letters(" ".join(texts))
        right.append(sum(_letters(text) in marked for text in texts))
        met.append(sum(_letters(text) in ours for text in gold))
        found.append(len(texts))
        wanted.append(len(gold))
    _table("", "precision", "recall")
    _row("all sentences", f"{sum(right) / sum(found):.4f}", f"{sum(met) / sum(wanted):.4f}")
    _row("mean of the pages", f"{_mean(right, found):.4f}", f"{_mean(met, wanted):.4f}")


def _sentences(data: bytes) -> tuple[list[str], str]:
    """The sentences of a page, and the code of its language."""
    try:
        page, _ = read_page(data)
    except NotTextError:
        return [], "en"
    language = code_of(page.fields["language"]) or language_of(page.text)
    row = {
        "article_id": "page",
        "title": page.fields["title"],
        "extractor": page.extractor,
        "text": page.text,
        "language": language,
        "marks": msgspec.json.encode(page.marks).decode(),
    }
    pieces = cut_articles(pa.RecordBatch.from_pylist([row]), CorpusSettings()).to_pylist()
    return [piece["text"] for piece in pieces if piece["kind"] == "sentence"], language


def _letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text).casefold())


def _mean(part: list[int], whole: list[int]) -> float:
    return fmean(one / all_ for one, all_ in zip(part, whole, strict=True) if all_)


if __name__ == "__main__":
    main()
