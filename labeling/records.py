"""The records of this package: settings, annotations and verdicts."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec

from labeling.assignments import Assignments, read_assignments
from labeling.scheme import Stance

How = Literal["single", "unanimous", "majority", "median", "dawid_skene", "adjudicated"]
Confidence = Literal["high", "medium", "low"]
NO_OUTLET = "(no outlet given)"
"""What stands for the outlet of an article that has none."""


class Target(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[target]` in stance.toml: what the stance is toward.

    Attributes:
        name: the target in the words that annotators read above every sentence, for example "a new tunnel".
    """

    name: str = ""


class LabelingSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[labeling]` in stance.toml: the project at the server, who labels what, and how votes are settled.

    Attributes:
        title: the title of the Label Studio project, by which stance finds it; 3 to 50 characters.
        overlap: how many annotators label each sentence.
        overlap_share: the share of sentences that get `overlap` annotators; every other sentence gets one.
        blind: whether each annotator gets a project of their own, in which no other person's answers are shown.
        codebook: the Markdown file of the codebook.
        keywords: the words that `stance push --by keyword` looks for; if empty, the longer words of the target.
        random_share: the share of a keyword round that is drawn from the sentences without a keyword; of an
            uncertainty round, the share that is drawn at random from all sentences that no earlier round has drawn,
            so that shares can be estimated.
        seed: the seed of every random draw.
        ignore: the annotators whose answers do not count, by mail address or pseudonym.
        verdicts: how disagreements are settled: by more than half of the votes, by their median (for labels that are a
            scale, `[labels] ordered = true`), or by the model of Dawid and Skene.
        confidence: the posterior probability below which the model of Dawid and Skene leaves a sentence to people.
        fewest_votes: how many votes a sentence needs before they settle it; with fewer votes it stays open.
        assist_share: the share of tasks that show their prediction after `stance push --predictions`; the others, drawn
            at random, hold it back, so that `stance status` can say how far annotators follow what they see.
        assign: which sentences each annotator labels, as rules under their name, for example
            `ann = ["outlet=Gazette"]`, `bo = ["random:0.5"]` or `cy = ["range:0-0.6"]`, or the path of a CSV file with
            the columns annotator and sentence, article, outlet, language or rule; each annotator then has a project of
            their own.
    """

    title: str = "Stance"
    overlap: int = 3
    overlap_share: float = 1.0
    blind: bool = False
    codebook: str = "codebook.md"
    keywords: list[str] = []
    random_share: float = 0.2
    seed: int = 1
    ignore: list[str] = []
    verdicts: Literal["majority", "median", "dawid_skene"] = "majority"
    confidence: float = 0.8
    fewest_votes: int = 1
    assist_share: float = 1.0
    assign: dict[str, list[str]] | str = {}

    def __post_init__(self) -> None:
        """Refuse values that the server would refuse later, with a message that helps more."""
        if not 3 <= len(self.title) <= 50:
            raise ValueError(f"title: expected 3 to 50 characters, as Label Studio does; got {self.title!r}")
        if self.title != self.title.strip():
            raise ValueError(
                f"title: expected none of the outer spaces, which Label Studio cuts off; got {self.title!r}"
            )
        if self.overlap < 1:
            raise ValueError(f"overlap: expected at least one annotator a sentence; got {self.overlap}")
        if self.fewest_votes < 1:
            raise ValueError(f"fewest_votes: expected at least one vote a sentence; got {self.fewest_votes}")
        for name in ("overlap_share", "random_share", "assist_share"):
            value = getattr(self, name)
            if not 0 < value <= 1:
                raise ValueError(f"{name}: expected a share above 0, up to 1; got {value}")
        if not 0 <= self.confidence <= 1:
            raise ValueError(f"confidence: expected a probability from 0 to 1; got {self.confidence}")
        if self.assign and self.blind:
            raise ValueError("assign and blind: both give each annotator a project; expected one of them")
        if isinstance(self.assign, dict):
            read_assignments(self.assign)  # refuses rules that are none
            titles = [title.casefold() for title in self.titles]
            if len(set(titles)) < len(titles) or self.queue_title.casefold() in titles:
                raise ValueError(
                    "assign: expected names that differ, none of them 'queue'; got " + ", ".join(map(repr, self.assign))
                )

    @property
    def assignments(self) -> Assignments | None:
        """What `assign` says; None if it says nothing.

        A table of assignments must have been read before; see `train.settings.read_settings`.
        """
        return read_assignments(self.assign) if self.assign and not isinstance(self.assign, str) else None

    @property
    def annotators_of_a_task(self) -> int:
        """How many annotators the server asks for each task; 1 where each annotator has a project."""
        return 1 if self.blind or self.assign else self.overlap

    @property
    def titles(self) -> list[str]:
        """The titles of the labelling projects at the server: one, or one for each annotator.

        A table of assignments must have been read before; see `train.settings.read_settings`.
        """
        if isinstance(self.assign, dict) and self.assign:
            return [self._title(f" - {name}") for name in self.assign]
        return [self._title(f" - {n}") for n in range(1, self.overlap + 1)] if self.blind else [self.title]

    @property
    def queue_title(self) -> str:
        """The title of the project in which people settle what the votes leave open."""
        return self._title(" - queue")

    def qualification_title(self, annotator: str) -> str:
        """The title of the project in which a new annotator labels settled sentences first."""
        return self._title(f" - qualify {annotator}")

    def _title(self, ending: str) -> str:
        """The title with an ending, cut to the length that Label Studio accepts; different titles stay different."""
        if len(self.title) + len(ending) <= 50:
            return self.title + ending
        digest = hashlib.blake2b(self.title.encode(), digest_size=3).hexdigest()
        return f"{self.title[: 49 - len(digest) - len(ending)]} {digest}{ending}"


class Task(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A sentence with its context, as a task's `data` at Label Studio.

    `control` is 0, except where a settled sentence is shown again: in a control item it is the round that repeats the
    sentence, and in a qualification in a qualification it is minus the qualification's number.
    """

    sentence_id: str
    text: str
    before: str
    after: str
    title: str
    outlet: str
    published: str
    target: str
    control: int = 0


def key_of(data: Mapping[str, Any]) -> tuple[str, int] | None:
    """The sentence of a task, and the round that repeats it (0 if none does); None if stance did not make the task."""
    sentence_id, control = data.get("sentence_id"), data.get("control") or 0
    return (sentence_id, control) if sentence_id and isinstance(sentence_id, str) and isinstance(control, int) else None


# There are tens of thousands of answers, which cannot hold a reference cycle; leaving them out of garbage collection
# takes a tenth off the CPU time of a full pull of 15,000 (0.73 to 0.63 s, median of three on a busy machine).
class Annotation(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One person's answer to one task.

    `stance` is None where the annotator skipped the sentence; `annotator` is a pseudonym; `codebook` is the version
    that the answer was given under; times are ISO 8601 in UTC, `seconds` the time on the task. An answer to a control
    item (`control` is its round) or in a qualification (`control` is negative) is not a vote: it shows whether
    annotators repeat themselves, or label as was settled. `adopted` answers came
    with another project's export.

    `source` names the Label Studio project that the answer comes from (see `labeling.identity.answer_sources`), `task`
    is the task's number there with the moment when it was made, and `unique_id` is the answer's id in Label Studio's
    exports. All three are empty where they are not known: in answers that an older version fetched, or that were
    written by hand.
    """

    sentence_id: str
    annotator: str
    stance: Stance | None
    seconds: float | None = None
    created_at: str = ""
    updated_at: str = ""
    codebook: str = ""
    studio_id: int | None = None
    unsure: bool = False
    comment: str = ""
    holder: str = ""
    control: int = 0
    adopted: bool = False
    source: str = ""
    task: str = ""
    unique_id: str = ""


class Superseded(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An answer as it was before its annotator edited it, or before it was deleted at the server."""

    why: Literal["edited", "deleted"]
    answer: Annotation


class Adjudication(msgspec.Struct, frozen=True, kw_only=True):
    """A person's answer in the queue: the label that settles a sentence, and how the codebook should change.

    `votes` are the votes that the page showed; `stance` is None where the adjudicator skipped the sentence. `source`
    and `task` are as in an `Annotation`.
    """

    sentence_id: str
    adjudicator: str
    stance: Stance | None
    votes: dict[str, Stance]
    confidence: Confidence | None = None
    note: str = ""
    codebook_should_say: bool = False
    codebook: str = ""
    created_at: str = ""
    updated_at: str = ""
    studio_id: int | None = None
    source: str = ""
    task: str = ""


class Withdrawn(msgspec.Struct, frozen=True, kw_only=True):
    """An answer in the queue as it was before a person edited it there, or deleted it.

    Attributes:
        why: what happened to it.
        by: pseudonym of the person who edited or deleted it; empty if the server does not say.
        at: time of the change by the server's clock; empty if the server does not say.
        answer: the answer as it was.
    """

    why: Literal["edited", "deleted"]
    by: str
    at: str
    answer: Adjudication


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """The settled label of a sentence, and how it was settled from which votes.

    `confidence` is the label's posterior probability where Dawid and Skene's model settled it; `settled_at` is
    when a person did. `flag` says what has changed since an adjudicated verdict was given, which stands.
    """

    sentence_id: str
    stance: Stance
    how: How
    votes: dict[str, Stance]
    adjudicator: str | None = None
    note: str = ""
    codebook: str = ""
    confidence: float | None = None
    settled_at: str = ""
    flag: str = ""


class Unsettled(msgspec.Struct, frozen=True, kw_only=True):
    """A sentence that its votes do not settle, so that people must.

    `agreement` is the share of pairs of votes that are alike, 1 for a single vote; `confidence` the highest posterior
    probability where Dawid and Skene's model was asked. `doubted` sentences have a verdict by their votes, and are open
    because `adjudicate --doubts` put them into the queue.
    """

    sentence_id: str
    votes: dict[str, Stance]
    reason: str
    agreement: float = 0.0
    confidence: float | None = None
    doubted: bool = False


NOBODY = "deleted"
"""The one name that older versions gave to all people whose accounts had been deleted."""
UNKNOWN = re.compile(rf"unknown \d+|{NOBODY}")


def is_unknown(annotator: str) -> bool:
    """Whether a name, such as `unknown 3`, stands for the unknown person who gave an answer.

    Each such answer has its own name. It is a vote like any other, but nobody knows whether another answer is by the
    same person, so it is left out wherever the agreement of annotators is measured.
    """
    return UNKNOWN.fullmatch(annotator) is not None


def people(annotators: Iterable[str]) -> list[str]:
    """The names of annotators for a line that lists them, sorted; unknown people are one entry with their number."""
    names = sorted(set(annotators))
    known = [name for name in names if not is_unknown(name)]
    return known + ([f"{len(names) - len(known)} unknown"] if len(names) > len(known) else [])
