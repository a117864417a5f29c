"""What `stance status` prints."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import permutations
from textwrap import shorten
from typing import TYPE_CHECKING

from corpus.numbers import number
from labeling.annotator_checks import SECONDS_A_WORD, AlwaysSame, TooFast
from labeling.machine.messages import show_machines
from labeling.records import NO_OUTLET
from labeling.scheme import DEFAULT, Scheme
from labeling.statistics.agreement import ALPHA_AND_AC1, reading
from labeling.statistics.agreement_of_parts import compared
from labeling.statistics.intervals import in_percent, percent, shown
from labeling.text_tables import table as _table

if TYPE_CHECKING:  # each command loads only what it does, not what all commands print about
    from labeling.feedback.qualification import Score
    from labeling.freshness import Stale
    from labeling.sampling.corpus_shares import Shares
    from labeling.statistics.measured_agreement import Agreement
    from labeling.status import Contested, Remark, Status

MOST_OUTLETS = MOST_COMMENTS = 10
MOST_CELLS = 6


def show_status(status: Status, scheme: Scheme = DEFAULT) -> str:
    """A status as tables for the terminal; terminal control characters are blanked."""
    agreement = status.agreement
    parts = [
        _progress(status, scheme),
        [str(row) for row in (status.stale, status.reopened) if row],
        _agreement(agreement, scheme)
        if agreement.sentences
        else ["Krippendorff's alpha (nominal) undefined: no sentence has two votes"],
        _parts("language", {code or "not known": row for code, row in status.languages.items()}),
        _parts("codebook", {version or "not stated": row for version, row in status.codebooks.items()}),
        [f"{compared(status.codebooks)}."] if compared(status.codebooks) else [],
        _parts("round", {str(number): row for number, row in status.rounds.items()}),
        _differences(agreement, scheme),
        _contest(status.contested, status.differing),
        [f"warning: {_warning(row)}" for row in status.warnings],
        _outlets(status),
        _shares(status.shares, status.stale, status.different, scheme),
        [_qualified(row) for row in status.qualifications],
        [
            f"control items: {row.annotator} repeated their own earlier vote on {100 * row.same:.1f} % of "
            f"{row.repeats:,}"
            for row in status.controls
        ]
        + [f"control items: {name} skipped {count:,}" for name, count in status.skipped_controls.items()],
        _remarks(status.comments),
        *show_machines(status.machine, scheme),
    ]
    text = "\n\n".join("\n".join(part) for part in parts if part)
    return "".join(letter if letter.isprintable() or letter == "\n" else " " for letter in text)


def _progress(status: Status, scheme: Scheme) -> list[str]:
    lines = [
        f"{status.labelled:,} of {number(status.sentences, 'drawn sentence' if status.is_sample else 'sentence')} "
        f"labelled, {status.shared:,} by two or more (exact copies count once"
        + (f"; the corpus has {number(status.different, 'different sentence')})" if status.is_sample else ")")
    ]
    if status.few and status.few.sentences:
        lines.append(str(status.few))
    if status.unsampled:
        are, its = number(status.unsampled, "more sentence", "are"), "its" if status.unsampled == 1 else "their"
        lines.append(f"{are} labelled that no round drew: {its} votes count, but not in estimates for the corpus")
    if status.gone:
        answers = number(status.gone, "answer")
        lines.append(f"not counted: {answers} to sentences that the corpus doesn't have any more")
    if status.renounced:
        lines.append(
            f"not counted: {number(status.renounced, 'answer')} with a label that the codebook reopened and [labels] "
            "no longer has"
        )
    lines += [f"not counted: {number(count, 'answer')} of {name}, ignored" for name, count in status.ignored.items()]
    lines += [
        f"assigned to {row.annotator}: {row.answered:,} of {number(row.sentences, 'sentence')} answered"
        for row in status.assigned
    ]
    if status.annotators:
        rows = [["annotator", *scheme.names, "skipped", "unsure", "median s"]]
        for row in status.annotators:
            counts = [*(row.votes[stance] for stance in scheme.names), row.skips, row.unsure]
            rows.append(
                [row.annotator, *map("{:,}".format, counts), "-" if math.isnan(row.seconds) else f"{row.seconds:.1f}"]
            )
        lines += ["", *_table(rows)]
    return lines


def _outlets(status: Status) -> list[str]:
    """The outlets with the most sentences to label; `status --json` lists all of them."""
    outlets = status.outlets
    ranked = sorted(outlets, key=lambda row: (-row.sentences, row.outlet is None, row.outlet or ""))
    rows = [["outlet", "drawn sentences" if status.is_sample else "different sentences", "labelled"]]
    rows += [[row.outlet or NO_OUTLET, f"{row.sentences:,}", f"{row.labelled:,}"] for row in ranked[:MOST_OUTLETS]]
    rest = ranked[MOST_OUTLETS:]
    more = (
        f"and {number(len(rest), 'more outlet')} with {number(sum(row.sentences for row in rest), 'sentence')}, "
        f"{sum(row.labelled for row in rest):,} labelled; `stance status --json` lists them all"
    )
    which = "whose copy was drawn" if status.is_sample else "that the first copy is of"
    copies = f"exact copies count once in this table, for the outlet {which}"
    return [*_table(rows), *([more] if rest else []), *([copies] if len(outlets) > 1 else [])] if outlets else []


def _agreement(agreement: Agreement, scheme: Scheme) -> list[str]:
    labels = {row.label: row for row in agreement.labels}
    by_label = [["label", "votes", "alpha with the rest"]]
    by_label += [
        [name, f"{labels[name].votes:,}", shown(labels[name].alpha)] for name in scheme.names if name in labels
    ]
    scale = agreement.ordinal is not None
    rows = [["pair", "sentences", "same label", "Cohen's kappa", *(["linear weights", "quadratic"] if scale else [])]]
    rows += [
        [
            f"{row.first} and {row.second}",
            f"{row.n:,}",
            percent(row.raw),
            *(shown(kappa) for kappa in (row.kappa, row.linear, row.quadratic) if kappa is not None),
        ]
        for row in agreement.pairs
    ]
    rows += [
        [
            f"{row.annotator} and others' majority",
            f"{row.n:,}",
            percent(row.raw),
            shown(row.kappa),
            *(["", ""] if scale else []),
        ]
        for row in agreement.rest
        if len(agreement.annotators) > 2  # with two annotators, this would repeat the pair
    ]
    return [
        f"counted: {', '.join(agreement.annotators)}, on {number(agreement.sentences, 'sentence')} of "
        f"{number(agreement.articles, 'article')}; "
        + (
            "[95 % intervals] by bootstrap over articles"
            if agreement.alpha.is_known
            else "too few articles for intervals"
        ),
        f"Krippendorff's alpha (nominal) {shown(agreement.alpha)}{reading(agreement.alpha)}",
        *([f"Krippendorff's alpha (ordinal) {shown(agreement.ordinal)}"] if agreement.ordinal else []),
        f"Gwet's AC1 {shown(agreement.ac1)}: {ALPHA_AND_AC1}",
        f"Fleiss's kappa {shown(agreement.fleiss)}, of the {agreement.fleiss_sentences:,} sentences "
        f"with {agreement.fleiss_votes} votes",
        f"raw agreement {percent(agreement.raw)}: the share of a sentence's pairs of votes that are the same label, "
        "averaged over the sentences",
        "",
        *_table(by_label),
        "",
        *_table(rows),
    ]


def _parts(what: str, parts: Mapping[str, Agreement]) -> list[str]:
    """Agreement on parts of the sentences, where there are several."""
    rows = [[what, "sentences", "same label", "Krippendorff's alpha", "Gwet's AC1"]]
    rows += [
        [name, f"{row.sentences:,}", percent(row.raw), shown(row.alpha), shown(row.ac1)] for name, row in parts.items()
    ]
    return _table(rows) if parts else []


def _differences(agreement: Agreement, scheme: Scheme) -> list[str]:
    """How often the two annotators of each pair differ, by the first's and the second's label.

    Of more than three labels, only the pairs of labels that are confused most often fit on a line.
    """
    cells = list(permutations(scheme.names, 2))
    if len(cells) > MOST_CELLS:
        times = {(a, b): sum(pair.confusion.get(a, {}).get(b, 0) for pair in agreement.pairs) for a, b in cells}
        kept = sorted(cells, key=lambda cell: (-times[cell], cells.index(cell)))[:MOST_CELLS]
        cells = [cell for cell in cells if cell in kept and times[cell]]
    rows = [["the labels of a pair", *(f"{a}/{b}" for a, b in cells)]]
    for pair in agreement.pairs:
        counts = [pair.confusion.get(a, {}).get(b, 0) for a, b in cells]
        rows.append([f"{pair.first} / {pair.second}", *map("{:,}".format, counts)])
    return _table(rows) if agreement.pairs and cells else []


def _contest(contested: Sequence[Contested], differing: int) -> list[str]:
    lines = (
        [
            f"least agreement: {len(contested)} of {number(differing, 'sentence')} that annotators differ on (the "
            "share of equal pairs of votes, and the votes)"
        ]
        if contested
        else []
    )
    for row in contested:
        votes = ", ".join(f"{annotator} {stance}" for annotator, stance in row.votes.items())
        lines += [
            f"{100 * row.alike:3.0f} %  {votes} ({row.sentence_id} in {row.article_id})",
            "      " + shorten(row.text, 110, placeholder=" …"),
        ]
    return lines


def _remarks(comments: Sequence[Remark]) -> list[str]:
    """Annotators' comments, the latest first; `status --json` lists all of them."""
    latest = sorted(comments, key=lambda row: row.updated_at, reverse=True)[:MOST_COMMENTS]
    lines = [f"comments of annotators: {len(comments):,}"] if comments else []
    for row in latest:
        comment = shorten(row.comment, 110, placeholder=" …")
        lines += [
            f"  {row.annotator} {row.stance or 'skipped'} ({row.sentence_id}): {comment}",
            f"      on: {shorten(row.text, 110, placeholder=' …')}",
        ]
    if len(comments) > len(latest):
        lines.append(f"and {len(comments) - len(latest):,} more; `stance status --json` lists them all")
    return lines


