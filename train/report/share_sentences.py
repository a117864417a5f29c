"""The sentences of the report and of `predict` about the shares of the stances."""

from __future__ import annotations

from collections.abc import Mapping

from corpus.numbers import number as counted
from corpus.numbers import spoken
from train.intervals import FEWEST
from train.predict.shares import PredictionShares
from train.records import Metrics
from train.report.project_snapshot import Snapshot
from train.report.sentences import is_better, majority_sentence, share


def raw_shares_sentence(metrics: Metrics, shares: PredictionShares) -> str:
    """That the raw shares are of a model that is not shown to be better than one label; "" if it is better."""
    if is_better(metrics):
        return ""
    better = [
        name
        for name, there in (
            ("settled", has_settled(shares)),
            ("corrected", any(row.corrected is not None for row in shares.rows)),
        )
        if there
    ]
    if not better:
        return f"{majority_sentence(metrics)} So the raw shares are no findings."
    return f"{majority_sentence(metrics)} So go by the {' or the '.join(better)} shares, not by the raw ones."


def shares_intervals(shares: PredictionShares) -> str:
    """Whether the shares by the model have intervals, as the end of a sentence's first part."""
    estimates = [one for row in shares.rows for one in (row.raw, row.corrected) if one is not None]
    known = sum(one.is_known for one in estimates)
    if not known:
        return f"without intervals, which take at least {FEWEST} articles"
    rest = f" (none where there are fewer than {FEWEST} articles)" if known < len(estimates) else ""
    return f"with 95 % intervals over articles{rest}"


def has_settled(shares: PredictionShares) -> bool:
    """Whether there are shares among settled labels."""
    return any(row.settled is not None for row in shares.rows)


def corrected_sentence(shares: PredictionShares, drawn: Mapping[str, str]) -> str:
    """What the corrected shares are, which cells have one, and where they stand on the page.

    Args:
        shares: all shares.
        drawn: `corrected` or `raw`, as the figures by `month` and by `outlet` show one or the other.
    """
    cells = {(row.kind, row.name): row.corrected is not None for row in shares.rows}
    if not any(cells.values()):
        return "there are none, as there are too few labels of randomly sampled sentences."
    having = ["the whole corpus"] if cells.get(("all", "")) else []
    for kind in ("outlet", "month", "language"):
        of_kind = [has for (of, _), has in cells.items() if of == kind]
        if any(of_kind):
            having.append(f"{sum(of_kind):,} of {counted(len(of_kind), kind)}")
    figures = [
        kind for kind, shown in drawn.items() if shown == "corrected" and any(row.kind == kind for row in shares.rows)
    ]
    where = "The table “The numbers” below has them"
    if figures:
        where += (
            f", and so {'has the figure' if len(figures) == 1 else 'have the figures'} by {' and by '.join(figures)}"
        )
    else:
        where += ", and the figures don’t: a figure shows corrected shares only if all its outlets or months have one"
    return (
        "the raw share, corrected by the labels of randomly sampled sentences, which show how the model errs "
        f"(prediction-powered inference). There are such shares for {spoken(having, 'and')}. {where}."
    )


def whole_corpus(snapshot: Snapshot) -> bool:
    """Whether every copy group of the corpus has a settled label, so that nothing has to be estimated."""
    shares, different = snapshot.status.shares, snapshot.corpus.sentences - snapshot.corpus.copies
    return shares is not None and snapshot.status.labelled == shares.labelled == different


def which_shares_sentence(snapshot: Snapshot) -> str:
    """Which of the two estimates of the shares in the corpus to report; "" where there are not both of them."""
    by_labels, by_model = snapshot.status.shares, snapshot.shares
    if by_labels is None or by_labels.weighted is None or by_model is None or whole_corpus(snapshot):
        return ""
    if not any(row.corrected for row in by_model.rows if row.kind == "all"):
        return ""
    return (
        "The shares in the corpus are estimated twice: from the labels alone (section “Labels”), and from the model’s "
        "predictions, corrected by the labels (section “Stance over time and by outlet”). The corrected predictions "
        "usually have the narrower intervals, and the text to paste gives them. Choose the one to report before you "
        "look at them."
    )


def shares_sentence(snapshot: Snapshot) -> str:
    """The shares of the stances in the whole corpus; "" where this version of the model has not predicted it.

    Where every sentence of the corpus has a settled label, they are counts, and no model's predictions are needed.
    Raw shares of a model that is not shown to be better than the majority label are no findings, so they are not given.
    """
    settled = snapshot.status.shares
    if settled and whole_corpus(snapshot):
        counts, copies = settled.weighted or settled.raw, "with every copy counted" * bool(settled.weighted)
        return (
            "Every sentence of the corpus was labelled, so the shares of the labels are counts of these articles"
            f"{', ' * bool(copies)}{copies}: {', '.join(f'{stance} {share(one)}' for stance, one in counts.items())}"
            f"{' (brackets are 95 % intervals over articles)' * any(one.is_known for one in counts.values())}."
        )
    if snapshot.shares is None or snapshot.shares.model != snapshot.model:
        return ""
    rows = [row for row in snapshot.shares.rows if row.kind == "all"]
    if not rows:
        return ""
    corrected = all(row.corrected is not None for row in rows)
    if not corrected and snapshot.metrics and not is_better(snapshot.metrics):
        return (
            "The shares of the labels that it predicts over the corpus are not given here, as it is not shown to be "
            "better than the majority label."
        )
    shown = ", ".join(
        f"{row.stance} {share(row.corrected if corrected and row.corrected else row.raw)}" for row in rows
    )
    how = (
        "corrected by randomly sampled labels, with prediction-powered inference"
        if corrected
        else "as predicted; the model’s errors are in them"
    )
    how += "; brackets are 95 % intervals over articles" * any(row.raw.is_known for row in rows)
    return f"Over all {rows[0].n:,} sentences the shares are {shown} ({how})."
