"""Which sentences each annotator labels, where `[labeling] assign` says so: each gets a project of their own."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from corpus.errors import ConfigError
from corpus.reading.tables.csv_lines import csv_encoding
from corpus.reading.tables.csv_table import Broken, CsvTable

FIELDS = ("sentence", "article", "outlet", "language")
"""What a rule can name, such as `outlet=Gazette`; the columns of a table are named alike, or with `_id`."""
RULE = re.compile(rf"({'|'.join(FIELDS)})=(.+)|random:([\d.]+)|range:([\d.]+)-([\d.]+)", re.DOTALL)


class Rule(msgspec.Struct, frozen=True):
    """One rule of an annotator: a field and its value, or a part of a fixed random order, both from 0 to 1.

    The order of `salt` "" is the same for everybody, so that ranges of several annotators can overlap or not.
    """

    field: str = ""
    value: str = ""
    start: float = 0.0
    end: float = 0.0
    salt: str = ""

    def __call__(self, row: Mapping[str, Any]) -> bool:
        """Whether the rule assigns this sentence, of which the ids, `outlet` and `language` are given."""
        if self.field:
            names = {"sentence": "sentence_id", "article": "article_id"}
            return str(row.get(names.get(self.field, self.field)) or "") == self.value
        return self.start <= place(row["sentence_id"], self.salt) < self.end


def place(sentence_id: str, salt: str) -> float:
    """A sentence's place in a random order, from 0 to 1; it depends on its id alone, so that it never changes."""
    text = f"{salt}\n{sentence_id}".encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest()) / 2**64


def read_rule(annotator: str, text: str) -> Rule:
    """Read one rule of `[labeling] assign`.

    Raises:
        ValueError: the text is not a rule.

    >>> read_rule("ann", "outlet=Gazette")
    Rule(field='outlet', value='Gazette', start=0.0, end=0.0, salt='')
    >>> read_rule("bo", "range:0.4-1")
    Rule(field='', value='', start=0.4, end=1.0, salt='')
    """
    found = RULE.fullmatch(text.strip())
    try:
        if found and found[1]:
            return Rule(field=found[1], value=found[2].strip())
        if found:
            start, end = (0.0, float(found[3])) if found[3] else (float(found[4]), float(found[5]))
            if 0 <= start < end <= 1:
                return Rule(start=start, end=end, salt=annotator if found[3] else "")
    except ValueError:
        pass
    raise ValueError(
        f"assign: {annotator}: expected rules such as 'outlet=Gazette' ({', '.join(FIELDS)}), 'random:0.5' (a random "
        f"half of one's own) or 'range:0-0.6' (a part of an order that all share, from 0 to 1); got {text!r}"
    )


class Assignments(msgspec.Struct, frozen=True):
    """The rules of each annotator; a sentence that fulfils one of them is theirs."""

    rules: dict[str, list[Rule]]

    def of(self, annotator: str, rows: Iterable[Mapping[str, Any]]) -> set[str]:
        """The ids of those sentences that are assigned to an annotator.

        Args:
            annotator: name in `[labeling] assign`.
            rows: sentences with `sentence_id`, `article_id`, `outlet` and `language`.
        """
        rules = self.rules[annotator]
        return {row["sentence_id"] for row in rows if any(rule(row) for rule in rules)}

    def counts(self, rows: Collection[Mapping[str, Any]]) -> dict[str, int]:
        """How many annotators each sentence is assigned to, by its id."""
        numbers = {row["sentence_id"]: 0 for row in rows}
        for annotator in self.rules:
            for id_ in self.of(annotator, rows):
                numbers[id_] += 1
        return numbers


def read_assignments(assign: Mapping[str, Collection[str]]) -> Assignments:
    """Read the rules of `[labeling] assign`.

    Raises:
        ValueError: one of them is no rule.
    """
    return Assignments({name: [read_rule(name, text) for text in rules] for name, rules in assign.items()})


def rules_in_table(path: Path) -> dict[str, list[str]]:
    """The rules that a CSV file states: a column `annotator`, and one of the fields of rules, or `rule` itself.

    Raises:
        ConfigError: the file is missing, malformed, or lacks a column.
    """
    if not path.is_file():
        raise ConfigError(f"{path}: no such file; [labeling] assign names it as the table of assignments")
    rules: dict[str, list[str]] = {}
    with CsvTable(path, csv_encoding(path)) as table:
        header = [name.strip().casefold() for name in table.header]
        known = {name: name.removesuffix("_id") for name in header if name.removesuffix("_id") in FIELDS}
        if "annotator" not in header or not (known or "rule" in header):
            raise ConfigError(
                f"{path}: expected the columns annotator and {', '.join(FIELDS)} or rule; "
                f"found {', '.join(table.header) or 'none'}"
            )
        for row in table.rows():
            if isinstance(row, Broken):
                raise ConfigError(f"{path}, {row}")
            fields = dict(zip(header, (field.strip() for field in row.fields), strict=False))
            stated = [f"{field}={fields[name]}" for name, field in known.items() if fields.get(name)]
            stated += [fields["rule"]] if fields.get("rule") else []
            if not fields.get("annotator") or not stated:
                raise ConfigError(f"{path}, line {row.line}: expected an annotator and what is assigned to them")
            rules.setdefault(fields["annotator"], []).extend(stated)
    if not rules:
        raise ConfigError(f"{path}: no row assigns anything")
    return rules
