"""Runs of five words: what a stand-off release may not share with an article, and which runs prove nothing."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache

from corpus.digests import ROOT
from corpus.near_duplicates import normalise

WORDS = 5
"""So many words in a row may not stand in both the release and an article."""
NAMED = 3
"""A run of which so many words belong to names (outlets, the target) is a name with its neighbours, no quotation.

With two, articles' own words around a short outlet's name ("he told The Times that") would go unseen.
"""
PARTS = 3
"""So many words of the target in a row count as the target: a dataset is often called by a part of it."""

TEMPLATES = ("release/card/dataset_card.md.j2", "release/card/annotators.md.j2")
"""Paths of stance's templates of the dataset card and the data statement."""
SENTENCES = {
    "release/card/card_facts.py": (),
    "release/card/changelog.py": (),
    "release/card/citation.py": (),
    "release/card/data_statement.py": (),
    "release/card/dataset_card.py": (),
    "release/card/earlier_release.py": (),
    "train/report/methods.py": (),
    "train/report/sentences.py": (),
    "labeling/agreement.py": ("reading",),
}
"""Modules whose string literals are sentences of the card, and the functions that count, where not all do."""

_SPLIT = re.compile(r"[^\W_]+")
_LONG = re.compile(r"(?<![^\W_])(?:[^\W_]++[\W_]++){4}[^\W_]")
_URL = re.compile(r"https?://[^\s<>\"')\]]++", re.IGNORECASE)


class Names:
    """Names that stand in a release by their nature: the outlets' and the target's, and parts of the target."""

    def __init__(self, outlets: Iterable[str] = (), targets: Iterable[str] = ()) -> None:
        """Prepare the names; case, punctuation and line breaks do not matter.

        Args:
            outlets: names of the corpus' outlets.
            targets: what the stance is toward.
        """
        self._by_first: list[Mapping[str, list[tuple[str, ...]]]] = []
        outlets, targets = list(outlets), list(targets)
        for told in range(2):
            phrases = {tuple(_words(name)[told]) for name in outlets}
            for words in (_words(name)[told] for name in targets):
                phrases |= {tuple(words), *_parts(words)}
            by_first: dict[str, list[tuple[str, ...]]] = defaultdict(list)
            for phrase in sorted(filter(None, phrases)):
                by_first[phrase[0]].append(phrase)
            self._by_first.append(by_first)

    def marks(self, words: Sequence[str], told: int) -> list[bool]:
        """Which words belong to a name; `told` says how they were told apart (see `runs`)."""
        marked = [False] * len(words)
        for n, word in enumerate(words):
            for phrase in self._by_first[told].get(word, ()):
                if tuple(words[n : n + len(phrase)]) == phrase:
                    marked[n : n + len(phrase)] = [True] * len(phrase)
        return marked


def runs(text: str) -> set[str]:
    """All runs of five words, without case and punctuation, with hyphened words both as one and as several."""
    return _runs(text, None)


def unnamed_runs(text: str, names: Names) -> set[str]:
    """The runs of a text without its URLs, and without those that are mostly names."""
    return {run for part in _URL.split(text) for run in _runs(part, names)}


def _runs(text: str, names: Names | None) -> set[str]:
    if not _LONG.search(text):
        return set()
    kept: set[str] = set()
    for told, words in enumerate(_words(text)):
        named = names.marks(words, told) if names else [False] * len(words)
        kept.update(
            " ".join(words[n : n + WORDS]) for n in range(len(words) - WORDS + 1) if sum(named[n : n + WORDS]) < NAMED
        )
    return kept


def _words(text: str) -> tuple[list[str], list[str]]:
    return _SPLIT.findall(text.casefold()), normalise(text).split()


def _parts(words: Sequence[str]) -> set[tuple[str, ...]]:
    return {tuple(words[a:b]) for a in range(len(words)) for b in range(a + PARTS, len(words) + 1)}


def line_of(run: str, text: str) -> int:
    r"""The line of a text, from 1, that a run begins in.

    >>> line_of("b c d e f", "a\nb c\nd e f")
    2
    """
    lines = text.split("\n")
    return max((n + 1 for n in range(len(lines)) if run in runs("\n".join(lines[n:]))), default=1)


@cache
def template_runs() -> frozenset[str]:
    """The wording of the card's templates, which is stance's own even where an article has the same words."""
    return frozenset(run for name in TEMPLATES for run in runs((ROOT / name).read_text("utf-8")))


@cache
def sentence_runs() -> frozenset[str]:
    """The wording that the card gets from code: the string literals of `SENTENCES`, docstrings and comments apart."""
    return frozenset(
        run
        for name, functions in SENTENCES.items()
        for literal in _literals((ROOT / name).read_text("utf-8"), functions)
        for run in runs(literal)
    )


def _literals(source: str, functions: Collection[str]) -> list[str]:
    tree = ast.parse(source)
    kept = [
        node for node in tree.body if not functions or (isinstance(node, ast.FunctionDef) and node.name in functions)
    ]
    docstrings = {
        id(node.body[0].value)
        for top in kept
        for node in ast.walk(top)
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and isinstance(node.body[0], ast.Expr)
    } | {id(node.value) for node in kept if isinstance(node, ast.Expr)}
    return [
        node.value
        for top in kept
        for node in ast.walk(top)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings
    ]
