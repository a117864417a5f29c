"""Predict the stance of every sentence of a large archive, on one computer or on a cluster.

Sentences are scored shard by shard (`train.archive.score_shards`); then one global step sorts and counts them. The
archive is never held in memory as a whole; only one row per article is, for the shares' intervals.
"""

from __future__ import annotations

import glob
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from functools import cache
from pathlib import Path

import msgspec
import sklearn
from filelock import FileLock, Timeout

from corpus.build import build
from corpus.digests import code_digest, digest, stamp
from corpus.engine import Engine, Local, on_processes
from corpus.errors import ExamplesError, SourceError, StanceError
from corpus.records import CorpusSettings
from corpus.staging import remove_staged, staging, swap
from corpus.store import read_json, read_json_if_whole, write_bytes, write_json
from labeling.scheme import Stance
from train.archive import score_shards
from train.archive.hive_files import HivePart
from train.archive.score_shards import ModelAsked, ScoreJob, on_spark, plan, rules
from train.archive.score_tables import count, views, write_scores
from train.predict.judge import MADE_BY, open_model
from train.predict.predict import Predicted, metrics_if_there
from train.predict.score_corpus import Progress
from train.predict.shares import UNKNOWN, PredictionShares, counted_shares
from train.report import svg_plots, svg_shapes

STATE = ".archive"
SCORED = "scored.json"
SHARDS = "shards"
SCORES = "scores"
MARKER = "_SUCCESS"
TABLES = ("articles.parquet", "sentences.parquet")
NOTE = "not corrected: an archive's shares are the model's own; those of a labelled corpus `stance predict` corrects"


class ScoredTables(msgspec.Struct, frozen=True, kw_only=True):
    """`.archive/scored.json`: the tables that the scores in the manifest with this key are of, and their shards.

    `tables` is the folder of a built corpus that was given; "" for the archive's own, in `.archive/tables`.
    """

    key: str
    tables: str
    shards: list[str]


Run = Callable[[list[ScoreJob]], Iterator[int]]


class ArchiveManifest(msgspec.Struct, frozen=True, kw_only=True):
    """`manifest.json`: the model that the scores come from, and their files.

    `key` is a digest of everything that the scores depend on; the marker file contains it too.
    """

    key: str
    model: str
    scikit_learn: str
    sentences: dict[str, int]
    parts: list[HivePart]


def predict_archive(
    sources: Sequence[Path | str],
    folder: Path,
    out: Path,
    settings: CorpusSettings,
    progress: Progress = lambda done, total: None,
    *,
    target: str = "",
    trust: bool = False,
    workers: int | None = None,
    address: str | None = None,
) -> Predicted:
    """Predict each sentence of an archive, and write the results to a folder.

    The folder `out` then has the scores, in `scores/month=…/outlet=…/part-….parquet`, with the marker
    `scores/_SUCCESS` once they are complete; `shares.json`; `stance.svg`, a plot of the shares by month; and
    `manifest.json`, a list of all files with the outlets' original names. An unknown month is `unknown`; articles
    without an outlet are in the folder that Hive uses for a missing value, and readers return null for it. After an
    interruption, another run continues where the last one stopped; where nothing has changed, nothing is written. The
    folder `.archive` inside `out` keeps finished shards and, unless a built corpus was given, the built corpus.

    Args:
        sources: sources as for `corpus.build.build`; or a single folder that `stance build` wrote, which is read as it
            is.
        folder: folder of the model.
        out: folder to write to, which is new or from an earlier run.
        settings: `[corpus]` of stance.toml.
        progress: function that is called with the number of sentences of each finished shard, and of all.
        target: target to predict for, where the model was trained on several.
        trust: whether to open `model.joblib` instead of `model.skops`, which runs any code that is in it.
        workers: number of processes; one per core by default. The results do not depend on it.
        address: address of a Spark cluster (see `corpus.spark_session.session`), or None for this computer; the results
            do not depend on it. The cluster's machines need the model's libraries, and must see the sources and `out`
            under the same paths as this computer.

    Returns:
        What was predicted, as from `train.predict.predict.predict_articles`; `skipped` is empty for a built corpus.

    Raises:
        ExamplesError: there is no model, or another version wrote it; this is checked before any other work.
        SourceError: `out` holds other files or is inside a source, or no article can be used.
        TableError: the built corpus is incomplete.
        StanceError: another run is writing to `out`, the disk is full, or an engine fails.
    """
    judge = open_model(folder, target, trust=trust)
    asked = ModelAsked(folder=folder.resolve(), target=target, trust=trust, version=judge.version)
    _check_out(sources, out)
    state = out / STATE
    fresh = not state.exists()
    try:
        state.mkdir(parents=True, exist_ok=True)
        with FileLock(state / "lock", timeout=0), _engine(address, workers) as engine:
            done = _predict(sources, out.resolve(), settings, progress, asked, judge.labels, engine)
        return msgspec.structs.replace(
            done, out=out / SCORES, shares_out=out / "shares.json", metrics=metrics_if_there(folder)
        )
    except Timeout as error:
        raise StanceError(
            f"another `stance predict` is writing to {out}; wait for it, or name another --out"
        ) from error
    except StanceError:
        if fresh and not (state / "shards").exists():
            shutil.rmtree(state, ignore_errors=True)
            if not any(out.iterdir()):
                out.rmdir()
        raise
    except OSError as error:
        raise StanceError(f"{out}: cannot be written: {error.strerror or error}; what is finished is kept") from error


