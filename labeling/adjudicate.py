"""Turn votes into verdicts, and list the sentences that people must settle."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

import msgspec

from corpus.errors import ConfigError, StanceError
from corpus.store import read_jsonl, read_jsonl_if_there, table_path, write_jsonl
from labeling.codebook import Codebook
from labeling.copy_groups import CopyGroups, groups_of_labels
from labeling.overlap import FewVotes, assigned_votes, few_votes
from labeling.records import Adjudication, Annotation, LabelingSettings, Unsettled, Verdict, people
from labeling.sampling.sample_table import drawn_sentences, read_sample
from labeling.scheme import DEFAULT, Scheme, Stance, read_labelled, read_labelled_if_there
from labeling.settling.by_people import adjudicated, present_label, settled_by_people
from labeling.settling.carried_votes import carry
from labeling.settling.decision import Open, decide, posteriors
from labeling.votes import alike, counted, latest_answers, latest_votes, skips


class AdjudicateSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What is settled and what is open.

    Attributes:
        settled: verdicts by how they came about.
        unsettled: sentences in the queue.
        few: sentences with votes, but with fewer than the project asks for.
        settled_by_few: sentences among these that their votes settled nevertheless.
        why_open: the reasons why others among these are open, each once.
        outdated: doubts that were left out, because the verdict has other votes or another label than when the
            doubting model was trained.
        doubted: verdicts that were taken back because the model doubts them.
        decided: doubted verdicts that stay because a person decided them; counted if fewer were taken back than asked.
        reopened: sentences that had a verdict before and have none now.
        again: those of them that the codebook reopened, by the label that they had.
        moved: sentences whose verdict has another label now, as "old → new".
        flagged: adjudicated verdicts that stand although something has changed since they were given.
        vanished: sentences with votes that are no longer in the corpus; their answers stay in `annotations.jsonl`.
        own: people who decided a sentence in the queue on which they had voted.
        annotators: the annotators whose votes counted.
        ignored: the annotators whose votes did not count, by `[labeling] ignore`.
        changed: whether a file changed.
    """

    settled: dict[str, int]
    unsettled: int
    few: FewVotes
    settled_by_few: FewVotes
    why_open: list[str]
    outdated: int
    doubted: int
    decided: int
    reopened: int
    again: dict[str, int]
    moved: dict[str, int]
    flagged: int
    vanished: int
    own: list[str]
    annotators: list[str]
    ignored: list[str]
    changed: bool


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """Verdicts by sentence, and the open sentences, those with the lowest agreement first.

    `again` has the sentences that are open because the codebook asks for votes again, each with the old labels of these
    votes, by annotator or adjudicator.
    """

    verdicts: list[Verdict]
    queue: list[Unsettled]
    again: dict[str, dict[str, str]] = {}