def _warning(row: TooFast | AlwaysSame) -> str:
    if isinstance(row, TooFast):
        return (
            f"{row.annotator} may not be reading: {row.quick:,} of {row.answers:,} timed answers took less than "
            f"{SECONDS_A_WORD} s a word (median {row.seconds:.1f} s an answer; {row.needed:.1f} s by that measure)"
        )
    return (
        f"{row.annotator} hardly ever changes the label: {row.label} on {row.same:,} of {row.votes:,} sentences that "
        f"others labelled too; theirs was {row.label} in {row.others_same:,} of {row.others:,} votes"
    )


def _qualified(row: Score) -> str:
    said = (
        f"qualification {row.number}: {row.annotator} has answered {row.answered:,} of "
        f"{number(row.asked, 'settled sentence')}"
    )
    if row.scored:
        labels = ", ".join(f"{same:,} of {count:,} {label}" for label, (count, same) in row.labels.items())
        kappa = "undefined" if math.isnan(row.kappa) else f"{row.kappa:.3f}"
        share = in_percent(row.same, row.scored)
        said += f", {row.same:,} of {row.scored:,} ({share}) as settled ({labels}); kappa {kappa}"
    left = ((row.skipped, "skipped"), (row.open, "without a verdict now"))
    return said + "".join(f"; {count:,} {what}" for count, what in left if count)


