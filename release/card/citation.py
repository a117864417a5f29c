"""How a dataset is cited: the file `CITATION.cff`, and an entry for BibTeX."""

from __future__ import annotations

import re
from typing import Any

from release.card.card_facts import CardFacts, authors, summary
from train.report.latex import latex
from train.settings import LICENCES

LONGEST_KEY = 30
"""Most characters of a BibTeX key of several words; words that don't fit are left out whole."""


def citation(facts: CardFacts) -> bytes:
    """`CITATION.cff`, in version 1.2.0 of the format; its date of release is the day of the newest annotation.

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


def bibtex(facts: CardFacts) -> str:
    """The dataset as a BibTeX entry for a code block; each line begins with stance's own words, never with a value."""
    said = facts.settings
    fields = {
        "author": " and ".join(latex(name) if "," in name else f"{{{latex(name)}}}" for name in authors(said)),
        "title": f"{{{latex(facts.name)}}}",
        "year": facts.date[:4],
        "version": said.version,
        "doi": said.doi,
        "url": said.url,
    }
    key = ""
    for word in re.findall(r"\w+", facts.name.lower(), flags=re.ASCII):
        if key and len(key + word) > LONGEST_KEY:
            break
        key += word
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
    return "\n".join([f"@misc{{{key or 'stance'},", *lines, "}"])


def _author(name: str) -> dict[str, str]:
    """An author of the citation: `Family, Given` is a person, and a name without a comma is a group."""
    family, _, given = (part.strip() for part in name.partition(","))
    return {"family-names": family, "given-names": given} if family and given else {"name": name}
