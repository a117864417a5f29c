"""Runs of five words: what a stand-off release may not share with an article, and which runs prove nothing."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache

from corpus import words
from corpus.digests import ROOT
from corpus.near_duplicates import normalise

WORDS = 5
"""No run of this many words may be in both a stand-off release and an article."""
NAMED = 3
"""A run in which this many words belong to names (of outlets or of the target) counts as a name, not as a quotation.

If two were enough, an article's own words around an outlet's short name ("he told The Times that") would be missed.
"""
PARTS = 3
"""This many words of the target in a row count as the target, because a dataset is often named after a part of it."""

TEMPLATES = ("release/card/dataset_card.md.j2", "release/card/annotators.md.j2")
"""Paths of stance's templates of the dataset card and the data statement."""
SENTENCES = {
    "release/card/card_facts.py": (),
    "release/card/card_sentences.py": (),
    "release/card/changelog.py": (),
    "release/card/citation.py": (),
    "release/card/data_statement.py": (),
    "release/card/dataset_card.py": (),
    "release/card/doi_metadata.py": (),
    "release/card/earlier_release.py": (),
    "train/report/corpus_sentences.py": (),
    "train/report/label_sentences.py": (),
    "train/report/methods.py": (),
    "train/report/sentences.py": (),
    "labeling/statistics/agreement.py": ("reading",),
}
"""Modules whose string literals are sentences of the card; with each, the functions that count, or () for all."""

_WORD, _CHARACTER = 8, 5
"""Weights of a word, and of a character of a script without spaces: eight Chinese characters make some five words."""
_LONG = re.compile(r"(?<![^\W_])(?:[^\W_]++[\W_]++){4}[^\W_]")
_URL = re.compile(r"https?://[^\s<>\"')\]]++", re.IGNORECASE)


class Names:
    """Names that a release has to contain: those of the outlets and of the target, and parts of the target."""

    def __init__(self, outlets: Iterable[str] = (), targets: Iterable[str] = ()) -> None:
        """Prepare the names; case, punctuation and line breaks do not matter.

        Args:
            outlets: names of the corpus's outlets.
            targets: names of the targets.
        """
        self._by_first: list[Mapping[str, list[tuple[str, ...]]]] = []
        outlets, targets = list(outlets), list(targets)
        for told in range(2):
            phrases = {tuple(_units(name)[told]) for name in outlets}
            for units in (_units(name)[told] for name in targets):
                phrases |= {tuple(units), *_parts(units)}
            by_first: dict[str, list[tuple[str, ...]]] = defaultdict(list)
            for phrase in sorted(filter(None, phrases)):
                by_first[phrase[0]].append(phrase)
            self._by_first.append(by_first)

    def marks(self, units: Sequence[str], told: int) -> list[bool]:
        """Say of each word whether it belongs to a name; `told` is 1 if hyphenated words are one word, else 0."""
        marked = [False] * len(units)
        for n, unit in enumerate(units):
            for phrase in self._by_first[told].get(unit, ()):
                if tuple(units[n : n + len(phrase)]) == phrase:
                    marked[n : n + len(phrase)] = [True] * len(phrase)
        return marked


def runs(text: str) -> set[str]:
    """All runs of five words, without case and punctuation, with hyphenated words both as one and as several words.

    In scripts without spaces between words a run has eight characters.

    >>> sorted(runs("市议会决定关闭大桥。"))
    ['市 议 会 决 定 关 闭 大', '议 会 决 定 关 闭 大 桥']
    """
    return _runs(text, None)


def unnamed_runs(text: str, names: Names) -> set[str]:
    """The runs of a text without its URLs, except runs that consist mostly of names."""
    return {run for part in _URL.split(text) for run in _runs(part, names)}


def _runs(text: str, names: Names | None) -> set[str]:
    unspaced = words.is_unspaced(text)
    if not (unspaced or _LONG.search(text)):
        return set()
    kept: set[str] = set()
    for told, units in enumerate(_units(text)):
        named = names.marks(units, told) if names else [False] * len(units)
        if not unspaced:
            kept.update(
                " ".join(units[n : n + WORDS])
                for n in range(len(units) - WORDS + 1)
                if sum(named[n : n + WORDS]) < NAMED
            )
            continue
        weights = [_weight(unit) for unit in units]
        stop = total = 0
        for start in range(len(units)):
            while stop < len(units) and total < WORDS * _WORD:
                total += weights[stop]
                stop += 1
            if total < WORDS * _WORD:
                break
            of_names = sum(weight for weight, one in zip(weights[start:stop], named[start:stop], strict=True) if one)
            if of_names < NAMED * _WORD:
                kept.add(" ".join(units[start:stop]))
            total -= weights[start]
    return kept


def _units(text: str) -> tuple[list[str], list[str]]:
    """The words of a text, told in two ways; characters in place of words of a script without spaces."""
    return words.units(" ".join(words.in_text(text.casefold()))), words.units(normalise(text))


def _weight(unit: str) -> int:
    return _CHARACTER if words.is_unspaced(unit) else _WORD


def _parts(units: Sequence[str]) -> set[tuple[str, ...]]:
    """The parts of a target that count as the target: three words or more of it."""
    weights = [_weight(unit) for unit in units]
    return {
        tuple(units[a:b])
        for a in range(len(units))
        for b in range(a + 1, len(units) + 1)
        if sum(weights[a:b]) >= PARTS * _WORD
    }


def lines_of(text: str) -> dict[str, int]:
    r"""The number of the line, counted from 1, in which each run of a text begins; for repeated runs, the last one.

    >>> lines_of("a\nb c\nd e f")
    {'a b c d e': 1, 'b c d e f': 2}
    """
    lines, begins = text.split("\n"), dict[str, int]()
    for n in range(len(lines), 0, -1):
        begins |= dict.fromkeys(sorted(runs("\n".join(lines[n - 1 :])) - begins.keys()), n)
    return dict(sorted(begins.items()))


@cache
def template_runs() -> frozenset[str]:
    """The runs of the card's templates, which are stance's own wording even if an article has the same words."""
    return frozenset(run for name in TEMPLATES for run in runs((ROOT / name).read_text("utf-8")))


@cache
def sentence_runs() -> frozenset[str]:
    """The runs that the card gets from code: those of the string literals in `SENTENCES`, except docstrings."""
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
