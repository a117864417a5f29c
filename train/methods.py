"""What the numbers say, in sentences and tables: for the page, and to paste into a paper as Markdown or LaTeX."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence

import msgspec

from labeling.agreement import Estimate
from labeling.records import STANCES
from labeling.show import reading
from train.analysis import Analysis
from train.audit import Naive
from train.calibration import Recalibration
from train.evaluate import Ceiling, Difference
from train.gather import Found
from train.records import Metrics, Score

FEW_GROUPS = 10
"""Test groups up to which the bootstrap's intervals were too narrow in simulation (`train.evaluate.evaluate`)."""
SMALL_TEST = 500
UNITS = {"char": "character", "char_wb": "within-word character"}


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """A table for the page and the paper: the first column to the left, the others to the right."""

    caption: str
    heads: list[str]
    rows: list[list[str]]


class Methods(msgspec.Struct, frozen=True, kw_only=True):
    """The paragraph, the limits and the tables, as plain text and in both markups."""

    paragraphs: list[str]
    limits: list[str]
    tables: list[Table]
    markdown: str
    latex: str


def methods(found: Found) -> Methods:
    """The methods of this project as it stands, with what its numbers say and don't say."""
    paragraphs = [part for part in (_labelled(found), _trained(found)) if part]
    limits, tables = _limits(found), [*_agreement_tables(found), *_score_tables(found.metrics, found.analysis)]
    whole = [*paragraphs, "Limits: " + " ".join(limits)]
    return Methods(
        paragraphs=paragraphs,
        limits=limits,
        tables=tables,
        markdown="\n\n".join([*map(_markdown, whole), *map(_markdown_table, tables)]) + "\n",
        latex="\n\n".join([*map(latex, whole), *map(_latex_table, tables)]) + "\n",
    )


def number(value: float) -> str:
    """Three places, or `undefined`."""
    return "undefined" if math.isnan(value) else f"{value:.3f}"


def score(found: Score | Estimate) -> str:
    """A value and its interval, where there is one."""
    return number(found.value) + ("" if math.isnan(found.low) else f" [{found.low:.3f}, {found.high:.3f}]")


def share(found: Score | Estimate) -> str:
    """A value and its interval in percent."""
    if math.isnan(found.value):
        return "undefined"
    interval = "" if math.isnan(found.low) else f" [{100 * found.low:.1f}, {100 * found.high:.1f}]"
    return f"{100 * found.value:.1f}\N{NO-BREAK SPACE}%{interval}"


def points(found: Difference) -> str:
    """A difference and its interval in points, which are hundredths."""
    return f"{100 * found.value:+.1f} points [{100 * found.low:+.1f}, {100 * found.high:+.1f}]"


def agreement_sentence(found: Found) -> str:
    """Krippendorff's alpha with its reading; "" where no sentence has two votes."""
    agreement = found.status.agreement
    if not agreement.sentences:
        return ""
    return (
        f"Krippendorff’s alpha (nominal) over the {agreement.sentences} sentences from {agreement.articles} articles "
        f"that two annotators and more labelled is {score(agreement.alpha)}{reading(agreement.alpha)}."
    )


def majority_sentence(metrics: Metrics) -> str:
    """Whether the model is better than always giving the most frequent label."""
    ours, theirs = metrics.test.f_avg, metrics.test.majority.f_avg
    if ours.low > theirs.high:
        return "In F_avg the model is above the majority label: their intervals don’t overlap."
    if ours.value > theirs.value:
        return "In F_avg the model is above the majority label, but their intervals overlap."
    return "In F_avg the model is not above the majority label: it has learned nothing that this test set shows."


