"""Split examples without leaks: by group, by date, or by whole outlets."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import accumulate

import msgspec

from corpus.errors import ExamplesError
from train.records import Example
from train.settings import TrainSettings

SPLITS = ("train", "validation", "test")


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Where and when the articles of a group appeared.

    `outlets` contains "" where an article's outlet is unknown; `oldest` and `newest` are days (ISO 8601), "" where no
    article is dated.
    """

    outlets: list[str]
    oldest: str
    newest: str


class SplitSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What the splits hold, and which groups do not fit a split by date or outlet.

    Attributes:
        examples: number of examples in each split.
        groups: number of groups in each split.
        moved: groups that were moved to train, because they now join articles of several splits.
        by: what was split by: `group`, `date` or `outlet`.
        cutoff: in a split by date, the newest day in train and validation: nothing newer was learned from.
        outlets: in a split by outlet, the outlets held out for the test.
        across: in a split by date, test groups that also have an article older than `cutoff`; in a split by outlet,
            training groups (a wire story, say) that also appeared in a held-out outlet.
        unplaced: in a split by date, groups without a date; in a split by outlet, groups without an outlet. All of
            them are in train.
    """

    examples: dict[str, int]
    groups: dict[str, int]
    moved: list[str]
    by: str = "group"
    cutoff: str = ""
    outlets: list[str] = []
    across: list[str] = []
    unplaced: list[str] = []


def origins(articles: Iterable[tuple[str, str, str]]) -> dict[str, Origin]:
    """The origin of each group.

    Args:
        articles: group, outlet and date of each article; a date that is not in ISO 8601 counts as missing.
    """
    outlets: dict[str, set[str]] = defaultdict(set)
    days: dict[str, set[str]] = defaultdict(set)
    for group, outlet, published in articles:
        outlets[group].add(outlet.strip())
        days[group].add(_day(published))
    origin_of: dict[str, Origin] = {}
    for group in sorted(outlets):
        dated = sorted(days[group] - {""}) or [""]
        origin_of[group] = Origin(outlets=sorted(outlets[group]), oldest=dated[0], newest=dated[-1])
    return origin_of


def _day(published: str) -> str:
    try:
        return datetime.fromisoformat(published.strip()).date().isoformat()
    except ValueError:
        return ""


def split(
    examples: Sequence[Example],
    settings: TrainSettings,
    previous: Mapping[str, str],
    origin_of: Mapping[str, Origin] | None = None,
) -> tuple[list[Example], list[str]]:
    """Give each group a split: the one it had, otherwise one by `[train] split`.

    - `group`: groups are placed one after the other, larger ones first, each in the split that brings the counts of
      the three labels nearest to the wanted shares.
    - `date`: a group is dated by its newest article. The newest groups are the test split and the next newest the
      validation split, as many as bring the number of examples nearest to the share. So no training article is newer
      than the newest article of any test group; older articles of a test group may be older than training articles
      (`SplitSummary.across`). Where groups keep earlier splits, every group that is newer than a test group is test
      too. Groups without a date are train.
    - `outlet`: whole outlets are held out, those whose examples come nearest to the share. A group that connects
      outlets or has none is train. A group that keeps its split keeps its outlet in that split.

    Ties are broken by a digest of the name, so the order of the examples does not matter.

    Args:
        examples: examples with their groups.
        settings: `[train]` of stance.toml: the shares, and what to split by.
        previous: split of each sentence in earlier runs.
        origin_of: origin of each group; splits by date or outlet need it.

    Returns:
        The examples with `split` set, and the groups whose members had been in several splits, which are in train now.

    Raises:
        ExamplesError: no group is dated, in a split by date; or no outlet can be held out, in a split by outlet.
    """
    had: dict[str, set[str]] = defaultdict(set)
    for row in examples:
        if row.sentence_id in previous:
            had[row.group].add(previous[row.sentence_id])
    return split_groups(examples, settings, had, origin_of)


def split_groups(
    examples: Sequence[Example],
    settings: TrainSettings,
    had: Mapping[str, Collection[str]],
    origin_of: Mapping[str, Origin] | None = None,
) -> tuple[list[Example], list[str]]:
    """Give each group a split, as `split` does, from the splits that each group had.

    Args:
        examples: examples with their groups.
        settings: `[train]` of stance.toml.
        had: splits that the articles of each group had so far; several where it joins earlier groups.
        origin_of: origin of each group, as for `split`.

    Returns:
        The examples with `split` set, and the groups that had several splits, as from `split`.
    """
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for row in examples:
        counts[row.group][row.label] += 1
    had = {group: names for group, names in had.items() if group in counts}
    kept = {group: next(iter(names)) if len(names) == 1 else "train" for group, names in had.items()}
    if settings.split == "group":
        chosen = _by_label(counts, kept, settings)
    else:
        sizes = {group: by.total() for group, by in counts.items()}
        known = {group: (origin_of or {}).get(group, _NOWHERE) for group in sizes}
        chosen = (_by_date if settings.split == "date" else _by_outlet)(sizes, kept, settings, known)
    moved = sorted(group for group, names in had.items() if len(names) > 1)
    return [msgspec.structs.replace(row, split=chosen[row.group]) for row in examples], moved


def summary(
    examples: Sequence[Example], moved: list[str], by: str = "group", origin_of: Mapping[str, Origin] | None = None
) -> SplitSummary:
    """Summarise the splits of these examples; see `SplitSummary`."""
    groups = {name: sorted({row.group for row in examples if row.split == name}) for name in SPLITS}
    known = {row.group: (origin_of or {}).get(row.group, _NOWHERE) for row in examples}
    learned = groups["train"] + groups["validation"]
    cutoff, held, across, unplaced = "", set[str](), set[str](), set[str]()
    if by == "date":
        cutoff = max((known[group].newest for group in learned), default="")
        across = {group for group in groups["test"] if "" < known[group].oldest < cutoff}
        unplaced = {group for group, origin in known.items() if not origin.newest}
    elif by == "outlet":
        held = {outlet for group in groups["test"] for outlet in known[group].outlets} - {""}
        across = {group for group in learned if held & set(known[group].outlets)}
        unplaced = {group for group, origin in known.items() if not any(origin.outlets)}
    return SplitSummary(
        examples={name: sum(row.split == name for row in examples) for name in SPLITS},
        groups={name: len(groups[name]) for name in SPLITS},
        moved=moved,
        by=by,
        cutoff=cutoff,
        outlets=sorted(held),
        across=sorted(across),
        unplaced=sorted(unplaced),
    )


def lacking(splits: Collection[str]) -> str:
    """The sentence that says which of the three splits a dataset lacks, and why; "" if it has all of them."""
    names = " and ".join(name for name in SPLITS if name not in splits)
    return names and (
        f"There is no {names} split: articles that share a sentence, or nearly the same one, form a group, a group is "
        "never divided between splits, and there are too few groups."
    )


_NOWHERE = Origin(outlets=[""], oldest="", newest="")


def _by_label(
    counts: Mapping[str, Counter[str]], kept: Mapping[str, str], settings: TrainSettings
) -> Mapping[str, str]:
    shares = {
        "train": 1 - settings.validation - settings.test,
        "validation": settings.validation,
        "test": settings.test,
    }
    total: Counter[str] = Counter()
    given: dict[str, Counter[str]] = {name: Counter() for name in SPLITS}
    for group, by in counts.items():
        total.update(by)
        if group in kept:
            given[kept[group]].update(by)
    chosen = dict(kept)

    def short(name: str, group: str) -> float:
        """How much nearer the split's label counts come to their wanted shares by taking the group."""
        # In the order of their names: a sum of floats must not depend on which example came first.
        return sum(
            (shares[name] * total[label] - given[name][label]) * counts[group][label] / total[label]
            - counts[group][label] ** 2 / (2 * total[label])
            for label in sorted(total)
            if counts[group][label]
        )

    for group in sorted(counts.keys() - kept.keys(), key=lambda group: (-counts[group].total(), _digest(group))):
        chosen[group] = max(SPLITS, key=lambda name: (short(name, group), _digest(name + group)))
        given[chosen[group]].update(counts[group])
    return chosen


