"""The stage: the stance of every sentence, of the corpus or of new articles, and the shares that come of it.

Sentences go through the model some thousands at a time; files get their name when they are whole.
"""

from __future__ import annotations

import csv
import filecmp
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from corpus.build import build
from corpus.errors import ExamplesError, SourceError, StanceError
from corpus.reading.source_files import units
from corpus.records import SENTENCES, CorpusSettings
from corpus.store import write_bytes
from labeling.records import STANCES
from train import baseline, digests
from train.baseline import Model
from train.layout import FOLDS, Layout, Verdicts, opened, read_layout, read_verdicts
from train.model_files import load_model
from train.records import Example
from train.shares import FEWEST_ARTICLES, FEWEST_LABELS, Labels, PredictionShares, power, prediction_shares

if TYPE_CHECKING:
    pass

BATCH = 5_000
"""Sentences at a time; their features take some 50 MB."""
CHANCES = [(stance, pa.float64()) for stance in STANCES]
PREDICTIONS = pa.schema([("sentence_id", pa.string()), ("stance", pa.string()), *CHANCES, ("model", pa.string())])
ARTICLE = ("outlet", "published")
NEW = pa.schema(
    [SENTENCES.field("sentence_id"), SENTENCES.field("article_id")]
    + [(name, pa.string()) for name in ARTICLE]
    + [SENTENCES.field(name) for name in ("start", "end", "text")]
    + [PREDICTIONS.field(name) for name in PREDICTIONS.names[1:]]
)
ENDINGS = (".parquet", ".csv", ".jsonl")
MADE_BY = "stance build"

Progress = Callable[[int], None]


class Predicted(msgspec.Struct, frozen=True, kw_only=True):
    """What was predicted: sentences by stance, the shares, the files, and whether any of them changed.

    `skipped` counts the new articles that could not be used, by reason.
    """

    stances: dict[str, int]
    shares: PredictionShares
    out: Path
    shares_out: Path
    changed: bool
    skipped: dict[str, int]


