"""Decide which sentences the annotators should have now, and draw a new round if one was asked for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

import msgspec
import pyarrow.compute as pc

from corpus.numbers import number as counted
from corpus.store import read_jsonl, table_path
from corpus.tables import strings
from labeling.records import Annotation, LabelingSettings, Verdict
from labeling.sampling.sample import draw, draw_all, draw_controls, keywords, part
from labeling.sampling.sample_table import DRAWN, By, Draw, read_certainty, read_sample
from labeling.scheme import DEFAULT, Scheme
from labeling.studio.tasks import Corpus


class Drawn(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be labelled.

    Attributes:
        draws: draws of all rounds, the new one included.
        new: number of draws that are new.
        keys: sentence and control round of every task that the server should hold, in the order in which to label them.
        notes: what the user should know about the rounds, a line each.
    """

    draws: list[Draw]
    new: int
    keys: list[tuple[str, int]]
    notes: list[str]


def draw_round(
    corpus: Corpus,
    work: Path,
    held: Collection[str],
    settings: LabelingSettings,
    target: str,
    *,
    limit: int | None = None,
    by: By = "random",
    control: int = 0,
    everything: bool = False,
    scheme: Scheme = DEFAULT,
) -> Drawn:
    """What earlier rounds drew, and a new round if one is asked for and due.

    If the same round is asked for again, a new one is drawn only when all sentences of the last one have been answered:
    so a push that was interrupted or run twice draws no second round. If no round is asked for, a project without a
    sample of its corpus takes all that is left, as its first push did; one with a sample draws nothing (see
    `takes_everything`).

    Args:
        corpus: sentences of the corpus.
        work: the project's folder of tables.
        held: ids of sentences that the server holds; those that no round drew count as drawn.
        settings: `[labeling]` of stance.toml.
        target: what the stance is toward.
        limit: number of sentences of a new round; 0 draws no new round; None if the user gave no number.
        by: way of drawing them.
        control: number of settled sentences to repeat.
        everything: whether to draw all that are left.
        scheme: labels of the project.

    Raises:
        ConfigError: the round can't be drawn as asked.
        TableError: `sample.parquet` or `predictions.parquet` is missing or malformed.
    """
    earlier = read_sample(work)
    before = {row.sentence_id for row in earlier}
    chosen = corpus.chosen(held, before)
    stands = corpus.standing({*before, *held}, held, before)
    seen = {stands[row.sentence_id] for row in earlier if row.is_sampled and row.sentence_id in stands}
    number = max((row.round for row in earlier), default=0) + 1
    draws = list(earlier)
    draws += [
        Draw(sentence_id=id_, round=number, by="server")
        for id_ in chosen.filter(pc.is_in(chosen, value_set=strings(sorted(held)))).to_pylist()
        if id_ not in seen  # labelled before there were rounds, or the sample was lost
    ]
    answers = table_path(work, "annotations.jsonl")
    answered = (
        {(row.sentence_id, row.control) for row in read_jsonl(answers, Annotation, "stance pull")}
        if answers.is_file()
        else set()
    )
    notes: list[str] = []
    shown = [
        msgspec.structs.replace(row, sentence_id=stands[row.sentence_id]) for row in draws if row.sentence_id in stands
    ]
    pool = corpus.units(chosen)
    if everything or (limit is None and takes_everything(draws)):
        rest = draw_all(pool, shown)
        draws += rest
        if rest:
            notes.append(
                f"round {rest[0].round}: all {counted(len(rest), 'sentence')} that no round has drawn yet, copies "
                f"counted once; `stance push --withdraw {rest[0].round}` takes it back as long as nobody has answered"
            )
    elif limit is None:
        drawn = {row.sentence_id for row in shown if row.is_of_corpus}
        if left := len(pool) - len(corpus.present(drawn)):
            notes.append(
                f"{counted(left, 'sentence')} that no round has drawn {'stays' if left == 1 else 'stay'} here; "
                f"`stance push --all` would send {'it' if left == 1 else 'them'} too"
            )
    elif limit:
        if waiting := _unanswered(draws, stands, answered, by, limit, part(limit, settings.random_share) >= limit):
            notes.append(
                f"round {max(row.round for row in draws if row.is_of_corpus)} again, {limit:,} {DRAWN[by]}: "
                f"{waiting:,} of its sentences have no answer yet; when all have, the same command draws the next round"
            )
        else:
            certainty = read_certainty(work, scheme) if by == "uncertainty" else None
            found = draw(pool, by, limit, earlier=shown, settings=settings, target=target, certainty=certainty)
            draws += found
            if found:
                words = f", with {', '.join(keywords(settings, target))}" if by == "keyword" else ""
                notes.append(f"round {found[0].round}: {len(found):,} {DRAWN[by]}{words}")
            if len(found) < limit:
                notes.append(f"the corpus has no more than these {len(found):,} left to draw")
    if control:
        draws += _controls(draws, corpus, work, answered, settings, control, notes)
    for row in draws[len(earlier) :]:
        stands.setdefault(row.sentence_id, row.sentence_id)  # drawn from those that stand for their group
    keys = dict.fromkeys(
        (row.sentence_id, row.round) if row.by == "control" else (stands[row.sentence_id], 0)
        for row in draws
        if row.sentence_id in stands
    )
    return Drawn(draws=draws, new=len(draws) - len(earlier), keys=list(keys), notes=notes)


