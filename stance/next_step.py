"""Where a project stands, and which command is the next: what `stance` alone prints, and the last line of commands."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from corpus.errors import ExamplesError, StanceError
from corpus.numbers import number
from corpus.store import read_jsonl, read_jsonl_if_there, table_path
from labeling.records import Unsettled, Verdict
from labeling.sync.sent_queue import read_queue
from stance.project import (
    WORK,
    check_question,
    codebook_now,
    inner_projects,
    outer_project,
    reopened_now,
    stale_verdicts_now,
    this_project,
)

if TYPE_CHECKING:
    from corpus.rebuild.source_changes import SourceChanges
    from labeling.vote_counts import VoteCounts
    from release.freshness import Stage
    from train.settings import Settings

FEW = 0.1
"""Share of the sentences that may lack answers when `stance adjudicate` is advised for the first time."""
CHANGES = "docs/labeling.md"
"""The page that says how a codebook lists its changes."""
ALL = 1_000
"""Most sentences that a first push is advised to send without drawing a round."""


def next_step(settings: Settings, after: str = "") -> str:
    """What to do next, with the command; empty if nothing is left to do.

    Args:
        settings: the project's settings.
        after: the command that has just ended, so that the advice goes on from there; if empty, the advice follows
            from the project's files alone.
    """
    order: Mapping[str, tuple[Callable[[Settings], str], ...]] = {
        "push": (_label,),
        "pull": (
            _label_first,
            _settle,
            _pull_before_training,
            _queue,
            _train,
            _predict,
            _publish,
            _report,
            _pull_again,
        ),
        "adjudicate": (_queue, _pull_before_training, _train, _predict, _publish, _report),
        "train": (_settle, _predict, _publish, _report),
        "predict": (_settle, _train_again, _publish, _report),
        "publish": (_predict, _report),
        "report": (_settle, _train_again, _predict, _publish),
    }
    everything = (
        *(_build, _build_again, _push, _label_first, _settle, _queue_before_training, _pull_before_training),
        *(_train, _predict, _publish, _report, _pull_again),
    )
    for step in dict.fromkeys((*order.get(after, ()), *everything)):
        if said := step(settings):
            return said + _meanwhile(settings, step, after) + (_few_groups() if step in LABELLING else "")
    return ""


def _meanwhile(settings: Settings, step: Callable[[Settings], str], after: str) -> str:
    """The other thing to do, where a project with a model waits for answers and something that was made is due."""
    if not (WORK / "model" / "model.json").is_file():
        return ""
    if after == "push" and step is _label:
        # What is said of open sentences names the queue, as the step before it does.
        steps = [one for one in MADE if not (one is _publish and _open())]
        made = next(filter(None, (one(settings) for one in steps)), "")
        return f"; meanwhile {made}" if made else ""
    if after or step not in MADE or not table_path(WORK, "sample.parquet").is_file():
        return ""
    counts, todo = vote_counts_now(settings), []
    if counts and counts.waiting:
        todo.append(f"let people label the {number(counts.waiting, 'sentence')} with too few answers")
    if step is not _publish and (waiting := read_queue(Path()).among(_open())):
        todo.append(f"decide the {number(waiting, 'open sentence')} in the queue")
    return f"; and {' and '.join(todo)}, then `stance pull`" if todo else ""


def _few_groups() -> str:
    """What to know before people label articles that form too few groups for a training; "" if there are enough."""
    from corpus.rebuild.last_build import article_groups
    from train.settings import FEWEST_GROUPS

    groups = article_groups(WORK)
    if not 0 < groups < FEWEST_GROUPS:
        return ""
    form = "all belong to one group" if groups == 1 else f"form {groups} groups"
    return (
        f". These articles {form}, and training a model takes at least {FEWEST_GROUPS} (articles that share a sentence "
        "are one group): add other articles and build again, or publish the labels without a model"
    )


def _build(settings: Settings) -> str:
    if (WORK / "sentences.parquet").is_file():
        return ""
    root = settings.corpus.root
    if root == ".":
        return "`stance build FOLDER`, with the folder of your articles"
    files = list(islice(Path(root).iterdir(), 1)) if Path(root).is_dir() else []
    return (
        f"`stance build {root}`" if files else f"put your articles into the folder {root}, then `stance build {root}`"
    )


def _build_again(_: Settings) -> str:
    changes = source_changes()
    return f"`{build_command(changes)}`: {changes}" if changes else ""


def _push(settings: Settings) -> str:
    import pyarrow.parquet as pq

    from labeling.studio.connection import find_server
    from labeling.sync.question import check_target
    from train.settings import FILE

    if any(table_path(WORK, name).is_file() for name in ("sample.parquet", "annotations.jsonl")):
        return ""
    if not Path(FILE).is_file():
        if other := outer_project() or next(iter(inner_projects()), ""):
            return f"there is a project in {other}: `cd {shlex.quote(other)}`, and build there"
        return "`stance init` here, which makes a project of this folder, then `stance build` with your articles again"
    try:
        codebook = codebook_now(settings)
        check_target(Path(FILE), settings.target.name)
        if codebook and "{{" in codebook.text:
            path = settings.labeling.codebook
            return f"put your own rules into {path}, wherever it has double braces: annotators read it"
        check_question(settings, codebook)
    except StanceError as error:
        return f"before annotators see anything, {error}"
    if codebook is None:
        return f"write the codebook {settings.labeling.codebook}, which annotators read"
    try:
        find_server(Path())
        before = ""
    except StanceError:
        before = "`stance serve` in a second terminal, then "
    count = pq.read_metadata(WORK / "sentences.parquet").num_rows
    if count > ALL:
        return f"{before}`stance push --limit 200`, which draws 200 of the {count:,} sentences at random{_few_groups()}"
    return f"{before}`stance push` for all sentences, or `stance push --limit N` for N of them at random{_few_groups()}"


def _label(settings: Settings) -> str:
    """What people are to do at the server after a push."""
    wanted = settings.labeling.overlap
    if settings.labeling.assign:
        people = first = "as [labeling] assign says"
    else:
        each = f"{number(wanted, 'annotator')} each" if wanted > 1 else "one annotator each"
        people = f"{each}, as [labeling] overlap says"
        first = f"{each}; for another number, set [labeling] overlap in stance.toml and push again first"
    counts = vote_counts_now(settings)
    steps = []
    if counts is None or not counts.labelled:
        steps.append(f"let people label them ({first})")
    elif counts.waiting:
        steps.append(f"let people label the {number(counts.waiting, 'sentence')} with too few answers ({people})")
    queue = read_queue(Path())
    if waiting := queue.among(_open()):
        steps.append(f"decide the {number(waiting, 'open sentence')} in the queue")
    return f"{' and '.join(steps)}, then `stance pull`, as often as you like" if steps else ""


def _label_first(settings: Settings) -> str:
    """Ask for more answers before anything is settled, if more than a few are still to come."""
    stale = stale_verdicts_now(settings)
    if stale is None or stale.made or (WORK / "model" / "model.json").is_file():
        return ""
    counts = vote_counts_now(settings)
    if counts is None or not counts.labelled or counts.waiting <= FEW * counts.sentences:
        return ""
    return (
        f"let people label the {number(counts.waiting, 'sentence')} with too few answers, then `stance pull`; or "
        "`stance adjudicate`, which settles what has been labelled so far"
    )


def _pull_before_training(settings: Settings) -> str:
    """Ask for more labels before the first training only: a user who has trained goes on with that model."""
    return "" if (WORK / "model" / "model.json").is_file() else _pull_again(settings)


def _pull_again(settings: Settings) -> str:
    counts = vote_counts_now(settings)
    if not table_path(WORK, "sample.parquet").is_file() or counts is None:
        return ""
    if not counts.labelled:
        return "let people label the sentences at the server, then `stance pull`"
    if not counts.waiting:
        return ""
    settled = (WORK / "verdicts.jsonl").is_file() and not (WORK / "model" / "model.json").is_file()
    or_train = "; or run `stance train`, which learns from what is settled so far" if settled else ""
    are = number(counts.waiting, "sentence", "have")
    return f"`stance pull` when people have labelled more: {are} too few answers{or_train}"


def _settle(settings: Settings) -> str:
    if not stale_verdicts_now(settings):
        return ""
    from train.starter import starter_path

    codebook = codebook_now(settings)
    verdicts = read_jsonl_if_there(WORK / "verdicts.jsonl", Verdict)
    if (
        codebook
        and not codebook.changes
        and verdicts
        and all(row.codebook not in ("", codebook.version) for row in verdicts)
    ):
        return (
            f"`stance adjudicate --dry-run`: the codebook has version {codebook.version} now, which opens all "
            f"verdicts by votes again; a change list at its top would say which ones, see {starter_path(CHANGES)}; "
            "`stance push --migrate` asks the annotators again"
        )
    return "`stance adjudicate`"


def _open() -> set[str]:
    """The sentences that votes have left open."""
    return {row.sentence_id for row in read_jsonl_if_there(WORK / "queue.jsonl", Unsettled)}


def _queue(settings: Settings) -> str:
    from labeling.sampling.rounds import queue_command
    from labeling.sampling.sample_table import read_sample

    count = len(sentences := _open())
    if not count:
        return ""
    them = "it" if count == 1 else "them"
    reopened = reopened_now(settings)
    if reopened and reopened.to_ask:
        return (
            f"`stance push --migrate`, which asks the annotators again for what they labelled under codebook "
            f"{', '.join(reopened.earlier)}; or leave {them} without a label: `stance train`"
        )
    queue = read_queue(Path())
    if queue.among(sentences) == count:
        return (
            f"decide the {number(count, 'open sentence')} in the queue at {queue.url}, then `stance pull` and "
            f"`stance adjudicate`; or leave {them} without a label: `stance train`"
        )
    return (
        f"`{queue_command(read_sample(WORK))}` puts the {number(count, 'open sentence')} into the queue; once people "
        f"have decided {them} there, `stance pull` and `stance adjudicate`; or leave {them} without a label: "
        "`stance train`"
    )


def _queue_before_training(settings: Settings) -> str:
    """Mention open sentences before the first training only: a user who has trained has left them open on purpose."""
    return "" if (WORK / "model" / "model.json").is_file() else _queue(settings)


def _train(settings: Settings) -> str:
    if not (WORK / "verdicts.jsonl").is_file():
        return ""
    if (WORK / "model" / "model.json").is_file():
        return _command(settings, "model") if _due(settings, "examples", "model") else ""
    if not read_jsonl(WORK / "verdicts.jsonl", Verdict, "stance adjudicate"):
        return ""
    if not (reason := _untrainable(settings)):
        return _command(settings, "model")
    dataset = _publish(settings)
    report = _missing_or_due(settings, "report", WORK / "report.html")
    if dataset or report:
        return f"{dataset or report}; a model takes more labels: {reason}"
    return f"label more sentences for a model, which `stance push --limit N` draws: {reason}"


def _train_again(settings: Settings) -> str:
    """Mention a training only where there is a model already, which is out of date."""
    return _train(settings) if (WORK / "model" / "model.json").is_file() else ""


def _untrainable(settings: Settings) -> str:
    """Why no model can be trained on the verdicts, as a clause; "" if one can."""
    from train.examples.from_verdicts import plan_examples
    from train.model.search import check_examples

    try:
        plan = plan_examples(WORK, settings.target.name, settings.train, settings.labels)
        check_examples(plan.examples, settings.train.seed, settings.labels)
    except ExamplesError as error:
        return str(error).partition(". ")[0]
    return ""


def _predict(settings: Settings) -> str:
    if not (WORK / "model" / "model.json").is_file():
        return ""
    return _missing_or_due(settings, "predictions", WORK / "predictions.parquet")


def _publish(settings: Settings) -> str:
    if not (WORK / "verdicts.jsonl").is_file():
        return ""
    from labeling.settling.open_sentences import open_sentences, what_to_do

    command = _missing_or_due(settings, "dataset", WORK / "dataset")
    if not command or not (rows := open_sentences(WORK)):
        return command
    todo = what_to_do(WORK, [row.sentence_id for row in rows], read_queue(Path()), command.strip("`"))
    return f"{number(len(rows), 'sentence', 'are')} open: {todo}"


def _report(settings: Settings) -> str:
    return _missing_or_due(settings, "report", WORK / "report.html")


def _missing_or_due(settings: Settings, stage: Stage, made: Path) -> str:
    return "" if made.exists() and not _due(settings, stage) else _command(settings, stage)


def _command(settings: Settings, stage: Stage) -> str:
    from release.freshness import command

    return f"`{command(this_project(settings), stage)}`"


def _due(settings: Settings, *stages: Stage) -> bool:
    from release.freshness import due

    return bool(due(this_project(settings), stages))


MADE = (_train, _predict, _publish, _report)
"""The steps that make something of the labels."""
LABELLING = (_label, _label_first, _pull_again)
"""The steps that ask people for labels."""


def source_changes() -> SourceChanges | None:
    """How the files of the articles differ from those that the last build read; None if they do not."""
    from corpus.rebuild.source_changes import changes_since

    return changes_since(WORK)


def build_command(changes: SourceChanges) -> str:
    """The command that builds from the same sources as the last time."""
    return shlex.join(["stance", "build", *changes.named])


def vote_counts_now(settings: Settings) -> VoteCounts | None:
    """How many sentences are to be labelled and how many have votes; None if there is no corpus yet."""
    from labeling.identity.pseudonyms import ignored
    from labeling.vote_counts import vote_counts

    if not (WORK / "sentences.parquet").is_file():
        return None
    apart = ignored(Path(), settings.labeling.ignore)
    return vote_counts(WORK, settings.labeling, codebook_now(settings), apart, settings.labels)
