"""Keep annotators' identities out of a release: by pseudonyms, checked holders, and a search of the final files."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

import msgspec

from corpus.errors import PublishError
from labeling.records import UNKNOWN, Annotation, Verdict
from release.contents.strings import strings

PSEUDONYM = re.compile(rf"A\d+|{UNKNOWN.pattern}")
"""The names that `stance pull` gives: A1, A2, …, and those of people whom the server no longer names."""

WORD = re.compile(r"[^\W_]+")


def release_names(
    annotations: Iterable[Annotation], verdicts: Iterable[Verdict], known: Mapping[str, str]
) -> dict[str, str]:
    """Each annotator's name in the release: their name in the tables if it is a pseudonym, otherwise another pseudonym.

    `stance pull` gives pseudonyms, but people edit `.stance/annotators.json`, and tables may come from elsewhere.

    Args:
        annotations: answers, whose annotators get names.
        verdicts: verdicts, of which the annotators of the votes get names.
        known: mail address or name → pseudonym, as in `.stance/annotators.json`.

    Returns:
        Name in the tables → name in the release; new ones are given in the order of the names.
    """
    names = {row.annotator for row in annotations} | {who for row in verdicts for who in row.votes}
    called = {name: name for name in names if PSEUDONYM.fullmatch(name)}
    called |= {name: known[name] for name in names - called.keys() if PSEUDONYM.fullmatch(known.get(name, ""))}
    taken = {*called.values(), *known.values()}
    free = (f"A{n}" for n in range(1, len(names) + len(taken) + 1) if f"A{n}" not in taken)
    return dict(sorted(called.items())) | {name: next(free) for name in sorted(names - called.keys())}


def pseudonymous(
    annotations: Iterable[Annotation],
    names: Mapping[str, str],
    articles: Mapping[str, str],
    article_of: Mapping[str, str],
    codebook: str,
) -> list[Annotation]:
    """The answers under the names of the release, without comments, and with only the holders that name nobody new.

    Annotators type a holder freely. If all its words are in the article or the codebook (as "author" is), it names
    nobody whom these two do not name; any other holder might be anybody, and is left out.

    Args:
        annotations: answers as they were pulled.
        names: name of each annotator in the release, as `release_names` returns them.
        articles: title and text of each article.
        article_of: article of each sentence; if a sentence is not in the corpus, only the codebook's words are allowed.
        codebook: text of the codebook.
    """
    words: dict[str, frozenset[str]] = {}

    def published_holder(row: Annotation) -> str:
        article = article_of.get(row.sentence_id, "")
        if row.holder and article not in words:
            words[article] = frozenset(WORD.findall(f"{articles.get(article, '')}\n{codebook}".casefold()))
        return row.holder if row.holder and words[article].issuperset(WORD.findall(row.holder.casefold())) else ""

    return [
        msgspec.structs.replace(row, annotator=names[row.annotator], comment="", holder=published_holder(row))
        for row in annotations
    ]


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
        # The file as it is too: of two equal keys in JSON, only the last one is among its strings.
        raw = path.read_bytes().decode("utf-8", "replace")
        for text in dict.fromkeys([raw, *(text for *_, text in strings(path))]):
            if match := pattern.search(text.casefold()):
                raise PublishError(
                    f"nothing was published: {path.relative_to(folder).as_posix()} would hold {match.group()}, the "
                    "address of an annotator (.stance/annotators.json). Take it out of where it comes from: the "
                    "card's or codebook's text, [publish] of stance.toml, or the articles"
                )
