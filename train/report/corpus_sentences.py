"""The sentences of the report, the methods paragraph and the card about the articles of the corpus."""

from __future__ import annotations

from corpus.messages import KINDS
from corpus.numbers import agreeing
from corpus.numbers import number as counted
from train.report.article_view import ShownCorpus


def articles_words(corpus: ShownCorpus) -> str:
    """How many articles there are, from how many outlets and of which days, and how many do not say so.

    An article without an outlet may be of an outlet that others name, or of a further one; so where some name none, the
    outlets are not said to be those of all articles.
    """
    named, missing = corpus.articles - corpus.without_outlet, []
    text = counted(corpus.articles, "article")
    if corpus.outlets and corpus.without_outlet:
        one, several = "an outlet" if named == 1 else "the same outlet", f"one of {len(corpus.outlets):,} outlets"
        of = one if len(corpus.outlets) == 1 else several
        missing.append(f"{named:,} {'names' if named == 1 else 'name'} {of}")
    elif corpus.outlets:
        text += f" from {counted(len(corpus.outlets), 'outlet')}"
    if corpus.dates and corpus.without_date:
        missing.append(f"{corpus.without_date:,} {agreeing(corpus.without_date, 'have')} no date")
    if missing:
        text += f" ({', '.join(missing)})"
    return text + (f", {corpus.dates[0]} to {corpus.dates[-1]}" if corpus.dates else "")


def copies_sentence(corpus: ShownCorpus) -> str:
    """How many sentences are exact copies, what that means, and how many clusters near-duplicates form with them."""
    clusters = "No two sentences are near-duplicates."
    if corpus.clusters:
        clusters = f"Near-duplicates, exact copies included, form {counted(corpus.clusters, 'cluster')}."
    if not corpus.copies:
        return f"none of them is an exact copy of another one. {clusters}"
    copies = "is an exact copy" if corpus.copies == 1 else "are exact copies"
    return (
        f"{corpus.copies:,} of them {copies} of another one: the same but for case, punctuation, and the kinds of "
        f"spaces and quotation marks. {clusters}"
    )


def not_prose_sentence(corpus: ShownCorpus) -> str:
    """How many lines are kept apart from the prose, by kind."""
    kinds = ", ".join(counted(count, KINDS.get(kind, kind)) for kind, count in corpus.kinds)
    total = sum(count for _, count in corpus.kinds)
    if not total:
        return "No line was kept apart as not prose."
    return f"{counted(total, 'line', 'are')} not prose and {agreeing(total, 'are')} kept apart: {kinds}."
