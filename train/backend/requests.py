"""What Label Studio sends to a backend, and what the model answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from labeling.scheme import Stance
from train.backend.question import Question, find_question
from train.predict.judge import Judge


class Setup(msgspec.Struct, frozen=True):
    """A request to `/setup`: the labelling page. The server's key, which is sent too, is not read."""

    schema: str = ""


class Task(msgspec.Struct, frozen=True):
    """A task whose prediction is asked for."""

    data: dict[str, Any] = {}


class Predict(msgspec.Struct, frozen=True):
    """A request to `/predict`."""

    tasks: list[Task] = []
    label_config: str = ""


class Event(msgspec.Struct, frozen=True):
    """A request to `/webhook`: something happened in the project."""

    action: str = ""


def set_up(judge: Judge, request: Setup) -> dict[str, Any]:
    """Check that the model can answer a question of the page.

    Raises:
        QuestionError: it cannot.
    """
    find_question(request.schema, judge.labels)
    return {"model_version": judge.version}


def predict(judge: Judge, request: Predict) -> dict[str, Any]:
    """The model's prediction for each task, with the probability of its label as the score.

    A task without the text gets no prediction.

    Raises:
        QuestionError: no question of the page fits the model.
    """
    question = find_question(request.label_config, judge.labels)
    texts = [task.data.get(question.field) for task in request.tasks]
    given = [text for text in texts if isinstance(text, str) and text.strip()]
    chances = iter(judge.chances(given)) if given else iter(())
    return {
        "results": [
            _prediction(question, judge.labels, next(chances), judge.version)
            if isinstance(text, str) and text.strip()
            else []
            for text in texts
        ]
    }


def _prediction(
    question: Question, labels: Sequence[Stance], chances: np.ndarray[Any, np.dtype[np.float64]], version: str
) -> dict[str, Any]:
    best = int(chances.argmax())
    score = float(chances[best])
    choice = {
        "from_name": question.control,
        "to_name": question.shown,
        "type": "choices",
        "value": {"choices": [question.choices[labels[best]]]},
        "score": score,
    }
    return {"result": [choice], "score": score, "model_version": version}