def ceiling_sentence(ceiling: Ceiling | None) -> str:
    """Whether the model is near the annotators' ceiling."""
    if ceiling is None or not ceiling.annotators:
        return (
            "There is no annotators’ ceiling: it takes sentences of the test split with three annotators and more, "
            "each of whom is scored against the majority of the others."
        )
    found = ceiling.compared
    start = (
        f"Against the majority of the other annotators ({found.n} answers), annotators have an F_avg of "
        f"{score(found.second)}, the model one of {score(found.first)} on the same sentences; the difference is "
        f"{points(found.f_avg)}: "
    )
    return (
        start
        + {
            "below": "the model is not near the annotators’ ceiling but below it.",
            "near": "the model is near the annotators’ ceiling, or the sentences are too few to tell them apart.",
            "above": "the model is above the annotators’ ceiling: a single annotator differs from the majority more.",
            "unknown": "with fewer than two groups nothing can be said of whether the model is near the ceiling.",
        }[ceiling.near]
    )


def calibration_sentence(found: Recalibration) -> str:
    """Whether the probabilities can be taken at their word, before and after recalibration."""
    parts = []
    for when, at in (("As trained", found.before), (f"With the temperature {found.temperature:.2f}", found.after)):
        surer = at.overconfidence
        leaning = (
            f"the model is surer than it should be, by {points(surer)}"
            if surer.low > 0
            else f"the model is less sure than it could be, by {points(surer)}"
            if surer.high < 0
            else f"confidence and accuracy differ by {points(surer)}"
        )
        sign = "above" if at.ece.value > at.by_chance else "not above"
        parts.append(
            f"{when}, the expected calibration error is {score(at.ece)}, {sign} the {at.by_chance:.3f} that a "
            f"perfectly calibrated model would exceed by chance in 5 % of such test sets; {leaning}."
        )
    return " ".join(parts)


def naive_sentence(found: Naive) -> str:
    """By how much a random split by sentence flatters."""
    sentence = sum(found.by_sentence) / len(found.by_sentence)
    group = sum(found.by_group) / len(found.by_group)
    start = (
        f"Random splits by sentence, which let articles and near-duplicates leak, would have scored an F_avg of "
        f"{sentence:.3f} on average, splits of the same size by group {group:.3f}: the naive split "
        f"{'flatters' if found.flatters >= 0 else 'does not flatter; it differs'} by {100 * found.flatters:+.1f} points"
    )
    if found.low is None or found.high is None:
        return start + " in a single draw."
    end = "" if found.low > 0 or found.high < 0 else "; so few draws leave open whether it does at all"
    return f"{start} [{100 * found.low:+.1f}, {100 * found.high:+.1f}]{end}."


def audit_sentence(found: Analysis) -> str:
    """What the comparison of the test split with training found."""
    audit = found.audit
    return (
        f"Of {audit.tested} test sentences {len(audit.affected)} have a near-duplicate in training (all "
        f"{audit.compared:,} pairs compared, independently of the clustering; from a likeness of "
        f"{audit.threshold:g} of 100)."
    )


def split_sentence(found: Found) -> str:
    """How the splits were made; "" where they came with the data, or before training."""
    if found.analysis is None or found.analysis.splits is None:
        return ""
    splits = found.analysis.splits
    how = {
        "group": "at random by group",
        "date": f"by date (nothing newer than {splits.cutoff} was learned from)",
        "outlet": f"by outlet (held out for the test: {', '.join(splits.outlets)})",
    }.get(splits.by, f"by {splits.by}")
    sizes = ", ".join(f"{name} {count} in {splits.groups[name]} groups" for name, count in splits.examples.items())
    return (
        f"The splits were made {how}: {sizes}. A group is a connected component of articles and near-duplicate "
        "sentences; none stands in two splits."
    )


def recipe_sentence(metrics: Metrics) -> str:
    """What the model is made of, and how that was chosen."""
    cv = metrics.cv
    features = " and ".join(UNITS.get(name, name) for name in cv.features.split("+"))
    return (
        f"TF-IDF ({features} n-grams) with logistic regression, C = {cv.c:g}, the best of "
        f"{len(cv.tried)} recipes in {cv.repeats} × {cv.folds}-fold cross-validation over groups of the training data "
        f"(F_avg {cv.f_avg:.3f}); the test split chose nothing."
    )


