"""Ask a machine coder the annotators' question about each sentence; no question that was answered is asked again."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from labeling.machine.answers import AnswerFile, answer_file, keep_prompt, read_answers, write_answers
from labeling.machine.client import Chat, ModelError, NoAnswerError, Reply, TooLongError
from labeling.machine.prompt import read_label
from labeling.machine.questions import AskPlan, Question
from labeling.machine.records import MachineAnswer, MachineSettings
from labeling.scheme import Scheme

MOST_FAILURES = 10
"""Requests in a row without an answer after which a run stops: the server has gone, or its quota is used up."""


class Spent(msgspec.Struct, kw_only=True):
    """What a run has used so far, for the progress bar."""

    tokens_in: int = 0
    tokens_out: int = 0
    cost: float | None = None


class AskSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What a run did.

    Attributes:
        labelled: number of answers with a label.
        refused: number of answers without one.
        too_long: number of sentences that do not fit the model, which count among the refused ones.
        failed: number of questions that got no answer; the same command asks them again.
        reason: why the last of these failed; empty if none did.
        stopped: whether the run stopped because too many failed in a row.
        constrained: whether the server constrained the answers to the labels.
        spent: tokens and price.
        changed: whether the file of answers changed.
    """

    labelled: int
    refused: int
    too_long: int
    failed: int
    reason: str
    stopped: bool
    constrained: bool
    spent: Spent
    changed: bool


def ask(
    chat: Chat,
    plan: AskPlan,
    work: Path,
    scheme: Scheme,
    settings: MachineSettings,
    *,
    jobs: int = 4,
    progress: Callable[[int, Spent], None] = lambda done, spent: None,
) -> AskSummary:
    """Ask all questions of a plan, several side by side, and keep each answer as soon as it is there.

    The shortest question is asked first, alone: what is wrong with the server, the key, the model or the length of the
    prompt shows there, before anything else is sent.

    Args:
        chat: connection to the model.
        plan: what to ask.
        work: the project's folder of tables.
        scheme: labels of the project.
        settings: `[machine]` of stance.toml.
        jobs: number of requests at a time.
        progress: function that is called after each answer, with 1 and what was spent so far.

    Raises:
        ModelError: the server cannot be reached, or refuses all requests alike. Answers that came before are kept.
    """
    if not plan.questions:
        return AskSummary(
            labelled=0, refused=0, too_long=0, failed=0, reason="", stopped=False, constrained=True,
            spent=Spent(), changed=False,
        )  # fmt: skip
    shortest = min(plan.questions, key=lambda question: question.characters)
    rest = [question for question in plan.questions if question is not shortest]
    try:
        first = chat.ask(plan.prompt, shortest.messages, shortest.sample)
    except (NoAnswerError, TooLongError) as error:
        raise ModelError(f"{error}. Nothing was asked: correct that, then run the same command again") from error
    prompt = keep_prompt(work, plan.prompt.text)
    run = _Run(plan=plan, prompt=prompt, settings=settings, progress=progress)
    try:
        with answer_file(work) as file:
            run.keep(file, shortest, first)
            _side_by_side(chat, run, file, rest, jobs)
    finally:
        # Also after Ctrl-C: the order of the answers must not depend on which came first.
        changed = write_answers(work, read_answers(work, scheme))
    return AskSummary(
        labelled=run.labelled,
        refused=run.refused,
        too_long=run.too_long,
        failed=run.failed,
        reason=run.reason,
        stopped=run.in_a_row >= MOST_FAILURES,
        constrained=chat.constrained,
        spent=run.spent,
        changed=changed or bool(run.labelled + run.refused),
    )


class _Run:
    """The counts of a run, and how an answer is kept."""

    def __init__(
        self, *, plan: AskPlan, prompt: str, settings: MachineSettings, progress: Callable[[int, Spent], None]
    ) -> None:
        self.plan, self._prompt, self._settings, self._progress = plan, prompt, settings, progress
        self.labelled = self.refused = self.too_long = self.failed = self.in_a_row = 0
        self.reason = ""
        self.spent = Spent(cost=settings.cost(0, 0))

    def keep(self, file: AnswerFile, question: Question, reply: Reply) -> None:
        """Keep an answer, whether it is a label or not."""
        label = None if reply.refusal else read_label(reply.content, self.plan.prompt.names)
        now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        file.add(
            MachineAnswer(
                sentence_id=question.sentence_id,
                stance=label,
                seconds=reply.seconds,
                created_at=now,
                updated_at=now,
                codebook=self.plan.prompt.codebook,
                coder=self.plan.coder,
                model=self.plan.model,
                prompt=self._prompt,
                sample=question.sample,
                refused="" if label is not None else reply.refusal or reply.content,
                request=question.request,
                temperature=self._settings.temperature,
                tokens_in=reply.tokens_in,
                tokens_out=reply.tokens_out,
                answered_by=reply.model,
            )
        )
        self.labelled += label is not None
        self.refused += label is None
        self.in_a_row = 0
        self.spent.tokens_in += reply.tokens_in or 0
        self.spent.tokens_out += reply.tokens_out or 0
        self.spent.cost = self._settings.cost(self.spent.tokens_in, self.spent.tokens_out)
        self._progress(1, self.spent)

    def take(self, file: AnswerFile, question: Question, came: Reply | BaseException) -> None:
        """Keep what came of a question: an answer, or the reason why there is none."""
        if isinstance(came, Reply):
            self.keep(file, question, came)
        elif isinstance(came, TooLongError):
            # No later run can do better with the same prompt, so this is kept as an answer, too.
            self.too_long += 1
            self.keep(file, question, Reply(refusal=f"(not asked: {came})"))
        elif isinstance(came, NoAnswerError):
            self.failed += 1
            self.in_a_row += 1
            self.reason = str(came)
            self._progress(1, self.spent)
        else:
            raise came


def _side_by_side(chat: Chat, run: _Run, file: AnswerFile, questions: Sequence[Question], jobs: int) -> None:
    """Ask questions in several threads; the answers are kept in this one, so that a stop comes between two of them.

    The threads do not keep the program alive: after Ctrl-C it does not wait for what they still ask.
    """
    todo: queue.SimpleQueue[Question | None] = queue.SimpleQueue()
    done: queue.SimpleQueue[tuple[Question, Reply | BaseException]] = queue.SimpleQueue()

    def work() -> None:
        while (question := todo.get()) is not None:
            try:
                came: Reply | BaseException = chat.ask(run.plan.prompt, question.messages, question.sample)
            except BaseException as error:  # it is raised again where the answers are taken
                came = error
            done.put((question, came))

    for _ in range(min(jobs, len(questions))):
        threading.Thread(target=work, name="annotate", daemon=True).start()
    waiting: Iterator[Question] = iter(questions)
    under_way = 0
    try:
        while True:
            while under_way < jobs and run.in_a_row < MOST_FAILURES and (question := next(waiting, None)) is not None:
                todo.put(question)
                under_way += 1
            if not under_way:
                return
            question, came = done.get()
            under_way -= 1
            run.take(file, question, came)
    finally:
        for _ in range(jobs):
            todo.put(None)
