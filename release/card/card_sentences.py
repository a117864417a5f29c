"""Sentences of the card and the data statement that no report has: who settled labels, and how to get the text."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, metadata

from corpus.numbers import agreeing, number, spoken
from release.card.card_facts import CardFacts

PACKAGE = "stance-corpus"
SOURCES = ("repository", "source", "source code", "homepage")
"""Labels of the package's addresses that may lead to its source code, the best one first."""


def decided_sentence(facts: CardFacts) -> str:
    """Who decided the adjudicated sentences, and whether they are annotators; "" where no sentence was adjudicated.

    Whoever settles a disagreement between annotators and is one of them decides about their own votes.
    """
    people = facts.adjudicators
    if not people:
        return ""
    decided, copies = sum(people.values()), facts.adjudicated_copies
    if copies:
        of_them = f"{number(decided, 'sentence')} and {copies:,} exact {'copy' if copies == 1 else 'copies'}"
        what = f"The {decided + copies:,} adjudicated rows ({of_them}) were decided by"
    else:
        what = f"{number(decided, 'sentence', 'were')} decided by"
    voted = {row.annotator for row in facts.snapshot.status.annotators}
    if len(people) == 1:
        (name,) = people
        who = f"{name}, who {'is also' if name in voted else 'is not'} an annotator and"
    else:
        each = [
            f"{name} ({count:,}; {'also' if name in voted else 'not'} an annotator)" for name, count in people.items()
        ]
        who = f"{spoken(each, 'and')}, who"
    later = " Votes for labels that no longer existed were not shown." if len(facts.snapshot.codebooks) > 1 else ""
    return f"{what} {who} saw the votes that had been given by then.{later}"


def addresses_sentence(facts: CardFacts) -> str:
    """Where readers of a stand-off release learn which articles to get, and for how many of them they can't."""
    if not facts.without_url:
        return "The column `url` says where each article is."
    rest = (
        "which articles these are can be learned only from `article_id`, `outlet` and `published`, since a stand-off "
        "release has no titles."
    )
    if facts.without_url == facts.articles:
        return f"No article has an address in the column `url`: {rest}"
    return (
        f"The column `url` says where the articles are, but {facts.without_url:,} of {facts.articles:,} "
        f"{agreeing(facts.without_url, 'have')} no address there: {rest}"
    )


def install_sentence(contact: str) -> str:
    """How to install stance, as far as the package's own metadata say where it is.

    Args:
        contact: whom the card names as the contact; may be empty.
    """
    try:
        about = metadata(PACKAGE)
    except PackageNotFoundError:  # stance runs from its source folder
        version, named = "", list[str]()
    else:
        version, named = f" {about['Version']}", about.get_all("Project-URL") or []
    urls = {label.casefold(): url for label, _, url in (entry.partition(", ") for entry in named)}
    if url := next((urls[label] for label in SOURCES if label in urls), ""):
        where = f"a clone of {url}"
    else:
        ask = "; ask the contact at the end of this card where it is" if contact else ""
        where = f"a copy of its source code{ask}"
    return (
        f"The command `stance` comes with the Python package `{PACKAGE}`{version}, which `pip install .` installs in "
        f"{where}."
    )