def whole_corpus(found: Found) -> bool:
    """Whether every sentence of the corpus is labelled, copies by one of them: then nothing need be estimated."""
    return found.status.labelled == found.corpus.sentences - found.corpus.copies


def shares_sentence(found: Found) -> str:
    """What the model says of the whole corpus; "" without predictions of this very model."""
    if found.shares is None or found.shares.model != found.model:
        return ""
    rows = [row for row in found.shares.rows if row.kind == "all"]
    if not rows:
        return ""
    corrected = all(row.corrected is not None for row in rows)
    shown = ", ".join(
        f"{row.stance} {share(row.corrected if corrected and row.corrected else row.raw)}" for row in rows
    )
    how = (
        "corrected by randomly sampled labels (prediction-powered inference)"
        if corrected
        else "as predicted; the model’s errors are in them"
    )
    return f"Over all {rows[0].n} sentences the shares are {shown} ({how})."


def _labelled(found: Found) -> str:
    corpus, status = found.corpus, found.status
    dates = f", {corpus.dates[0]} to {corpus.dates[-1]}" if corpus.dates else ""
    text = (
        f"The corpus has {corpus.sentences} prose sentences ({corpus.copies} of them exact copies of another) of "
        f"{corpus.articles} articles from {len(corpus.outlets)} outlets{dates}. "
    )
    if not status.annotators:
        return text + "No sentence is labelled yet."
    books = ", ".join(f"version {name}" if name else "a version not recorded" for name in found.codebooks)
    text += (
        f"{len(status.annotators)} annotators gave {found.answers} answers on the stance toward “{found.target}” "
        f"(favor, against or none) by the codebook, {books}. "
    )
    text += agreement_sentence(found)
    if found.verdicts is not None:
        how = Counter(row.how for row in found.verdicts)
        ways = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in sorted(how.items()))
        labels = Counter(row.stance for row in found.verdicts)
        shares = ", ".join(f"{stance} {labels[stance]}" for stance in STANCES)
        text += (
            f" Labels were settled for {len(found.verdicts)} sentences ({ways}; {shares}); {len(found.queue)} are open."
        )
    return text


def _trained(found: Found) -> str:
    metrics, analysis = found.metrics, found.analysis
    if metrics is None:
        return ""
    parts = [split_sentence(found), f"The model is {recipe_sentence(metrics)}"]
    test = metrics.test
    parts.append(
        f"On the test split ({test.n} sentences in {test.groups} groups) it has an F_avg (the mean F1 of favor and "
        f"against) of {score(test.f_avg)}, a macro-F1 of {score(test.macro_f1)} and an accuracy of "
        f"{score(test.accuracy)}; always giving the majority label has {score(test.majority.f_avg)}, "
        f"{score(test.majority.macro_f1)} and {score(test.majority.accuracy)}. {majority_sentence(metrics)} "
        "Brackets are 95 % intervals by bootstrap over groups."
    )
    if analysis is not None:
        parts += [audit_sentence(analysis), naive_sentence(analysis.naive) if analysis.naive else ""]
        parts += [ceiling_sentence(analysis.ceiling), calibration_sentence(analysis.calibration)]
        parts += [analysis.curve.sentence if analysis.curve else ""]
    parts.append(shares_sentence(found))
    return " ".join(part for part in parts if part)


def _limits(found: Found) -> list[str]:
    limits = [f"The stance is toward one target, “{found.target}”; nothing is known of others."]
    note = found.settings.publish.annotators.strip()
    limits.append(
        f"Of the annotators the project says: “{note}”"
        if note
        else "Who the annotators were, and what they were paid, the project does not say."
    )
    status = found.status
    if 0 < len(status.annotators) < 3:
        limits.append(
            f"There were only {len(status.annotators)} annotators: what one of them alone means is not known."
        )
    if status.shares is not None and status.shares.weighted is None and not whole_corpus(found):
        limits.append(
            "The labelled sentences are no random sample: shares of labels don’t speak for the corpus beyond them."
        )
    if found.metrics is not None:
        test = found.metrics.test
        if test.n < SMALL_TEST:
            limits.append(f"The test set is small ({test.n} sentences): the intervals are wide, and say so.")
        if test.groups <= FEW_GROUPS:
            limits.append(
                f"It has only {test.groups} groups, for which bootstrap intervals are known to be too narrow."
            )
        limits.append(
            "The model reads words and letters, no meaning: irony, quotation and who is speaking escape it, and "
            "scores hold for articles like these."
        )
    return limits


