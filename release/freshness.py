"""Check by content whether each stage's files were made from today's inputs, and if not, which command is due.

    articles, sentences, answers ─▶ verdicts ─▶ examples ─▶ model ─▶ predictions, shares
                                                └──────────┴─────▶ dataset         report: all of them

Verdicts and examples are made again from their inputs, in memory, and compared with the files. A model has a digest of
the examples that it was trained on; predictions, a dataset and the report have digests of everything that they were
made from (`train.input_digests`). The times of files are not used, because a checkout or a copy changes them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Literal

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from corpus.errors import PublishError, StanceError, TableError
from corpus.numbers import agreeing
from corpus.tables import table_parts
from labeling.codebook import Codebook
from labeling.freshness import stale_verdicts
from release.contents.manifest import FILE, made_from, read_manifest
from train import input_digests
from train.examples.from_verdicts import are_known, labelled, read_examples
from train.predict.shares import PredictionShares
from train.records import Example, ModelCard, read_record
from train.settings import Settings

Stage = Literal["verdicts", "examples", "model", "predictions", "dataset", "report"]
COMMANDS: Mapping[Stage, str] = {
    "verdicts": "stance adjudicate",
    "examples": "stance train",
    "model": "stance train",
    "predictions": "stance predict",
    "dataset": "stance publish",
    "report": "stance report",
}
"""The command that makes a stage, in the order of the stages; see `command` for that of a dataset without text."""
STAGES: tuple[Stage, ...] = tuple(COMMANDS)
TRAINED: tuple[Stage, ...] = ("verdicts", "examples", "model")
"""The stages that a model, a dataset and its card depend on."""

CONTENTS: Mapping[str, frozenset[str]] = {
    "the articles": frozenset({"articles.parquet", "spans.parquet", "sentences.parquet", "skipped.jsonl"}),
    "the drawn sentences": frozenset({"sample.parquet"}),
    "the answers": frozenset({"annotations.jsonl", "adjudications.jsonl"}),
    "the verdicts": frozenset({"verdicts.jsonl", "queue.jsonl"}),
    "the training data": frozenset({"examples.parquet"}),
    "the model's scores": frozenset({"model/metrics.json", "model/analysis.json"}),
    "the machine coders' labels": frozenset({"machine.jsonl"}),
    "the codebook": frozenset({"codebook"}),
    "the settings": frozenset({"configuration"}),
}
"""What a user calls the inputs of a release, and their names in its manifest."""


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """A stage that is out of date.

    Attributes:
        stage: name of the stage.
        why: clause that says how the stage's files differ from what today's inputs would give.
        command: command that is due.
    """

    stage: Stage
    why: str
    command: str

    def __str__(self) -> str:
        """One sentence, without a full stop."""
        return f"{self.why}: run `{self.command}`"


class Project(msgspec.Struct, frozen=True, kw_only=True):
    """A project whose stages are checked.

    Attributes:
        work: the project's folder of tables.
        settings: all settings in stance.toml.
        codebook: codebook with its text and version; if None, votes given under any version count.
        ignored: annotators whose answers don't count.
    """

    work: Path
    settings: Settings
    codebook: Codebook | None = None
    ignored: Collection[str] = frozenset()


def due(project: Project, stages: Collection[Stage] = STAGES) -> list[Due]:
    """The stages that are out of date, in the order of the stages.

    A stage that was never run isn't out of date. Each stage is compared with its inputs as they are, even if those are
    themselves out of date.

    Args:
        project: the project.
        stages: stages to check.

    Raises:
        TableError: a table is malformed, or there is no corpus.
        ExamplesError: another version wrote a record of the model or of its predictions.
    """
    checks: Mapping[Stage, Callable[[Project], str]] = {
        "verdicts": _verdicts,
        "examples": _examples,
        "model": _model,
        "predictions": _predictions,
        "dataset": _dataset,
        "report": _report,
    }
    return [
        Due(stage=stage, why=why, command=command(project, stage))
        for stage, check in checks.items()
        if stage in stages and (why := check(project))
    ]


def command(project: Project, stage: Stage) -> str:
    """The command that makes a stage again.

    A dataset that was published without the articles' text, although there is a licence, stays without it.
    """
    if stage != "dataset" or not project.settings.publish.licence:
        return COMMANDS[stage]
    return f"{COMMANDS[stage]} --standoff" if is_without_text(project.work / "dataset") else COMMANDS[stage]


def is_without_text(folder: Path) -> bool:
    """Whether a folder holds a stand-off release; not if it holds no release, or none that can be read."""
    try:
        return (folder / FILE).is_file() and read_manifest(folder).dataset.standoff
    except PublishError:
        return False


def told(project: Project, stages: Sequence[Stage]) -> list[str]:
    """One sentence for each stage that is out of date, for commands that continue nevertheless.

    A file that can't be read gets a sentence too: the command that needs it will stop by itself.
    """
    lines: list[str] = []
    for stage in stages:
        try:
            lines += map(str, due(project, [stage]))
        except StanceError as error:
            lines.append(f"the {stage} can't be checked: {error}")
    return lines


def refuse(project: Project, before: str, stages: Collection[Stage], instead: str = "") -> None:
    """Stop a command that must not use anything that is out of date.

    Args:
        project: the project.
        before: command that is stopped.
        stages: stages that the command uses.
        instead: what to do in place of the commands that are due, if more has to be done, as sentences. It is not said
            where the verdicts are out of date, because it may not hold any more once they are made again.

    Raises:
        PublishError: one of the stages is out of date; the message names the commands that are due, in their order.
    """
    stale = due(project, stages)
    if not stale:
        return
    first = min(STAGES.index(row.stage) for row in stale)
    commands = dict.fromkeys(COMMANDS[stage] for stage in STAGES[first:] if stage in stages)
    why = "; ".join(row.why for row in stale)
    if instead and all(row.stage != "verdicts" for row in stale):
        raise PublishError(f"{why}. Nothing was published. {instead}")
    raise PublishError(
        f"{why}. Nothing was published. Run "
        f"{', then '.join(f'`{command}`' for command in commands)}, then `{before}` again"
    )


def _verdicts(project: Project) -> str:
    """Compare the verdicts and the queue with what today's votes, codebook and settings would give."""
    stale = stale_verdicts(
        project.work, project.settings.labeling, project.codebook, project.ignored, project.settings.labels
    )
    return f"the verdicts are older than the answers, the codebook or the settings ({stale.why})" if stale else ""