class Judge(msgspec.Struct, frozen=True):
    """A model with its version, the first 16 digits of its file's SHA-256, and the target that it is asked about."""

    model: Model
    version: str
    target: str

    def chances(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Probabilities by text (rows) and stance (columns, in the order of STANCES)."""
        return baseline.probabilities(self.model, texts, [self.target] * len(texts))


def predict_corpus(work: Path, target: str, progress: Progress = lambda done: None) -> Predicted:
    """Predict every sentence of the corpus by `work/model`, into `work/predictions.parquet` and `work/shares.json`.

    Where probabilities are equal, the stance is the first of them in the order of STANCES.

    Args:
        work: the project's folder of tables.
        target: what the stance is toward.
        progress: told of each batch's number of sentences.

    Raises:
        TableError: there is no corpus.
        ExamplesError: there is no model, it is of another version, or the corpus has no sentence.
    """
    model = open_model(work / "model", target)
    layout = read_layout(work)
    out = work / "predictions.parquet"
    with _staged(out) as staged:
        schema = PREDICTIONS.with_metadata({digests.SENTENCES_KEY: digests.of_sentences(work)})
        given = _write(model, work, layout, staged, schema, progress)
        verdicts = read_verdicts(work, layout, target)
        labels, notes = _labels(model, work, layout, verdicts, progress)
        shares = PredictionShares(
            model=model.version,
            power=power(labels) if labels else None,
            notes=notes,
            rows=prediction_shares(layout.guesses(given), labels),
            made_of=digests.of_labels(work, target),
        )
        return _bring(staged, out, work / "shares.json", given, shares, {})


def predict_articles(
    sources: Sequence[Path | str],
    folder: Path,
    out: Path,
    settings: CorpusSettings,
    progress: Progress = lambda done: None,
    *,
    target: str = "",
    trust: bool = False,
) -> Predicted:
    """Cut new articles as `stance build` does, and predict each sentence, into one file and its shares beside it.

    Args:
        sources: files, folders, globs, or `-`, as of `corpus.build.build`.
        folder: the model.
        out: ends in .parquet, .csv or .jsonl; the shares go to the same name with .shares.json. Nothing is written
            unless all could be made.
        settings: `[corpus]` of stance.toml.
        progress: told of each batch's number of sentences.
        target: which part of a model for several targets to ask.
        trust: open `model.joblib` instead of `model.skops`, which runs whatever code is in it.

    Raises:
        SourceError: the ending is another one, a source holds `out`, or no article can be used.
        ExamplesError: there is no model there, or it is of another version.
    """
    if out.suffix.lower() not in ENDINGS or out.is_dir():
        raise SourceError(
            f"--out {out}: expected a file that ends in {', '.join(ENDINGS)}, or a folder's name for an archive"
        )
    model = open_model(folder, target, trust=trust)
    if out.exists() and "-" not in map(str, sources):
        held = out.resolve()
        if any(Path(unit.path).resolve() == held for unit in units(sources, settings)):
            raise SourceError(f"--out {out}: it is one of the sources itself; name a file outside of them")
    with _staged(out) as staged:
        tables = staged.parent / "tables"
        done = build(sources, tables, settings)
        layout = read_layout(tables)
        given = _write(model, tables, layout, staged, NEW, progress)
        shares = PredictionShares(
            model=model.version,
            power=None,
            notes=["not corrected: there are no verdicts on these articles"],
            rows=prediction_shares(layout.guesses(given), None),
        )
        return _bring(staged, out, out.with_suffix(".shares.json"), given, shares, done.skipped)


# --- the model


def open_model(folder: Path, target: str, *, trust: bool = False) -> Judge:
    """The model and its version.

    Raises:
        ExamplesError: there is none, another version of stance wrote it, or it is for several other targets.
    """
    model = load_model(folder, trust=trust)
    if len(model.pipelines) > 1 and target not in model.pipelines:
        raise ExamplesError(
            f"{folder} holds a model for each of {', '.join(map(repr, model.pipelines))}; none for {target!r}: set "
            "[target] name in stance.toml to one of them"
        )
    try:
        baseline.probabilities(model, [""], [target])
    except Exception as error:  # what a file of another version or of another kind of model breaks, is open
        raise ExamplesError(
            f"{folder / 'model.skops'}: expected a model that this version of stance wrote; found one that cannot "
            f"be used: {type(error).__name__}: {error}; run `stance train` again"
        ) from error
    file = folder / ("model.joblib" if trust else "model.skops")
    return Judge(model, digests.of_model(file), target)


def _refit(judge: Judge, training: list[Example]) -> Judge:
    """A model of the same recipe, fitted to other examples."""
    return Judge(baseline.fit(judge.model.recipe, training), "", judge.target)


# --- predictions


def _write(
    model: Judge, tables: Path, layout: Layout, path: Path, schema: pa.Schema, progress: Progress
) -> NDArray[np.int8]:
    """Write a row a sentence; returns the stances, as places in STANCES."""
    count = len(layout.article)
    if not count:
        raise ExamplesError(f"{tables / 'sentences.parquet'} holds no sentence: run `{MADE_BY}` on articles first")
    given = np.zeros(count, np.int8)
    start = 0
    needed = [name for name in schema.names if name in SENTENCES.names]
    with _writer(path, schema) as write:
        for batch in _batches(tables, [*needed, "text"] if "text" not in needed else needed):
            chances = model.chances(batch.column("text").to_pylist())
            end = start + batch.num_rows
            given[start:end] = chances.argmax(axis=1)
            rows = [layout.articles[place] for place in layout.article[start:end].tolist()]
            columns = {name: batch.column(name) for name in needed}
            columns |= {name: pa.array([row[name] for row in rows], pa.string()) for name in ARTICLE}
            columns |= {stance: pa.array(chances[:, n]) for n, stance in enumerate(STANCES)}
            columns["stance"] = pa.array(np.array(STANCES, dtype=object)[given[start:end]], pa.string())
            columns["model"] = pa.array([model.version] * batch.num_rows, pa.string())
            write(pa.RecordBatch.from_arrays([columns[name] for name in schema.names], schema=schema))
            start = end
            progress(batch.num_rows)
    return given


def _labels(
    judge: Judge, work: Path, layout: Layout, verdicts: Verdicts | None, progress: Progress
) -> tuple[Labels | None, list[str]]:
    """What the correction needs, else why there is none.

    The model itself has seen most verdicts. So one model a fold, of the same recipe, learns from the verdicts
    outside of it and predicts the whole fold, labelled or not: no sentence is predicted from its own label.
    """
    if verdicts is None or not verdicts.examples:
        return None, ["not corrected: there are no verdicts on this corpus yet"]
    sampled = len(np.unique(layout.unit[(verdicts.weight > 0) & verdicts.by_chance]))
    if sampled < FEWEST_LABELS:
        return None, [
            f"not corrected: of {len(verdicts.examples)} verdicts {sampled} speak for the corpus as a random sample; "
            f"{FEWEST_LABELS} are needed. `stance push --limit N` draws one"
        ]
    folds = layout.folds()
    held = np.zeros(len(folds), np.int8)
    for fold in np.unique(folds).tolist():
        training = [example for place, example in verdicts.examples if folds[place] != fold]
        found = Counter(example.label for example in training)
        if missing := [stance for stance in STANCES if not found[stance]]:
            return None, [f"not corrected: without a fifth of the articles no verdict is {' or '.join(missing)}"]
        model, start = _refit(judge, training), 0
        for batch in _batches(work, ["text"]):
            mine = np.flatnonzero(folds[start : start + batch.num_rows] == fold)
            if len(mine):
                held[start + mine] = model.chances(batch.column("text").take(pa.array(mine)).to_pylist()).argmax(axis=1)
                progress(len(mine))
            start += batch.num_rows
    labels = Labels(
        stance=verdicts.stance, weight=verdicts.weight, unit=layout.unit, by_chance=verdicts.by_chance, held=held
    )
    return labels, [
        f"corrected by {sampled} randomly sampled verdicts, cross-fitted in {FOLDS} folds of articles; an outlet or "
        f"month needs {FEWEST_LABELS} of its own, in {FEWEST_ARTICLES} articles"
    ]


def _batches(tables: Path, columns: list[str]) -> Iterator[pa.RecordBatch]:
    schema = pa.schema([SENTENCES.field(name) for name in columns])
    yield from opened(tables / "sentences.parquet", schema, MADE_BY).iter_batches(BATCH, columns=columns)


# --- files


@contextmanager
def _staged(out: Path) -> Iterator[Path]:
    """A path for a new file in a folder that goes away, on the file system of `out`."""
    near = next(folder for folder in out.absolute().parents if folder.is_dir())
    try:
        with tempfile.TemporaryDirectory(dir=near, prefix=f".{out.name}.") as name:
            yield Path(name) / out.name
    except OSError as error:
        raise StanceError(f"{out}: cannot be written: {error.strerror or error}; nothing was changed") from error


@contextmanager
def _writer(path: Path, schema: pa.Schema) -> Iterator[Callable[[pa.RecordBatch], None]]:
    """A function that appends rows to a new file, in the format that its ending names."""
    ending = path.suffix.lower()
    if ending == ".parquet":
        with pq.ParquetWriter(path, schema, compression="zstd") as parquet:
            yield parquet.write_batch
    elif ending == ".csv":
        with path.open("w", encoding="utf-8", newline="") as file:
            lines = csv.writer(file, lineterminator="\n")
            lines.writerow(schema.names)
            yield lambda batch: lines.writerows(zip(*(column.to_pylist() for column in batch.columns), strict=True))
    else:
        encoder = msgspec.json.Encoder()
        with path.open("wb") as lines_of_json:
            yield lambda batch: lines_of_json.writelines(encoder.encode(row) + b"\n" for row in batch.to_pylist())


def _bring(
    staged: Path,
    out: Path,
    shares_out: Path,
    given: NDArray[np.int8],
    shares: PredictionShares,
    skipped: dict[str, int],
) -> Predicted:
    """Give the finished files their names, unless they hold the same bytes already."""
    out.parent.mkdir(parents=True, exist_ok=True)
    changed = not (out.is_file() and filecmp.cmp(staged, out, shallow=False))
    if changed:
        staged.replace(out)
    changed |= write_bytes(shares_out, msgspec.json.format(msgspec.json.encode(shares)) + b"\n")
    counts = np.bincount(given, minlength=len(STANCES)).tolist()
    return Predicted(
        stances=dict(zip(STANCES, counts, strict=True)),
        shares=shares,
        out=out,
        shares_out=shares_out,
        changed=changed,
        skipped=skipped,
    )
