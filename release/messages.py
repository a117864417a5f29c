"""The lines that `stance publish`, `stance hydrate` and `stance export` print when they have finished."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from corpus.numbers import agreeing, exact_copies, number
from corpus.package_files import package_file
from corpus.store import wrote
from train.examples.splits import lacking

MOST_ARTICLES = 20
"""Articles to which something happened that `stance hydrate` names; the file in the folder lists all."""

if TYPE_CHECKING:
    from release.export.export import Exported
    from release.hub.upload import Uploaded
    from release.hydrate.hydrate import Hydrated
    from release.publish import PublishSummary


def published(done: PublishSummary, out: Path, opened: str, *, asked: bool) -> list[str]:
    """The lines that say what was published: the rows by config and split, and what was left out.

    Args:
        done: record of what was published.
        out: folder of the dataset.
        opened: Python expression that opens the folder.
        asked: whether the user asked for a release without text.
    """
    lines = [
        f"{config}: " + ", ".join(f"{number(count, 'row')} in {name}" for name, count in splits.items())
        for config, splits in done.rows.items()
    ]
    if done.copies:
        lines.append(
            f"of the rows in gold, {exact_copies(done.copies)} of "
            "another one (`copy_of` says which); `stance train` counts them once"
        )
    if why := lacking(done.rows["gold"]):
        lines.append(why)
    if not done.standoff:
        lines.append(
            "the dataset holds the sentences' text, as [publish] licence is set; `stance publish --standoff` leaves it "
            "out"
        )
    if done.proof:
        why = "--standoff" if asked else "[publish] licence is not set"
        lines.append(
            f"a stand-off release ({why}): it has no text. Its tables, the card, the codebook and the settings were "
            f"compared with {number(done.proof.articles, 'article')}: they repeat no five words in a row. Not counted "
            "are what a release has to name (the target, the outlets and the articles' addresses) and the sentences of "
            "the card that stance itself brings"
        )
    if done.standoff and done.without_url:
        lines.append(
            f"{done.without_url:,} of {number(done.articles, 'article')} {agreeing(done.without_url, 'have')} no "
            "URL, and a stand-off release has no titles: others may not know which articles to get. Give the "
            "addresses in the column url of articles.csv (for articles that are rows of a table, in a column url of "
            "that table), then build and publish again"
        )
    why = (
        ", as annotators may have copied them from the articles"
        if done.standoff
        else " that neither article nor codebook names, as they might be anybody"
    )
    left_out = (
        (done.unsettled, "open sentence", ""),
        (done.comments, "comment", " of annotators (comments are never published)"),
        (done.holders, "holder", why),
    )
    if said := [f"{number(count, what)}{more}" for count, what, more in left_out if count]:
        lines.append("left out: " + "; ".join(said))
    if done.few and done.few.sentences:
        least = "" if done.few.exact else "at least "
        wanted = (
            "there are annotators to whom [labeling] assign gives them"
            if done.few.assigned
            else f"the {done.few.asked} that [labeling] overlap asks for"
        )
        lines.append(
            f"{least}{number(done.few.sentences, 'sentence', 'were')} settled by fewer votes than "
            f"{wanted}; the card says so"
        )
    if done.renamed:
        lines.append(f"pseudonyms replace {number(done.renamed, 'name')} of annotators and adjudicators in the release")
    if done.differs:
        lines.append(
            f"the content is not what was published before as version {done.differs}: if others have that one, raise "
            "[publish] version, as readers expect, and publish again"
        )
    if done.compared:
        lines.append(
            f"CHANGELOG.md compares this version with what was published first as version {done.compared}, and not "
            "with what replaced it there; if others have only the replacement, correct the entries by hand"
        )
    return [*lines, f"{wrote(done.changed, out)} (load_dataset opens it)", f"open it with {opened}"]


def hydrated(done: Hydrated, out: Path, opened: str) -> list[str]:
    """The lines that count the sentences by state; `opened` is the Python expression that opens the folder.

    Articles in which all sentences were found as they were have no line of their own.
    """
    from release.hydrate.write_release import BY_ARTICLE

    differing = [row for row in done.articles if row.drifted or row.missing or row.elsewhere]
    whole = len(done.articles) - len(differing)
    lines = [f"{number(whole, 'article')}: all sentences matched in the article's own copy"] if whole else []
    for row in differing[:MOST_ARTICLES]:
        known = ", ".join(filter(None, (row.outlet, row.published, row.url)))
        copy = f"copy {row.found_article}" if row.found_article is not None else "no copy" + f"; {known}" * bool(known)
        elsewhere = f", {row.elsewhere:,} of them in another article" if row.elsewhere else ""
        lines.append(
            f"{row.article_id} ({copy}): {row.matched:,} matched, {row.drifted:,} drifted, "
            f"{row.missing:,} missing{elsewhere}"
        )
    if more := differing[MOST_ARTICLES:]:
        lines.append(f"and {number(len(more), 'more article')}, which {out / BY_ARTICLE} lists")
    lines.append(f"in all: {done.matched:,} matched, {done.drifted:,} drifted, {done.missing:,} missing")
    if done.drifted:
        lines.append("drifted: found with other capitals, punctuation or spaces; matched: found letter by letter")
    if done.left_out:
        lines.append(f"splits left out, because none of their sentences was found: {', '.join(done.left_out)}")
    return [
        *lines,
        f"{wrote(done.changed, out)} ({out / 'hydrate.jsonl'} gives the state of every sentence)",
        f"open it with {opened}",
    ]


def exported(done: Exported, out: Path, *, long: bool) -> list[str]:
    """The lines that say what is in an export, and what is not as it stands elsewhere."""
    from train.predict.formula_cells import defused_note

    if long:
        lines = [f"{number(done.rows, 'answer')}, {done.labelled:,} of them to sentences that have a label"]
    else:
        lines = [f"{number(done.rows, 'sentence')}, {done.labelled:,} of them with a label{_copies(done.copies)}"]
    for name, of in done.coders.items():
        at = "" if of.temperature < 0 else f", temperature {of.temperature:g}"
        lines.append(f"{name}: model {of.model}, prompt {of.prompt}{at}")
    if done.gone:
        sentences = f"{number(done.gone, 'sentence')} that {agreeing(done.gone, 'are')} no longer in the corpus"
        lines.append(f"left out: answers to {sentences}")
    if done.defused:
        lines.append(defused_note(done.defused, out.name))
    if page := package_file("docs/export.md"):
        lines.append(f"what each column holds is explained in {page}")
    return lines


def _copies(count: int) -> str:
    """How many sentences have a label as exact copies of a labelled one, as a clause."""
    return f" ({exact_copies(count)} of another labelled sentence)" if count else ""


def uploaded(done: Uploaded) -> str:
    """One line with the address of the repository, and with what changed there."""
    what = f"commit {done.commit}" if done.commit else "a tag was added" if done.changed else "nothing had changed"
    return f"{done.url}: {what}"
