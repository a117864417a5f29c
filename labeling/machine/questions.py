"""Choose which questions a machine coder is asked, and estimate what they cost."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from corpus.errors import ConfigError
from corpus.store import read_jsonl, table_path
from labeling.copy_groups import groups_of_labels
from labeling.machine.answers import digest, read_answers
from labeling.machine.prompt import Prompt, request_digest
from labeling.machine.records import MachineAnswer, MachineSettings
from labeling.records import Annotation
from labeling.sampling.sample_table import drawn_sentences, read_sample, to_label
from labeling.scheme import Scheme
from labeling.studio.tasks import Corpus
from labeling.votes import latest_votes

CHARACTERS = 4
"""Characters of a token in English, by which tokens are estimated before a model has said how many it counts."""
ANSWER_TOKENS = 12
"""Tokens of the JSON object that answers the question, as estimated before a model has answered."""


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """One request to a model: a sentence, the number of the sample, and the messages.

    `request` is the digest of all that is asked.
    """

    sentence_id: str
    sample: int
    request: str
    messages: list[dict[str, str]]

    @property
    def characters(self) -> int:
        """The length of the messages."""
        return sum(len(message["content"]) for message in self.messages)


class AskPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What a run will ask.

    Attributes:
        coder: name of the machine coder.
        model: model to ask.
        prompt: the prompt.
        questions: questions without an answer, in the order in which they are asked.
        answered: number of questions that have an answer already.
        sentences: number of sentences that are asked about in all.
        tokens_in: estimated number of tokens that will be sent.
        tokens_out: estimated number of tokens that will come back.
        cost: estimated price; None if stance.toml gives none.
        measured: whether the estimates rest on what the model counted so far, not on 4 characters a token.
    """

    coder: str
    model: str
    prompt: Prompt
    questions: list[Question]
    answered: int
    sentences: int
    tokens_in: int
    tokens_out: int
    cost: float | None
    measured: bool


def plan_questions(
    work: Path,
    prompt: Prompt,
    scheme: Scheme,
    settings: MachineSettings,
    target: str,
    *,
    model: str,
    coder: str,
    limit: int | None = None,
    samples: int = 1,
) -> AskPlan:
    """Choose the sentences to ask about, and leave out every question that has an answer.

    The sentences are those that annotators get: what the rounds hold, or one of each group of exact copies. Those that
    most people have labelled come first, because only these can be compared; the others follow in random order, which
    their ids decide.

    Args:
        work: the project's folder of tables.
        prompt: the prompt.
        scheme: labels of the project.
        settings: `[machine]` of stance.toml.
        target: what the stance is toward.
        model: model to ask.
        coder: name of the machine coder.
        limit: number of sentences to ask about in all; None for all.
        samples: number of answers to each question.

    Raises:
        TableError: there is no corpus, or a table is malformed.
        ConfigError: another model has answered under this coder's name.
    """
    corpus = Corpus(work)
    answers = read_answers(work, scheme)
    _check_model(answers, coder, model)
    path = table_path(work, "annotations.jsonl")
    votes = latest_votes(read_jsonl(path, Annotation, "stance pull")) if path.is_file() else {}
    drawn, copy_of = drawn_sentences(read_sample(work)), groups_of_labels(work).copy_of
    sent = to_label(drawn, copy_of).values() if drawn else corpus.chosen().to_pylist()
    chosen = {*sent, *(votes.keys() & copy_of.keys())}
    order = sorted(chosen, key=lambda id_: (-len(votes.get(id_, ())), digest(id_)))[:limit]
    known = {row.request: row.coder for row in answers if row.request}
    questions: list[Question] = []
    prompted = digest(prompt.text)
    tasks = corpus.tasks([(id_, 0) for id_ in order], target)
    for sample in range(1, samples + 1):
        for task in tasks:
            messages = prompt.messages(task)
            request = request_digest(
                model,
                prompted,
                messages,
                temperature=settings.temperature,
                max_tokens=settings.max_tokens,
                sample=sample,
            )
            questions.append(Question(sentence_id=task.sentence_id, sample=sample, request=request, messages=messages))
    if other := next((known[row.request] for row in questions if known.get(row.request, coder) != coder), ""):
        raise ConfigError(
            f"the model {model!r} has answered these questions under the name {other!r} already, and nothing is asked "
            f"twice: give the option --coder {other!r}"
        )
    open_ = [row for row in questions if row.request not in known]
    counted = [row for row in answers if row.model == model and row.tokens_in and row.tokens_out]
    sent, received = _tokens(open_, counted, prompt)
    return AskPlan(
        coder=coder,
        model=model,
        prompt=prompt,
        questions=open_,
        answered=len(questions) - len(open_),
        sentences=len(order),
        tokens_in=sent,
        tokens_out=received,
        cost=settings.cost(sent, received),
        measured=bool(counted),
    )


def _check_model(answers: Iterable[MachineAnswer], coder: str, model: str) -> None:
    other = next((row for row in answers if row.coder == coder and (row.model != model or not row.request)), None)
    if other is not None:
        whose = f"the model {other.model!r}" if other.request else "predictions that were made elsewhere"
        raise ConfigError(f"the name {coder!r} stands for {whose} already: give another one with --coder NAME")


def _tokens(questions: Sequence[Question], counted: Sequence[MachineAnswer], prompt: Prompt) -> tuple[int, int]:
    """The estimated number of tokens that questions send and bring back."""
    if not questions:
        return 0, 0
    characters = sum(question.characters for question in questions)
    if not counted:
        return math.ceil(characters / CHARACTERS), ANSWER_TOKENS * len(questions)
    mine = [row for row in counted if row.prompt == digest(prompt.text)] or counted
    sent = sum(row.tokens_in or 0 for row in mine) / len(mine)
    received = sum(row.tokens_out or 0 for row in mine) / len(mine)
    return math.ceil(sent * len(questions)), math.ceil(received * len(questions))
