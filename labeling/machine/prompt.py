"""The annotators' question as a prompt for a chat model, and the answer in what comes back."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from corpus.errors import ConfigError
from labeling.codebook import Codebook
from labeling.machine.answers import digest
from labeling.records import Task
from labeling.scheme import Scheme

INSTRUCTION = """You are one of several annotators who label sentences of news articles.

What stance does the marked sentence express, or report, toward the target? Choose one label for the marked sentence. \
What stands before and after it is only there so that you can understand it.

The target: {{target}}

The labels:
{{labels}}

The codebook, which says what each label means:

{{codebook}}"""
FORM = 'Answer with a JSON object and nothing else: {"stance": LABEL}, where LABEL is one of'
SENTENCE = """Outlet: {{outlet}}
Published: {{published}}
Title: {{title}}

Before the marked sentence: {{before}}

The marked sentence: {{text}}

After the marked sentence: {{after}}"""
FIELDS = ("outlet", "published", "title", "before", "text", "after")
"""What a task shows of its sentence: the same fields as on the annotators' page."""
PLACE = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_FENCE = re.compile(r"\A```(?:json)?\s*(.*?)\s*```\Z", re.DOTALL)


class Prompt(msgspec.Struct, frozen=True, kw_only=True):
    """A prompt, as far as it is the same for all sentences.

    Attributes:
        system: instruction, with the target, the labels and the codebook filled in.
        codebook: version of the codebook; empty if the prompt does not have it.
        names: labels of the scheme in their order.
    """

    system: str
    codebook: str
    names: list[str]

    @property
    def text(self) -> str:
        """The whole prompt, with placeholders where each sentence has its own text."""
        return f"{self.system}\n\n--- the question about each sentence ---\n\n{SENTENCE}\n"

    def messages(self, task: Task) -> list[dict[str, str]]:
        """The messages about one sentence, in the form of the chat protocol."""
        shown = PLACE.sub(lambda found: str(getattr(task, found.group(1))) or "(nothing)", SENTENCE)
        return [{"role": "system", "content": self.system}, {"role": "user", "content": shown}]

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON schema that the answer must follow, with the labels as an enum."""
        return {
            "type": "object",
            "properties": {"stance": {"type": "string", "enum": self.names}},
            "required": ["stance"],
            "additionalProperties": False,
        }


def make_prompt(target: str, codebook: Codebook, scheme: Scheme, path: Path | None = None) -> Prompt:
    """Make the prompt: what annotators are told, with the project's target, labels and codebook.

    Args:
        target: what the stance is toward.
        codebook: the codebook.
        scheme: labels of the project.
        path: file of an instruction to use in place of stance's own; `{{target}}`, `{{labels}}` and `{{codebook}}` are
            filled in there.

    Raises:
        ConfigError: the file is missing, is not UTF-8, is empty, or has another placeholder.
    """
    hints = [f"- {name}: {scheme.hints[name]}" if scheme.hints.get(name) else f"- {name}" for name in scheme.names]
    values = {"target": target, "labels": "\n".join(hints), "codebook": codebook.rules.strip()}
    instruction = _instruction(path, values) if path else INSTRUCTION
    used = {found.group(1) for found in PLACE.finditer(instruction)}
    system = PLACE.sub(lambda found: values[found.group(1)], instruction)
    return Prompt(
        system=f"{system.strip()}\n\n{FORM}: {', '.join(json.dumps(name) for name in scheme.names)}.",
        codebook=codebook.version if "codebook" in used else "",
        names=list(scheme.names),
    )


def _instruction(path: Path, values: dict[str, str]) -> str:
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"--prompt {path}: expected UTF-8; {error}. Save it as UTF-8") from error
    except OSError as error:
        raise ConfigError(f"--prompt {path}: cannot be read: {error.strerror}") from error
    if not text.strip():
        raise ConfigError(f"--prompt {path}: the file is empty; write the instruction for the model there")
    for found in PLACE.finditer(text):
        if found.group(1) not in values:
            line = text.count("\n", 0, found.start()) + 1
            raise ConfigError(
                f"--prompt {path}, line {line}: expected one of the placeholders "
                f"{', '.join('{{' + name + '}}' for name in values)}; found {found.group()}"
            )
    return text


def request_digest(
    model: str, prompt: str, messages: Sequence[dict[str, str]], *, temperature: float, max_tokens: int, sample: int
) -> str:
    """The digest of everything that an answer depends on and that is asked for.

    Args:
        model: model that is asked.
        prompt: digest of the prompt's text, which stands for the first message.
        messages: messages of the question.
        temperature: temperature at which the model answers.
        max_tokens: most tokens of the answer.
        sample: number of the answer among several to this question.
    """
    return digest([model, prompt, messages[1:], temperature, max_tokens, sample])


def read_label(content: str, names: Sequence[str]) -> str | None:
    r"""The label in a model's answer; None if the answer is anything but one label.

    The answer is the JSON object that was asked for, perhaps in a block of code, or the label alone; nothing is looked
    for within other words. Case does not matter.

    >>> read_label('```json\n{"stance": "Favor"}\n```', ["favor", "against"])
    'favor'
    >>> read_label("I would say favor.", ["favor", "against"])
    """
    text = content.strip()
    if fenced := _FENCE.match(text):
        text = fenced.group(1)
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = text
    if isinstance(value, dict):
        value = value["stance"] if value.keys() == {"stance"} else None
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)  # the labels of a scale may be numbers
    if not isinstance(value, str):
        return None
    own = {name.casefold(): name for name in names}
    return own.get(value.strip().strip(".").casefold())
