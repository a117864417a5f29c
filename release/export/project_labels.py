"""Read what is known of labelled sentences (answers, verdicts, splits, draws, machine coders) as Arrow columns."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import count
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from corpus.store import table_path
from labeling.copy_groups import read_groups
from labeling.machine.answers import Series, by_series, labels, read_answers
from labeling.machine.records import MachineAnswer
from labeling.records import Annotation, Verdict, is_unknown
from labeling.sampling.sample_table import Draw, read_sample
from labeling.scheme import Scheme, Stance, read_labelled_if_there
from labeling.settling.carried_votes import carry
from labeling.votes import counted, latest_votes
from release.contents.privacy import release_names
from release.freshness import Project
from train.examples.from_verdicts import read_examples
from train.records import Example

Column = Sequence[str | int | float | None]


class ByKey(msgspec.Struct, frozen=True, kw_only=True):
    """Columns with one value for each key, to be looked up by many keys at a time."""

    keys: pa.Array
    columns: dict[str, pa.Array]

    def at(self, keys: pa.Array) -> dict[str, pa.Array]:
        """The columns for these keys, in their order; null where a key is null or has no values."""
        places = pc.index_in(keys, value_set=self.keys)
        return {name: column.take(places) for name, column in self.columns.items()}


class ByCopy(msgspec.Struct, frozen=True, kw_only=True):
    """Which labelled sentence stands for each sentence: itself, or the first labelled one of its exact copies."""

    own: pa.Array
    of_group: ByKey

    def at(self, sentences: pa.Array, groups: pa.Array) -> pa.Array:
        """The labelled sentence for each of these sentences; null where neither it nor a copy of it is labelled."""
        copy = self.of_group.at(groups)["sentence_id"]
        return pc.if_else(pc.is_in(sentences, value_set=self.own), sentences, copy)


class Answers(msgspec.Struct, frozen=True, kw_only=True):
    """Answers of annotators that count and those of machine coders, with the annotators' names as a release gives them.

    Attributes:
        people: every answer of an annotator, with its label by its present name, in order; no control items.
        votes: sentence → annotator → the label of the last answer, where that answer counts.
        verdicts: settled sentences.
        machine: answers of machine coders by coder and prompt.
    """

    people: list[Annotation]
    votes: dict[str, dict[str, Stance]]
    verdicts: list[Verdict]
    machine: dict[Series, list[MachineAnswer]]

    def sentences(self) -> set[str]:
        """The sentences that anybody answered, or that are settled."""
        people = {row.sentence_id for row in self.people} | self.votes.keys()
        machine = {row.sentence_id for rows in self.machine.values() for row in rows}
        return people | machine | {row.sentence_id for row in self.verdicts}


def read_all_answers(project: Project, accounts: Mapping[str, str]) -> Answers:
    """Read the answers and the verdicts; each part is empty if its stage was not run.

    Args:
        project: the project.
        accounts: mail address → pseudonym, as in `.stance/annotators.json`.

    Raises:
        TableError: a table is malformed.
    """
    work, scheme = project.work, project.settings.labels
    path = table_path(work, "annotations.jsonl")
    given = read_labelled_if_there(path, Annotation, scheme, project.codebook)
    carried = carry(counted(given, project.ignored), project.codebook, scheme)
    people = [row for row in carried.every if not row.control]
    verdicts = _verdicts(work, scheme)
    names = release_names([*people, *carried.valid], verdicts, accounts)
    renamed = [msgspec.structs.replace(row, annotator=names[row.annotator]) for row in people]
    return Answers(
        people=sorted(renamed, key=lambda row: (row.sentence_id, row.annotator, row.created_at, row.updated_at)),
        votes={
            key: dict(sorted((names[who], stance) for who, stance in votes.items()))
            for key, votes in latest_votes(carried.valid).items()
        },
        verdicts=verdicts,
        machine=by_series(read_answers(work, scheme)),
    )


def _verdicts(work: Path, scheme: Scheme) -> list[Verdict]:
    path = work / "verdicts.jsonl"
    return read_labelled_if_there(path, Verdict, scheme)


class Labels(msgspec.Struct, frozen=True, kw_only=True):
    """What the rows of sentences show beside their text.

    Attributes:
        stands: which labelled sentence stands for each.
        of_sentence: columns of the labelled sentences: label, how, codebook, split, group, and one for each annotator.
        draws: columns of the copy groups that a round drew.
        machine: for each machine coder its column's name, which sentence stands for each, and the labels.
        coders: the name of the column of each machine coder → coder, model, prompt and temperature.
        here: those of the answered, settled and drawn sentences that are in the corpus.
    """

    stands: ByCopy
    of_sentence: ByKey
    draws: ByKey
    machine: list[tuple[str, ByCopy, ByKey]]
    coders: dict[str, Series]
    here: set[str]


def columns_of_labels(project: Project, answers: Answers) -> Labels:
    """Turn answers, verdicts, splits and draws into columns.

    Raises:
        TableError: a table is missing or malformed.
    """
    work = project.work
    draws = [row for row in read_sample(work) if row.is_sampled]
    copy_of = read_groups(work, answers.sentences() | {row.sentence_id for row in draws}).copy_of
    settled = {row.sentence_id: row for row in answers.verdicts}
    examples = {row.sentence_id: row for row in read_examples(work)} if (work / "examples.parquet").is_file() else {}
    known = sorted(answers.votes.keys() | settled.keys())
    machine: list[tuple[str, ByCopy, ByKey]] = []
    coders = _names(answers.machine)
    for name, series in coders.items():
        given = labels(answers.machine[series])
        machine.append((name, by_copy(given, copy_of), _by_key(list(given), {name: list(given.values())})))
    return Labels(
        stands=by_copy(known, copy_of, first=settled),
        of_sentence=_by_key(known, {**_settled(known, settled, examples), **_votes(known, answers.votes)}),
        draws=_draws(draws, copy_of),
        machine=machine,
        coders=coders,
        here=set(copy_of),
    )


def by_copy(known: Iterable[str], copy_of: Mapping[str, str], first: Collection[str] = ()) -> ByCopy:
    """Let a labelled sentence stand for itself and for its exact copies; of several, the first by id for the rest.

    Args:
        known: labelled sentences; those that are no longer in the corpus stand for none.
        copy_of: the copy group of each of them that is in the corpus.
        first: those that go before others.
    """
    here = sorted((key for key in known if key in copy_of), key=lambda key: (key not in first, key))
    groups = {copy_of[key]: key for key in reversed(here)}
    return ByCopy(own=_texts(here), of_group=_by_key(list(groups), {"sentence_id": list(groups.values())}))


def _settled(known: list[str], settled: Mapping[str, Verdict], examples: Mapping[str, Example]) -> dict[str, Column]:
    verdicts = [settled.get(key) for key in known]
    rows = [examples.get(key) for key in known]
    return {
        "label": [row.stance if row else None for row in verdicts],
        "how": [row.how if row else None for row in verdicts],
        "codebook": [(row.codebook or None) if row else None for row in verdicts],
        "split": [row.split if row else None for row in rows],
        "group": [(row.group or None) if row else None for row in rows],
    }


def _votes(known: list[str], votes: Mapping[str, Mapping[str, Stance]]) -> dict[str, Column]:
    """A column for each annotator.

    Of the answers of unknown people nobody knows which belong together: they fill as many columns as a sentence has at
    most.
    """
    placed: list[dict[str, Stance]] = []
    for key in known:
        number = count(1)
        given = votes.get(key, {})
        placed.append({f"unknown_{next(number)}" if is_unknown(who) else who: given[who] for who in given})
    people = sorted({who for row in placed for who in row}, key=lambda who: (who.startswith("unknown_"), len(who), who))
    return {f"annotator_{who}": [row.get(who) for row in placed] for who in people}


def _draws(draws: Sequence[Draw], copy_of: Mapping[str, str]) -> ByKey:
    """The rounds of the corpus: the probabilities of an archive's rounds are about the archive's sentences."""
    drawn = {copy_of[row.sentence_id]: row for row in draws if row.is_of_corpus and row.sentence_id in copy_of}
    rows = list(drawn.values())
    return ByKey(
        keys=_texts(list(drawn)),
        columns={
            "round": pa.array([row.round for row in rows], pa.int64()),
            "drawn_by": _texts([row.by for row in rows]),
            "sampling_probability": pa.array([row.probability for row in rows], pa.float64()),
        },
    )


def _names(machine: Iterable[Series]) -> dict[str, Series]:
    """A column's name for each machine coder; coders that answered by several prompts have numbers."""
    names: dict[str, Series] = {}
    several = [series.coder for series in machine]
    for series in machine:
        plain = f"machine_{series.coder}"
        free = (f"{plain}_{number}" for number in count(1))
        name = plain if several.count(series.coder) == 1 and plain not in names else next(free)
        while name in names:
            name = next(free)
        names[name] = series
    return names


def _by_key(keys: Sequence[str], columns: Mapping[str, Column]) -> ByKey:
    return ByKey(keys=_texts(keys), columns={name: _texts(values) for name, values in columns.items()})


def _texts(values: Column) -> pa.Array:
    return pa.array(values, pa.string())
