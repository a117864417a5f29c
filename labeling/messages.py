"""What `push`, `pull`, `status` and `adjudicate` print."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import permutations
from pathlib import Path
from textwrap import shorten

from corpus.store import table_path, wrote
from labeling.adjudicate import AdjudicateSummary
from labeling.agreement import reading
from labeling.annotator_checks import SECONDS_A_WORD, AlwaysSame, TooFast
from labeling.freshness import Stale
from labeling.intervals import percent, shown
from labeling.measured_agreement import Agreement
from labeling.overlap import FewVotes
from labeling.records import NO_OUTLET, STANCES
from labeling.sampling.corpus_shares import Shares
from labeling.status import Contested, OutletProgress, Status
from labeling.sync.export_files import ExportSummary
from labeling.sync.pull import PullSummary
from labeling.sync.push_plan import ProjectPlan, PushPlan

MOST_OUTLETS = 10


def show_status(status: Status) -> str:
    """A status as tables for the terminal; terminal control characters are blanked."""
    agreement = status.agreement
    parts = [
        _progress(status),
        [str(status.stale)] if status.stale else [],
        _agreement(agreement)
        if agreement.sentences
        else ["Krippendorff's alpha (nominal) undefined: no sentence has two votes"],
        _differences(agreement),
        _contest(status.contested),
        [f"warning: {_warning(row)}" for row in status.warnings],
        _outlets(status.outlets),
        _shares(status.shares, status.stale),
        [
            f"control items: {row.annotator} repeated their own earlier vote on {row.same:.1%} of {row.repeats}"
            for row in status.controls
        ],
    ]
    text = "\n\n".join("\n".join(part) for part in parts if part)
    return "".join(letter if letter.isprintable() or letter == "\n" else " " for letter in text)


def _progress(status: Status) -> list[str]:
    lines = [f"{status.labelled} of {status.sentences} sentences labelled, {status.shared} by two or more"]
    if status.few and status.few.sentences:
        lines.append(few(status.few))
    if status.unsampled:
        lines.append(f"{status.unsampled} more are labelled that the sample doesn't have")
    if status.gone:
        lines.append(f"not counted: {status.gone} answers to sentences that the corpus doesn't have any more")
    lines += [f"not counted: {count} answers of {name}, ignored" for name, count in status.ignored.items()]
    if status.annotators:
        rows = [["annotator", *STANCES, "skipped", "unsure", "median s"]]
        for row in status.annotators:
            counts = [*(row.votes[stance] for stance in STANCES), row.skips, row.unsure]
            rows.append([row.annotator, *map(str, counts), "-" if math.isnan(row.seconds) else f"{row.seconds:.1f}"])
        lines += ["", *_table(rows)]
    return lines


def _outlets(outlets: Sequence[OutletProgress]) -> list[str]:
    """The outlets with the most sentences to label; `status --json` lists all of them."""
    ranked = sorted(outlets, key=lambda row: (-row.sentences, row.outlet is None, row.outlet or ""))
    rows = [["outlet", "sentences", "labelled"]]
    rows += [[row.outlet or NO_OUTLET, str(row.sentences), str(row.labelled)] for row in ranked[:MOST_OUTLETS]]
    rest = ranked[MOST_OUTLETS:]
    more = (
        f"and {len(rest)} more outlets with {sum(row.sentences for row in rest)} sentences, "
        f"{sum(row.labelled for row in rest)} labelled; `stance status --json` lists them all"
    )
    return [*_table(rows), *([more] if rest else [])] if outlets else []


def few(votes: FewVotes) -> str:
    """How many sentences have fewer votes than the project asks for, as the beginning of a sentence."""
    least = "" if votes.exact else "at least "
    return (
        f"{least}{votes.sentences} sentences have fewer votes than the {votes.asked} that [labeling] overlap asks for"
    )


def _agreement(agreement: Agreement) -> list[str]:
    labels = {row.label: row for row in agreement.labels}
    by_label = [["label", "votes", "alpha against the rest"]]
    by_label += [[name, str(labels[name].votes), shown(labels[name].alpha)] for name in STANCES if name in labels]
    rows = [["pair", "sentences", "same label", "Cohen's kappa"]]
    rows += [
        [f"{row.first} and {row.second}", str(row.n), percent(row.raw), shown(row.kappa)] for row in agreement.pairs
    ]
    rows += [
        [f"{row.annotator} and the others' majority", str(row.n), percent(row.raw), shown(row.kappa)]
        for row in agreement.rest
        if len(agreement.annotators) > 2  # with two annotators, this would repeat the pair
    ]
    return [
        f"counted: {', '.join(agreement.annotators)}, on {agreement.sentences} sentences of {agreement.articles} "
        "articles; [95 % intervals] by bootstrap over articles",
        f"Krippendorff's alpha (nominal) {shown(agreement.alpha)}{reading(agreement.alpha)}",
        f"Fleiss's kappa {shown(agreement.fleiss)}, of the {agreement.fleiss_sentences} sentences "
        f"with {agreement.fleiss_votes} votes",
        f"pairs of votes alike {percent(agreement.raw)}, each sentence weighing the same",
        "",
        *_table(by_label),
        "",
        *_table(rows),
    ]


def _differences(agreement: Agreement) -> list[str]:
    """How often the two annotators of each pair differ, by the first's and the second's label."""
    cells = list(permutations(STANCES, 2))
    rows = [["pair: label of the first / of the second", *(f"{a}/{b}" for a, b in cells)]]
    for pair in agreement.pairs:
        counts = [pair.confusion.get(a, {}).get(b, 0) for a, b in cells]
        rows.append([f"{pair.first} / {pair.second}", *map(str, counts)])
    return _table(rows) if agreement.pairs else []


def _contest(contested: Sequence[Contested]) -> list[str]:
    lines = ["least agreement first (share of pairs of votes alike, votes, sentence)"] if contested else []
    for row in contested:
        votes = ", ".join(f"{annotator} {stance}" for annotator, stance in row.votes.items())
        lines += [
            f"{row.alike:4.0%}  {votes}  ({row.sentence_id} in {row.article_id})",
            "      " + shorten(row.text, 110, placeholder=" …"),
        ]
    return lines


def _warning(row: TooFast | AlwaysSame) -> str:
    if isinstance(row, TooFast):
        return (
            f"{row.annotator} may not be reading: {row.quick} of {row.answers} timed answers took less than "
            f"{SECONDS_A_WORD} s a word (median {row.seconds:.1f} s an answer; {row.needed:.1f} s by that measure)"
        )
    return (
        f"{row.annotator} hardly ever changes the label: {row.label} on {row.same} of {row.votes} sentences that "
        f"others labelled too; theirs was {row.label} in {row.others_same} of {row.others} votes"
    )


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows under their headings: the first column is aligned to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        )
        for row in rows
    ]


def _shares(shares: Shares | None, stale: Stale | None) -> list[str]:
    if shares is None:
        return []
    rows = [["label shares", *STANCES], ["as settled", *(percent(shares.raw[stance]) for stance in STANCES)]]
    if shares.weighted is None:
        note = "no estimate for the corpus: no round speaks for all of it (draw one by random, stratified or keyword)"
    else:
        rows.append(["estimated for the corpus", *(percent(shares.weighted[stance]) for stance in STANCES)])
        note = f"the estimate rests on {shares.carrying} of {shares.labelled} settled sentences, copies counted"
    if shares.unlabelled:
        note += f"; {shares.unlabelled} drawn ones are not settled yet"
    if stale and stale.made:
        note += f"; all by verdicts that are older than the answers (`{stale.due}` is due)"
    return [*_table(rows), note]


def show_plan(plan: PushPlan) -> str:
    """A plan as text for the terminal."""
    lines = list(plan.drawn.notes)
    for part in plan.projects:
        lines += _plan_lines("tasks" if len(plan.projects) == 1 else part.title, part, plan.asked.prune)
    if plan.queue:
        lines += _plan_lines("queue", plan.queue, True)
    return "\n".join(lines)


def _plan_lines(name: str, plan: ProjectPlan, prune: bool) -> list[str]:
    removed = "removed, if still so then" if prune else "the same command with --prune removes them"
    said = (
        (plan.answered, "of those on the server only hold answers: they stay"),
        (len(plan.stale), f"of those on the server only hold no answer: {removed}"),
        (len(plan.twice), "second tasks of a sentence, without answers: removed"),
        (plan.doubled, "sentences have two tasks with answers: both stay, each annotator's last answer counts"),
        (plan.foreign, "tasks there were not made by stance (no sentence_id): left alone"),
        (len(plan.predict), "of the tasks there get the model's prediction"),
    )
    lines = [
        f"{name}: {len(plan.create)} to create, {len(plan.update)} to update, {plan.unchanged} unchanged, "
        f"{plan.server_only} on the server only"
    ]
    lines += [f"  {count} {meaning}" for count, meaning in said if count]
    if plan.project and plan.settings:
        lines.append(f"  settings to change: {', '.join(plan.settings)}")
    if plan.by_hand:
        lines.append(
            "  the labelling interface was changed at the server and stays; the same command with --force renews it"
        )
    return lines


def pulled(done: PullSummary, stale: Stale | None, work: Path) -> list[str]:
    """What a pull fetched from a server, line by line.

    Args:
        done: what the pull did.
        stale: how far the verdicts are now behind the answers; None if they are not.
        work: the project's folder of tables.
    """
    lines = [
        f"{done.annotations} answers of {done.annotators} annotators, {done.skips} of them skips",
        f"{done.fetched} tasks had changed",
    ]
    if stale and stale.people:
        lines.append(f"{stale.people} sentences were settled in the queue: `{stale.due}` makes that their verdicts")
    lines += _history(done.edited, done.deleted, work)
    if done.withdrawn:
        lines.append(
            f"{done.withdrawn} answers in the queue were edited or deleted there; what they were is in "
            f"{table_path(work, 'withdrawn.jsonl')}"
        )
    if done.without_sentence:
        lines.append(f"{done.without_sentence} of them are to sentences that the corpus doesn't have any more")
    if done.foreign:
        lines.append(f"{done.foreign} tasks there were not made by stance (no sentence_id): left out")
    return [*lines, wrote(done.changed, table_path(work, "annotations.jsonl"))]


def imported(done: ExportSummary, work: Path) -> list[str]:
    """What a pull read from an export, line by line.

    Args:
        done: what the pull did.
        work: the project's folder of tables.
    """
    lines = [
        f"{done.annotations} answers to tasks of this project, {done.adopted} adopted by their sentence's text, "
        f"of {done.annotators} annotators",
        *(f"read {written!r} as {name}" for written, name in done.aliases.items()),
        *_history(done.edited, done.deleted, work),
    ]
    if done.missing:
        lines.append(
            f"{done.missing} known answers of this project are not in the export: they stay; --replace deletes them"
        )
    return [*lines, wrote(done.changed, table_path(work, "annotations.jsonl"))]


def adjudicated(done: AdjudicateSummary, fewest_votes: int, queue_command: str, work: Path) -> list[str]:
    """What was settled and what is open, line by line.

    Args:
        done: what was settled.
        fewest_votes: how many votes a sentence needs before they settle it.
        queue_command: the command that sends what is open to the queue.
        work: the project's folder of tables.
    """
    how = ", ".join(f"{count} {name}" for name, count in done.settled.items())
    lines = [
        f"verdicts: {how or 'none'}; {done.unsettled} open, listed in {work / 'queue.jsonl'}",
        f"counted: {', '.join(done.annotators)}" + (f"; not {', '.join(done.ignored)}" if done.ignored else ""),
    ]
    if done.few.sentences:
        settled = f"{'' if done.settled_by_few.exact else 'at least '}{done.settled_by_few.sentences}"
        lines.append(
            f"{few(done.few)}; {settled} of them are settled all the same ([labeling] fewest_votes is {fewest_votes})"
        )
    if done.reopened:
        lines.append(f"{done.reopened} sentences that had a verdict have none now")
    if done.flagged:
        lines.append(f"{done.flagged} adjudicated verdicts stand although something changed since: see their flag")
    if done.vanished:
        lines.append(f"{done.vanished} sentences with votes are not in the corpus any more: no verdict")
    if done.unsettled:
        lines.append(f"`{queue_command}` puts what is open to the queue's project at the server")
    return [*lines, wrote(done.changed, work / "verdicts.jsonl")]


def _history(edited: int, deleted: int, work: Path) -> list[str]:
    if not (edited or deleted):
        return []
    return [f"{edited} edited and {deleted} deleted since; what they were is in {table_path(work, 'history.jsonl')}"]