def _examples(project: Project) -> str:
    """Compare `examples.parquet` with the examples that today's verdicts would give."""
    path, verdicts = project.work / "examples.parquet", project.work / "verdicts.jsonl"
    if not path.is_file() or not verdicts.is_file():
        return ""
    made_of = (project.settings.target.name, project.settings.train, project.settings.labels)
    if are_known(project.work, *made_of):
        return ""
    now, _ = labelled(project.work, *made_of)
    return compare(read_examples(project.work), now)


def compare(then: Sequence[Example], now: Sequence[Example]) -> str:
    """A clause that says how earlier examples differ from those of now; "" if they are the same.

    The earlier groups may be larger, because splits are kept: an article that joined two groups may have left the
    corpus. Sentences that are in one group now must have been in one group before.
    """
    old, new = ({row.sentence_id: row for row in rows} for rows in (then, now))
    both = old.keys() & new.keys()
    together: dict[str, set[str]] = defaultdict(set)
    for key in both:
        together[new[key].group].add(old[key].group)
    counts = {
        "got a verdict since": len(new.keys() - old.keys()),
        "have no verdict any more": len(old.keys() - new.keys()),
        "have another label now": sum(old[key].label != new[key].label for key in both),
        "have other votes now": sum(old[key].votes != new[key].votes for key in both),
        "have another text or target now": sum(
            (old[key].text, old[key].target) != (new[key].text, new[key].target) for key in both
        ),
        "are in groups that are one group now": sum(len(together[new[key].group]) > 1 for key in both),
    }
    parts = ", ".join(f"{count:,} {_agreeing(count, what)}" for what, count in counts.items() if count)
    return (
        f"the labels or texts are not those of the last training or release (of the sentences, {parts})"
        if parts
        else ""
    )


