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

from corpus import database
from corpus.database import Database
from corpus.sentences.datelines import without_dateline

Id = TypeVar("Id", str, int)

#: With fewer words than this only equal sentences join: "Training." (seen in the seeds) would match "Trading.".
MIN_WORDS = 5
#: Similarity by characters, in percent: on the seeds, 80 to 85 finds exactly the true pairs (November 2026).
LETTERS, MOST_LETTERS = 80.0, 86.0
#: Sentences from one template have similar characters too, and chain. So at most four words may differ, as when
#: one outlet edits one word of a wire sentence and another edits three. Or else the similarity must be MOST_LETTERS
#: and SAME_RARE of the rarest words must agree, as in the seeds' one rewritten sentence (88). On 100,000 sentences, a
#: quarter of them from six templates of mostly fixed words, precision is then .91 and the largest cluster has 20
#: sentences; by characters alone .03 and 654 (at 85, .82 and 48). The recall is the same.
WORDS_APART, SAME_RARE = 4, 5
#: Each edit can remove one shared rare word, and two must be left; with fewer rare words true pairs would be lost.
RARE_WORDS = WORDS_APART + 2
#: Up to this size all pairs in a bucket are compared; a larger bucket is cut into blocks of this size.
BLOCK = 20


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
    return bare if bare.count(" ") >= MIN_WORDS - 1 else ""


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

    >>> near_duplicates(["The talks ended on Monday without a deal.", "No.", "The talks ended Monday without a deal"])
    [0, 1, 0]
    """
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
    _components(tables)
    tables.make("named", _NAMED)
    tables.make("found", _FOUND)
    copies, clusters = tables.ask(_COUNTED)[0]
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
        "words": pa.array((len(key.split()) for key in keys), pa.int32()),
        "key": pa.array(map(compared, texts, keys), pa.string()),
    }
    return pa.RecordBatch.from_pydict(columns)


def worded(batch: pa.RecordBatch) -> pa.RecordBatch:
    """From `node`, `key` to `node`, `word` (a hash), one row for each word; the second "no" of "no no" has its own."""
    split = pc.split_pattern(batch.column("key"), " ")
    words = split.flatten().dictionary_encode()
    distinct = [str(word) for word in words.dictionary.to_pylist()]
    hashes = np.fromiter(map(node_id, distinct), np.int64, len(distinct))
    rows = np.repeat(np.arange(batch.num_rows), pc.list_value_length(split).to_numpy(zero_copy_only=False))
    # Sorted by row and word, so that equal words of a row are next to each other and can be numbered.
    places = np.sort(rows << 32 | words.indices.to_numpy(zero_copy_only=False).astype(np.int64))
    fresh = np.flatnonzero(np.concatenate(([True], places[1:] != places[:-1])))[: len(places)]
    nth = np.arange(len(places)) - np.repeat(fresh, np.diff(np.append(fresh, len(places))))
    nodes = batch.column("node").to_numpy(zero_copy_only=False)
    return pa.RecordBatch.from_pydict({"node": nodes[places >> 32], "word": hashes[places & 0xFFFFFFFF] + nth * _NTH})


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
        apart = Levenshtein.distance(keys[place].split(), others[place].split(), score_cutoff=WORDS_APART)
        sure[place] = apart <= WORDS_APART
    pairs = batch.select(["node", "label"]).append_column("sure", pa.array(sure))
    return pairs.filter(pa.array(sure | (letters >= MOST_LETTERS)))


def _strings(batch: pa.RecordBatch, column: str) -> list[str]:
    strings: list[str] = batch.column(column).to_pylist()
    return strings


def node_id(text: str) -> int:
    """A hash as a signed 64-bit integer, the only integer key that both DuckDB and Spark have."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little", signed=True)


