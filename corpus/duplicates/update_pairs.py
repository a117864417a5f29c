"""Find again the near-duplicates that changed sentences touch, and keep all others.

The tables of `corpus.near_duplicates` are kept between builds, and brought up to date here. Everything that a changed
sentence can touch is found again with the queries of the full search, so that the tables are those of a full search:

- A word's number of sentences changes, and with it the order of words in other sentences. A sentence's six rarest words
  can become others only if a change crosses its `bound`, which none of its other words is below, or if a word comes to
  be in two sentences or ceases to be. Such sentences' words are ranked again.
- All buckets that such a sentence was or is in are filled again as a whole, as large ones may be cut into other blocks.
- Near-duplicates that met in such a bucket stay so only if they meet there again, or still meet in another bucket.
- The hub of a large bucket can become another one if its sentences change, or their numbers of near-duplicates.

A node whose compared text changes is dropped and added. Nodes that were dropped or added, or that have other rare words
now, are called turned here. The tables that are kept are those of KEPT.
"""

from __future__ import annotations

from typing import NamedTuple

from corpus.database import Duck
from corpus.duplicates.queries import (
    AGREE,
    CANDIDATES,
    EDGES,
    HUB,
    LIKELY,
    MIN_WORDS,
    RANKED,
    RARE,
    RARE_SIGN,
    RARE_WORDS,
    SLOT,
    SPOKES,
    WITH_KEYS,
)
from corpus.near_duplicates import name, settle_edges, signed, verified, worded

KEPT = {
    "node": "SELECT node, key, sign FROM node",
    "frequency": "SELECT word, sentences, nodes FROM frequency",
    "rare": "SELECT node, word FROM rare",
    "bound": f"SELECT node, sentences AS bound FROM ranked WHERE place > {RARE_WORDS}",
    "all_large": "SELECT node, first, second, block FROM large",
    "all_hub": "SELECT node, first, second FROM hub",
    "all_near": "SELECT node, label, sure FROM maybe_near",
    "all_near_hub": "SELECT node, label, sure FROM maybe_near_hub",
    "near": "SELECT node, label FROM near",
    "near_hub": "SELECT node, label FROM near_hub",
}
"""The tables that are kept, by the queries that make them after a full search."""

_NODES = {
    "touched": "SELECT DISTINCT node FROM changed",
    "fresh": f"""
        SELECT node, min(key) AS key FROM now SEMI JOIN touched USING (node)
        WHERE words >= {MIN_WORDS} GROUP BY node""",
    "dropped": "SELECT node, key FROM node SEMI JOIN touched USING (node) ANTI JOIN fresh USING (node, key)",
    "added": "SELECT node, key FROM fresh ANTI JOIN node USING (node, key)",
}
_MOVED = """
    SELECT word, coalesce(sentences, 0) AS before, coalesce(sentences, 0) + step AS after,
        coalesce(frequency.nodes, 0) AS lone, xor(coalesce(frequency.nodes, 0), other) AS nodes
    FROM (
        SELECT word, CAST(sum(one) AS BIGINT) AS step, bit_xor(node) AS other
        FROM (SELECT node, word, -1 AS one FROM word_gone UNION ALL SELECT node, word, 1 AS one FROM word_came) AS step
        GROUP BY word
    ) AS change LEFT JOIN frequency USING (word)"""
_AGAIN = """
    SELECT node, key FROM node SEMI JOIN (
        SELECT node FROM added
        UNION ALL SELECT lone AS node FROM moved WHERE before = 1 AND after > 1
        UNION ALL SELECT rare.node FROM rare JOIN moved USING (word) WHERE before > 1 AND after = 1
        UNION ALL SELECT rare.node FROM rare JOIN moved USING (word) JOIN bound USING (node)
            WHERE after > before AND after >= bound
        UNION ALL SELECT node FROM bound SEMI JOIN (
            SELECT unnest(generate_series(after, before)) AS bound FROM moved WHERE after < before
        ) AS crossed USING (bound)
    ) AS crossing USING (node)"""