def _by_date(
    sizes: Mapping[str, int], kept: Mapping[str, str], settings: TrainSettings, known: Mapping[str, Origin]
) -> Mapping[str, str]:
    if not any(origin.newest for origin in known.values()):
        raise ExamplesError(
            '[train] split = "date" needs articles with a date (`published`, as 2026-11-21); none of the '
            f'{len(known)} groups has one. Give the articles dates, or set split = "group"'
        )
    new = sorted(
        (group for group in sizes.keys() - kept.keys() if known[group].newest),
        key=lambda group: (known[group].newest, known[group].oldest, _digest(group)),
        reverse=True,
    )
    chosen = dict.fromkeys(sizes, "train") | dict(kept)
    for name, share in (("test", settings.test), ("validation", settings.validation)):
        here = [group for group in kept if kept[group] == name]
        want = share * sum(sizes.values()) - sum(sizes[group] for group in here)
        upto = list(accumulate((sizes[group] for group in new), initial=0))
        count = min(range(len(upto)), key=lambda n: (abs(upto[n] - want), n))
        if name == "test":
            tested = min((known[group].newest for group in here if known[group].newest), default="9999-99-99")
            learned = max((known[group].newest for group in kept if kept[group] != name), default="")
            # A group newer than a kept test group is test; one older than a kept training group never is.
            count = min(count, sum(known[group].newest >= learned for group in new))
            count = max(count, sum(known[group].newest > tested for group in new), 0 if kept else 1)
        count = min(count, sum(split == "train" for split in chosen.values()) - 1)  # one group stays to train on
        chosen.update(dict.fromkeys(new[: max(count, 0)], name))
        new = new[max(count, 0) :]
    return chosen


