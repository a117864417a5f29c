"""Split other people's data after joining groups that share near-duplicates.

A data set's own groups (headlines of one article, replies to one post) need not keep near-duplicates together. A split
by these groups would leak, so groups that share near-duplicates are joined here. Splits that came with the data are not
changed; what they leak is reported.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import msgspec

from corpus.duplicates.article_groups import components
from corpus.near_duplicates import near_duplicates, normalise
from train.evaluate.leak_audit import Audit, audit, near_among
from train.examples.splits import Origin, split
from train.records import Example
from train.settings import TrainSettings

ROUNDS = 20
"""Most audits that are made. An audit finds near-duplicates that the clustering missed and that the split separates;
their groups are joined, and the data are split and audited again. On the data sets that were tried, two audits were
enough."""


class Apart(msgspec.Struct, frozen=True, kw_only=True):
    """Examples that were split so that no test text has a near-duplicate in training.

    Attributes:
        examples: the examples with their joined groups and their splits, in the order that they came in.
        origins: the origin of each group, as from `train.examples.splits.origins`.
        audit: the audit of this split.
        groups: number of groups before any were joined.
        joined: number of groups that became part of another one.
    """

    examples: list[Example]
    origins: dict[str, Origin]
    audit: Audit
    groups: int
    joined: int


def split_apart(
    examples: Sequence[Example], settings: TrainSettings, origins: Mapping[str, Origin] | None = None
) -> Apart:
    """Split examples by groups, after joining the groups that share near-duplicates.

    Args:
        examples: examples with their groups, without splits.
        settings: `[train]` of stance.toml.
        origins: the origin of each group; splits by date or outlet need it.

    Returns:
        The split examples. Their audit finds nothing, unless the twentieth audit still found new pairs.

    Raises:
        ExamplesError: no such split can be made; see `train.examples.splits.split`.
    """
    links = [
        (row.group, f"cluster {first}")
        for row, first in zip(examples, near_duplicates([row.text for row in examples]), strict=True)
    ]
    # All pairs of long texts are found in advance, as that takes no longer than an audit.
    texts = {row.text for row in examples}
    group_with: dict[str, set[str]] = defaultdict(set)
    for row in examples:
        group_with[normalise(row.text)].add(row.group)
    links += [
        (group, f"long {number}")
        for number, (_, one, two) in enumerate(near_among([normalise(text) for text in texts]))
        for group in sorted(group_with[one] | group_with[two])
    ]
    for turn in range(ROUNDS):
        group_of = components(links)
        rows = [msgspec.structs.replace(row, group=group_of[row.group]) for row in examples]
        origin_of = _joined(origins or {}, group_of)
        rows, _moved = split(rows, settings, {}, origin_of)
        training = [n for n, row in enumerate(rows) if row.split != "test"]
        testing = [n for n, row in enumerate(rows) if row.split == "test"]
        leaks = audit([rows[n] for n in training], [rows[n] for n in testing])
        if not leaks.found:
            break
        with_id: dict[str, set[str]] = defaultdict(set)  # ids in other people's data may occur twice
        for row in examples:
            with_id[row.sentence_id].add(row.group)
        for number, pair in enumerate(leaks.pairs):
            near = with_id[pair.test_id] | with_id[pair.train_id]
            links += [(group, f"pair {turn}.{number}") for group in sorted(near)]
    before = {row.group for row in examples}
    return Apart(
        examples=rows,
        origins=origin_of,
        audit=leaks,
        groups=len(before),
        joined=len(before) - len({row.group for row in rows}),
    )


def _joined(origins: Mapping[str, Origin], group_of: Mapping[str, str]) -> dict[str, Origin]:
    """The origins of the joined groups: all outlets of their parts, and the oldest and the newest day."""
    members: dict[str, list[Origin]] = {}
    for group, origin in sorted(origins.items()):
        members.setdefault(group_of.get(group, group), []).append(origin)
    return {
        group: Origin(
            outlets=sorted({outlet for one in parts for outlet in one.outlets}),
            oldest=min((one.oldest for one in parts if one.oldest), default=""),
            newest=max(one.newest for one in parts),
        )
        for group, parts in members.items()
    }