def adjudicate(
    work: Path,
    settings: LabelingSettings,
    *,
    codebook: Codebook | None = None,
    ignored: Collection[str] = frozenset(),
    doubts: int = 0,
    dry_run: bool = False,
    scheme: Scheme = DEFAULT,
) -> AdjudicateSummary:
    """Make `verdicts.jsonl` and `queue.jsonl` from `annotations.jsonl` and `adjudications.jsonl`.

    Args:
        work: the project's folder of tables.
        settings: `[labeling]` of stance.toml.
        codebook: the codebook; votes that its changes ask for again settle nothing. If None, all votes count.
        ignored: annotators whose votes don't count.
        doubts: number of verdicts to put into the queue, those that the model doubts most by `doubts.jsonl`. Verdicts
            that a person settled, or that changed after the model was trained, stay.
        dry_run: whether to write nothing, and only say what would be settled and what would re-open.
        scheme: labels of the project.

    Raises:
        TableError: a table is missing or malformed.
        StanceError: there is no vote that counts, and no verdict or open sentence that went with the last one.
    """
    path, queue = work / "verdicts.jsonl", work / "queue.jsonl"
    before = read_jsonl_if_there(path, Verdict)
    made = bool(before) or bool(read_jsonl_if_there(queue, Unsettled))
    inputs = _read(work, ignored, scheme, codebook, required=not made)
    done = _settle(inputs, settings, codebook, scheme)
    tasks, assigned = inputs.groups.to_label(inputs.drawn), assigned_votes(work, settings)
    by_votes = {row.sentence_id: len(row.votes) for row in done.verdicts if row.how != "adjudicated"}
    open_ = {row.sentence_id: len(row.votes) for row in done.queue}
    decided: list[Verdict | Unsettled] = [*done.verdicts, *done.queue]
    voters = {inputs.copy_of.get(row.sentence_id, ""): row.votes for row in decided}
    by_group = skips(inputs.votes, inputs.copy_of, voters)
    skipped = {key: by_group.get(inputs.copy_of.get(key, ""), 0) for key in by_votes | open_}
    why_open = {
        row.reason
        for row in done.queue
        if few_votes({row.sentence_id: len(row.votes)}, settings, 1, assigned).sentences
    }
    outdated = stay = 0
    if doubts:
        doubted = read_jsonl(work / "doubts.jsonl", _Doubt, "stance train")
        adjudicated = {row.sentence_id for row in done.verdicts if row.how == "adjudicated"}
        stay = sum(row.sentence_id in adjudicated for row in doubted)
        done, outdated = _reopened(done, [row for row in doubted if row.sentence_id not in adjudicated][:doubts])
    taken = sum(row.doubted for row in done.queue)
    now = {row.sentence_id: row for row in done.verdicts}
    changed = [] if dry_run else [write_jsonl(path, done.verdicts), write_jsonl(queue, done.queue)]
    moved = Counter(
        (row.stance, now[row.sentence_id].stance)
        for row in before
        if row.sentence_id in now and now[row.sentence_id].stance != row.stance
    )
    again = Counter(row.stance for row in before if row.sentence_id in done.again.keys() - now.keys())
    labels = scheme.in_order(label for pair in moved for label in pair)
    return AdjudicateSummary(
        settled=dict(Counter(verdict.how for verdict in done.verdicts).most_common()),
        unsettled=len(done.queue),
        few=few_votes(by_votes | open_, settings, tasks, assigned, skipped),
        settled_by_few=few_votes(by_votes, settings, tasks, assigned),
        why_open=sorted(why_open),
        outdated=outdated,
        doubted=taken,
        decided=stay if taken + outdated < doubts else 0,
        reopened=sum(row.sentence_id not in now for row in before),
        again={label: again[label] for label in scheme.in_order(again)},
        moved={f"{old} → {new}": moved[old, new] for old in labels for new in labels if moved[old, new]},
        flagged=sum(bool(row.flag) for row in done.verdicts),
        vanished=len({row.sentence_id for row in inputs.votes if row.stance is not None} - inputs.copy_of.keys()),
        own=people(row.adjudicator for row in done.verdicts if row.adjudicator and row.adjudicator in row.votes),
        annotators=people(row.annotator for row in inputs.votes),
        ignored=sorted(
            ({row.annotator for row in inputs.annotations} | {row.adjudicator for row in inputs.adjudications})
            & set(ignored)
        ),
        changed=any(changed),
    )


def settled_now(
    work: Path,
    settings: LabelingSettings,
    *,
    codebook: Codebook | None = None,
    ignored: Collection[str] = frozenset(),
    scheme: Scheme = DEFAULT,
) -> Settled:
    """What `adjudicate` would settle now without `doubts`, from the same files; nothing is written."""
    return _settle(_read(work, ignored, scheme, codebook, required=False), settings, codebook, scheme)


class _Inputs(msgspec.Struct, frozen=True, kw_only=True):
    """All answers; those that count, with the answers to exact copies put together; and the groups of copies.

    The groups are those of the sentences that have an answer or a verdict, or were drawn.
    """

    annotations: list[Annotation]
    adjudications: list[Adjudication]
    votes: list[Annotation]
    people: list[Adjudication]
    drawn: set[str]
    groups: CopyGroups

    @property
    def copy_of(self) -> dict[str, str]:
        """The group of each sentence that is in the corpus."""
        return self.groups.copy_of


