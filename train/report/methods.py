"""Write the methods paragraph and its tables, to paste into a paper as Markdown or LaTeX."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec

from corpus.numbers import number as counted
from corpus.numbers import spoken
from labeling.machine.messages import alternative_sentence, anchoring_sentence, comparison_rows, share_rows
from labeling.statistics.intervals import shown
from train.evaluate.analysis import Analysis
from train.records import Metrics
from train.report.corpus_sentences import articles_words
from train.report.label_sentences import (
    annotators_limit,
    answers_words,
    few_annotators_limit,
    open_words,
    sampling_sentence,
)
from train.report.latex import latex
from train.report.markdown import plain, table
from train.report.project_snapshot import Snapshot
from train.report.sentences import (
    agreement_sentences,
    audit_sentence,
    calibration_sentence,
    ceiling_sentence,
    intervals_sentence,
    majority_sentence,
    naive_sentence,
    number,
    outside_sentence,
    recipe_sentence,
    split_sentence,
    vectors_sentence,
    votes_sentence,
)
from train.report.share_sentences import shares_sentence, whole_corpus

FEW_GROUPS = 10
"""Number of test groups up to which bootstrap intervals were too narrow in a simulation (`train.metrics.evaluate`)."""
SMALL_TEST = 500
XELATEX = (
    "% Compile with XeLaTeX or LuaLaTeX, with fonts that have all letters of this text (package fontspec; for Arabic "
    "and Hebrew also polyglossia)."
)
"""Comment before LaTeX with letters of other scripts than Latin."""
MACHINE = "Machine coders"
"""How the captions of tables about machine coders begin."""


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """A table for the page and the paper: the first column is aligned to the left, the others to the right."""

    caption: str
    heads: list[str]
    rows: list[list[str]]


class Methods(msgspec.Struct, frozen=True, kw_only=True):
    """The paragraphs, the limits and the tables, as plain text, as Markdown and as LaTeX."""

    paragraphs: list[str]
    limits: list[str]
    tables: list[Table]
    markdown: str
    latex: str


def methods(snapshot: Snapshot) -> Methods:
    """Describe the methods of a project in its present state, with what its numbers say and do not say."""
    paragraphs = [part for part in (_labelled(snapshot), _machine(snapshot), *_trained(snapshot)) if part]
    limits, tables = (
        _limits(snapshot),
        [
            *_agreement_tables(snapshot),
            *machine_tables(snapshot),
            *_score_tables(snapshot.metrics, snapshot.analysis),
        ],
    )
    whole = [*paragraphs, "Limits: " + " ".join(limits)]
    return Methods(
        paragraphs=paragraphs,
        limits=limits,
        tables=tables,
        markdown="\n\n".join([*map(plain, whole), *map(_markdown_table, tables)]) + "\n",
        latex=_with_note("\n\n".join([*map(latex, whole), *map(_latex_table, tables)]) + "\n"),
    )


def _labelled(snapshot: Snapshot) -> str:
    corpus, status = snapshot.corpus, snapshot.status
    kind = "an exact copy" if corpus.copies == 1 else "exact copies"
    copies = f" ({corpus.copies:,} of them {kind} of another)" if corpus.copies else ""
    text = f"The corpus has {corpus.sentences:,} prose sentences{copies} of {articles_words(corpus)}. "
    if sampled := sampling_sentence(snapshot):
        text += f"{sampled} "
    if not status.annotators:
        return text + "No sentence is labelled yet."
    books = ", ".join(f"version {name}" if name else "a version not recorded" for name in snapshot.codebooks)
    text += (
        f"{counted(len(status.annotators), 'annotator')} gave {answers_words(snapshot)} on "
        f"the stance toward “{snapshot.target}” "
        f"({spoken(snapshot.settings.labels.names, 'or')}) by the codebook, {books}. "
    )
    text += agreement_sentences(snapshot)
    if snapshot.verdicts is not None:
        how = Counter(row.how for row in snapshot.verdicts)
        ways = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in sorted(how.items()))
        labels = Counter(row.stance for row in snapshot.verdicts)
        shares = ", ".join(f"{stance} {labels[stance]:,}" for stance in snapshot.settings.labels.names)
        text += f" Labels were settled for {counted(len(snapshot.verdicts), 'sentence')} ({ways}; {shares}); "
        text += f"{open_words(len(snapshot.queue))}."
    return text


def _machine(snapshot: Snapshot) -> str:
    machine = snapshot.status.machine
    parts: list[str] = []
    if machine and machine.machines:
        count = len(machine.machines.coders)
        parts.append(
            f"{'One machine coder, with one prompt, was' if count == 1 else f'{count} machine coders or prompts were'} "
            "given the annotators’ question. None of these answers counts as a vote, in the agreement of people, or in "
            "a label."
        )
        parts += map(alternative_sentence, machine.machines.coders)
    if machine and machine.anchoring:
        sentence = anchoring_sentence(machine.anchoring)
        parts.append(f"{sentence[:1].upper()}{sentence[1:]}.")
    return " ".join(parts)


def machine_tables(snapshot: Snapshot) -> list[Table]:
    """Each machine coder beside the people, and what each of them would conclude; none without machine coders."""
    machine = snapshot.status.machine
    if machine is None or machine.machines is None:
        return []
    tables = [
        (
            f"{MACHINE} beside the people: Krippendorff’s alpha with the machine as one more annotator, and its "
            "change; accuracy by the people’s majority; winning rate (omega) and average advantage probability "
            "(rho) of the alternative annotator test. Brackets are 95 % intervals over articles.",
            comparison_rows(machine.machines),
        ),
        (
            f"{MACHINE}, and the shares of labels that each would give.",
            share_rows(machine.machines, snapshot.settings.labels),
        ),
    ]
    return [Table(caption=caption, heads=rows[0], rows=rows[1:]) for caption, rows in tables if rows]


def _trained(snapshot: Snapshot) -> list[str]:
    """How the model was made, and what it scores; scores without intervals are given, and nothing is read from them."""
    metrics, analysis = snapshot.metrics, snapshot.analysis
    if metrics is None:
        return []
    test, known = metrics.test, metrics.test.f_avg.is_known
    made = [outside_sentence(snapshot), split_sentence(snapshot), f"The model is {recipe_sentence(metrics)}"]
    if analysis is not None:
        made += [audit_sentence(analysis), naive_sentence(analysis.naive) if analysis.naive and known else ""]
    scored = [
        f"On the test split ({counted(test.n, 'sentence')} in {counted(test.groups, 'group')}) it has an F_avg (the "
        f"mean F1 of {spoken(metrics.scheme.scored, 'and')}) of {shown(test.f_avg)}, a macro-F1 of "
        f"{shown(test.macro_f1)} and an accuracy of {shown(test.accuracy)}; always giving the majority label has "
        f"{shown(test.majority.f_avg)}, {shown(test.majority.macro_f1)} and {shown(test.majority.accuracy)}.",
        intervals_sentence(test),
        majority_sentence(metrics),
    ]
    if known:
        scored += [votes_sentence(metrics), vectors_sentence(analysis)]
        if analysis is not None:
            scored += [ceiling_sentence(analysis.ceiling), calibration_sentence(analysis.calibration)]
            scored += [analysis.curve.sentence if analysis.curve else ""]
    scored.append(shares_sentence(snapshot))
    return [" ".join(part for part in parts if part) for parts in (made, scored)]


def _limits(snapshot: Snapshot) -> list[str]:
    limits = [f"The stance is toward one target, “{snapshot.target}”; nothing is known of others."]
    limits.append(annotators_limit(snapshot.settings.publish.annotators.strip()))
    limits += filter(None, [few_annotators_limit(snapshot)])
    status = snapshot.status
    if status.shares is not None and status.shares.weighted is None and not whole_corpus(snapshot):
        limits.append(
            "The labelled sentences are not a random sample: shares of labels don’t speak for the corpus beyond them."
        )
    if snapshot.metrics is not None:
        test = snapshot.metrics.test
        known = test.f_avg.is_known
        if test.n < SMALL_TEST or not known:
            held = f"{counted(test.n, 'sentence')} in {counted(test.groups, 'group')}"
            limits.append(
                f"The test set is small ({held})"
                + (": the intervals are wide." if known else ", so how far its scores may be off is not known.")
            )
        if known and test.groups <= FEW_GROUPS:
            limits.append(
                f"The test set has only {test.groups} groups, for which bootstrap intervals are known to be too narrow."
            )
        limits += snapshot.metrics.warnings
        if snapshot.analysis is not None and snapshot.analysis.outside:
            limits.append("How well the model does on this corpus was not measured.")
        limits.append(
            "The model reads words and characters, not meaning: irony, quotation and who is speaking escape it, and "
            "scores hold for articles like these."
        )
    return limits


def _agreement_tables(snapshot: Snapshot) -> list[Table]:
    agreement = snapshot.status.agreement
    if not agreement.sentences:
        return []
    rows = [["Krippendorff’s alpha", f"{agreement.sentences:,}", shown(agreement.alpha)]]
    rows.append(["Gwet’s AC1", f"{agreement.sentences:,}", shown(agreement.ac1)])
    rows.append(
        [f"Fleiss’s kappa, {agreement.fleiss_votes} votes", f"{agreement.fleiss_sentences:,}", shown(agreement.fleiss)]
    )
    rows += [
        [f"Cohen’s kappa, {row.first} and {row.second}", f"{row.n:,}", shown(row.kappa)] for row in agreement.pairs
    ]
    known = any(one.is_known for one in (agreement.alpha, agreement.fleiss, *(row.kappa for row in agreement.pairs)))
    return [
        Table(
            caption=f"Agreement{', with 95 % intervals by bootstrap over articles' if known else ''}.",
            heads=["measure", "sentences", "value"],
            rows=rows,
        )
    ]


def _score_tables(metrics: Metrics | None, analysis: Analysis | None) -> list[Table]:
    if metrics is None:
        return []
    test = metrics.test
    rows = [
        [name, shown(scores.f_avg), shown(scores.macro_f1), shown(scores.accuracy)]
        for name, scores in (("model", test), ("majority label", test.majority))
    ]
    tables = [
        Table(
            caption=f"Scores on the test split ({counted(test.n, 'sentence')}, {counted(test.groups, 'group')})"
            + (", with 95 % intervals by bootstrap over groups." if test.f_avg.is_known else ", without intervals."),
            heads=["", "F_avg", "macro-F1", "accuracy"],
            rows=rows,
        ),
        Table(
            caption="Scores by stance on the test split.",
            heads=["stance", "precision", "recall", "F1", "sentences"],
            rows=[
                [stance, number(row.precision), number(row.recall), number(row.f1), f"{row.support:,}"]
                for stance, row in test.by_class.items()
            ],
        ),
    ]
    if analysis is not None and analysis.ceiling is not None and analysis.ceiling.annotators:
        compared = analysis.ceiling.compared
        rows = [
            ["model", f"{compared.n:,}", shown(compared.first)],
            ["annotators", f"{compared.n:,}", shown(compared.second)],
        ]
        tables.append(
            Table(
                caption="Model and annotators, compared with the majority of the other annotators.",
                heads=["", "answers", "F_avg"],
                rows=rows,
            )
        )
    return tables


def _markdown_table(of: Table) -> str:
    return f"{plain(of.caption)}\n\n{table(of.heads, of.rows)}"


def _with_note(text: str) -> str:
    """LaTeX with a comment on what can compile it, if it holds letters that pdfLaTeX has no fonts for."""
    return f"{XELATEX}\n\n{text}" if any(letter > "\u024f" and letter.isalpha() for letter in text) else text


def _latex_table(table: Table) -> str:
    def line(cells: Sequence[str]) -> str:
        # LaTeX would read a bracket at the start of a line as an argument of the \\ before it.
        return (
            "    "
            + " & ".join("{" + latex(cell) + "}" if cell.startswith("[") else latex(cell) for cell in cells)
            + r" \\"
        )

    return "\n".join(
        [
            r"\begin{table}",
            r"  \centering",
            f"  \\caption{{{latex(table.caption)}}}",
            f"  \\begin{{tabular}}{{l{'r' * (len(table.heads) - 1)}}}",
            r"    \hline",
            line(table.heads),
            r"    \hline",
            *map(line, table.rows),
            r"    \hline",
            r"  \end{tabular}",
            r"\end{table}",
        ]
    )
