"""Find near-duplicate sentences, such as one sentence of a wire story as five hundred outlets edited it.

Candidates come from a prefix filter: if two sentences are at most four words apart, their six rarest words have
at least two in common, whichever words were edited. So sentences are put in a bucket for each pair of their rare
words: no such pair of sentences is lost, and few buckets are crowded. Every candidate pair is verified, and only
then are components formed, so that half-similar sentences cannot chain into one giant cluster.

The work is done by three pure functions from one Arrow record batch to another (`keyed`, `worded`, `verified`) and,
between them, SQL that both DuckDB and Spark understand. Nodes are hashes of normalised text and every choice is
by value, so neither the order of the input nor its sharding changes a cluster.

The lead of a wire story is compared without its dateline, which one outlet prints and the next does not. A lead with a
dateline is not a copy of the same lead without one, as their texts differ.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from itertools import accumulate, count
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus import database, words
from corpus.database import Database
from corpus.duplicates.queries import (
    AGREE,
    CANDIDATES,
    COUNTED,
    EDGES,
    FOUND,
    FREQUENCY,
    HUB,
    LETTERS,
    LIKELY,
    MIN_WORDS,
    MOST_LETTERS,
    NAMED,
    RANKED,
    RARE,
    RARE_SIGN,
    SLOT,
    SPOKES,
    STARS,
    UNSETTLED,
    WITH_KEYS,
    WORDS_APART,
)
from corpus.sentences.datelines import without_dateline

Id = TypeVar("Id", str, int)


class _Marks(dict[int, str | None]):
    """A table for `str.translate` of what each character becomes; each is looked up once."""

    def __missing__(self, code: int) -> str | None:
        """Keep every character except marks, which separate words or vanish.

        Hyphens, apostrophes and full stops vanish, so that "cease-fire" and "U.S." equal "ceasefire" and "US".
        """
        character = chr(code)
        category = unicodedata.category(character)
        if character in "/\\_" or category == "Cc" or (category == "Pd" and character not in "-\u2010"):
            self[code] = " "
        elif character in "`\u00b4" or category in ("Cf", "Cs") or (category[0] == "P" and character != "."):
            self[code] = None
        else:
            self[code] = character
        return self[code]


_MARKS = _Marks()
_NTH = np.int64(0x1E3779B97F4A7C15)
_STOP = re.compile(r"(?<!\d)\.|\.(?!\d)")
# Combining marks are among these: none is a word character except the halfwidth Katakana ones.
_PILE = re.compile(r"(?:[^\w\s]|[\uff9e\uff9f]){31,}+")


def normalise(text: str) -> str:
    """The key that sentences are compared by: NFKC, casefold, no punctuation, single spaces.

    A decimal point stays, as 3.5 is not 35. Normalising again changes nothing.

    >>> normalise('"No," the U.S. officials SAID:  3.5% at most.')
    'no the us officials said 3.5 at most'
    """
    ascii_only = text.isascii()
    key = text.lower() if ascii_only else _compatible(text).casefold()
    key = key.translate(_MARKS).rstrip(". ")
    if "." in key:
        key = _STOP.sub("", key)
    key = " ".join(key.split())
    # After folding and dropping marks there may be characters that NFKC or casefold would change again.
    return key if ascii_only or key == text else normalise(key)


def compared(text: str, key: str) -> str:
    """The text by which a sentence is compared with others: its key, without the dateline of a wire story.

    Args:
        text: the sentence.
        key: the sentence's normalised text. Copies are found by this key, with the dateline.

    Returns:
        The normalised text to compare. It is empty if fewer than MIN_WORDS words are left without the dateline: like
        any short sentence, such a lead joins only its equals.

    >>> text = "SUND (AP) — The council voted on Monday to close the bridge."
    >>> compared(text, normalise(text))
    'the council voted on monday to close the bridge'
    """
    lead = without_dateline(text)
    if len(lead) == len(text):
        return key
    bare = normalise(lead)
    return bare if words.count(bare) >= MIN_WORDS else ""


def _compatible(text: str) -> str:
    """The text in NFKC, in linear time: `unicodedata` alone sorts the marks on one letter by insertion."""
    if len(text) > 1000:
        text = _PILE.sub(_sorted_marks, text)
    return unicodedata.normalize("NFKC", text)


def _sorted_marks(pile: re.Match[str]) -> str:
    """The marks on each letter in canonical order, which does not change the result of NFKC."""
    parts = "".join(unicodedata.normalize("NFKD", character) for character in pile[0])
    classes = [unicodedata.combining(part) for part in parts]
    letters = accumulate(not one for one in classes)
    return "".join(parts[place] for _, _, place in sorted(zip(letters, classes, count(), strict=False)))


def near_duplicates(texts: Sequence[str]) -> list[int]:
    """Group texts that are copies or near-copies of each other.

    Two texts are near-duplicates if they differ by a few words only. Texts that are connected through others are in one
    cluster. The order of the texts does not matter.

    Args:
        texts: any strings. Texts with fewer than five words join only if they are equal without regard to case,
            punctuation and kinds of spaces.

    Returns:
        For each text the position, from 0, of the first member of its cluster.

    Raises:
        TypeError: `texts` is one text, or holds something else than texts.

    >>> near_duplicates(["The talks ended on Monday without a deal.", "No.", "The talks ended Monday without a deal"])
    [0, 1, 0]
    """
    words.check_texts(texts)
    return group(range(len(texts)), texts)[1]


def group(ids: Sequence[Id], texts: Sequence[str], memory_limit: str = "1GB") -> tuple[list[Id], list[Id]]:
    """The copy and the cluster of each sentence.

    Args:
        ids: one id for each sentence, all different.
        texts: the sentences, in the same order.
        memory_limit: memory that DuckDB may use; what goes beyond it is written to a temporary folder.

    Returns:
        For each sentence its `copy_id`, the smallest id of those with the same normalised text (its own,
        under five words); and its `cluster_id`, the smallest id among its near-duplicates, which are the
        connected components of verified pairs.

    >>> group(["b", "a", "c"], ["He did not say who paid.", "He did not say who paid!", "Training."])
    (['a', 'a', 'c'], ['a', 'a', 'c'])
    """
    if not ids:
        return [], []
    kind = pa.string() if isinstance(ids[0], str) else pa.int64()
    schema = pa.schema([("file", pa.int64()), ("place", pa.int64()), ("sentence_id", kind), ("text", pa.string())])

    def batches() -> Iterator[pa.RecordBatch]:
        for start in range(0, len(ids), database.BATCH):
            rows = range(start, min(start + database.BATCH, len(ids)))
            # Arrow cannot hold a lone surrogate; it becomes a question mark here, and normalising drops both.
            clean = [texts[row].encode("utf-8", "replace").decode() for row in rows]
            batch = {"file": [0] * len(rows), "place": rows, "sentence_id": [ids[row] for row in rows], "text": clean}
            yield pa.RecordBatch.from_pydict(batch, schema=schema)

    with database.duck(memory_limit) as tables:
        tables.fill("keyed", map(keyed, batches()))
        label(tables)
        labels = pa.Table.from_batches(labelled(tables))
    return labels["copy_id"].to_pylist(), labels["cluster_id"].to_pylist()


def label(tables: Database) -> tuple[int, int]:
    """Find the copy group and the cluster of each sentence, like `group`, without holding the corpus in memory.

    Args:
        tables: database with a table `keyed` of `sentence_id`, `node`, `words` and `key`, and of `file` and `place`,
            which order the sentences. Afterwards it has a table `found` of `file`, `place`, `sentence_id`, `copy_id`
            and `cluster_id`.

    Returns:
        How many sentences are copies of another (all but the first of each copy group), and how many
        clusters have two sentences or more.
    """
    _pairs(tables)
    return name(tables)


def name(tables: Database) -> tuple[int, int]:
    """The last part of `label`, which gives the table `found` from the tables `keyed` and `edge`."""
    settle_edges(tables)
    tables.make("named", NAMED)
    tables.make("found", FOUND)
    copies, clusters = tables.ask(COUNTED)[0]
    return int(copies), int(clusters)


def labelled(tables: Database) -> Iterator[pa.RecordBatch]:
    """The result of `label`: `copy_id` and `cluster_id` of the sentences, in the order of `file` and `place`."""
    return tables.stream("SELECT copy_id, cluster_id FROM found ORDER BY file, place")


def keyed(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Replace `text` by `node` (hash of the normalised text), `words` (their number) and `key` (what is compared)."""
    texts = _strings(batch, "text")
    keys = [normalise(text) for text in texts]
    columns = {
        **{name: batch.column(name) for name in ("file", "place", "sentence_id")},
        "node": pa.array(map(node_id, keys), pa.int64()),
        "words": pa.array(map(words.count, keys), pa.int32()),
        "key": pa.array(map(compared, texts, keys), pa.string()),
    }
    return pa.RecordBatch.from_pydict(columns)


