"""The queries by which near-duplicates are found; both DuckDB and Spark understand them (see `corpus.database`).

`corpus.near_duplicates` says what they do, and runs them in their order.
"""

from __future__ import annotations

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

# Words that occur in one sentence only lead to no other sentence; leaving them out keeps an inserted rare word from
# displacing shared ones. Of such a word `nodes` is its only node.
FREQUENCY = "SELECT word, count(*) AS sentences, bit_xor(node) AS nodes FROM word GROUP BY word"
RANKED = f"""
    SELECT node, word, sentences, place FROM (
        SELECT node, word, sentences, row_number() OVER (PARTITION BY node ORDER BY sentences, word) AS place
        FROM word JOIN (SELECT word, sentences FROM frequency WHERE sentences > 1) AS shared USING (word)
    ) AS placed WHERE place <= {RARE_WORDS} + 1"""
RARE = f"SELECT node, word FROM ranked WHERE place <= {RARE_WORDS}"
SLOT = """
    SELECT one.node, one.word AS first, two.word AS second
    FROM {table} AS one JOIN {table} AS two ON one.node = two.node AND one.word < two.word"""
CANDIDATES = {
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
HUB = """
    WITH tie AS (SELECT node FROM near UNION ALL SELECT label AS node FROM near),
    degree AS (SELECT node, count(*) AS ties FROM tie GROUP BY node)
    SELECT node, first, second FROM (
        SELECT large.node, first, second,
            row_number() OVER (PARTITION BY first, second ORDER BY ties DESC, large.node) AS place
        FROM large JOIN degree ON large.node = degree.node
    ) AS ranked WHERE place = 1"""
SPOKES = """
    SELECT DISTINCT greatest(large.node, hub.node) AS node, least(large.node, hub.node) AS label
    FROM large JOIN hub ON large.first = hub.first AND large.second = hub.second
    WHERE large.node <> hub.node"""
# Most candidates differ in so many words that their signs show it; such a pair must agree in its rare words. The
# exclusive or of two numbers is written as (one | two) - (one & two), since each engine has its own notation for it.
RARE_SIGN = """
    SELECT node, bit_or(CAST(1 AS BIGINT) << CAST(word & 31 AS INT)) AS sign FROM {table} GROUP BY node"""
LIKELY = f"""
    SELECT pair.node, pair.label FROM {{table}} AS pair
    JOIN node AS one ON pair.node = one.node JOIN node AS two ON pair.label = two.node
    JOIN rare_sign AS rare_one ON pair.node = rare_one.node JOIN rare_sign AS rare_two ON pair.label = rare_two.node
    WHERE one.sign = 0 OR two.sign = 0
    OR bit_count((one.sign | two.sign) - (one.sign & two.sign)) <= {2 * WORDS_APART}
    OR bit_count((rare_one.sign | rare_two.sign) - (rare_one.sign & rare_two.sign)) <= {2 * (RARE_WORDS - SAME_RARE)}"""
WITH_KEYS = """
    SELECT likely.node, likely.label, one.key AS node_key, two.key AS label_key
    FROM likely JOIN node AS one ON likely.node = one.node JOIN node AS two ON likely.label = two.node"""
AGREE = f"""
    SELECT node, label FROM {{table}} WHERE sure
    UNION ALL SELECT pair.node, pair.label
    FROM {{table}} AS pair JOIN rare AS one ON pair.node = one.node
    JOIN rare AS two ON pair.label = two.node AND one.word = two.word
    WHERE NOT sure GROUP BY pair.node, pair.label HAVING count(*) >= {SAME_RARE}"""
EDGES = "SELECT node, label FROM near UNION SELECT node, label FROM near_hub"
# Large-star and small-star, in turns (Kiveris et al. 2014, Connected Components in MapReduce and Beyond).
STARS = {
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
UNSETTLED = """
    SELECT (SELECT count(*) FROM edge JOIN edge AS above ON edge.label = above.node)
    + (SELECT count(*) - count(DISTINCT node) FROM edge)"""
# A sentence that every article repeats is one node here: no row and no window holds all its copies.
NAMED = """
    SELECT one.node, one.copy_id,
        min(one.copy_id) OVER (PARTITION BY coalesce(edge.label, one.node)) AS cluster_id
    FROM (SELECT node, min(sentence_id) AS copy_id FROM keyed GROUP BY node) AS one
    LEFT JOIN edge ON one.node = edge.node"""
FOUND = f"""
    SELECT file, place, sentence_id, cluster_id,
        CASE WHEN words < {MIN_WORDS} THEN sentence_id ELSE copy_id END AS copy_id
    FROM keyed JOIN named ON keyed.node = named.node"""
COUNTED = """
    SELECT (SELECT count(*) FROM found WHERE copy_id <> sentence_id),
    (SELECT count(*) FROM (SELECT cluster_id FROM found GROUP BY cluster_id HAVING count(*) > 1) AS large)"""
