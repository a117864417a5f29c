"""What commands print about machine coders, and the sentences that the report shares with them."""

from __future__ import annotations

from collections.abc import Sequence

from corpus.numbers import number
from labeling.machine.alternative_annotator import ADVISED
from labeling.machine.anchoring import Anchoring
from labeling.machine.ask import AskSummary
from labeling.machine.comparison import MachineCoder, Machines
from labeling.machine.predictions_file import Adopted
from labeling.machine.prompt import Prompt
from labeling.machine.questions import AskPlan
from labeling.machine.status import MachineStatus
from labeling.records import Task
from labeling.scheme import Scheme
from labeling.statistics.intervals import percent, shown
from labeling.text_tables import table

SHORT = 8
"""Digits of a prompt's digest that tables show."""


def show_machines(status: MachineStatus | None, scheme: Scheme) -> list[list[str]]:
    """The parts of the status that are about machine coders; none if there are no machine coders."""
    if status is None:
        return []
    parts: list[list[str]] = []
    if status.machines:
        parts += [_overview(status.machines, scheme)]
        parts += [_beside(coder) + _confusion(coder, scheme) for coder in status.machines.coders]
    if status.anchoring:
        parts.append([anchoring_sentence(status.anchoring)])
    return parts


def named(coder: MachineCoder) -> str:
    """A machine coder with all that tells it from another one: its model, prompt and temperature."""
    model = f" ({coder.model})" if coder.model != coder.coder else ""
    at = "" if coder.temperature is None else f", temperature {coder.temperature:g}"
    return f"{coder.coder}{model}, prompt {coder.prompt[:SHORT]}{at}"


def comparison_rows(machines: Machines) -> list[list[str]]:
    """Each machine coder and prompt beside the people, in one table."""
    rows = [
        ["machine coder", "labels", "refused", "with people", "alpha with", "alpha change", "accuracy", "omega", "rho"]
    ]
    for coder in machines.coders:
        test = coder.test
        rows.append(
            [
                named(coder),
                f"{coder.sentences:,}",
                f"{coder.refused:,}",
                f"{coder.joint:,}",
                shown(coder.alpha_with),
                shown(coder.alpha_difference),
                percent(coder.accuracy),
                f"{test.winning_rate:.2f}" if test else "-",
                f"{test.advantage:.3f}" if test else "-",
            ]
        )
    return rows


def share_rows(machines: Machines, scheme: Scheme) -> list[list[str]]:
    """What each machine coder, and the people, would say of the label shares, in one table."""
    rows = [[f"label shares of {number(machines.common, 'sentence')} that all of them labelled", *scheme.names]]
    rows += [
        [named(coder), *(percent(coder.shares[name]) for name in scheme.names)]
        for coder in machines.coders
        if coder.shares
    ]
    if machines.people:
        row = [f"people's majority, on {machines.settled:,} of them"]
        rows.append([*row, *(percent(machines.people[name]) for name in scheme.names)])
    return rows if machines.common else []


def alternative_sentence(coder: MachineCoder) -> str:
    """What the alternative annotator test says, in one sentence."""
    test = coder.test
    if test is None:
        return f"{named(coder)}: {coder.untested}."
    won = sum(row.won for row in test.people)
    few = f"; {ADVISED} to 100 sentences a person are advised" if test.fewest < ADVISED else ""
    return (
        f"{named(coder)}: the alternative annotator test is {'passed' if test.passed else 'not passed'}: with an "
        f"epsilon of {test.epsilon:g} it may stand in for {won} of {len(test.people)} people (winning rate "
        f"{test.winning_rate:.2f}; 0.50 passes), and it is as close to the other people as a person is with a "
        f"probability of {test.advantage:.3f} (average advantage probability), on {test.fewest:,} or more sentences a "
        f"person{few}."
    )


def anchoring_sentence(seen: Anchoring) -> str:
    """How far annotators follow the labels that they are shown, in one sentence."""
    return (
        f"anchoring: annotators gave the suggested label in {percent(seen.with_suggestion)} of "
        f"{number(seen.shown, 'answer')} where they saw it, and in {percent(seen.without)} of {seen.held_back:,} "
        f"where it was held back; the difference is {shown(seen.difference)}"
    )


