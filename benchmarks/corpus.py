"""Compare segmentation and near-duplicates with other packages in one run, and measure builds of growing size.

    STANCE_TEST_DATA=FOLDER python -m benchmarks.corpus [--largest SENTENCES]

Packages that cannot be imported are named and left out. The build's memory is read from /proc, which needs Linux. Each
part runs in a new process, and large packages are imported inside functions, so that no part has in memory what another
one loaded.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.metadata
import json
import os
import platform
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

Span = tuple[int, int]
Cut = Callable[[str], list[Span]]

SIZES = (100_000, 300_000, 1_000_000)
ARTICLE, PARAGRAPH = 30, 5
"""Number of sentences in a generated article, and in each of its paragraphs."""
WORKERS = 2


def main() -> None:
    """Print all tables, in Markdown."""
    parser = argparse.ArgumentParser(description="Measure the corpus stage beside its peers.")
    parser.add_argument("--largest", type=int, default=SIZES[-1], help="sentences of the largest build")
    parser.add_argument("call", nargs="*", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.call:  # in a new process, by `_fresh`
        globals()[arguments.call[0]](*arguments.call[1:])
        return
    largest: int = arguments.largest
    print(f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores")
    for part, size in (("segmentation", []), ("near_duplicates", [min(largest, SIZES[0])]), ("builds", [largest])):
        print(f"\n## {part}\n\nLoad before: {_load()}\n", flush=True)
        subprocess.run(_fresh(part, *size), check=True)
        print(f"\nLoad after: {_load()}", flush=True)


def _load() -> str:
    return " ".join(f"{load:.1f}" for load in os.getloadavg()) + " (1, 5, 15 minutes)"


def _fresh(function: str, *arguments: object) -> list[str]:
    """The command that calls a function of this module in a new process.

    It does not use `-c`, with which DuckDB would print its progress to stdout.
    """
    return [sys.executable, "-m", "benchmarks.corpus", function, *map(str, arguments)]


def _row(*cells: object) -> None:
    print(f"| {' | '.join(map(str, cells))} |", flush=True)


def _table(*columns: str) -> None:
    _row(*columns)
    _row(*("---" for _ in columns))


def _peer(package: str, module: str, columns: int) -> tuple[str, Any]:
    """The name and version of another package, and its module; if it is missing, print a row and return None for it."""
    try:
        return f"{package} {importlib.metadata.version(package)}", importlib.import_module(module)
    except (ImportError, OSError) as error:  # OSError: it was compiled for another processor
        _row(f"{package} is missing ({error}): uv pip install {package}", *[""] * columns)
        return package, None


def segmentation() -> None:
    """Measure boundary F1 on gold paragraphs, each segmented alone, and the speed on many paragraphs."""
    from corpus.sentences.split import sentence_spans

    if not (data := os.environ.get("STANCE_TEST_DATA")):
        print("Left out: STANCE_TEST_DATA is not set; it names the folder of the public test data")
        return
    lines = (Path(data) / "data" / "ud_english_pud_news" / "paragraphs.jsonl").read_text("utf-8").splitlines()
    gold: list[tuple[str, list[Span]]] = [(row["text"], row["spans"]) for row in map(json.loads, lines)]
    many = [text for text, _ in gold] * round(1_500_000 / sum(len(text) for text, _ in gold))
    random.Random(0).shuffle(many)
    inner = sum(len(spans) - 1 for _, spans in gold)
    print(f"{len(gold)} paragraphs, {inner} inner boundaries; speed on {sum(map(len, many)) / 1e6:.2f} Mchar\n")
    _table("segmenter", "F1 %", "too many", "missed", "Mchar per CPU s")
    _segmenter("stance", sentence_spans, gold, many)
    for package, module, kind, make in SEGMENTERS:
        name, library = _peer(package, module, columns=4)
        if library is not None:
            _segmenter(name + kind, make(library), gold, many)


def _segmenter(name: str, cut: Cut, gold: list[tuple[str, list[Span]]], many: list[str]) -> None:
    right = extra = missed = 0
    for text, spans in gold:
        wanted = {end for _, end in spans[:-1]}
        found = {len(text[:end].rstrip()) for _, end in cut(text)[:-1]}
        right, extra, missed = right + len(found & wanted), extra + len(found - wanted), missed + len(wanted - found)
    seconds = []
    for _ in range(3):
        start = time.process_time()
        for text in many:
            cut(text)
        seconds.append(time.process_time() - start)
    speed = sum(map(len, many)) / min(seconds) / 1e6
    _row(name, f"{200 * right / (2 * right + extra + missed):.1f}", extra, missed, f"{speed:.1f}")


def _in_order(split: Callable[[str], list[str]], text: str) -> list[Span]:
    """The spans of the sentences that another package returns as strings."""
    spans, at = [], 0
    for sentence in filter(None, map(str.strip, split(text))):
        start = text.index(sentence, at)
        at = start + len(sentence)
        spans.append((start, at))
    return spans


def _by_line(cut: Cut, text: str) -> list[Span]:
    lines = ((line.start(), cut(line[0])) for line in re.finditer(r"[^\n]+", text))
    return [(at + start, at + end) for at, spans in lines for start, end in spans]


def _of_tokens(analyze: Any, text: str) -> list[Span]:
    sentences = (tokens for paragraph in analyze(text) for tokens in paragraph)
    return [(tokens[0].offset, tokens[-1].offset + len(tokens[-1].value)) for tokens in sentences]


def _sentencizer(library: Any) -> Cut:
    pipeline = library.blank("en")
    pipeline.add_pipe("sentencizer")
    return lambda text: [(sentence.start_char, sentence.end_char) for sentence in pipeline(text).sents]


# Package, module, name of the function, and what makes a `Cut` from the module. For sentencex, getting strings and
# searching for them takes a quarter of the time of its own offsets.
SEGMENTERS: list[tuple[str, str, str, Callable[[Any], Cut]]] = [
    ("nupunkt", "nupunkt", ", sentence_spans", lambda peer: peer.sentence_spans),
    ("nupunkt", "nupunkt", ", sent_spans by line", lambda peer: partial(_by_line, peer.sent_spans)),
    ("sentence-splitter", "sentence_splitter", "", lambda peer: partial(_in_order, peer.SentenceSplitter("en").split)),
    ("syntok", "syntok.segmenter", "", lambda peer: partial(_of_tokens, peer.analyze)),
    ("pysbd", "pysbd", "", lambda peer: partial(_in_order, peer.Segmenter("en", clean=False).segment)),
    ("sentencex", "sentencex", "", lambda peer: partial(_in_order, partial(peer.segment, "en"))),
    ("blingfire", "blingfire", "", lambda peer: lambda text: peer.text_to_sentences_and_offsets(text)[1]),
    ("spacy", "spacy", ", sentencizer", _sentencizer),
]


def near_duplicates(size: str) -> None:
    """Measure CPU seconds, recall and precision on planted near-duplicates.

    The sentences are made up but resemble news: they have 8 to 35 words with Zipf-like frequencies, and 3 in 10 are
    from six templates, so that sentences that are not near-duplicates share n-grams too. One in ten is an edit of
    another one, with one to three words replaced, inserted or deleted. Recall is over all planted pairs, including
    short sentences that three edits have made too different for any threshold. Precision is over all pairs within
    clusters, or over the pairs that another package finds.
    """
    from rapidfuzz.fuzz import ratio

    from corpus.duplicates.queries import LETTERS
    from corpus.near_duplicates import near_duplicates, normalise
    from tests.support.copies import planted, scores

    def row(name: str, cpu: float, recall: float, precision: float) -> None:
        _row(name, f"{cpu:.1f}", f"{recall:.3f}", f"{precision:.3f}")

    texts, pairs = planted(int(size))
    keys = [normalise(text) for text in texts]
    reach = sum(ratio(keys[one], keys[two]) >= LETTERS for one, two in pairs) / len(pairs)
    print(f"{size} sentences, {len(pairs)} planted pairs, {reach:.3f} of them at ratio {LETTERS:.0f} and above\n")
    _table("method", "CPU s", "recall", "precision")
    start = time.process_time()
    clusters = near_duplicates(texts)
    row("stance", time.process_time() - start, *scores(clusters, pairs))
    for package, find in (("datasketch", _datasketch_pairs), ("rensa", _rensa_pairs)):
        name, library = _peer(package, package, columns=3)
        if library is None:
            continue
        for verify in (False, True):
            start = time.process_time()
            found = set(find([normalise(text) for text in texts], library))
            if verify:
                found = {(one, two) for one, two in found if ratio(keys[one], keys[two]) >= LETTERS}
            cpu, hits = time.process_time() - start, len(found & pairs)
            row(name + verify * f", then ratio ≥ {LETTERS:.0f}", cpu, hits / len(pairs), hits / max(1, len(found)))


def _datasketch_pairs(keys: Sequence[str], library: Any) -> Iterator[Span]:
    """Pairs by datasketch's MinHashLSH, used in the way that suits it best: words as tokens, updated in batches."""
    index = library.MinHashLSH(threshold=0.6, num_perm=128)
    for place, key in enumerate(keys):
        sketch = library.MinHash(num_perm=128)
        sketch.update_batch([word.encode() for word in key.split()])
        yield from ((other, place) for other in index.query(sketch))
        index.insert(place, sketch)


