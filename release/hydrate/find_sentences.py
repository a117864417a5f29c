"""Find the sentences of a stand-off release in another copy of their article.

For each sentence, a release gives the place where it stood, and two digests. Several ways of proposing places are
tried, the surest first, and a text is taken only if a digest confirms it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

import msgspec

from corpus.near_duplicates import normalise
from corpus.sentences.cut_articles import sentence_id
from release.contents.text_free import text_key, text_sha256
from release.hydrate.candidate_spans import pairs

NO_WORDS = text_key("")
"""The key of a text without words: all such texts share it, so it confirms nothing."""
CELLS = 250_000
"""Largest number of pairs, of a sentence and a place with equal text, that are compared; if there are more, sentences
and places are paired in their order."""

Span = tuple[int, int]


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A sentence of the release: its id, where it stood in its article, and the digests of its text."""

    sentence_id: str
    start: int
    end: int
    sha256: str
    key: str


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a sentence is now, `[start, end)` in code points; `exact` if the text there is the same."""

    start: int
    end: int
    exact: bool


def refind(
    wanted: Sequence[Wanted], text: str, spans: Sequence[Span], article_ids: Sequence[str] = ()
) -> list[Place | None]:
    """Find the sentences of one article of a release again in a copy of that article.

    They are looked for where they stood; then among the text's own sentences, by the exact digest and by the key; then
    at the place to which they would have moved with their neighbours. Sentences that are cut differently now are then
    looked for in the rest of the text, between any two places where a sentence may begin and end, and between any two
    words. Each stretch of text is given to one sentence only.

    If the text has more equal sentences than are wanted, a wanted sentence is given the one that moved as its
    neighbours did, or the one whose number among the equal sentences went into the wanted sentence's id. If neither
    decides, the nearest ones are taken, in their order.

    Args:
        wanted: sentences of one article, in any order.
        text: text of a copy of the article.
        spans: spans of the sentences that the text is cut into now, in order.
        article_ids: ids that the article may have had when the sentences' ids were made.

    Returns:
        The place of each sentence, or None if it is missing.
    """
    keys = [text_key(text[start:end]) for start, end in spans]
    search = _Search(wanted, text, _by_digest(spans, keys), article_ids)
    search.in_place()
    search.among(_by_digest(spans, [text_sha256(text[start:end]) for start, end in spans]), _sha256)
    search.among(_by_digest(spans, keys), _key)
    search.beside()
    search.between(words=False)
    search.between(words=True)
    return search.found


def _by_digest(spans: Sequence[Span], digests: Sequence[str]) -> dict[str, list[Span]]:
    places: dict[str, list[Span]] = defaultdict(list)
    for span, digest in zip(spans, digests, strict=True):
        places[digest].append(span)
    return places


def _sha256(row: Wanted) -> str:
    return row.sha256


def _key(row: Wanted) -> str:
    return row.key


class _Search:
    """The search in one text: `found` holds the places found so far, and `_taken` their spans in order."""

    def __init__(
        self, wanted: Sequence[Wanted], text: str, equals: Mapping[str, list[Span]], article_ids: Sequence[str]
    ) -> None:
        self._wanted, self._text, self._equals, self._article_ids = wanted, text, equals, article_ids
        self.found: list[Place | None] = [None] * len(wanted)
        self._taken: list[Span] = []

    def take(self, n: int, start: int, end: int, *, exact: bool) -> None:
        """Give a stretch of text to sentence `n`, unless it has one already or part of the stretch is taken."""
        if self.found[n] is None and _add(self._taken, start, end):
            self.found[n] = Place(start=start, end=end, exact=exact)

    def in_place(self) -> None:
        """Look where each sentence stood, unless the text has several equal ones: another may be there by chance."""
        for n, row in enumerate(self._wanted):
            lies_within = 0 <= row.start < row.end <= len(self._text)
            if lies_within and len(self._equals.get(row.key, [])) < 2 and self._is_exact(n, row.start, row.end):
                self.take(n, row.start, row.end, exact=True)

    def among(self, places: dict[str, list[Span]], of: Callable[[Wanted], str]) -> None:
        """Give places to the missing sentences by digest, beginning with those that leave no choice."""
        groups: dict[str, list[int]] = defaultdict(list)
        for n in self._missing():
            if of(self._wanted[n]) in places and of(self._wanted[n]) != NO_WORDS:
                groups[of(self._wanted[n])].append(n)
        for choice in (False, True):
            moves = self._moves()
            for digest, rows in groups.items():
                free = self._free(places[digest])
                if (len(rows) == len(free) == 1) == choice:
                    continue
                if len(rows) != len(free) and len(rows) * len(free) <= CELLS:
                    for n in rows:
                        for start, end in self._likely(n, set(free), moves, nth=len(rows) < len(free)):
                            self.take(n, start, end, exact=self._is_exact(n, start, end))
                    rows, free = [n for n in rows if self.found[n] is None], self._free(free)
                for n, (start, end) in _in_order(rows, free, partial(self._distance, moves)):
                    self.take(n, start, end, exact=self._is_exact(n, start, end))
                places[digest] = []

    def _likely(self, n: int, free: set[Span], moves: list[Span], *, nth: bool) -> list[Span]:
        """Choose among equal sentences: a move like that of both neighbours weighs most, then the number in the id."""
        row = self._wanted[n]
        votes: Counter[Span] = Counter()
        for shift in self._shifts(row.start, moves):
            votes.update({span: 2 for span in free if span[0] == row.start + shift})
        for number, span in enumerate(self._equals.get(row.key, []) if nth else []):
            key = normalise(self._text[slice(*span)])
            if any(sentence_id(article_id, key, number) == row.sentence_id for article_id in self._article_ids):
                votes.update({span: 3} if span in free else {})
        return [max(votes, key=lambda span: (votes[span], span))] if votes else []

    def _free(self, spans: Sequence[Span]) -> list[Span]:
        return [span for span in spans if _is_apart(self._taken, *span)]

    def beside(self) -> None:
        """Look where a sentence would be if it had moved as far as its neighbours."""
        moves = self._moves()
        for n in self._missing():
            row = self._wanted[n]
            for shift in self._shifts(row.start, moves):
                start, end = row.start + shift, row.end + shift
                if 0 <= start < end <= len(self._text) and self._is_exact(n, start, end):
                    self.take(n, start, end, exact=True)

    def between(self, *, words: bool) -> None:
        """Look between the places where a sentence may begin and end, in text that no sentence has taken."""
        by_key: dict[str, list[int]] = defaultdict(list)
        for n in self._missing():
            if self._wanted[n].key != NO_WORDS:
                by_key[self._wanted[n].key].append(n)
        lengths = [self._wanted[n].end - self._wanted[n].start for rows in by_key.values() for n in rows]
        places: dict[str, list[Span]] = defaultdict(list)
        for start, end in pairs(self._text, self._gaps(), lengths, words=words):
            key = text_key(self._text[start:end])
            if key in by_key:
                places[key].append((start, end))
        for key, spans in places.items():
            exact = {self._wanted[n].sha256 for n in by_key[key]}
            # Stretches at one place may differ by quotation marks: take the one that the exact digest confirms, or else
            # the longest.
            spans.sort(key=lambda s: (text_sha256(self._text[s[0] : s[1]]) not in exact, s[0] - s[1], s))
            places[key] = []
            for start, end in spans:
                _add(places[key], start, end)
        self.among(places, _key)

    def _gaps(self) -> Iterator[Span]:
        """The stretches of text that no sentence has taken, without white space at their ends."""
        low = 0
        for start, end in [*self._taken, (len(self._text), len(self._text))]:
            part = self._text[low:start]
            if part.strip():
                yield low + len(part) - len(part.lstrip()), low + len(part.rstrip())
            low = end

    def _missing(self) -> list[int]:
        rows = [n for n, place in enumerate(self.found) if place is None]
        return sorted(rows, key=lambda n: (self._wanted[n].start, self._wanted[n].end))

    def _moves(self) -> list[Span]:
        """The place where each found sentence stood, and how far it has moved, sorted."""
        pairs = zip(self._wanted, self.found, strict=True)
        return sorted((row.start, place.start - row.start) for row, place in pairs if place is not None)

    def _shifts(self, start: int, moves: list[Span]) -> list[int]:
        """How far the sentences before and after a place have moved."""
        at = bisect_left(moves, (start, 0))
        return [shift for _, shift in moves[max(at - 1, 0) : at + 1]]

    def _distance(self, moves: list[Span], n: int, span: Span) -> int:
        start = self._wanted[n].start
        return min(abs(span[0] - start - shift) for shift in self._shifts(start, moves) or [0])

    def _is_exact(self, n: int, start: int, end: int) -> bool:
        return text_sha256(self._text[start:end]) == self._wanted[n].sha256


def _is_apart(taken: Sequence[Span], start: int, end: int) -> bool:
    """Whether a stretch overlaps none of the others, which are in order and don't overlap each other."""
    at = bisect_left(taken, (start, end))
    return (at == 0 or taken[at - 1][1] <= start) and (at == len(taken) or end <= taken[at][0])


