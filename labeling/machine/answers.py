"""Keep the answers of machine coders in `work/machine.jsonl`, and the text of each prompt once in `work/prompts/`."""

from __future__ import annotations

import hashlib
import os
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from corpus.errors import ConfigError, TableError
from corpus.store import once, read_jsonl, table_path, write_bytes, write_jsonl
from labeling.identity.account_register import read_register
from labeling.identity.pseudonyms import read_names
from labeling.machine.records import FILE, MachineAnswer
from labeling.records import UNKNOWN, Annotation
from labeling.scheme import Scheme

PROMPTS = "prompts"
PSEUDONYM = re.compile(r"a\d+", re.IGNORECASE)
"""What pseudonyms of annotators look like: somebody may get this one later."""


class Series(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """What the answers of one machine coder have in common: with another prompt, it would be another measurement."""

    coder: str
    model: str
    prompt: str
    temperature: float = -1.0
    """Temperature at which it answered; -1 where it is not known."""


def digest(value: Any) -> str:
    """The digest, 128 bits in hexadecimal, under which prompts and requests are kept."""
    data = value.encode() if isinstance(value, str) else msgspec.json.encode(value)
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def read_answers(work: Path, scheme: Scheme) -> list[MachineAnswer]:
    """All answers of machine coders; empty if none was ever asked.

    A last line without an end is left out: the run that wrote it was killed, and asks for the answer again.

    Raises:
        TableError: a line is not such a record, or a label is not of the scheme; the message gives the line's number.
    """
    path = work / FILE
    if not path.is_file():
        return []
    whole = once(path, Path.read_bytes)
    decoder = msgspec.json.Decoder(MachineAnswer)
    answers: list[MachineAnswer] = []
    for number, line in enumerate(whole[: whole.rfind(b"\n") + 1].split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            row = decoder.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise TableError(
                f"{path}, line {number}: expected an answer of a machine coder; found: {error}. Delete the line, and "
                "run `stance annotate` again"
            ) from error
        if row.stance is not None and row.stance not in scheme.names:
            raise TableError(
                f"{path}, line {number}: expected one of the labels of [labels] in stance.toml, "
                f"{', '.join(scheme.names)}; found {row.stance!r}. Put this label back into [labels] names, or delete "
                f"{path} and run `stance annotate` again"
            )
        answers.append(row)
    return answers


def write_answers(work: Path, answers: Iterable[MachineAnswer]) -> bool:
    """Write all answers, sorted, so that the order in which they came makes no difference.

    Returns:
        Whether the file changed.
    """
    ordered = sorted(
        answers, key=lambda row: (row.coder, row.model, row.prompt, row.sentence_id, row.sample, row.request)
    )
    return write_jsonl(work / FILE, ordered)


class AnswerFile:
    """The file of answers, open to have answers added one at a time."""

    def __init__(self, handle: int) -> None:
        """Store the open file."""
        self._handle = handle
        self._encoder = msgspec.json.Encoder()

    def add(self, answer: MachineAnswer) -> None:
        """Add an answer, in one piece: a run that is killed leaves whole lines behind it, or none of the line."""
        line = self._encoder.encode(answer) + b"\n"
        while line:
            line = line[os.write(self._handle, line) :]


@contextmanager
def answer_file(work: Path) -> Iterator[AnswerFile]:
    """Open the file of answers for adding; a last line that a power cut left without an end is removed first."""
    path = work / FILE
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        whole = path.read_bytes()
        os.ftruncate(handle, whole.rfind(b"\n") + 1)
        yield AnswerFile(handle)
        os.fsync(handle)
    finally:
        os.close(handle)


def keep_prompt(work: Path, text: str) -> str:
    """Keep a prompt's text, or a description, under its digest.

    Returns:
        The digest.
    """
    name = digest(text)
    write_bytes(work / PROMPTS / f"{name}.txt", text.encode())
    return name


def prompt_text(work: Path, prompt: str) -> str:
    """The text that is kept under a digest; empty if somebody deleted it."""
    path = work / PROMPTS / f"{prompt}.txt"
    # The digest comes from a file that may be anybody's: no path is formed from anything else.
    return path.read_text("utf-8") if re.fullmatch(r"[0-9a-f]{32}", prompt) and path.is_file() else ""


def by_series(answers: Iterable[MachineAnswer]) -> dict[Series, list[MachineAnswer]]:
    """The answers of each coder with one prompt, sorted; the latest counts where one was given twice."""
    series: dict[Series, dict[tuple[str, int], MachineAnswer]] = defaultdict(dict)
    for row in sorted(answers, key=lambda row: (row.created_at, row.request)):
        temperature = -1.0 if row.temperature is None else row.temperature
        of = Series(coder=row.coder, model=row.model, prompt=row.prompt, temperature=temperature)
        series[of][row.sentence_id, row.sample] = row
    return {of: [rows[key] for key in sorted(rows)] for of, rows in sorted(series.items())}


def labels(answers: Sequence[MachineAnswer]) -> dict[str, str]:
    """The label of each sentence: the first answer, without refusals; further samples only show how it varies."""
    return {row.sentence_id: row.stance for row in answers if row.sample == 1 and row.stance is not None}


def check_coder(work: Path, project: Path, coder: str) -> None:
    """Refuse a name for a machine coder that is, or could become, a person's.

    Raises:
        ConfigError: the name is empty, has outer spaces or line breaks, is a pseudonym, or is known as a person's.
    """
    if not coder or coder != coder.strip() or not coder.isprintable() or len(coder) > 100:
        raise ConfigError(f"--coder {coder!r}: expected a name of 1 to 100 printable characters, without outer spaces")
    path = table_path(work, "annotations.jsonl")
    known: set[str] = set(read_names(project)) | read_register(project).names()
    if path.is_file():
        known |= {row.annotator for row in read_jsonl(path, Annotation, "stance pull")}
    folded = coder.casefold()
    if folded in {name.casefold() for name in known} or PSEUDONYM.fullmatch(coder) or UNKNOWN.fullmatch(folded):
        raise ConfigError(
            f"the name {coder!r} is a person's, or could become one: annotators are called A1, A2, … A machine coder "
            "is never counted as a person, so give it another name with --coder NAME"
        )


def dates(answers: Collection[MachineAnswer]) -> tuple[str, str]:
    """The days of the first and the last answer, ISO 8601; empty if no answer has a time."""
    days = sorted(row.created_at[:10] for row in answers if row.created_at)
    return (days[0], days[-1]) if days else ("", "")


def sentences_of(answers: Mapping[Series, Sequence[MachineAnswer]]) -> set[str]:
    """The sentences that any of the series has an answer to."""
    return {row.sentence_id for rows in answers.values() for row in rows}