def _shares(shares: Shares | None, stale: Stale | None, different: int, scheme: Scheme) -> list[str]:
    if shares is None:
        return []
    rows = [["label shares", *scheme.names], ["as settled", *(percent(shares.raw[stance]) for stance in scheme.names)]]
    if shares.weighted is None:
        note = (
            "no estimate for the corpus yet"
            if shares.unlabelled
            else "no estimate for the corpus: no round speaks for all of it (`stance push --limit N` draws one, "
            "also with --by stratified or --by keyword)"
        )
    elif shares.labelled == different:
        rows.append(["with copies", *(percent(shares.weighted[stance]) for stance in scheme.names)])
        note = (
            f"every sentence of the corpus is settled: the shares are counts of these articles ({shares.labelled:,} "
            "different sentences; with copies, each of them counts)"
        )
    else:
        rows.append(["for the corpus", *(percent(shares.weighted[stance]) for stance in scheme.names)])
        note = (
            f"for the corpus: an estimate that rests on {shares.carrying:,} of {shares.labelled:,} settled sentences "
            "(exact copies count once)"
        )
    if shares.unlabelled:
        note += f"; {number(shares.unlabelled, 'drawn sentence', 'are')} not settled yet"
    if stale and stale.made:
        note += f"; the verdicts are older than the answers (`{stale.due}` is due)"
    elif stale:
        note += "; these are the votes' majorities, as `stance adjudicate` has made no verdict yet"
    return [*_table(rows), note]
