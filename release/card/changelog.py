"""The changelog of a dataset: what differs between a release and the one before it."""

from __future__ import annotations

import re
from collections import Counter

import msgspec

from corpus.numbers import number
from release.card.card_facts import CardFacts
from release.card.earlier_release import Replaced
from release.card.managed_markdown import decode

FIRST = re.compile(r"^- First release: .*\n", re.MULTILINE)
SAME = "No sentence, label or codebook version changed."
WRITTEN = re.compile(
    rf"^- (?:(?:[\d,]+ (?:sentence|label)|codebook version ).*: [\d,]+ sentences? in all\.|{re.escape(SAME)})\n",
    re.MULTILINE,
)
"""A line on changes, as stance writes it."""
OURS = re.compile(f"{FIRST.pattern}|{WRITTEN.pattern}", re.MULTILINE)


def changelog(facts: CardFacts) -> bytes:
    """`CHANGELOG.md`: one entry per version, newest first, saying what differs from the earlier release.

    The first version's entry always says what this version holds now. If a later version has an entry already, the
    entry gets one more line if something changed, and stays as it is if nothing did: the labels of the version before
    are not in the folder any more, so that the lines together tell what differs from them.

    If nothing differs from the earlier release but the version, and that release had replaced another one under its
    version, then the version was raised because others have that other one: the new entry says what differs from it,
    and the entry of its version again says what it held.
    """
    version, before = facts.settings.version, facts.before
    text = decode(before.files.get("CHANGELOG.md", b""), "CHANGELOG.md")
    heading = f"## {version}" + (f" - {facts.date}" if facts.date else "") + "\n\n"
    entry = _find(text, version)
    if replaced := compared_with_replaced(facts):
        earlier = msgspec.structs.replace(before, labels=replaced.labels, codebook=replaced.codebook)
        facts = msgspec.structs.replace(facts, before=earlier)
        text = _restored(text, replaced)
    said = changes(facts)
    if entry is None:
        first = re.search(r"^## ", text, re.MULTILINE)
        at = first.start() if first else len(text)
        if not text:
            text, at = "# Changelog\n\n", len("# Changelog\n\n")
        rest = text[at:]
        return f"{text[:at]}{heading}- {said or SAME}\n{chr(10) if rest else ''}{rest}".encode()
    if FIRST.search(entry.body):
        now = FIRST.sub(lambda _: f"- {_first(facts)}\n", WRITTEN.sub("", entry.body), count=1)
    elif not said or entry.body.startswith(f"- {said}\n"):
        return text.encode()
    else:
        now = f"- {said}\n{entry.body.replace(f'- {SAME}{chr(10)}', '')}"
    return f"{entry.above}{heading}{now}{entry.below}".encode()


def compared_with_replaced(facts: CardFacts) -> Replaced | None:
    """The release that a new version is compared with instead of the one in the folder; None for that one itself.

    It is the one that the folder's release replaced under its version, if nothing else is new but the version.
    """
    replaced = facts.before.replaced
    text = decode(facts.before.files.get("CHANGELOG.md", b""), "CHANGELOG.md")
    if replaced is None or _find(text, facts.settings.version) or changes(facts):
        return None
    entry = _find(text, replaced.version)
    return replaced if entry and "\n## " not in f"\n{entry.above}" else None


class _Entry(msgspec.Struct, frozen=True, kw_only=True):
    """The entry of a version, and the text above and below it; the four parts together are the changelog."""

    above: str
    heading: str
    body: str
    below: str


def _find(text: str, version: str) -> _Entry | None:
    found = re.search(rf"^## {re.escape(version)}(?: - .*)?\n\n?", text, re.MULTILINE)
    if found is None:
        return None
    behind = re.search(r"^## ", text[found.end() :], re.MULTILINE)
    end = found.end() + behind.start() if behind else len(text)
    return _Entry(above=text[: found.start()], heading=found[0], body=text[found.end() : end], below=text[end:])


def _restored(text: str, replaced: Replaced) -> str:
    """The changelog with what stance wrote on a version before the release was replaced; other lines stay."""
    now, then = _find(text, replaced.version), _find(replaced.changelog, replaced.version)
    if now is None or then is None:
        return text
    lines = "".join(one[0] for one in OURS.finditer(then.body))
    return f"{now.above}{then.heading}{lines}{OURS.sub('', now.body)}{now.below}"


def _first(facts: CardFacts) -> str:
    """What the first version holds, as one line."""
    labels = Counter(facts.published.values())
    shares = ", ".join(f"{stance} {labels[stance]:,}" for stance in facts.scheme.names)
    return (
        f"First release: {number(facts.rows, 'sentence')} of {number(facts.articles, 'article')} ({shares}), "
        f"codebook version {facts.codebook}."
    )


def changes(facts: CardFacts) -> str:
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
