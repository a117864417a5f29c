"""The label scheme: which labels a project uses, in which order, and which of them the headline score averages."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from corpus.errors import TableError
from corpus.numbers import number
from corpus.store import read_jsonl
from labeling.codebook import Codebook

Stance = str
"""A label of the project's scheme; `Scheme.names` has those that exist."""

_DEFAULT = {
    "favor": "right, needed, possible, or an argument for it",
    "against": "wrong, excluded, dangerous, or an argument against it",
    "none": "neither: facts, other subjects, or both in balance",
}
"""The labels of the default scheme, each with its hint."""
_SCORED = ("favor", "against")
ALIASES: dict[str, Stance] = {
    **dict.fromkeys(("favor", "favour", "in favor", "in favour", "pro", "support", "for"), "favor"),
    **dict.fromkeys(("against", "con", "anti", "oppose", "opposed", "deny"), "against"),
    **dict.fromkeys(("none", "neutral", "neither", "no stance", "unrelated", "comment"), "none"),
}
"""How other projects and data sets write the labels of the default scheme, in lower case."""
LONGEST = 30
"""Most characters of a label: it heads columns of tables, and stands on buttons and in plots."""
RESERVED = frozenset(
    (
        *("sentence_id", "article_id", "index", "start", "end", "text", "before", "after", "copy_id", "cluster_id"),
        *("title", "outlet", "published", "month", "language", "source", "url", "licence", "group", "split", "round"),
        *("label", "labels", "stance", "target", "how", "votes", "annotator", "adjudicator", "codebook", "model"),
        *("holder", "unsure", "skipped", "sentences", "articles"),
    )
)
"""Names that a label cannot have, because tables that have a column for each label have these columns, too."""

_LABEL = re.compile(r"[\w+\-](?:[\w +\-./']*[\w+\-])?")


class Scheme(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[labels]` in stance.toml: the labels that annotators choose from.

    Attributes:
        names: the labels, 2 to 9, in the order in which pages and tables show them; their keys are 1 to 9.
        scored: the labels that count in the main score, F_avg, which is the mean of their F1 scores. If you leave it
            out, they are favor and against in the default scheme, and all labels in any other: for the usual score of
            two sides, name these, as in `["for", "against"]`.
        ordered: whether the labels are a scale, from its lowest to its highest value, such as 1 to 5.
        hints: the line that stands under each label on the labelling page; a label can have none.
    """

    names: list[str] = msgspec.field(default_factory=lambda: list(_DEFAULT))
    scored: list[str] = []
    ordered: bool = False
    hints: dict[str, str] = {}

    def __post_init__(self) -> None:
        """Refuse labels that a page, a table or a dataset could not hold, and fill in what was left out."""
        _check_names(self.names)
        usual = self.names == list(_DEFAULT)
        if not self.scored:
            msgspec.structs.force_setattr(self, "scored", list(_SCORED if usual else self.names))
        if not self.hints and usual:
            msgspec.structs.force_setattr(self, "hints", dict(_DEFAULT))
        for key, given in (("scored", self.scored), ("hints", list(self.hints))):
            if unknown := [name for name in given if name not in self.names]:
                raise ValueError(f"{key}: {unknown[0]!r} is not one of the names, which are {', '.join(self.names)}")
        if len(set(self.scored)) < len(self.scored):
            raise ValueError(f"scored: expected each label once; got {', '.join(self.scored)}")
        for name, hint in self.hints.items():
            if not hint.isprintable():
                raise ValueError(f"hints: expected one line for {name!r}, of printable characters; got {hint!r}")

    @property
    def columns(self) -> list[int]:
        """The positions of the scored labels in `names`."""
        return [self.names.index(name) for name in self.scored]

    def in_order(self, labels: Iterable[str]) -> list[str]:
        """Labels, each once, in the order of the scheme; those that it does not have follow in alphabetical order.

        >>> Scheme(names=["pro", "con"]).in_order(["unsure", "con", "pro", "mixed", "con"])
        ['pro', 'con', 'mixed', 'unsure']
        """
        given = set(labels)
        return [*(name for name in self.names if name in given), *sorted(given.difference(self.names))]

    def read(self, written: str) -> Stance | None:
        """The label that a spelling stands for; None where it stands for none.

        Case and surrounding white space do not matter. The default scheme knows the aliases, too, such as "pro".

        >>> Scheme().read(" Pro "), Scheme(names=["pro", "con"]).read("PRO"), Scheme(names=["pro", "con"]).read("for")
        ('favor', 'pro', None)
        """
        folded = written.strip().casefold()
        own = {name.casefold(): name for name in self.names}
        return own.get(folded) or (ALIASES.get(folded) if self.names == list(_DEFAULT) else None)


def _check_names(names: Sequence[str]) -> None:
    if not 2 <= len(names) <= 9:
        found = f"{number(len(names), 'label')}, {', '.join(names)}" if names else "none"
        raise ValueError(f"names: expected 2 to 9 labels, as the keys 1 to 9 choose them; found {found}")
    for name in names:
        if not _LABEL.fullmatch(name) or len(name) > LONGEST or unicodedata.normalize("NFC", name) != name:
            raise ValueError(
                f"names: expected labels of up to {LONGEST} letters, digits and the characters + - _ . / ' with single "
                f"words or spaces between words; got {name!r}"
            )
        if name.casefold() in RESERVED:
            raise ValueError(f"names: {name!r} is the name of a column in stance's own tables; choose another word")
    folded = [name.casefold() for name in names]
    for n, name in enumerate(names):
        if name.casefold() in folded[:n]:
            raise ValueError(f"names: expected different labels, also without regard to case; {name!r} stands twice")


DEFAULT = Scheme()
"""The scheme of a project whose stance.toml has no `[labels]`."""

Row = TypeVar("Row", bound=msgspec.Struct)


def read_labelled(
    path: Path, kind: type[Row], made_by: str, scheme: Scheme, codebook: Codebook | None = None
) -> list[Row]:
    """Read a file of records that hold labels, and check that all labels are of the scheme.

    Args:
        path: file with one record on each line.
        kind: type of the records; the fields `stance` and `votes` hold labels, where it has them.
        made_by: command that writes the file.
        scheme: labels of the project.
        codebook: the codebook, if the records are answers, whose labels may be those of an earlier version of it; it
            says what became of these labels.

    Raises:
        TableError: the file is missing, a line is not such a record, or a label is not of the scheme; the message gives
            the number of the line.
    """
    rows = read_jsonl(path, kind, made_by)
    changed = codebook if codebook and codebook.changes else None
    for place, row in enumerate(rows, 1):
        votes: Mapping[str, Stance] = getattr(row, "votes", None) or {}
        for label in (getattr(row, "stance", None), *votes.values()):
            if label is None or label in scheme.names:
                continue
            if not (changed and changed.accounts_for(label, getattr(row, "codebook", ""), scheme.names)):
                raise TableError(
                    f"{path}, line {place}: expected one of the labels of [labels] in stance.toml, "
                    f"{', '.join(scheme.names)}; found {label!r}. Put this label back into [labels] names, "
                    "say in the codebook's change list what became of it (`renames` or `reopens`), or correct the "
                    f"answers and run `{made_by}` again"
                )
    return rows


def read_labelled_if_there(path: Path, kind: type[Row], scheme: Scheme, codebook: Codebook | None = None) -> list[Row]:
    """Read records as `read_labelled` does; no records where the file is missing.

    Raises:
        TableError: a line is not such a record, or a label is not of the scheme.
    """
    return read_labelled(path, kind, "", scheme, codebook) if path.is_file() else []