def takes_everything(draws: Iterable[Draw]) -> bool:
    """Whether a push without a limit takes every sentence; it does not once a round has drawn only some of them.

    Sentences that the server held before any round (`by` server) may be from such a round whose sample was lost.
    """
    return all(row.by in {"all", "control", "archive"} for row in draws)


def queue_command(draws: Sequence[Draw]) -> str:
    """The command that sends the queue to the server, and no sentence that no round has drawn."""
    return "stance push" if draws else "stance push --limit 0"


def _last(draws: Sequence[Draw]) -> list[Draw]:
    number = max((row.round for row in draws), default=0)
    return [row for row in draws if row.round == number]


def _unanswered(
    draws: Sequence[Draw],
    stands: Mapping[str, str],
    answered: Collection[tuple[str, int]],
    by: By,
    limit: int,
    all_random: bool,
) -> int:
    """How many sentences of the last round have no answer, if that round is the one that is asked for.

    Sentences that left the corpus get no more answers; of copies, the one that stands for them (`stands`) gets it.
    """
    last = _last([row for row in draws if row.is_of_corpus])
    ways = {row.by for row in last}
    # A round by uncertainty holds a random share; in a round of one sentence, for instance, that is the whole round.
    same = ways == {by} or (by == "uncertainty" and ways in ({"random", by}, {"random"} if all_random else {by}))
    if len(last) != limit or not same:
        return 0
    return sum((stands[row.sentence_id], 0) not in answered for row in last if row.sentence_id in stands)


def _controls(
    draws: Sequence[Draw],
    corpus: Corpus,
    work: Path,
    answered: Collection[tuple[str, int]],
    settings: LabelingSettings,
    count: int,
    notes: list[str],
) -> list[Draw]:
    last = _last([row for row in draws if row.by == "control"])
    here = set(corpus.present([row.sentence_id for row in last]))
    # The count asked for now does not matter: fewer sentences may have been settled than were asked for then.
    if any((row.sentence_id, row.round) not in answered for row in last if row.sentence_id in here):
        notes.append(
            f"control round {last[0].round} again: not all of its sentences have been answered yet ({len(last)} in all)"
        )
        return []
    verdicts = read_jsonl(work / "verdicts.jsonl", Verdict, "stance adjudicate")
    drawn = draw_controls(corpus.present([row.sentence_id for row in verdicts]), count, draws, settings)
    if drawn:
        notes.append(f"control round {drawn[0].round}: {counted(len(drawn), 'settled sentence')} again")
    return drawn