def worded(batch: pa.RecordBatch) -> pa.RecordBatch:
    """From `node`, `key` to `node`, `word` (a hash), one row for each word; the second "no" of "no no" has its own.

    In scripts without spaces between words, pairs of neighbouring characters take the place of words.
    """
    keys, texts = batch.column("key"), _strings(batch, "key")
    if any(map(words.is_unspaced, texts)):
        keys = pa.array([" ".join(words.pieces(text)) for text in texts], pa.string())
    split = pc.split_pattern(keys, " ")
    coded = split.flatten().dictionary_encode()
    distinct = [str(word) for word in coded.dictionary.to_pylist()]
    hashes = np.fromiter(map(node_id, distinct), np.int64, len(distinct))
    rows = np.repeat(np.arange(batch.num_rows), pc.list_value_length(split).to_numpy(zero_copy_only=False))
    # Sorted by row and word, so that equal words of a row are next to each other and can be numbered.
    places = np.sort(rows << 32 | coded.indices.to_numpy(zero_copy_only=False).astype(np.int64))
    fresh = np.flatnonzero(np.concatenate(([True], places[1:] != places[:-1])))[: len(places)]
    nth = np.arange(len(places)) - np.repeat(fresh, np.diff(np.append(fresh, len(places))))
    nodes = batch.column("node").to_numpy(zero_copy_only=False)
    return pa.RecordBatch.from_pydict({"node": nodes[places >> 32], "word": hashes[places & 0xFFFFFFFF] + nth * _NTH})


