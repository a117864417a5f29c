"""What `stance push` prints: what it will do, and what it has done."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from corpus.numbers import agreeing, number

if TYPE_CHECKING:  # each command loads only what it does, not what all commands print about
    from labeling.migration.plan import ProjectMigration
    from labeling.studio.project_plan import ProjectPlan
    from labeling.sync.push_plan import PushPlan

_SETTINGS = {
    "expert_instruction": "the codebook that annotators read",
    "description": "the project's description",
    "label_config": "the labelling page",
    "maximum_annotations": "the number of annotators for each sentence",
}
"""Label Studio's names of a project's settings → what they are to a user of stance."""


def show_plan(plan: PushPlan) -> str:
    """A plan as text for the terminal."""
    lines = [*plan.drawn.notes, *plan.notes]
    for part in plan.projects:
        lines += _plan_lines("tasks" if len(plan.projects) == 1 else part.title, part, plan.asked.prune)
    if plan.queue:
        lines += _queue_lines(plan.queue)
    for part in plan.qualifying:
        lines += _plan_lines(part.title, part, True)
    for migration in plan.migrations:
        lines += _migration_lines(migration, plan.asked.migrate)
    return "\n".join(lines)


def pushed(plan: PushPlan) -> list[str]:
    """What a push that has carried out this plan did, in one line; no line if it sent nothing."""
    parts = [*plan.projects, *([plan.queue] if plan.queue else []), *plan.qualifying]
    created, updated = sum(len(part.create) for part in parts), sum(len(part.update) for part in parts)
    counts = ((created, "created"), (updated, "updated"))
    told = [f"{number(count, 'task')} {what}" for count, what in counts if count]
    return [f"done: {', '.join(told)}"] if told else []


def _migration_lines(plan: ProjectMigration, asked: bool) -> list[str]:
    lines = [f"{plan.title}: the codebook's new version concerns answers at the server"]
    lines += [f"  {clause}" for clause in plan.counts()]
    if plan.unfetched:
        lines.append(
            f"  {number(plan.unfetched, 'answer')} with a label of an earlier version "
            f"{'is not fetched as it is' if plan.unfetched == 1 else 'are not fetched as they are'}: `stance pull`"
        )
    lines.append(
        "  each is kept as it was given in labels/annotations.jsonl and labels/migrated.jsonl"
        if asked
        else "  nothing of this is done before `stance push --migrate`"
        + (f", which asks again for {number(plan.sentences_again, 'sentence')}" if plan.again else "")
        + ("; the labelling page stays as it is until then" if plan.blocking else "")
    )
    return lines


def _queue_lines(plan: ProjectPlan) -> list[str]:
    """The queue's tasks; those of it that hold answers are the sentences that people have decided."""
    first, *rest = _plan_lines("queue", msgspec.structs.replace(plan, answered=0), True)
    return [first + (f", {number(plan.answered, 'sentence')} decided" if plan.answered else ""), *rest]


def _plan_lines(name: str, plan: ProjectPlan, prune: bool) -> list[str]:
    stale, doubled = len(plan.stale), "two tasks with answers: both stay, each annotator's last answer counts"
    them = "it" if stale == 1 else "them"
    removed = (
        f"{'it is' if stale == 1 else 'they are'} removed unless somebody answers first"
        if prune
        else f"the same command with --prune removes {them}"
    )
    hold, stay = ("holds", "it stays") if plan.answered == 1 else ("hold", "they stay")
    own = "its prediction is" if plan.held_back == 1 else "their predictions are"
    said = (
        (plan.answered, f"{plan.answered:,} of those on the server only {hold} answers: {stay}"),
        (stale, f"{stale:,} of those on the server only {'holds' if stale == 1 else 'hold'} no answer: {removed}"),
        (len(plan.twice), f"{number(len(plan.twice), 'second task')} of a sentence, without answers: removed"),
        (plan.doubled, f"{number(plan.doubled, 'sentence', 'have')} {doubled}"),
        (
            plan.foreign,
            f"{number(plan.foreign, 'task')} there {agreeing(plan.foreign, 'were')} not made by stance (no "
            "sentence_id): left alone",
        ),
        (
            len(plan.predict),
            f"{len(plan.predict):,} of the tasks there {'gets' if len(plan.predict) == 1 else 'get'} the model's "
            "prediction",
        ),
        (
            plan.held_back,
            f"{number(plan.held_back, 'task', 'are')} held out: {own} not shown ([labeling] assist_share)",
        ),
    )
    counts = (
        (len(plan.create), "to create"),
        (len(plan.update), "to update"),
        (plan.unchanged, "unchanged"),
        (plan.server_only, "on the server only"),
    )
    parts = [f"{count:,} {what}" for count, what in counts if count]
    if not (plan.create or plan.update):
        parts.insert(0, "nothing to send")
    lines = [f"{name}: {', '.join(parts)}"]
    lines += [f"  {meaning}" for count, meaning in said if count]
    if plan.project and plan.settings:
        lines.append(f"  settings to change: {', '.join(_SETTINGS.get(name, name) for name in plan.settings)}")
        if (wanted := plan.settings.get("maximum_annotations")) is not None:
            lines.append(
                f"  annotators for each sentence: {plan.project.maximum_annotations} at the server so far, {wanted} "
                "now, also for sentences that were sent before"
            )
    if plan.by_hand:
        lines.append(
            "  the labelling interface was changed at the server and stays; the same command with --force renews it"
        )
    return lines
