"""Keep annotators' identities out of a release, with pseudonyms, checked holders, and a search of the final files."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

import msgspec

from corpus import words
from corpus.errors import PublishError
from labeling.records import UNKNOWN, Annotation, Verdict
from release.contents.strings import strings

PSEUDONYM = re.compile(rf"A\d+|{UNKNOWN.pattern}")
"""The names that `stance pull` gives: A1, A2, …, and those of people whom the server no longer names."""


def release_names(
    annotations: Iterable[Annotation], verdicts: Iterable[Verdict], known: Mapping[str, str]
) -> dict[str, str]:
    """Each annotator's name in the release: their name in the tables if it is a pseudonym, otherwise another pseudonym.

    `stance pull` gives pseudonyms, but people edit `.stance/annotators.json`, and tables may come from elsewhere.

    Args:
        annotations: answers, whose annotators get names.
        verdicts: verdicts; the annotators who gave their votes get names, and so do adjudicators.
        known: mail address or name → pseudonym, as in `.stance/annotators.json`.

    Returns:
        Name in the tables → name in the release; new ones are given in the order of the names, to annotators first.
    """
    verdicts = list(verdicts)
    annotators = {row.annotator for row in annotations} | {who for row in verdicts for who in row.votes}
    called = _pseudonyms(annotators, known, {})
    return called | _pseudonyms({row.adjudicator for row in verdicts if row.adjudicator}, known, called)


def _pseudonyms(names: Collection[str], known: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """A pseudonym for each name that `given` lacks; the names that need new ones come last.

    A name that is a pseudonym is kept, unless `given` has made it for somebody else.
    """
    made = {new for name, new in given.items() if new not in (name, known.get(name))}
    names = set(names) - given.keys()
    called = {name: name for name in names if PSEUDONYM.fullmatch(name) and name not in made}
    rest = names - called.keys()
    called |= {name: known[name] for name in rest if PSEUDONYM.fullmatch(known.get(name, ""))}
    taken = {*given.values(), *called.values(), *known.values()}
    free = (f"A{n}" for n in range(1, len(names) + len(taken) + 1) if f"A{n}" not in taken)
    return dict(sorted(called.items())) | {name: next(free) for name in sorted(rest - called.keys())}


def pseudonymous(
    annotations: Iterable[Annotation],
    names: Mapping[str, str],
    articles: Mapping[str, str],
    article_of: Mapping[str, str],
    codebook: str,
) -> list[Annotation]:
    """The answers under the names of the release, without comments, and with only the holders that are named elsewhere.

    Annotators type a holder freely. If all words of a holder are in the article or the codebook (as "author" is), it
    names nobody whom these two do not name; any other holder might be anybody, and is left out.

    Args:
        annotations: answers as they were pulled.
        names: name of each annotator in the release, as `release_names` returns them.
        articles: title and text of each article.
        article_of: article of each sentence; if a sentence is not in the corpus, only the codebook's words are allowed.
        codebook: text of the codebook.
    """
    texts: dict[str, tuple[str, frozenset[str]]] = {}

    def published_holder(row: Annotation) -> str:
        article = article_of.get(row.sentence_id, "")
        if row.holder and article not in texts:
            text = f"{articles.get(article, '')}\n{codebook}".casefold()
            texts[article] = text, frozenset(words.in_text(text))
        return row.holder if row.holder and _is_in(row.holder, *texts[article]) else ""

    return [
        msgspec.structs.replace(row, annotator=names[row.annotator], comment="", holder=published_holder(row))
        for row in annotations
    ]


def _is_in(holder: str, text: str, known: frozenset[str]) -> bool:
    """Whether all words of a holder are in a casefolded text with these words."""
    return all(word in text if words.is_unspaced(word) else word in known for word in words.in_text(holder.casefold()))


def prove_private(folder: Path, addresses: Collection[str]) -> None:
    """Search every file of a release, with Parquet's columns unpacked, for annotators' mail addresses.

    Raises:
        PublishError: a file holds such an address; the message names the file and the address.
    """
    wanted = sorted(address for address in addresses if "@" in address)
    if not wanted:
        return
    pattern = re.compile("|".join(re.escape(address.casefold()) for address in wanted))
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        # The raw file is searched too: if a key occurs twice in JSON, only its last value is among the strings.
        raw = path.read_bytes().decode("utf-8", "replace")
        for text in dict.fromkeys([raw, *(text for *_, text in strings(path))]):
            if match := pattern.search(text.casefold()):
                raise PublishError(
                    f"nothing was published: {path.relative_to(folder).as_posix()} would hold {match.group()}, the "
                    "address of an annotator (.stance/annotators.json). Remove it from its source: the text of the "
                    "card or of the codebook, [publish] of stance.toml, or the articles"
                )