def _by_outlet(
    sizes: Mapping[str, int], kept: Mapping[str, str], settings: TrainSettings, known: Mapping[str, Origin]
) -> Mapping[str, str]:
    alone = {group: origin.outlets[0] for group, origin in known.items() if len(origin.outlets) == 1}
    alone = {group: outlet for group, outlet in alone.items() if outlet}
    place: dict[str, str] = {}
    for name in ("validation", "train", "test"):  # the last one wins: an outlet once held out stays held out
        place.update({alone[group]: name for group in kept if kept[group] == name and group in alone})

    def where(group: str) -> str:
        return kept.get(group) or (place.get(alone[group], "") if group in alone else "train")

    for name, share in (("test", settings.test), ("validation", settings.validation)):
        held: Counter[str] = Counter()
        for group in sizes:
            held[where(group)] += sizes[group]
        free: Counter[str] = Counter()
        for group, outlet in alone.items():
            free.update({outlet: sizes[group]} if not where(group) else {})
        # A first run must have something to test, and something must stay to train on.
        least = int(name == "test" and not held[name])
        most = free.total() - int(not held["train"])
        place.update(dict.fromkeys(_nearest(free, share * sum(sizes.values()) - held[name], least, most), name))
    chosen = {group: where(group) or "train" for group in sizes}
    if "test" not in chosen.values():
        outlets = sorted({outlet for origin in known.values() for outlet in origin.outlets} - {""})
        raise ExamplesError(
            '[train] split = "outlet" needs an outlet to hold out and another to train on; found '
            f"{len(outlets)} outlets ({', '.join(outlets[:5])}), and {len(sizes) - len(alone)} of {len(sizes)} groups "
            'connect outlets or have none. Name the articles\' outlets, or set split = "group"'
        )
    return chosen


def _nearest(sizes: Mapping[str, int], want: float, least: int, most: int) -> set[str]:
    """The names whose sizes add up to a number from `least` to `most` that is nearest to `want`.

    Of two sums that are equally near, the smaller one is taken.
    """
    names = sorted(sizes, key=_digest)
    reach = [1]  # bit s of reach[n]: some of the first n names add up to s
    for name in names:
        reach.append(reach[-1] | reach[-1] << sizes[name])
    sums = [number for number, bit in enumerate(bin(reach[-1])[:1:-1]) if bit == "1" and least <= number <= most]
    rest = min(sums, key=lambda number: (abs(number - want), number), default=0)
    taken = set()
    for n in range(len(names), 0, -1):
        if not reach[n - 1] >> rest & 1:
            taken.add(names[n - 1])
            rest -= sizes[names[n - 1]]
    return taken


def _digest(name: str) -> str:
    return hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