def _agreement_tables(found: Found) -> list[Table]:
    agreement = found.status.agreement
    if not agreement.sentences:
        return []
    rows = [["Krippendorff’s alpha", str(agreement.sentences), score(agreement.alpha)]]
    rows.append(
        [f"Fleiss’s kappa, {agreement.fleiss_votes} votes", str(agreement.fleiss_sentences), score(agreement.fleiss)]
    )
    rows += [[f"Cohen’s kappa, {row.first} and {row.second}", str(row.n), score(row.kappa)] for row in agreement.pairs]
    return [
        Table(
            caption="Agreement, with 95 % intervals by bootstrap over articles.",
            heads=["measure", "sentences", "value"],
            rows=rows,
        )
    ]


def _score_tables(metrics: Metrics | None, analysis: Analysis | None) -> list[Table]:
    if metrics is None:
        return []
    test = metrics.test
    rows = [
        [name, score(scores.f_avg), score(scores.macro_f1), score(scores.accuracy)]
        for name, scores in (("model", test), ("majority label", test.majority))
    ]
    tables = [
        Table(
            caption=f"Scores on the test split ({test.n} sentences, {test.groups} groups), with 95 % intervals by "
            "bootstrap over groups.",
            heads=["", "F_avg", "macro-F1", "accuracy"],
            rows=rows,
        ),
        Table(
            caption="Scores by stance on the test split.",
            heads=["stance", "precision", "recall", "F1", "sentences"],
            rows=[
                [stance, number(row.precision), number(row.recall), number(row.f1), str(row.support)]
                for stance, row in ((stance, test.by_class[stance]) for stance in STANCES)
            ],
        ),
    ]
    if analysis is not None and analysis.ceiling is not None and analysis.ceiling.annotators:
        compared = analysis.ceiling.compared
        rows = [
            ["model", str(compared.n), score(compared.first)],
            ["annotators", str(compared.n), score(compared.second)],
        ]
        tables.append(
            Table(
                caption="Model and annotators against the majority of the other annotators.",
                heads=["", "answers", "F_avg"],
                rows=rows,
            )
        )
    return tables


def _markdown(text: str) -> str:
    """Plain text so that Markdown shows it as it is."""
    return re.sub(r"([\\`*_\[\]<>|#~$&])", r"\\\1", " ".join(text.split()))


def _markdown_table(table: Table) -> str:
    lines = [f"{_markdown(table.caption)}\n", "| " + " | ".join(map(_markdown, table.heads)) + " |"]
    lines.append("|" + " --- |" + " ---: |" * (len(table.heads) - 1))
    return "\n".join([*lines, *("| " + " | ".join(map(_markdown, row)) + " |" for row in table.rows)])


LATEX = {letter: "\\" + letter for letter in "&%$#_{}"} | {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "×": r"$\times$",
    "\N{NO-BREAK SPACE}": "~",
    "“": "``",
    "”": "''",
    "’": "'",
    '"': r"\textquotedbl{}",
}


def latex(text: str) -> str:
    """Plain text so that LaTeX sets it as it is, and takes none of it for a command."""
    return "".join(LATEX.get(letter, letter) for letter in re.sub(r"[ \t\r\n]+", " ", text).strip())


def _latex_table(table: Table) -> str:
    def line(cells: Sequence[str]) -> str:
        # A bracket at a line's start would be taken for an argument of the \\ before it.
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
