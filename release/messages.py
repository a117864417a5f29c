"""What `publish` and `hydrate` print when they are done: lines for the terminal, made from their records."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from corpus.store import wrote

if TYPE_CHECKING:
    from release.hub.upload import Uploaded
    from release.hydrate.hydrate import Hydrated
    from release.publish import PublishSummary


def published(done: PublishSummary, out: Path, opened: str, *, asked: bool) -> list[str]:
    """Rows by config and split, and what was left out.

    Args:
        done: what was published.
        out: the folder.
        opened: the expression that opens it.
        asked: whether the user wanted no text.
    """
    lines = [
        f"{config}: " + ", ".join(f"{name} {count}" for name, count in splits.items())
        for config, splits in done.rows.items()
    ]
    if done.proof:
        why = "--standoff" if asked else "[publish] licence is not set"
        lines.append(
            f"a stand-off release ({why}): no text, no five words in a row of any of {done.proof.articles} articles; "
            f"not compared: {', '.join(done.proof.exempt)}"
        )
    left_out = {
        "open sentences": done.unsettled,
        "comments of annotators": done.comments,
        "holders that neither article nor codebook names": done.holders,
    }
    if any(left_out.values()):
        lines.append("left out: " + ", ".join(f"{count} {what}" for what, count in left_out.items() if count))
    if done.few and done.few.sentences:
        least = "" if done.few.exact else "at least "
        lines.append(
            f"{least}{done.few.sentences} sentences were settled by fewer votes than the {done.few.asked} that "
            "[labeling] overlap asks for; the card says so"
        )
    if done.renamed:
        lines.append(f"{done.renamed} annotators' names were not pseudonyms; the release has new ones")
    return [*lines, f"{wrote(done.changed, out)} (opened again with load_dataset)", f"open it with {opened}"]


def hydrated(done: Hydrated, out: Path, opened: str) -> list[str]:
    """Sentences by state, in all and by article; `opened` is the expression that opens the folder."""
    lines = []
    for row in done.articles:
        copy = "no copy" if row.found_article is None else f"copy {row.found_article}"
        elsewhere = f", {row.elsewhere} of them in another article" if row.elsewhere else ""
        lines.append(
            f"{row.article_id} ({copy}): {row.matched} matched, {row.drifted} drifted, {row.missing} missing{elsewhere}"
        )
    lines.append(f"in all: {done.matched} matched, {done.drifted} drifted, {done.missing} missing")
    if done.left_out:
        lines.append(f"left out, for none of their sentences was found: {', '.join(done.left_out)}")
    return [
        *lines,
        f"{wrote(done.changed, out)} (every sentence's state is in {out / 'hydrate.jsonl'})",
        f"open it with {opened}",
    ]


def uploaded(done: Uploaded) -> str:
    """The address, and whether anything changed there."""
    what = f"commit {done.commit}" if done.commit else "a tag is new" if done.changed else "nothing had changed"
    return f"{done.url}: {what}"