def _check_out(sources: Sequence[Path | str], out: Path) -> None:
    if out.exists() and not out.is_dir():
        raise SourceError(f"--out {out}: expected a folder; found a file")
    if out.is_dir() and any(out.iterdir()) and not (out / STATE).is_dir():
        raise SourceError(f"--out {out}: expected a new folder, or one of an earlier run; found other files in it")
    here = out.resolve()
    for source in map(str, sources):
        paths = [source] if Path(source).exists() else glob.glob(source, recursive=True)  # noqa: PTH207  as `build` does
        for path in (Path(name).resolve() for name in paths):
            if path.is_relative_to(here) or (path.is_dir() and here.is_relative_to(path)):
                raise SourceError(f"--out {out}: it lies in the sources ({source}); name a folder outside of them")


def _predict(
    sources: Sequence[Path | str],
    out: Path,
    settings: CorpusSettings,
    progress: Progress,
    asked: ModelAsked,
    labels: Sequence[Stance],
    engine: Callable[[], tuple[Engine, Run]],
) -> Predicted:
    tables, skipped = _tables(sources, out / STATE / "tables", settings, engine)
    stamps = [stamp(tables / name) for name in TABLES]
    key = digest(rules(asked), code_digest([__name__], ()), *stamps)
    if (last := _last(out)) is not None and last.key == key and _whole(out, last):
        shares = read_json(out / "shares.json", PredictionShares)
        return _predicted(out, last, shares, False, skipped)
    scored = out / STATE / SHARDS
    scored.mkdir(exist_ok=True)
    remove_staged(out / STATE)
    remove_staged(scored)
    shards = plan(tables, asked)
    if not shards:
        raise ExamplesError(f"{tables / TABLES[1]} holds no sentence: run `{MADE_BY}` on articles first")
    jobs = [ScoreJob(shard=shard, asked=asked, folder=scored) for shard in shards if not (scored / shard.key).is_dir()]
    running, run = engine()
    total = sum(shard.rows for shard in shards)
    progress(total - sum(job.shard.rows for job in jobs), total)
    for rows in run(jobs):
        progress(rows, total)
    with staging(out / STATE) as new:
        (new / "database").mkdir()
        with running.database(new / "database") as database:
            views(database, tables, new, [scored / shard.key for shard in shards])
            parts = write_scores(database, new / SCORES, asked.version, labels, shards, tables)
            counts = count(database, labels)
        if [stamp(tables / name) for name in TABLES] != stamps:
            raise StanceError(f"{tables} changed while it was read; run it again")
        manifest = ArchiveManifest(
            key=key,
            model=asked.version,
            scikit_learn=sklearn.__version__,
            sentences=dict(zip(labels, counts.sentences.sum(axis=0).tolist(), strict=True)),
            parts=parts,
        )
        shares = PredictionShares(model=asked.version, power=None, notes=[NOTE], rows=counted_shares(counts, labels))
        given = "" if tables == out / STATE / "tables" else str(tables)
        told = ScoredTables(key=key, tables=given, shards=[shard.key for shard in shards])
        write_json(out / STATE / SCORED, told)
        _bring(out, new, manifest, shares)
    for stale in {path.name for path in scored.iterdir()} - {shard.key for shard in shards}:
        shutil.rmtree(scored / stale, ignore_errors=True)
    return _predicted(out, manifest, shares, True, skipped)