def _read(
    work: Path, ignored: Collection[str], scheme: Scheme, codebook: Codebook | None, *, required: bool
) -> _Inputs:
    annotations = read_labelled(table_path(work, "annotations.jsonl"), Annotation, "stance pull", scheme, codebook)
    votes = counted(annotations, ignored)
    if required and not annotations:
        raise StanceError("nobody has answered yet: let people label sentences at the server, then run `stance pull`")
    if required and not latest_votes(votes):
        raise StanceError(
            f"{table_path(work, 'annotations.jsonl')} holds no vote that counts, only skips, "
            f"control items or answers of ignored accounts ({len(annotations):,} in all): label some sentences and run "
            "`stance pull`"
        )
    asked = table_path(work, "adjudications.jsonl")
    adjudications = read_labelled_if_there(asked, Adjudication, scheme, codebook)
    drawn = drawn_sentences(read_sample(work))
    groups = groups_of_labels(work)
    return _Inputs(
        annotations=annotations,
        adjudications=adjudications,
        votes=_pooled(votes, groups.copy_of),
        people=[row for row in adjudications if row.adjudicator not in ignored],
        drawn=drawn,
        groups=groups,
    )


def _settle(inputs: _Inputs, settings: LabelingSettings, codebook: Codebook | None, scheme: Scheme) -> Settled:
    return settle(inputs.votes, inputs.people, settings, codebook=codebook, corpus=inputs.copy_of.keys(), scheme=scheme)


def _pooled(votes: list[Annotation], copy_of: Mapping[str, str]) -> list[Annotation]:
    """Move answers to copies of a sentence to the first copy that has any, as one label holds for all copies.

    So votes on two copies count as votes on one sentence, and two unlike votes are a tie.
    """
    stands: dict[str, str] = {}
    for key in sorted({row.sentence_id for row in votes} & copy_of.keys()):
        stands.setdefault(copy_of[key], key)
    return [
        msgspec.structs.replace(row, sentence_id=stands.get(copy_of.get(row.sentence_id, ""), row.sentence_id))
        for row in votes
    ]


class _Doubt(Unsettled, frozen=True, kw_only=True):
    """A line of `doubts.jsonl`, as far as needed here; `label` is the verdict that is doubted, where known."""

    label: Stance | None = None

    def is_about(self, verdict: Verdict) -> bool:
        """Whether the verdict has the label and the votes that the model was trained on."""
        return self.label in {None, verdict.stance} and self.votes in ({}, verdict.votes)


def _reopened(done: Settled, doubts: Iterable[_Doubt]) -> tuple[Settled, int]:
    """Open the doubted verdicts again; the other result counts doubts about verdicts that have changed.

    What a person settled stays. The model knows nothing about a verdict that has changed: people would be shown a
    doubt about another label.
    """
    by_votes = {row.sentence_id: row for row in done.verdicts if row.how != "adjudicated"}
    doubted = {row.sentence_id: row for row in doubts if row.sentence_id in by_votes}
    again = {
        key: Unsettled(
            sentence_id=key,
            votes=by_votes[key].votes,
            reason=row.reason,
            agreement=row.agreement,
            confidence=row.confidence,
            doubted=True,
        )
        for key, row in doubted.items()
        if row.is_about(by_votes[key])
    }
    return (
        Settled(
            verdicts=[row for row in done.verdicts if row.sentence_id not in again],
            queue=sorted([*done.queue, *again.values()], key=_urgency),
            again=done.again,
        ),
        len(doubted) - len(again),
    )


def _urgency(row: Unsettled) -> tuple[float, float, str]:
    return row.agreement, row.confidence or 0.0, row.sentence_id


