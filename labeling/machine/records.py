"""The records of machine coders: their settings, and their answers."""

from __future__ import annotations

import msgspec

from labeling.scheme import Stance

FILE = "machine.jsonl"


class MachineSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[machine]` in stance.toml: how machine coders are asked, and how they are compared with people.

    Attributes:
        temperature: the temperature at which the model answers, from 0 to 2; at 0 it gives the most probable answer.
        max_tokens: the most tokens that an answer may have, with the model's reasoning where it has any.
        timeout: the number of seconds that the server has for one answer.
        input_price: the price of a million tokens that are sent, in any currency; 0 if it is not known.
        output_price: the price of a million tokens that come back, in the same currency; 0 if it is not known.
        epsilon: by how much a machine coder may be worse than a person in the alternative annotator test, because
            people cost more. Its authors use 0.2 for experts, 0.15 for trained annotators, and 0.1 for crowd workers.
    """

    temperature: float = 0.0
    max_tokens: int = 500
    timeout: float = 120.0
    input_price: float = 0.0
    output_price: float = 0.0
    epsilon: float = 0.15

    def __post_init__(self) -> None:
        """Refuse values that a server would refuse later, or that would make the test meaningless."""
        if not 0 <= self.temperature <= 2:
            raise ValueError(f"temperature: expected a number from 0 to 2; got {self.temperature}")
        if self.max_tokens < 1:
            raise ValueError(f"max_tokens: expected at least one token; got {self.max_tokens}")
        if not 0 < self.timeout <= 86_400:
            raise ValueError(f"timeout: expected seconds, above 0 and up to a day; got {self.timeout}")
        for name, price in (("input_price", self.input_price), ("output_price", self.output_price)):
            if not 0 <= price < 1e9:
                raise ValueError(f"{name}: expected a price of 0 or more; got {price}")
        if not 0 <= self.epsilon < 1:
            raise ValueError(f"epsilon: expected a number from 0 up to, but not including, 1; got {self.epsilon}")

    def cost(self, sent: float, received: float) -> float | None:
        """The price of these numbers of tokens; None if no price is given."""
        if not (self.input_price or self.output_price):
            return None
        return (sent * self.input_price + received * self.output_price) / 1e6


class MachineAnswer(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One answer of a machine coder to the annotators' question.

    The first eight fields are those of an `Annotation`; `annotator` and `studio_id` are always None, because no person
    gave the answer.

    Attributes:
        sentence_id: the sentence.
        stance: the label; None where the model refused, that is, gave no label of the scheme.
        seconds: time that the request took; None if not known.
        created_at: time of the answer, ISO 8601 in UTC.
        updated_at: the same time, as answers of machine coders are never edited.
        codebook: version of the codebook in the prompt; empty if there was none, or it is not known.
        coder: name of the machine coder.
        model: model that was asked for.
        prompt: digest of the prompt's text, or of the description of predictions that were made elsewhere; the text is
            in `work/prompts/`.
        probabilities: probability of each label; None where the model gives none.
        sample: number of the answer among several to the same question, from 1.
        refused: what the model answered in place of a label; empty if it gave one.
        request: digest of everything that was asked: model, messages, parameters, sample. An answer to a request is
            never asked for twice. Empty if the prediction was made elsewhere.
        temperature: temperature at which the model answered; None if not known.
        tokens_in: number of tokens that were sent; None if the server did not say.
        tokens_out: number of tokens that came back; None if the server did not say.
        answered_by: what the server says which model answered.
    """

    sentence_id: str
    annotator: None = None
    stance: Stance | None
    seconds: float | None = None
    created_at: str = ""
    updated_at: str = ""
    codebook: str = ""
    studio_id: None = None
    coder: str
    model: str
    prompt: str
    probabilities: dict[str, float] | None = None
    sample: int = 1
    refused: str = ""
    request: str = ""
    temperature: float | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None
    answered_by: str = ""