def _rensa_pairs(keys: Sequence[str], library: Any) -> Iterator[Span]:
    """Pairs by rensa with the same tokens, and with the 18 bands of 7 rows that datasketch chooses for 0.6."""
    index = library.RMinHashLSH(threshold=0.6, num_perm=126, num_bands=18)
    for place, key in enumerate(keys):
        sketch = library.RMinHash(num_perm=126, seed=1)
        sketch.update(key.split())
        yield from ((other, place) for other in index.query(sketch))
        index.insert(place, sketch)


def builds(largest: str) -> None:
    """Measure time and memory of a first build, of one with nothing changed, and of one with one article changed."""
    print(f"{WORKERS} workers, articles of {ARTICLE} sentences; rates by wall time; peak of PSS\n")
    _table("sentences", "build", "articles", "wall s", "CPU s", "articles/s", "sentences/s", "peak MB")
    for size in [size for size in SIZES if size <= int(largest)] or [int(largest)]:
        with tempfile.TemporaryDirectory(prefix="stance-") as folder:
            subprocess.run(_fresh("write_articles", folder, size), check=True)
            for kind in ("first", "nothing changed", "one article changed"):
                if kind == "one article changed":
                    with (Path(folder) / "news" / "0" / "0.txt").open("a", encoding="utf-8") as article:
                        article.write("\nThe minister added one more sentence to it.\n")
                printed, peak = _watched(_fresh("timed_build", folder))
                articles, sentences, wall, cpu = json.loads(printed)
                rates = f"{articles / wall:,.0f}", f"{sentences / wall:,.0f}"
                _row(f"{sentences:,}", kind, f"{articles:,}", f"{wall:.2f}", f"{cpu:.2f}", *rates, f"{peak:.0f}")


