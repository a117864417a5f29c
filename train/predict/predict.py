"""Predict the stance of every sentence of the corpus or of new articles.

A file gets its final name only when it is complete.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from corpus.build import build
from corpus.errors import ExamplesError, SourceError
from corpus.numbers import spoken
from corpus.reading.source_files import units
from corpus.records import SENTENCES, CorpusSettings
from corpus.staging import put_in_place
from corpus.store import write_json
from labeling.scheme import DEFAULT, Scheme, Stance
from train import input_digests
from train.predict.cross_fit import correction, cross_fit, project_model
from train.predict.judge import MADE_BY, Judge, open_model, predictions
from train.predict.output_files import row_writer, staged_file
from train.predict.score_corpus import Judges, Progress, piece_batches, score_corpus
from train.predict.sentence_arrays import Layout, read_layout, read_verdicts
from train.predict.shares import PredictionShares, power, prediction_shares
from train.records import Metrics, read_metrics

ARTICLE = ("outlet", "published")
ENDINGS = (".parquet", ".csv", ".jsonl")


class Predicted(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a prediction.

    Attributes:
        stances: number of sentences of each stance.
        shares: the shares of the stances.
        out: path of the predictions.
        shares_out: path of the shares.
        changed: whether any of the files changed.
        skipped: number of new articles that could not be used, by reason.
        metrics: scores of the model; None if its folder has none.
        defused: number of cells that were changed so that no spreadsheet program runs them.
    """

    stances: dict[str, int]
    shares: PredictionShares
    out: Path
    shares_out: Path
    changed: bool
    skipped: dict[str, int]
    metrics: Metrics | None = None
    defused: int = 0


def predict_corpus(
    work: Path, target: str, progress: Progress = lambda done, total: None, scheme: Scheme = DEFAULT
) -> Predicted:
    """Predict every sentence of the corpus with `work/model`.

    The results are written to `work/predictions.parquet` and `work/shares.json`. Where two labels are equally probable,
    the first in the order of the scheme is predicted.

    Args:
        work: the project's folder of tables.
        target: what the stance is toward.
        progress: function that is called with the number of sentences that were just predicted, and of all.
        scheme: labels of the project.

    Raises:
        TableError: there is no corpus.
        ExamplesError: there is no model, another version wrote it, it has other labels than the project, or the corpus
            has no sentence.
    """
    model = project_model(work, target, scheme)
    layout = read_layout(work)
    out = work / "predictions.parquet"
    with staged_file(out) as staged:
        schema = predictions(scheme.names).with_metadata(
            {input_digests.SENTENCES_KEY: input_digests.keep_sentences(work)}
        )
        verdicts = read_verdicts(work, layout, target, scheme)
        cross = cross_fit(model, layout, verdicts, scheme)
        given, held, _ = _write(model, cross.of_fold, work, layout, staged, schema, progress)
        labels = correction(cross, layout, verdicts, held)
        settled = verdicts.as_settled(layout) if verdicts else None
        shares = PredictionShares(
            model=model.version,
            power=power(labels) if labels else None,
            notes=[cross.note],
            rows=prediction_shares(layout.guesses(given), labels, scheme.names, settled),
            made_of=input_digests.of_labels(work, target),
        )
        done = _bring(staged, out, work / "shares.json", given, shares, {}, scheme.names)
        return msgspec.structs.replace(done, metrics=metrics_if_there(work / "model"))


