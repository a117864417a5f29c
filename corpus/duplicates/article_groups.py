"""Form groups of articles that share a sentence, or nearly the same one: splits keep such a group together."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from corpus.engine import Local
from corpus.staging import staging

_SHARED = (
    "SELECT DISTINCT article_id, cluster_id FROM sentence WHERE cluster_id IN "
    "(SELECT cluster_id FROM sentence WHERE cluster_id <> sentence_id)"
)
"""Articles with a sentence that has near-duplicates; a cluster is named after one of its members."""


def count_groups(folder: Path, articles: int) -> int:
    """The number of groups that the articles of a corpus form, over all of their sentences.

    Args:
        folder: folder with `sentences.parquet`; temporary files are written there, too.
        articles: number of articles.
    """
    with staging(folder) as spill, Local(1).database(spill) as tables:
        tables.read("sentence", [folder], "sentences.parquet")
        group_of = components(tables.ask(_SHARED))
    return articles - len(group_of) + len(set(group_of.values()))


def components(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Name the connected component of each article, where articles that share a cluster are connected.

    Args:
        pairs: article and cluster of each sentence.

    Returns:
        The component of each article, named after the smallest article id in it.
    """
    parent: dict[str, str] = {}

    def root(name: str) -> str:
        while parent.setdefault(name, name) != name:
            parent[name] = name = parent[parent[name]]
        return name

    first: dict[str, str] = {}
    for article, cluster_id in pairs:
        a, b = root(article), root(first.setdefault(cluster_id, article))
        parent[max(a, b)] = min(a, b)
    return {article: root(article) for article, _ in pairs}