_RERANKED = "SELECT node FROM again UNION SELECT node FROM dropped"
_TURNED = {
    "turned": """
        SELECT node FROM dropped UNION SELECT node FROM added
        UNION SELECT node FROM (SELECT * FROM old_rare EXCEPT SELECT * FROM new_rare) AS one
        UNION SELECT node FROM (SELECT * FROM new_rare EXCEPT SELECT * FROM old_rare) AS two""",
    "old_turned": "SELECT * FROM old_rare SEMI JOIN turned USING (node)",
    "new_turned": "SELECT * FROM new_rare SEMI JOIN turned USING (node)",
    "old_slot": SLOT.format(table="old_turned"),
    "new_slot": SLOT.format(table="new_turned"),
    "opened": "SELECT first, second FROM old_slot UNION SELECT first, second FROM new_slot",
}
"""`opened` has the buckets that are filled again, by their two words: those that a turned sentence is or was in."""
_OPENED = {
    "part": """
        SELECT node, word FROM rare SEMI JOIN (
            SELECT first AS word FROM opened UNION ALL SELECT second AS word FROM opened
        ) AS sought USING (word)""",
    "slot": f"SELECT * FROM ({SLOT.format(table='part')}) AS every SEMI JOIN opened USING (first, second)",
    **CANDIDATES,
    "old_member": """
        SELECT node, first, second FROM slot ANTI JOIN new_slot USING (node, first, second)
        UNION ALL SELECT node, first, second FROM old_slot SEMI JOIN opened USING (first, second)""",
    "suspect": """
        SELECT DISTINCT node, label, sure FROM (
            SELECT node, label, sure FROM all_near SEMI JOIN turned USING (node)
            UNION ALL SELECT node, label, sure FROM all_near SEMI JOIN turned ON all_near.label = turned.node
            UNION ALL SELECT all_near.node, label, sure
            FROM all_near JOIN old_member AS one ON one.node = all_near.node
            JOIN old_member AS two ON two.node = label AND one.first = two.first AND one.second = two.second
        ) AS every""",
    # Two sentences that share a bucket which was not opened meet there if it is not large, or in the same block.
    "supported": """
        WITH common AS (
            SELECT suspect.node, label, sure, one.word FROM suspect JOIN rare AS one ON one.node = suspect.node
            JOIN rare AS two ON two.node = label AND two.word = one.word
        ),
        shared AS (
            SELECT one.node, one.label, one.sure, one.word AS first, two.word AS second
            FROM common AS one JOIN common AS two
            ON one.node = two.node AND one.label = two.label AND one.word < two.word
        ),
        other AS (SELECT * FROM shared ANTI JOIN opened USING (first, second))
        SELECT DISTINCT other.node, other.label, other.sure FROM other
        LEFT JOIN all_large AS one
            ON one.node = other.node AND one.first = other.first AND one.second = other.second
        LEFT JOIN all_large AS two
            ON two.node = other.label AND two.first = other.first AND two.second = other.second
        WHERE one.block IS NULL OR one.block = two.block""",
}
_HOT = """
    SELECT first, second FROM opened
    UNION SELECT first, second FROM all_large SEMI JOIN stirred USING (node)"""
_REHUBBED = """
    SELECT first, second FROM opened
    UNION SELECT first, second FROM (
        SELECT node, first, second FROM all_hub SEMI JOIN hot USING (first, second) EXCEPT SELECT * FROM hub) AS one
    UNION SELECT first, second FROM (
        SELECT * FROM hub EXCEPT SELECT node, first, second FROM all_hub SEMI JOIN hot USING (first, second)) AS two"""
_OLD_HUB = "(SELECT DISTINCT node FROM all_hub SEMI JOIN rehubbed USING (first, second)) AS old_hub"
_SUSPECT_SPOKES = f"""
    SELECT node, label, sure FROM all_near_hub SEMI JOIN {_OLD_HUB} USING (node)
    UNION SELECT node, label, sure FROM all_near_hub SEMI JOIN {_OLD_HUB} ON label = old_hub.node"""
_SPOKE_OF = """
    SELECT suspect.node, suspect.label, suspect.sure FROM suspect
    JOIN (SELECT node, first, second FROM all_hub ANTI JOIN rehubbed USING (first, second)) AS held
        ON held.node = suspect.{hub}
    JOIN all_large AS member
        ON member.first = held.first AND member.second = held.second AND member.node = suspect.{other}"""
_SUPPORTED_SPOKES = f"""{_SPOKE_OF.format(hub="node", other="label")}
    UNION {_SPOKE_OF.format(hub="label", other="node")}"""

_ENDS = "SELECT node FROM {table} UNION SELECT label AS node FROM {table}"
_REACHED = """
    WITH root AS (
        SELECT DISTINCT coalesce(edge.label, seed.node) AS node FROM seed LEFT JOIN edge ON edge.node = seed.node
    )
    SELECT node FROM root UNION SELECT edge.node FROM edge SEMI JOIN root ON edge.label = root.node"""
_RELABELLED = """
    SELECT DISTINCT found.file FROM found JOIN found_before AS before USING (sentence_id)
    WHERE found.copy_id <> before.copy_id OR found.cluster_id <> before.cluster_id"""


class Relabelled(NamedTuple):
    """What an update changed: by how much the numbers of copies and clusters grow, and where labels are others now.

    `files` are the numbers of the shards, in the view `now`, that hold a sentence with another copy or cluster.
    """

    copies: int
    clusters: int
    files: set[int]


def update(tables: Duck) -> Relabelled:
    """Bring the kept tables up to date.

    Args:
        tables: database to which the file with the tables of KEPT is attached. It also has the views `was` and `now` of
            the sentences of the last corpus and of this one, with the columns that `near_duplicates.label` needs in
            `keyed`; and the table `changed` of the `node` of each sentence that only one of them has. Afterwards
            the table `found` has the labels of all sentences whose copy or cluster may be another one than before.
    """
    _update_rare(tables)
    for table, query in _TURNED.items():
        tables.make(table, query)
    tables.make("old_near", "SELECT node, label FROM near")
    tables.make("old_near_hub", "SELECT node, label FROM near_hub")
    _update_near(tables)
    _update_hubs(tables)
    return _relabel(tables)


