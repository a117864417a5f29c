"""Speak with a chat server of OpenAI's protocol, by its official client library, and explain what can go wrong."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from typing import Any

import msgspec

from corpus.errors import ConfigError, StanceError
from labeling.machine.prompt import Prompt
from labeling.machine.server import ChatServer

RETRIES = 4
"""How often the client library repeats a request that may succeed later: server busy, at fault, or broken off."""
NO_KEY = "none"
"""What is sent as the key where there is none: servers on one's own computer need none, and the library insists."""
LONGEST_REFUSAL = 2000


class ModelError(StanceError):
    """The chat server cannot be reached, or refuses what no other sentence would change; the run stops."""


class NoAnswerError(StanceError):
    """One request got no answer, although it was repeated; a later run can ask again."""


class TooLongError(StanceError):
    """The prompt with this sentence is longer than the model takes."""


class _FilteredError(StanceError):
    """The server's filter of contents refuses a sentence."""


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What a model answered.

    Attributes:
        content: text of the answer; empty if there is none.
        refusal: why there is no answer; empty if there is one.
        seconds: time that it took.
        tokens_in: number of tokens that were sent; None if the server does not say.
        tokens_out: number of tokens that came back; None if the server does not say.
        model: model that answered, as the server names it.
    """

    content: str = ""
    refusal: str = ""
    seconds: float | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None
    model: str = ""


class Chat:
    """A connection to a chat server that asks one model; several threads may use it at once."""

    def __init__(self, server: ChatServer, model: str, *, temperature: float, max_tokens: int, timeout: float) -> None:
        """Store what every request says.

        Raises:
            ConfigError: the client library is not installed.
        """
        try:
            import openai
        except ImportError as error:
            raise ConfigError(
                "asking a model needs the library openai: install it with `pip install 'stance-corpus[llm]'`"
            ) from error
        self._errors = openai
        self.server, self.model = server, model
        self._temperature, self._max_tokens = temperature, max_tokens
        self._client = openai.OpenAI(
            base_url=server.url, api_key=server.key or NO_KEY, max_retries=RETRIES, timeout=timeout
        )
        self.constrained = True
        """Whether the server is asked to constrain the answer to the labels."""
        self._answered = False

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def ask(self, prompt: Prompt, messages: Sequence[dict[str, str]], sample: int) -> Reply:
        """Ask one question, and repeat it if the server's answer is not one of the protocol's.

        The first time that a server refuses the JSON schema, it is asked without, from then on.

        Args:
            prompt: prompt, with the schema of the answer.
            messages: messages of the question.
            sample: number of the answer among several to this question, which seeds the server's random draws.

        Raises:
            ModelError: the server cannot be reached, or refuses the key, the model or the parameters.
            TooLongError: the messages are longer than the model takes.
            NoAnswerError: no answer came, although the request was repeated.
        """
        broken = ""
        for attempt in range(3):
            begun = time.monotonic()
            try:
                return self._read(self._once(prompt, messages, sample), time.monotonic() - begun)
            except _FilteredError as error:
                return Reply(refusal=str(error), seconds=round(time.monotonic() - begun, 3))
            except ValueError as error:
                broken = self._plain(str(error))[:200]
                time.sleep(0.1 * 2**attempt)
        raise NoAnswerError(f"{self.server.url} gave an answer that is none of a chat server ({broken})")

    def _once(self, prompt: Prompt, messages: Sequence[dict[str, str]], sample: int) -> Any:
        """One request, repeated by the library while that can help; without the schema if the server refuses it."""
        refusals = (self._errors.BadRequestError, self._errors.UnprocessableEntityError)
        try:
            answer = self._send(prompt, messages, sample)
        except refusals as error:
            # Once a request went through, a refusal is about its own sentence and not about the schema.
            if self._answered or not self.constrained or _is_too_long(error):
                raise self._explained(error) from error
            self.constrained = False
            try:
                answer = self._send(prompt, messages, sample)
            except refusals:
                self.constrained = True
                raise self._explained(error) from error
            except self._errors.OpenAIError as later:
                raise self._explained(later) from later
        except self._errors.OpenAIError as error:
            raise self._explained(error) from error
        self._answered = True
        return answer

    def _send(self, prompt: Prompt, messages: Sequence[dict[str, str]], sample: int) -> Any:
        form: dict[str, Any] = {}
        if self.constrained:
            schema = {"name": "answer", "strict": True, "schema": prompt.schema}
            form = {"response_format": {"type": "json_schema", "json_schema": schema}}
        given: Any = list(messages)
        return self._client.chat.completions.create(
            model=self.model,
            messages=given,
            temperature=self._temperature,
            max_completion_tokens=self._max_tokens,
            seed=sample,
            **form,
        )

    def _read(self, answer: Any, seconds: float) -> Reply:
        choices: Any = getattr(answer, "choices", None)
        message = getattr(choices[0], "message", None) if isinstance(choices, list) and choices else None
        if message is None:
            said = getattr(answer, "error", None) or (answer if isinstance(answer, str) else "no choices in it")
            raise ValueError(str(said))
        content, refusal = message.content or "", getattr(message, "refusal", None) or ""
        if not isinstance(content, str) or not isinstance(refusal, str):
            raise ValueError("the content of the message is not text")
        if not content and not refusal:
            refusal = (
                f"(no answer; the server says that it ended because of: {getattr(choices[0], 'finish_reason', None)})"
            )
        usage = getattr(answer, "usage", None)
        return Reply(
            content=content[:LONGEST_REFUSAL],
            refusal=refusal[:LONGEST_REFUSAL],
            seconds=round(seconds, 3),
            tokens_in=_number(getattr(usage, "prompt_tokens", None)),
            tokens_out=_number(getattr(usage, "completion_tokens", None)),
            model=str(getattr(answer, "model", None) or ""),
        )

    def _explained(self, error: Exception) -> StanceError:
        """The error as one clear message, which never quotes the key."""
        errors, url = self._errors, self.server.url
        if isinstance(error, errors.APITimeoutError):
            return NoAnswerError(f"{url} did not answer in time ([machine] timeout in stance.toml)")
        if isinstance(error, errors.APIConnectionError):
            cause = self._plain(str(error.__cause__ or error))
            return NoAnswerError(f"{url} cannot be reached, or broke off ({cause})")
        if isinstance(error, errors.APIResponseValidationError):
            return NoAnswerError(f"{url} gave an answer that is none of a chat server")
        if not isinstance(error, errors.APIStatusError):
            return ModelError(f"{url}: {self._plain(str(error))}")
        status = error.status_code
        if status in (401, 403):
            return ModelError(
                f"{url} does not accept the key ({status}): put a valid one into the environment as OPENAI_API_KEY"
                if self.server.key
                else f"{url} asks for a key ({status}): put it into the environment as OPENAI_API_KEY"
            )
        said = self._plain(re.sub(r"^Error code: \d+ - ", "", error.message))
        if status == 404:
            return ModelError(
                f"{url} has no model {self.model!r}, or is not the address of a chat server, which mostly ends in /v1 "
                f"(404: {said}){self._models()}"
            )
        if _is_too_long(error):
            return TooLongError(f"the prompt is longer than the model {self.model!r} takes: {said}")
        if status in (408, 409, 429) or status >= 500:
            return NoAnswerError(f"{url} answered {status}: {said}")
        if "content_filter" in f"{error.code} {error.type}":
            return _FilteredError(f"(refused by the server's filter: {said})")
        return NoAnswerError(f"{url} refuses the request ({status}): {said}")

    def _models(self) -> str:
        """The models that the server lists, for the message about an unknown one."""
        try:
            names = [str(model.id) for model in self._client.with_options(max_retries=0, timeout=5).models.list()]
        except Exception:  # whatever goes wrong here, the message is about something else
            return ""
        shown = ", ".join(map(repr, names[:20])) + (" …" if len(names) > 20 else "")
        return f". It has: {self._plain(shown)}" if names else ""

    def _plain(self, text: str) -> str:
        """A text of the server on one line, without the key."""
        line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())[:500]
        return line.replace(self.server.key, "…") if self.server.key else line


def _is_too_long(error: Exception) -> bool:
    said = f"{getattr(error, 'code', '')} {getattr(error, 'type', '')} {error}".casefold()
    return "context" in said and any(word in said for word in ("length", "size", "exceed", "maximum", "window", "long"))


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
