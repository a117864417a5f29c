"""Predict the stance of every sentence of the corpus or of new articles.

Sentences are predicted some thousands at a time. A file gets its final name only when it is complete.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from corpus.build import build
from corpus.errors import ExamplesError, SourceError
from corpus.reading.source_files import units
from corpus.records import SENTENCES, CorpusSettings
from corpus.staging import put_in_place
from corpus.store import write_json
from labeling.records import STANCES
from train import input_digests
from train.model import tfidf_logistic
from train.predict.judge import BATCH, MADE_BY, PREDICTIONS, Judge, open_model
from train.predict.output_files import row_writer, staged_file
from train.predict.sentence_arrays import FOLDS, Layout, Verdicts, opened, read_layout, read_verdicts
from train.predict.shares import FEWEST_ARTICLES, FEWEST_LABELS, Labels, PredictionShares, power, prediction_shares
from train.records import Example

ARTICLE = ("outlet", "published")
NEW = pa.schema(
    [SENTENCES.field("sentence_id"), SENTENCES.field("article_id")]
    + [(name, pa.string()) for name in ARTICLE]
    + [SENTENCES.field(name) for name in ("start", "end", "text")]
    + [PREDICTIONS.field(name) for name in PREDICTIONS.names[1:]]
)
ENDINGS = (".parquet", ".csv", ".jsonl")

Progress = Callable[[int], None]


class Predicted(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a prediction.

    Attributes:
        stances: number of sentences of each stance.
        shares: the shares of the stances.
        out: path of the predictions.
        shares_out: path of the shares.
        changed: whether any of the files changed.
        skipped: number of new articles that could not be used, by reason.
    """

    stances: dict[str, int]
    shares: PredictionShares
    out: Path
    shares_out: Path
    changed: bool
    skipped: dict[str, int]


def predict_corpus(work: Path, target: str, progress: Progress = lambda done: None) -> Predicted:
    """Predict every sentence of the corpus with `work/model`.

    The results are written to `work/predictions.parquet` and `work/shares.json`. Where two stances are equally
    probable, the first in the order of STANCES is predicted.

    Args:
        work: the project's folder of tables.
        target: what the stance is toward.
        progress: function that is called with the number of sentences of each batch.

    Raises:
        TableError: there is no corpus.
        ExamplesError: there is no model, another version wrote it, or the corpus has no sentence.
    """
    model = open_model(work / "model", target)
    layout = read_layout(work)
    out = work / "predictions.parquet"
    with staged_file(out) as staged:
        schema = PREDICTIONS.with_metadata({input_digests.SENTENCES_KEY: input_digests.of_sentences(work)})
        given = _write(model, work, layout, staged, schema, progress)
        verdicts = read_verdicts(work, layout, target)
        labels, notes = _labels(model, work, layout, verdicts, progress)
        shares = PredictionShares(
            model=model.version,
            power=power(labels) if labels else None,
            notes=notes,
            rows=prediction_shares(layout.guesses(given), labels),
            made_of=input_digests.of_labels(work, target),
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
    """Split new articles into sentences as `stance build` does, and predict each sentence.

    Args:
        sources: files, folders, globs, or `-` for standard input, as for `corpus.build.build`.
        folder: folder of the model.
        out: file to write the predictions to, which ends in .parquet, .csv or .jsonl; the shares are written beside it,
            to the same name with .shares.json. Nothing is written unless both could be made.
        settings: `[corpus]` of stance.toml.
        progress: function that is called with the number of sentences of each batch.
        target: target to predict for, where the model was trained on several.
        trust: whether to open `model.joblib` instead of `model.skops`, which runs any code that is in it.

    Raises:
        SourceError: `out` has another ending or is one of the sources, or no article can be used.
        ExamplesError: there is no model, or another version wrote it.
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
    with staged_file(out) as staged:
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


def _refit(judge: Judge, training: list[Example]) -> Judge:
    """A model of the same recipe, fitted to other examples."""
    return Judge(tfidf_logistic.fit(judge.model.recipe, training), "", judge.target)


# --- predictions


def _write(
    model: Judge, tables: Path, layout: Layout, path: Path, schema: pa.Schema, progress: Progress
) -> NDArray[np.int8]:
    """Write one row for each sentence, and return their stances as positions in STANCES."""
    count = len(layout.article)
    if not count:
        raise ExamplesError(f"{tables / 'sentences.parquet'} holds no sentence: run `{MADE_BY}` on articles first")
    given = np.zeros(count, np.int8)
    start = 0
    needed = [name for name in schema.names if name in SENTENCES.names]
    with row_writer(path, schema) as write:
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
    """The labels that the correction needs, or None, and a note on the correction or on why there is none.

    The model itself has seen most verdicts. So for each fold, a model of the same recipe learns from the verdicts
    outside of the fold and predicts every sentence in it, labelled or not. No sentence is predicted from its own label.
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
        counts = Counter(example.label for example in training)
        if missing := [stance for stance in STANCES if not counts[stance]]:
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


def _bring(
    staged: Path,
    out: Path,
    shares_out: Path,
    given: NDArray[np.int8],
    shares: PredictionShares,
    skipped: dict[str, int],
) -> Predicted:
    """Move the finished files to their final paths, unless the same content is there already."""
    out.parent.mkdir(parents=True, exist_ok=True)
    changed = put_in_place(staged, out)
    changed |= write_json(shares_out, shares)
    counts = np.bincount(given, minlength=len(STANCES)).tolist()
    return Predicted(
        stances=dict(zip(STANCES, counts, strict=True)),
        shares=shares,
        out=out,
        shares_out=shares_out,
        changed=changed,
        skipped=skipped,
    )