def _add(taken: list[Span], start: int, end: int) -> bool:
    """Insert a stretch among others in order, if it overlaps none of them; say whether it was inserted."""
    if not _is_apart(taken, start, end):
        return False
    taken.insert(bisect_left(taken, (start, end)), (start, end))
    return True


def _in_order(
    rows: Sequence[int], spans: Sequence[Span], distance: Callable[[int, Span], int]
) -> list[tuple[int, Span]]:
    """Pair as many sentences and places as possible, in the order of both, with the least sum of distances."""
    if len(rows) == len(spans) or len(rows) * len(spans) > CELLS:
        return list(zip(rows, spans, strict=False))
    # costs[i][j] is the cost of pairing the first i of the shorter list with some of the first j of the other.
    flipped = len(rows) > len(spans)
    few, many = (len(spans), len(rows)) if flipped else (len(rows), len(spans))
    costs = [[0.0] * (many + 1)]
    for i in range(few):
        line = [float("inf")] * (many + 1)
        for j in range(i, many):
            apart = distance(rows[j], spans[i]) if flipped else distance(rows[i], spans[j])
            line[j + 1] = min(line[j], costs[i][j] + apart)
        costs.append(line)
    pairs: list[tuple[int, Span]] = []
    j = many
    for i in range(few, 0, -1):
        while costs[i][j - 1] == costs[i][j]:
            j -= 1
        j -= 1
        pairs.append((rows[j], spans[i - 1]) if flipped else (rows[i - 1], spans[j]))
    return pairs[::-1]