def settle(
    annotations: Iterable[Annotation],
    adjudications: Iterable[Adjudication] = (),
    settings: LabelingSettings | None = None,
    *,
    codebook: Codebook | None = None,
    corpus: Collection[str] | None = None,
    scheme: Scheme = DEFAULT,
) -> Settled:
    """Verdicts by the votes and by what people settled, and the sentences that are left open.

    One vote is `single`, equal votes are `unanimous`, and a label with more than half of the votes is the `majority`.
    Under `[labeling] verdicts = "dawid_skene"`, that model settles unlike votes instead, and leaves open every
    sentence, also one with equal votes, of which it is less sure than `confidence`. A sentence stays open if the
    annotator of its only vote was unsure, or if it has fewer votes than `fewest_votes`. Under `verdicts = "median"`,
    unlike votes on a scale are settled by their median, and stay open if it is between two labels.

    The order of rows, names or labels never breaks a tie. What a person settled stands, with a flag where the votes,
    the codebook or the corpus have changed since; it is open again only where the codebook reopened its label and no
    longer has it. Votes of earlier codebooks are carried over first, see `labeling.settling.carried_votes`.

    Args:
        annotations: answers in any order; a person's last answer to a sentence counts, and a skip is not a vote.
        adjudications: answers in the queue; each person's last answer counts.
        settings: `[labeling]` of stance.toml.
        codebook: the codebook; votes that its changes ask for again settle nothing. If None, all votes count.
        corpus: ids of all sentences of the corpus; None stands for all that have votes.
        scheme: labels of the project.

    Raises:
        ConfigError: verdicts are to be medians, and the labels are no scale.
    """
    settings = settings or LabelingSettings()
    if settings.verdicts == "median" and not scheme.ordered:
        raise ConfigError(
            '[labeling] verdicts is "median", which needs labels that are a scale: set [labels] ordered = true, with '
            "names from the lowest to the highest, or choose another way to settle disagreements"
        )
    carried = carry(annotations, codebook, scheme)
    every, current = latest_votes(carried.every), latest_votes(carried.valid)
    versions: dict[str, set[str]] = defaultdict(set)
    counting: dict[str, set[str]] = defaultdict(set)
    unsure: dict[str, set[str]] = defaultdict(set)
    for rows, found in ((carried.every, versions), (carried.valid, counting)):
        for row in rows:
            if row.stance is not None and not row.control:
                found[row.sentence_id].add(row.codebook)
    for row in latest_answers(carried.valid).values():
        if row.unsure:
            unsure[row.sentence_id].add(row.annotator)
    model = posteriors(current) if settings.verdicts == "dawid_skene" else {}
    by_people, withdrawn = settled_by_people(adjudications, codebook, scheme)
    again = {**carried.again, **withdrawn}
    verdicts: list[Verdict] = []
    queue: list[Unsettled] = []
    open_again: dict[str, dict[str, str]] = {}
    for sentence_id in sorted(every.keys() | by_people.keys() | again.keys()):
        by = every.get(sentence_id, {})
        here = corpus is None or sentence_id in corpus
        if answers := by_people.get(sentence_id):
            if len({present_label(row, codebook) for row in answers}) == 1:
                verdicts.append(adjudicated(answers[0], by, codebook, scheme, in_corpus=here))
                continue
            reason = "adjudicators disagree: " + ", ".join(
                f"{row.adjudicator} {present_label(row, codebook)}" for row in answers
            )
            queue.append(Unsettled(sentence_id=sentence_id, votes=by, reason=reason, agreement=alike(by)))
            continue
        if not here:
            continue
        posterior = model.get(sentence_id, {})
        decision = decide(current.get(sentence_id, {}), unsure[sentence_id], posterior, settings, scheme)
        if codebook and sentence_id in again:
            open_again[sentence_id] = again[sentence_id]
            decision = Open(f"labelled under codebook {_list(versions[sentence_id])}; it is {codebook.version} now")
        if isinstance(decision, Open):
            reason = decision.reason
            confidence = max(posterior.values(), default=None)
            queue.append(
                Unsettled(sentence_id=sentence_id, votes=by, reason=reason, agreement=alike(by), confidence=confidence)
            )
            continue
        verdicts.append(
            Verdict(
                sentence_id=sentence_id,
                stance=decision.stance,
                how=decision.how,
                votes=current[sentence_id],
                codebook=_list(counting[sentence_id]),
                confidence=posterior[decision.stance] if decision.how == "dawid_skene" else None,
            )
        )
    queue.sort(key=_urgency)
    return Settled(verdicts=verdicts, queue=queue, again=open_again)


def _list(versions: set[str]) -> str:
    return ", ".join(sorted(versions - {""}))