def _overview(machines: Machines, scheme: Scheme) -> list[str]:
    lines = [
        "machine coders, which never count as people; [95 % intervals] over articles; accuracy by people's majority",
        *table(comparison_rows(machines)),
    ]
    rows = share_rows(machines, scheme)
    lines += ["", *table(rows)] if rows else []
    return [*lines, "", *(alternative_sentence(coder) for coder in machines.coders)]


def _beside(coder: MachineCoder) -> list[str]:
    rows = [[named(coder), "sentences", "the machine", "the person", "difference"]]
    rows += [
        [
            f"and {row.annotator}, with the others' majority",
            f"{row.sentences:,}",
            percent(row.machine),
            percent(row.person),
            shown(row.difference),
        ]
        for row in coder.people
    ]
    lines = table(rows) if coder.people else [named(coder)]
    lines.append(
        f"Krippendorff's alpha of {number(coder.joint, 'sentence')}: people alone {shown(coder.alpha_people)}, "
        f"with the machine {shown(coder.alpha_with)}"
        if coder.joint
        else "no sentence that it labelled has the votes of two people"
    )
    if coder.gone:
        lines.append(f"not counted: {coder.gone:,} of its sentences, which the corpus doesn't have any more")
    if coder.consistency:
        row = coder.consistency
        lines.append(
            f"asked up to {number(row.samples, 'time')} about {number(row.sentences, 'sentence')}, it repeated "
            f"itself in {percent(row.alike)} of the pairs of answers"
        )
    return lines


def _confusion(coder: MachineCoder, scheme: Scheme) -> list[str]:
    if not coder.confusion:
        return []
    rows = [["people's majority / the machine", *scheme.names]]
    rows += [[name, *(f"{coder.confusion[name][other]:,}" for other in scheme.names)] for name in scheme.names]
    return table(rows)


def show_ask_plan(plan: AskPlan) -> list[str]:
    """What a run will ask, line by line."""
    about = "as counted so far" if plan.measured else "estimated by characters"
    lines = [
        f"{plan.coder}: {number(len(plan.questions), 'request')} about {number(plan.sentences, 'sentence')} to the "
        f"model {plan.model}; {plan.answered:,} have an answer already"
    ]
    if plan.questions:
        price = "" if plan.cost is None else f", cost {plan.cost:.4g}"
        lines.append(f"about {plan.tokens_in:,} tokens to send, {plan.tokens_out:,} to receive ({about}){price}")
    return lines


def show_prompt(prompt: Prompt, task: Task) -> list[str]:
    """The whole prompt about one sentence, as it is sent."""
    lines: list[str] = []
    for message in prompt.messages(task):
        lines += [f"--- {message['role']} ---", message["content"], ""]
    return lines


def asked(done: AskSummary, temperature: float, samples: int) -> list[str]:
    """What a run did, line by line."""
    cost = "" if done.spent.cost is None else f", cost {done.spent.cost:.4g}"
    lines = [
        f"{number(done.labelled, 'label')}, {number(done.refused, 'answer')} without one (refused); "
        f"{done.spent.tokens_in:,} tokens sent, {done.spent.tokens_out:,} received{cost}"
    ]
    if not done.constrained:
        lines.append(
            "the server can't constrain answers to the labels: they were read strictly, and all else is refused"
        )
    if done.too_long:
        lines.append(f"{done.too_long:,} of the refused were longer than the model takes")
    if samples > 1 and not temperature:
        lines.append("the samples were asked for at temperature 0: [machine] temperature makes them vary")
    return lines


def adopted(done: Adopted) -> list[str]:
    """What was taken over from a file, line by line."""
    more: Sequence[tuple[int, str, str]] = (
        (done.unlabelled, "sentence", "without a label in the file, counted as refused"),
        (done.repeated, "row", "with the sentence and the label of another row, not counted again"),
        (done.replaced, "earlier answer", "of this coder replaced"),
    )
    return [
        f"{number(done.labelled, 'label')} taken over",
        *(f"{number(count, what)} {which}" for count, what, which in more if count),
        *(f"read {written!r} as {name}" for written, name in done.spellings.items()),
    ]
