"""What keeps annotators out of a release: pseudonyms, holders that the article names, and a last look at the bytes."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

import msgspec

from corpus.errors import PublishError
from labeling.records import UNKNOWN, Annotation, Verdict
from release.contents.strings import strings

PSEUDONYM = re.compile(rf"A\d+|{UNKNOWN.pattern}")
"""What `stance pull` calls people: A1, A2, …, and whoever the server no longer names."""

WORD = re.compile(r"[^\W_]+")


def release_names(
    annotations: Iterable[Annotation], verdicts: Iterable[Verdict], known: Mapping[str, str]
) -> dict[str, str]:
    """What each annotator is called in the release: the pseudonym where it is one, else a new one.

    `stance pull` gives pseudonyms, but people edit `.stance/annotators.json`, and tables come from elsewhere.

    Args:
        annotations: their annotators.
        verdicts: the annotators of their votes.
        known: pseudonym by mail address, as `.stance/annotators.json` has them.

    Returns:
        Name in the tables → name in the release; new ones go by the order of the names.
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
    """The answers under the names of the release, without comments, with those holders that can be nobody else.

    Annotators type a holder freely. One whose words all stand in the article or the codebook ("author") names
    nobody that these two don't; any other may be anybody, and is left out.

    Args:
        annotations: as they were pulled.
        names: as `release_names` gives them.
        articles: title and text by article.
        article_of: article by sentence; of sentences that left the corpus the codebook's words alone are kept.
        codebook: its text.
    """
    words: dict[str, frozenset[str]] = {}

    def table_path(row: Annotation) -> str:
        article = article_of.get(row.sentence_id, "")
        if row.holder and article not in words:
            words[article] = frozenset(WORD.findall(f"{articles.get(article, '')}\n{codebook}".casefold()))
        return row.holder if row.holder and words[article].issuperset(WORD.findall(row.holder.casefold())) else ""

    return [
        msgspec.structs.replace(row, annotator=names[row.annotator], comment="", holder=table_path(row))
        for row in annotations
    ]


def prove_private(folder: Path, addresses: Collection[str]) -> None:
    """Look for annotators' mail addresses in every file of a release, Parquet's columns unpacked.

    Raises:
        PublishError: one is there; the message names the file and the address.
    """
    wanted = sorted(address for address in addresses if "@" in address)
    if not wanted:
        return
    pattern = re.compile("|".join(re.escape(address.casefold()) for address in wanted))
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        for text in dict.fromkeys(text for *_, text in strings(path)):
            if match := pattern.search(text.casefold()):
                raise PublishError(
                    f"nothing was published: {path.relative_to(folder).as_posix()} would hold {match.group()}, the "
                    "address of an annotator (.stance/annotators.json). Take it out of where it comes from: the "
                    "card's or codebook's text, [publish] of stance.toml, or the articles"
                )