def _agreeing(count: int, clause: str) -> str:
    """A clause that begins with a verb in the plural, with the verb in the form that follows a number."""
    verb, _, rest = clause.partition(" ")
    return f"{agreeing(count, verb) if verb in ('are', 'have') else verb} {rest}"


class _Analysed(msgspec.Struct):
    outside: bool = False


def is_outside(model: Path) -> bool:
    """Whether a model was trained on labelled data from outside of the project, as `stance train DATA` does."""
    path = model / "analysis.json"
    return path.is_file() and read_record(path, _Analysed).outside


def _model(project: Project) -> str:
    """Compare `model/` with the examples, unless the model was trained on data from outside of the project."""
    folder = project.work / "model"
    if not any((folder / name).is_file() for name in ("model.json", "model.skops", "metrics.json")):
        return ""
    if is_outside(folder):
        return ""
    if not (folder / "model.json").is_file():
        return f"{folder} is incomplete, as after an interrupted training"
    trained_on = read_record(folder / "model.json", ModelCard).trained_on
    if not trained_on:
        return f"{folder} doesn't say what it was trained on, because an earlier version of stance wrote it"
    if not (project.work / "examples.parquet").is_file():
        return f"the labelled sentences that {folder} was trained on ({project.work / 'examples.parquet'}) are missing"
    if trained_on != input_digests.of_examples(
        read_examples(project.work), project.settings.train, project.settings.labels
    ):
        return (
            f"{folder} was trained on other labelled sentences than those in "
            f"{project.work / 'examples.parquet'}, or with "
            "another seed, mask or way of treating targets or votes than [train] gives, or other labels than [labels]"
        )
    return ""


def _predictions(project: Project) -> str:
    """Compare `predictions.parquet` and `shares.json` with the model, the corpus and the verdicts."""
    path, shares, model = (project.work / name for name in ("predictions.parquet", "shares.json", "model/model.skops"))
    if not path.is_file() or not model.is_file():
        return ""
    try:
        schema = pq.read_schema(path)
    except pa.ArrowException as error:
        raise TableError(f"{path}: expected a Parquet table; found: {error}. Run `stance predict` again") from error
    by: set[str | None] = set()
    if "model" in schema.names:
        for part in table_parts(path, pa.schema([("model", pa.string())]), "stance predict"):
            by.update(part["model"].unique().to_pylist())
    parts = []
    if by != {input_digests.of_model(model)}:
        parts.append("another model than the present one")
    if (schema.metadata or {}).get(input_digests.SENTENCES_KEY, b"").decode() != input_digests.of_sentences(
        project.work
    ):
        parts.append("other sentences than those of the corpus")
    if shares.is_file():
        made_of = read_record(shares, PredictionShares).made_of
        if made_of != input_digests.of_labels(project.work, project.settings.target.name):
            parts.append("other verdicts, rounds or article dates (for the shares)")
    return f"{path} was made from {' and from '.join(parts)}" if parts else ""


def _dataset(project: Project) -> str:
    """Compare the inputs that the manifest of `dataset/` lists with the files, codebook and settings of today."""
    folder = project.work / "dataset"
    if not (folder / FILE).is_file() or project.codebook is None:
        return ""
    try:
        record = read_manifest(folder)
    except PublishError as error:
        return f"{folder} can't be read as a release ({error})"
    now = made_from(project.work, project.codebook, project.settings, standoff=record.dataset.standoff)
    files = {name for name in now.keys() | record.inputs.keys() if now.get(name) != record.inputs.get(name)}
    what = [words for words, names in CONTENTS.items() if files & names]
    what += sorted(files - frozenset().union(*CONTENTS.values()))
    if not what:
        return ""
    have = "has" if what == ["the codebook"] else "have"
    return f"{' and '.join(filter(None, (', '.join(what[:-1]), what[-1])))} {have} changed since {folder} was made"


def _report(project: Project) -> str:
    """Compare `report.html` with the files and settings that it shows."""
    path = project.work / "report.html"
    if not path.is_file():
        return ""
    target = project.settings.target.name
    now = input_digests.of_report(input_digests.of_files(project.work), target, project.settings)
    return "" if now in path.read_text("utf-8", "replace") else f"{path} shows an earlier state of the project"