def write_articles(folder: str, size: str) -> None:
    """Write generated sentences as articles, a thousand articles in each folder."""
    from tests.support.copies import planted

    texts, _ = planted(int(size))
    for number, start in enumerate(range(0, len(texts), ARTICLE)):
        path = Path(folder) / "news" / str(number // 1000) / f"{number}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        mine = texts[start : start + ARTICLE]
        paragraphs = (" ".join(mine[first : first + PARAGRAPH]) for first in range(0, len(mine), PARAGRAPH))
        path.write_text("\n\n".join(paragraphs) + "\n", encoding="utf-8")


def timed_build(folder: str) -> None:
    """Build the articles in a folder, and print the numbers of articles and sentences and the wall and CPU seconds."""
    from corpus.build import build
    from corpus.records import CorpusSettings

    news = str(Path(folder) / "news")
    start, before = time.perf_counter(), sum(os.times()[:4])  # includes workers that have ended
    summary = build([news], Path(folder) / "out", CorpusSettings(root=news), workers=WORKERS)
    wall, cpu = time.perf_counter() - start, sum(os.times()[:4]) - before
    print(json.dumps([summary.articles, summary.sentences, wall, cpu]))


def _watched(command: list[str]) -> tuple[str, float]:
    """What a command prints, and its peak memory in MB with all its descendants, sampled five times a second."""
    peak = 0
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        while process.poll() is None:
            peak = max(peak, _pss(process.pid))
            time.sleep(0.2)
        printed = process.communicate()[0]
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return printed, peak * 1024 / 1e6


def _pss(root: int) -> int:
    """The proportional set size (PSS) of a process tree in KiB; pages that its processes share are counted once."""
    children: dict[int, list[int]] = defaultdict(list)
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # the process has ended
            children[int(stat.read_text().rpartition(")")[2].split()[1])].append(int(stat.parent.name))
    total, waiting = 0, [root]
    while waiting:
        process = waiting.pop()
        waiting += children[process]
        with suppress(OSError):
            found = re.search(r"^Pss:\s+(\d+)", Path(f"/proc/{process}/smaps_rollup").read_text(), re.MULTILINE)
            total += int(found[1]) if found else 0
    return total


if __name__ == "__main__":
    main()
