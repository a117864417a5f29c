"""The changelog of a dataset: what differs between a release and the one before it."""

from __future__ import annotations

import re
from collections import Counter

from corpus.numbers import number
from release.card.card_facts import CardFacts
from release.card.managed_markdown import decode

FIRST = re.compile(r"^- First release: .*\n", re.MULTILINE)
WRITTEN = re.compile(
    r"^- (?:[\d,]+ (?:sentence|label)|codebook version ).*: [\d,]+ sentences? in all\.\n", re.MULTILINE
)
"""A line on changes, as stance writes it."""


def changelog(facts: CardFacts) -> bytes:
    """`CHANGELOG.md`: one entry per version, newest first, saying what differs from the earlier release.

    The first version's entry always says what this version holds now. If a later version has an entry already, the
    entry gets one more line if something changed, and stays as it is if nothing did: the labels of the version before
    are not in the folder any more, so that the lines together tell what differs from them.
    """
    version, before = facts.settings.version, facts.before
    text = decode(before.files.get("CHANGELOG.md", b""), "CHANGELOG.md")
    heading = f"## {version}" + (f" - {facts.date}" if facts.date else "")
    entry = re.search(rf"^## {re.escape(version)}(?: - .*)?\n\n?", text, re.MULTILINE)
    changes = _changes(facts)
    if entry is None:
        line = f"- {changes or 'No sentence, label or codebook version changed.'}"
        first = re.search(r"^## ", text, re.MULTILINE)
        at = first.start() if first else len(text)
        if not text:
            text, at = "# Changelog\n\n", len("# Changelog\n\n")
        rest = text[at:]
        return f"{text[:at]}{heading}\n\n{line}\n{chr(10) if rest else ''}{rest}".encode()
    behind = re.search(r"^## ", text[entry.end() :], re.MULTILINE)
    body = text[entry.end() : entry.end() + behind.start()] if behind else text[entry.end() :]
    if FIRST.search(body):
        now = FIRST.sub(lambda _: f"- {_first(facts)}\n", WRITTEN.sub("", body), count=1)
        return f"{text[: entry.start()]}{heading}\n\n{now}{text[entry.end() + len(body) :]}".encode()
    if not changes or text[entry.end() :].startswith(f"- {changes}\n"):
        return text.encode()
    return f"{text[: entry.start()]}{heading}\n\n- {changes}\n{text[entry.end() :]}".encode()


def _first(facts: CardFacts) -> str:
    """What the first version holds, as one line."""
    labels = Counter(facts.published.values())
    shares = ", ".join(f"{stance} {labels[stance]:,}" for stance in facts.scheme.names)
    return (
        f"First release: {number(facts.rows, 'sentence')} of {number(facts.articles, 'article')} ({shares}), "
        f"codebook version {facts.codebook}."
    )


def _changes(facts: CardFacts) -> str:
    """The differences from the earlier release, as one line; "" if there are none."""
    new, old, book = facts.published, facts.before.labels, facts.before.codebook
    if old is None:
        return _first(facts)
    changed = Counter((old[key], label) for key, label in new.items() if key in old and old[key] != label)
    parts: list[str] = []
    if more := len(new.keys() - old.keys()):
        parts.append(f"{number(more, 'sentence')} more")
    if fewer := len(old.keys() - new.keys()):
        parts.append(f"{number(fewer, 'sentence')} fewer")
    if changed:
        names = facts.scheme.in_order(label for pair in changed for label in pair)
        pairs = [(was, now) for was in names for now in names if changed[was, now]]
        kinds = ", ".join(f"{changed[was, now]:,} from {was} to {now}" for was, now in pairs)
        parts.append(f"{number(changed.total(), 'label')} changed ({kinds})")
    if book and book != facts.codebook:
        parts.append(f"codebook version {facts.codebook} instead of {book}")
    return f"{'; '.join(parts)}: {number(facts.rows, 'sentence')} in all." if parts else ""
