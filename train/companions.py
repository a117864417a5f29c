"""What stands beside the card: the data statement, the citation file, the changelog."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from labeling.records import STANCES
from train import readings
from train.facts import CardFacts, missing
from train.handwritten import decode, fill, merge
from train.methods import latex
from train.records import LICENCES, PublishSettings

NOBODY = "Authors not stated"


def data_statement(facts: CardFacts) -> bytes:
    """`annotators.md`: a data statement; what people wrote between our parts is kept.

    Raises:
        PublishError: the one that is there has a broken marker, or was edited between two.

    References:
        Bender and Friedman (2018), Data Statements for Natural Language Processing: Toward Mitigating System Bias
        and Enabling Better Science, TACL 6:587-604.
    """
    name = "annotators.md"
    there = facts.before.files.get(name, b"")
    text = fill(
        "annotators.md.j2",
        facts=facts,
        said=facts.settings,
        found=facts.found,
        readings=readings,
        extractors=extractors(facts),
        missing=missing(facts.settings),
    )
    return merge(text, decode(there, name), name).encode()


def citation(facts: CardFacts) -> bytes:
    """`CITATION.cff`, version 1.2.0 of the format; released on the day of the newest annotation.

    References:
        Druskat et al. (2021), Citation File Format 1.2.0, https://doi.org/10.5281/zenodo.5171937.
    """
    import yaml

    said = facts.settings
    spdx = LICENCES.get(said.licence.lower(), "")
    fields: dict[str, Any] = {
        "cff-version": "1.2.0",
        "message": "If you use this dataset, please cite it as below.",
        "type": "dataset",
        "title": facts.name,
        "abstract": summary(facts),
        "authors": [_author(name) for name in authors(said)],
        "version": said.version,
        **({"date-released": facts.date} if facts.date else {}),
        **({"doi": said.doi} if said.doi else {}),
        **({"url": said.url} if said.url else {}),
        **({"license": spdx} if spdx else {}),
        **({"license-url": said.licence_link} if said.licence_link and not spdx else {}),
        "keywords": ["stance detection", "news", "corpus"],
    }
    text = yaml.safe_dump(fields, sort_keys=False, allow_unicode=True, width=110)
    return f"# Written by `stance publish` from [publish] of stance.toml: change it there.\n{text}".encode()


def changelog(facts: CardFacts) -> bytes:
    """`CHANGELOG.md`: an entry a version, newest first, of what differs from the release that stands there.

    Published again without a change, nothing is added; with one and under the same version, a line in its entry.
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
    if not changes or text[entry.end() :].startswith(f"- {changes}\n"):
        return text.encode()
    return f"{text[: entry.start()]}{heading}\n\n- {changes}\n{text[entry.end() :]}".encode()


def summary(facts: CardFacts) -> str:
    """The dataset in a sentence."""
    return (
        f"{facts.rows} sentences from {facts.articles} news articles, each labelled for its stance toward one target, "
        f"“{facts.target}”: favor, against or none."
    )


def extractors(facts: CardFacts) -> str:
    """What read the articles, with how many of them."""
    return ", ".join(f"{name or 'unknown'} ({count} articles)" for name, count in facts.extractors.items())


def licence(said: PublishSettings) -> str:
    """The licence's name for people; "" where none is set."""
    if said.licence.lower() == "other":
        return f"{said.licence_name} ({said.licence_link})"
    return LICENCES.get(said.licence.lower()) or said.licence


def authors(said: PublishSettings) -> list[str]:
    """Who made the dataset, each once; `NOBODY` where it isn't said."""
    return list(dict.fromkeys(" ".join(name.split()) for name in said.authors if name.strip())) or [NOBODY]


def cited(facts: CardFacts) -> str:
    """The dataset as a list of references names it, in the style of the APA."""
    said = facts.settings
    where = f"https://doi.org/{said.doi}" if said.doi else said.url
    who = " & ".join(authors(said)).rstrip(".")
    return f"{who} ({facts.date[:4] or 'n.d.'}). {facts.name} (Version {said.version}) [Data set]. {where}".strip()


def bibtex(facts: CardFacts) -> str:
    """The dataset as a BibTeX entry, for a code block: no line of it begins with anything but our own words."""
    said = facts.settings
    fields = {
        "author": " and ".join(latex(name) if "," in name else f"{{{latex(name)}}}" for name in authors(said)),
        "title": f"{{{latex(facts.name)}}}",
        "year": facts.date[:4],
        "version": said.version,
        "doi": said.doi,
        "url": said.url,
    }
    key = re.sub(r"\W+", "", facts.name, flags=re.ASCII).lower()[:30] or "stance"
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
    return "\n".join([f"@misc{{{key},", *lines, "}"])


def _author(name: str) -> dict[str, str]:
    """`Family, Given` is a person, anything else a group."""
    family, _, given = (part.strip() for part in name.partition(","))
    return {"family-names": family, "given-names": given} if family and given else {"name": name}


def _changes(facts: CardFacts) -> str:
    """What differs from the release before; "" where nothing does."""
    new, old, book = facts.published, facts.before.labels, facts.before.codebook
    if old is None:
        labels = Counter(new.values())
        shares = ", ".join(f"{stance} {labels[stance]}" for stance in STANCES)
        return (
            f"First release: {facts.rows} sentences of {facts.articles} articles ({shares}), "
            f"codebook version {facts.codebook}."
        )
    changed = Counter((old[key], label) for key, label in new.items() if key in old and old[key] != label)
    parts: list[str] = []
    if more := len(new.keys() - old.keys()):
        parts.append(f"{_counted(more, 'sentence')} more")
    if fewer := len(old.keys() - new.keys()):
        parts.append(f"{_counted(fewer, 'sentence')} fewer")
    if changed:
        kinds = ", ".join(f"{count} from {was} to {now}" for (was, now), count in sorted(changed.items()))
        parts.append(f"{_counted(changed.total(), 'label')} changed ({kinds})")
    if book and book != facts.codebook:
        parts.append(f"codebook version {facts.codebook} instead of {book}")
    return f"{'; '.join(parts)}: {facts.rows} sentences in all." if parts else ""


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' if count != 1 else ''}"