def signed(batch: pa.RecordBatch) -> pa.RecordBatch:
    """From `node`, `key` to the same and `sign`, which has a bit for each word: an edited word changes two at most.

    It is 0 for texts in scripts without spaces between words, whose edits are not counted in words.
    """
    keys, texts = batch.column("key"), _strings(batch, "key")
    split = pc.split_pattern(keys, " ")
    coded = split.flatten().dictionary_encode()
    hashes = [node_id(str(word)) & 63 for word in coded.dictionary.to_pylist()]
    bits = np.left_shift(np.int64(1), np.array(hashes, np.int64))[coded.indices.to_numpy(zero_copy_only=False)]
    starts = split.offsets.to_numpy()[:-1]  # every text has a word, if only an empty one
    signs = np.bitwise_or.reduceat(bits, starts) if len(texts) else np.empty(0, np.int64)
    signs[np.fromiter(map(words.is_unspaced, texts), bool, len(texts))] = 0
    return batch.select(["node", "key"]).append_column("sign", pa.array(signs, pa.int64()))


def verified(batch: pa.RecordBatch) -> pa.RecordBatch:
    """From `node`, `label`, `node_key`, `label_key` to the `node`, `label` that may be near-duplicates.

    Those that are `sure` are near-duplicates; the others differ in more words, and their rare words must agree too.
    """
    from rapidfuzz.distance import Levenshtein
    from rapidfuzz.fuzz import ratio
    from rapidfuzz.process import cpdist

    keys, others = _strings(batch, "node_key"), _strings(batch, "label_key")
    letters = cpdist(keys, others, scorer=ratio, score_cutoff=LETTERS, dtype=np.float32, workers=1)
    sure = np.zeros(len(keys), bool)
    for place in np.flatnonzero(letters >= LETTERS):
        most = WORDS_APART * (2 if words.is_unspaced(keys[place]) else 1)  # characters, two of which make a word
        apart = Levenshtein.distance(words.units(keys[place]), words.units(others[place]), score_cutoff=most)
        sure[place] = apart <= most
    pairs = batch.select(["node", "label"]).append_column("sure", pa.array(sure))
    return pairs.filter(pa.array(sure | (letters >= MOST_LETTERS)))


def _strings(batch: pa.RecordBatch, column: str) -> list[str]:
    strings: list[str] = batch.column(column).to_pylist()
    return strings


def node_id(text: str) -> int:
    """A hash as a signed 64-bit integer, the only integer key that both DuckDB and Spark have."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little", signed=True)


def _pairs(tables: Database) -> None:
    """Make the table `edge` from `keyed`: the pairs of near-duplicates; and the tables that lead to it."""
    tables.apply(signed, f"SELECT node, min(key) AS key FROM keyed WHERE words >= {MIN_WORDS} GROUP BY node", "node")
    tables.apply(worded, "SELECT node, key FROM node", "word")
    ranks = {"frequency": FREQUENCY, "ranked": RANKED, "rare": RARE, "slot": SLOT.format(table="rare")}
    for table, query in {**ranks, **CANDIDATES, "rare_sign": RARE_SIGN.format(table="rare")}.items():
        tables.make(table, query)
    verify(tables, "pair", "near")
    tables.make("hub", HUB)
    tables.make("spoke", SPOKES)
    verify(tables, "spoke", "near_hub")
    tables.make("edge", EDGES)


def verify(tables: Database, pairs: str, near: str) -> None:
    """Make a table of those pairs of a table that are near-duplicates, from a table of those that may be."""
    tables.make("likely", LIKELY.format(table=pairs))
    tables.apply(verified, WITH_KEYS, f"maybe_{near}")
    tables.make(near, AGREE.format(table=f"maybe_{near}"))


def settle_edges(tables: Database) -> None:
    """Change the table `edge` of pairs so that it has each node of a component but its lowest, the `label`."""
    while tables.ask(UNSETTLED)[0][0]:
        for table, query in STARS.items():
            tables.make(table, query)