def predict_articles(
    sources: Sequence[Path | str],
    folder: Path,
    out: Path,
    settings: CorpusSettings,
    progress: Progress = lambda done, total: None,
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
        progress: function that is called with the number of sentences that were just predicted, and of all.
        target: target to predict for, where the model was trained on several.
        trust: whether to open `model.joblib` instead of `model.skops`, which runs any code that is in it.

    Raises:
        SourceError: `out` has another ending or is one of the sources, or no article can be used.
        ExamplesError: there is no model, or another version wrote it.
    """
    if out.suffix.lower() not in ENDINGS or out.is_dir():
        raise SourceError(
            f"--out {out}: expected a file that ends in {spoken(ENDINGS, 'or')}, or a folder's name for an archive"
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
        given, _, defused = _write(model, {}, tables, layout, staged, _new(model), progress)
        shares = PredictionShares(
            model=model.version,
            power=None,
            notes=["not corrected: there are no verdicts on these articles"],
            rows=prediction_shares(layout.guesses(given), None, model.labels),
        )
        brought = _bring(staged, out, out.with_suffix(".shares.json"), given, shares, done.skipped, model.labels)
        return msgspec.structs.replace(brought, metrics=metrics_if_there(folder), defused=defused)


def metrics_if_there(folder: Path) -> Metrics | None:
    """The metrics of a model folder; None without them, or if another version wrote them: a model predicts alone."""
    try:
        return read_metrics(folder)
    except ExamplesError:
        return None


def _new(judge: Judge) -> pa.Schema:
    """The schema of the predictions of new articles, which have their texts beside them."""
    schema = predictions(judge.labels)
    return pa.schema(
        [SENTENCES.field("sentence_id"), SENTENCES.field("article_id")]
        + [(name, pa.string()) for name in ARTICLE]
        + [SENTENCES.field(name) for name in ("start", "end", "text")]
        + [schema.field(name) for name in schema.names[1:]]
    )


def _write(
    model: Judge,
    of_fold: dict[int, Judge],
    tables: Path,
    layout: Layout,
    path: Path,
    schema: pa.Schema,
    progress: Progress,
) -> tuple[NDArray[np.int8], NDArray[np.int8], int]:
    """Write one row for each sentence.

    Returns:
        The labels of the sentences, and those that the models of their folds predict, as positions among the model's
        labels; none of the latter where there are no models of folds. And the number of cells that were defused.
    """
    count = len(layout.article)
    if not count:
        raise ExamplesError(f"{tables / 'sentences.parquet'} holds no sentence: run `{MADE_BY}` on articles first")
    given = np.zeros(count, np.int8)
    held: list[NDArray[np.int8]] = []
    start = defused = 0
    needed = [name for name in schema.names if name in SENTENCES.names]
    folds = layout.folds() if of_fold else np.zeros(0, np.int8)
    labels, judges = model.labels, Judges(model=model, of_fold=of_fold)
    names, version = pa.array(labels, pa.string()), pa.scalar(model.version, pa.string())
    about = {name: pa.array([row[name] for row in layout.articles], pa.string()) for name in ARTICLE}
    with row_writer(path, schema) as write:
        for scored in score_corpus(tables, judges, folds, path.parent, progress):
            held.append(scored.held)
            first = start
            for batch in piece_batches(scored.piece, needed):
                end = start + batch.num_rows
                chances = scored.chances[start - first : end - first]
                given[start:end] = chances.argmax(axis=1)
                columns = {name: batch.column(name) for name in needed}
                if "article_id" in columns:
                    articles = pa.array(layout.article[start:end])
                    columns |= {name: about[name].take(articles) for name in ARTICLE}
                columns |= {stance: pa.array(chances[:, n]) for n, stance in enumerate(labels)}
                columns["stance"] = names.take(pa.array(given[start:end]))
                columns["model"] = pa.repeat(version, batch.num_rows)
                defused += write(pa.RecordBatch.from_arrays([columns[name] for name in schema.names], schema=schema))
                start = end
    return given, np.concatenate(held), defused


def _bring(
    staged: Path,
    out: Path,
    shares_out: Path,
    given: NDArray[np.int8],
    shares: PredictionShares,
    skipped: dict[str, int],
    labels: Sequence[Stance],
) -> Predicted:
    """Move the finished files to their final paths, unless the same content is there already."""
    out.parent.mkdir(parents=True, exist_ok=True)
    changed = put_in_place(staged, out)
    changed |= write_json(shares_out, shares)
    counts = np.bincount(given, minlength=len(labels)).tolist()
    return Predicted(
        stances=dict(zip(labels, counts, strict=True)),
        shares=shares,
        out=out,
        shares_out=shares_out,
        changed=changed,
        skipped=skipped,
    )