@contextmanager
def _engine(address: str | None, workers: int | None) -> Iterator[Callable[[], tuple[Engine, Run]]]:
    """A function that returns the engine and the function that scores shards on it.

    A Spark session is opened when the function is first called, and closed at the end.
    """
    with ExitStack() as stack:

        @cache
        def engine() -> tuple[Engine, Run]:
            if address is None:
                return Local(workers), lambda jobs: on_processes(
                    score_shards.make, {job.shard.key: job for job in jobs}, workers
                )
            from corpus.spark_engine import Cluster
            from corpus.spark_session import session

            spark = stack.enter_context(session(address, score_shards.__name__))
            return Cluster(spark), lambda jobs: on_spark(jobs, spark)

        yield engine


def _tables(
    sources: Sequence[Path | str], built: Path, settings: CorpusSettings, engine: Callable[[], tuple[Engine, Run]]
) -> tuple[Path, dict[str, int]]:
    """The folder of the corpus' tables, and the number of articles that were skipped, by reason."""
    given = [Path(source) for source in sources if all((Path(source) / name).is_file() for name in TABLES)]
    if not given:
        return built, build(sources, built, settings, engine=lambda: nullcontext(engine()[0])).skipped
    if len(sources) > 1:
        raise SourceError(f"{given[0]} is a built corpus: expected it alone, or only folders and files of articles")
    return given[0].resolve(), {}


def _last(out: Path) -> ArchiveManifest | None:
    return read_json_if_whole(out / "manifest.json", ArchiveManifest)


def _whole(out: Path, last: ArchiveManifest) -> bool:
    """Whether everything that the manifest names exists."""

    def size(path: Path) -> int:
        return path.stat().st_size if path.is_file() else -1

    marker = out / SCORES / MARKER
    return (
        marker.is_file()
        and marker.read_text().strip() == last.key
        and all((out / name).is_file() for name in ("shares.json", "stance.svg"))
        and all(size(out / SCORES / part.path) == part.size for part in last.parts)
    )


def _bring(out: Path, new: Path, manifest: ArchiveManifest, shares: PredictionShares) -> None:
    """Put the new scores into the place of the old ones, by renaming; the manifest is written last."""
    (new / SCORES / MARKER).write_text(f"{manifest.key}\n")
    swap(new / SCORES, out / SCORES)
    write_json(out / "shares.json", shares)
    write_bytes(out / "stance.svg", _plot(shares).encode())
    write_json(out / "manifest.json", manifest)


def _predicted(
    out: Path, manifest: ArchiveManifest, shares: PredictionShares, changed: bool, skipped: dict[str, int]
) -> Predicted:
    return Predicted(
        stances=manifest.sentences,
        shares=shares,
        out=out / SCORES,
        shares_out=out / "shares.json",
        changed=changed,
        skipped=skipped,
    )


def _plot(shares: PredictionShares) -> str:
    """A plot of the shares by month, as an image file that needs no page around it."""
    months: dict[str, list[svg_plots.Point]] = {row.stance: [] for row in shares.rows}
    for row in shares.rows:
        if row.kind == "month" and row.name != UNKNOWN:
            months[row.stance].append(svg_plots.point(row.name, row.raw))
    title = "Share of each stance by month, by the model" if any(months.values()) else "No sentence has a known month"
    tones = svg_shapes.tones(list(months))
    return svg_plots.alone(svg_plots.over_time(months, tones, title), tones, title)