def _update_rare(tables: Duck) -> None:
    """Bring `node`, `frequency`, `rare` and `bound` up to date; `old_rare` and `new_rare` have what changes."""
    for table, query in _NODES.items():
        tables.make(table, query)
    tables.apply(worded, "SELECT node, key FROM dropped", "word_gone")
    tables.apply(worded, "SELECT node, key FROM added", "word_came")
    tables.make("moved", _MOVED)
    tables.apply(signed, "SELECT node, key FROM added", "signed_node")
    tables.exchange("node", ["node"], "SELECT node FROM dropped", "SELECT node, key, sign FROM signed_node")
    coming = "SELECT word, after AS sentences, nodes FROM moved WHERE after > 0"
    tables.exchange("frequency", ["word"], "SELECT word FROM moved", coming)
    tables.make("again", _AGAIN)
    tables.apply(worded, "SELECT node, key FROM again", "word")
    tables.make("ranked", RANKED)
    tables.make("new_rare", RARE)
    tables.make("old_rare", f"SELECT * FROM rare SEMI JOIN ({_RERANKED}) AS reranked USING (node)")
    tables.exchange("rare", ["node"], _RERANKED, "SELECT node, word FROM new_rare")
    tables.exchange("bound", ["node"], _RERANKED, KEPT["bound"])


def _update_near(tables: Duck) -> None:
    """Bring the near-duplicates that meet in buckets up to date, and `all_large`."""
    for table, query in _OPENED.items():
        tables.make(table, query)
    _replace_pairs(tables, "pair", "near")
    tables.exchange("all_large", ["first", "second"], "SELECT * FROM opened", KEPT["all_large"])


def _update_hubs(tables: Duck) -> None:
    """Bring the near-duplicates of hubs up to date, and `all_hub`."""
    tables.make(
        "stirring",
        "(SELECT * FROM old_near EXCEPT SELECT node, label FROM near) UNION ALL "
        "(SELECT node, label FROM near EXCEPT SELECT * FROM old_near)",
    )
    tables.make("stirred", _ENDS.format(table="stirring"))
    tables.make("hot", _HOT)
    tables.make("large", "SELECT * FROM all_large SEMI JOIN hot USING (first, second)")
    tables.make("hub", HUB)
    tables.make("rehubbed", _REHUBBED)
    for table in ("large", "hub"):
        tables.make(table, f"SELECT * FROM {table} SEMI JOIN rehubbed USING (first, second)")
    tables.make("spoke", SPOKES)
    tables.make("suspect", _SUSPECT_SPOKES)
    tables.exchange("all_hub", ["first", "second"], "SELECT * FROM rehubbed", KEPT["all_hub"])
    tables.make("supported", _SUPPORTED_SPOKES)
    _replace_pairs(tables, "spoke", "near_hub")


def _replace_pairs(tables: Duck, pairs: str, near: str) -> None:
    """Replace the pairs of `suspect` by those of `supported`, and add those that are newly verified."""
    tables.make("paired", _ENDS.format(table=pairs))
    tables.make("rare_sign", RARE_SIGN.format(table="(SELECT * FROM rare SEMI JOIN paired USING (node)) AS one"))
    tables.make("likely", LIKELY.format(table=pairs))
    tables.apply(verified, WITH_KEYS, f"maybe_{near}")
    known = f"SELECT node, label, sure FROM maybe_{near}"
    leaving = f"SELECT node, label FROM suspect UNION SELECT node, label FROM maybe_{near}"
    tables.exchange(f"all_{near}", ["node", "label"], leaving, f"SELECT * FROM supported UNION {known}")
    tables.make("pairs", AGREE.format(table=f"all_{near}"))
    tables.exchange(near, ["node", "label"], f"SELECT * FROM old_{near}", "SELECT * FROM pairs")


def _relabel(tables: Duck) -> Relabelled:
    """Find the labels of all sentences that a change may reach along edges, before and after it."""
    edges = {"was": EDGES.replace("FROM near", "FROM old_near"), "now": EDGES}
    for view, query in edges.items():
        tables.make(f"edge_{view}", query)
    tables.make("difference", "(FROM edge_was EXCEPT FROM edge_now) UNION ALL (FROM edge_now EXCEPT FROM edge_was)")
    tables.make("seed", f"SELECT node FROM touched UNION {_ENDS.format(table='difference')}")
    tables.make("edge", "FROM edge_was UNION FROM edge_now")
    settle_edges(tables)
    tables.make("reached", _REACHED)
    counts = {}
    for view in edges:
        tables.make("edge", f"SELECT * FROM edge_{view} SEMI JOIN reached USING (node)")
        columns = "file, place, sentence_id, node, words"
        tables.make("keyed", f"SELECT {columns} FROM {view} SEMI JOIN reached USING (node)")
        counts[view] = name(tables)
        if view == "was":
            tables.make("found_before", "FROM found")
    copies, clusters = (after - before for before, after in zip(counts["was"], counts["now"], strict=True))
    return Relabelled(copies, clusters, {row[0] for row in tables.ask(_RELABELLED)})