# Words that occur in one sentence only lead to no other sentence; leaving them out keeps an inserted rare word from
# displacing shared ones.
_CANDIDATES = {
    "rare": f"""
        SELECT node, word FROM (
            SELECT node, word, row_number() OVER (PARTITION BY node ORDER BY sentences, word) AS place
            FROM word JOIN (
                SELECT word, count(*) AS sentences FROM word GROUP BY word HAVING count(*) > 1
            ) AS shared USING (word)
        ) AS ranked WHERE place <= {RARE_WORDS}""",
    "slot": """
        SELECT one.node, one.word AS first, two.word AS second
        FROM rare AS one JOIN rare AS two ON one.node = two.node AND one.word < two.word""",
    "bucket": """
        SELECT node, first, second, size FROM slot JOIN (
            SELECT first, second, count(*) AS size FROM slot GROUP BY first, second HAVING count(*) > 1
        ) AS shared USING (first, second)""",
    # A large bucket is a story that many outlets carry, or a template. Comparing all its pairs would take quadratic
    # time, so it is cut into blocks of alphabetical neighbours.
    "large": f"""
        SELECT node, first, second, floor(place / {BLOCK}) AS block FROM (
            SELECT bucket.node, first, second,
                row_number() OVER (PARTITION BY first, second ORDER BY key, bucket.node) AS place
            FROM bucket JOIN node ON bucket.node = node.node WHERE size > {BLOCK}
        ) AS placed""",
    "pair": f"""
        SELECT one.node, two.node AS label
        FROM bucket AS one JOIN bucket AS two
        ON one.first = two.first AND one.second = two.second AND one.node > two.node
        WHERE one.size <= {BLOCK}
        UNION SELECT one.node, two.node AS label
        FROM large AS one JOIN large AS two
        ON one.first = two.first AND one.second = two.second AND one.block = two.block
        AND one.node > two.node""",
}
# Then every member of a large bucket is compared with its hub, the member with most near-duplicates so far. In a story
# this is the version that the others are edits of, each in its own way. A template without near-duplicates has no hub.
_SPOKES = """
    WITH tie AS (SELECT node FROM near UNION ALL SELECT label AS node FROM near),
    degree AS (SELECT node, count(*) AS ties FROM tie GROUP BY node),
    hub AS (
        SELECT large.node, first, second,
            row_number() OVER (PARTITION BY first, second ORDER BY ties DESC, large.node) AS place
        FROM large JOIN degree ON large.node = degree.node
    )
    SELECT DISTINCT greatest(large.node, hub.node) AS node, least(large.node, hub.node) AS label
    FROM large JOIN hub ON large.first = hub.first AND large.second = hub.second
    WHERE hub.place = 1 AND large.node <> hub.node"""
_WITH_KEYS = """
    SELECT pair.node, pair.label, one.key AS node_key, two.key AS label_key
    FROM {table} AS pair JOIN node AS one ON pair.node = one.node JOIN node AS two ON pair.label = two.node"""
_AGREE = f"""
    SELECT node, label FROM {{table}} WHERE sure
    UNION ALL SELECT pair.node, pair.label
    FROM {{table}} AS pair JOIN rare AS one ON pair.node = one.node
    JOIN rare AS two ON pair.label = two.node AND one.word = two.word
    WHERE NOT sure GROUP BY pair.node, pair.label HAVING count(*) >= {SAME_RARE}"""
_EDGES = "SELECT node, label FROM near UNION SELECT node, label FROM near_hub"
# Large-star and small-star, in turns (Kiveris et al. 2014, Connected Components in MapReduce and Beyond).
_STARS = {
    "large_star": """
        WITH tie AS (
            SELECT node, label AS other FROM edge UNION ALL SELECT label AS node, node AS other FROM edge
        ),
        lowest AS (SELECT node, least(node, min(other)) AS label FROM tie GROUP BY node)
        SELECT DISTINCT tie.other AS node, lowest.label
        FROM tie JOIN lowest ON tie.node = lowest.node WHERE tie.other > tie.node""",
    "edge": """
        WITH lowest AS (SELECT node, min(label) AS label FROM large_star GROUP BY node)
        SELECT node, label FROM lowest
        UNION SELECT large_star.label AS node, lowest.label
        FROM large_star JOIN lowest ON large_star.node = lowest.node WHERE large_star.label > lowest.label""",
}
_UNSETTLED = """
    SELECT (SELECT count(*) FROM edge JOIN edge AS above ON edge.label = above.node)
    + (SELECT count(*) - count(DISTINCT node) FROM edge)"""
# A sentence that every article repeats is one node here: no row and no window holds all its copies.
_NAMED = """
    SELECT one.node, one.copy_id,
        min(one.copy_id) OVER (PARTITION BY coalesce(edge.label, one.node)) AS cluster_id
    FROM (SELECT node, min(sentence_id) AS copy_id FROM keyed GROUP BY node) AS one
    LEFT JOIN edge ON one.node = edge.node"""
_FOUND = f"""
    SELECT file, place, sentence_id, cluster_id,
        CASE WHEN words < {MIN_WORDS} THEN sentence_id ELSE copy_id END AS copy_id
    FROM keyed JOIN named ON keyed.node = named.node"""
_COUNTED = """
    SELECT (SELECT count(*) FROM found WHERE copy_id <> sentence_id),
    (SELECT count(*) FROM (SELECT cluster_id FROM found GROUP BY cluster_id HAVING count(*) > 1) AS large)"""


def _components(tables: Database) -> None:
    """Make the table `edge` from `keyed`: each node of a component except its lowest, which is the `label`."""
    tables.make("node", f"SELECT node, min(key) AS key FROM keyed WHERE words >= {MIN_WORDS} GROUP BY node")
    tables.apply(worded, "SELECT node, key FROM node", "word")
    for table, query in _CANDIDATES.items():
        tables.make(table, query)
    for pairs, near in (("pair", "near"), ("spoke", "near_hub")):
        if pairs == "spoke":
            tables.make(pairs, _SPOKES)
        tables.apply(verified, _WITH_KEYS.format(table=pairs), f"maybe_{near}")
        tables.make(near, _AGREE.format(table=f"maybe_{near}"))
    tables.make("edge", _EDGES)
    while tables.ask(_UNSETTLED)[0][0]:
        for table, query in _STARS.items():
            tables.make(table, query)
