"""Agreement measured apart: on the sentences of each language and round, and under each version of the codebook."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from labeling.codebook import version_order
from labeling.records import Annotation
from labeling.sampling.sample_table import Draw
from labeling.scheme import Scheme
from labeling.statistics.intervals import shown
from labeling.statistics.measured_agreement import Agreement, measure
from labeling.votes import latest_votes

Part = TypeVar("Part", str, int)
Votes = Mapping[str, Mapping[str, str]]


def by_language(
    votes: Votes, article_of: Mapping[str, str], language_of: Mapping[str, str], scheme: Scheme
) -> dict[str, Agreement]:
    """Agreement on the sentences of each language, where sentences with two votes are of several languages."""
    return _apart(votes, lambda key: language_of[article_of[key]], article_of, scheme)


def by_round(
    votes: Votes, article_of: Mapping[str, str], copy_of: Mapping[str, str], draws: Iterable[Draw], scheme: Scheme
) -> dict[int, Agreement]:
    """Agreement on the sentences of each round, where sentences with two votes are of several rounds.

    An exact copy belongs to the round of the sentence that was drawn; sentences that no round drew are left out.
    """
    round_of = {copy_of[row.sentence_id]: row.round for row in draws if row.is_sampled and row.sentence_id in copy_of}
    drawn = {key: by for key, by in votes.items() if copy_of[key] in round_of}
    return _apart(drawn, lambda key: round_of[copy_of[key]], article_of, scheme)


def by_codebook(answers: Iterable[Annotation], article_of: Mapping[str, str], scheme: Scheme) -> dict[str, Agreement]:
    """Agreement of the votes given under each version of the codebook, where there are several with shared sentences.

    The labels are those of that version. An annotator who answered a sentence under two versions counts in both.
    """
    rows: dict[str, list[Annotation]] = defaultdict(list)
    for row in answers:
        rows[row.codebook].append(row)
    votes = {version: latest_votes(rows[version]) for version in sorted(rows, key=version_order)}
    shared = {version: by for version, by in votes.items() if any(len(voters) > 1 for voters in by.values())}
    if len(shared) < 2:
        return {}
    measured: dict[str, Agreement] = {}
    for version, by in shared.items():
        used = {label for voters in by.values() for label in voters.values()}
        known = used <= set(scheme.names)
        measured[version] = measure(
            by, article_of, names=scheme.names if known else sorted(used), ordered=known and scheme.ordered
        )
    return measured


def compared(codebooks: Mapping[str, Agreement]) -> str:
    """Whether annotators agree more under the present codebook than under the one before, in a sentence; "" if one."""
    versions = [version for version in codebooks if version]
    if len(versions) < 2:
        return ""
    before, now = (codebooks[version].alpha for version in versions[-2:])
    difference = now.value - before.value
    if difference != difference:
        verdict = "one of them is undefined, so they can’t be compared"
    else:
        way = "higher" if difference > 0 else "lower" if difference < 0 else "the same"
        verdict = f"it is {way}" + (f" by {abs(difference):.3f}" if difference else "")
        if before.low != before.low or now.low != now.low:
            verdict += ", from too few articles to say whether that is chance"
        elif now.low > before.high or before.low > now.high:
            verdict += ", and the intervals don’t overlap"
        else:
            verdict += ", but the intervals overlap: it may be chance"
    return (
        f"Krippendorff’s alpha is {shown(now)} for the answers under codebook {versions[-1]}, and was {shown(before)} "
        f"under {versions[-2]}: {verdict}. The sentences differ, too"
    )


def _apart(
    votes: Votes, part_of: Callable[[str], Part], article_of: Mapping[str, str], scheme: Scheme
) -> dict[Part, Agreement]:
    parts: dict[Part, dict[str, Mapping[str, str]]] = defaultdict(dict)
    for key, by in votes.items():
        parts[part_of(key)][key] = by
    shared = [part for part in sorted(parts) if any(len(by) > 1 for by in parts[part].values())]
    if len(shared) < 2:
        return {}
    return {part: measure(parts[part], article_of, names=scheme.names, ordered=scheme.ordered) for part in shared}
