"""What estimates are made from: the sentences with what a coder and the verdicts say, and the articles' metadata."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from corpus.errors import StanceError
from labeling.records import NO_OUTLET
from labeling.scheme import Scheme
from train.estimate.coder import read_coder, read_model_labels
from train.predict.cross_fit import cross_fitted
from train.predict.influence import Labels, Places
from train.predict.score_corpus import Progress
from train.predict.sentence_arrays import Layout, Verdicts, month_of, read_layout, read_verdicts
from train.predict.shares import NO_DATE, NO_LANGUAGE, UNKNOWN, Codes

NOT_GIVEN = "(not given)"
"""What stands for a metadata value that an article does not have; outlets and months have their own words."""


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """A property of articles by which sentences are grouped.

    Attributes:
        name: name of the column.
        groups: the values that occur, sorted.
        code: position of each sentence's value in `groups`.
    """

    name: str
    groups: list[str]
    code: Codes

    def positions(self) -> Iterator[tuple[str, Places]]:
        """Each group with the positions of its sentences, sorted by name."""
        order = np.argsort(self.code, kind="stable")
        codes, starts = np.unique(self.code[order], return_index=True)
        for code, here in zip(codes.tolist(), np.split(order, starts[1:]), strict=True):
            yield self.groups[code], here


class Inputs(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """The corpus with all that estimates are made from; the arrays have one entry for each sentence.

    Attributes:
        coder: the coder, in words.
        names: labels of the project, in their order.
        given: position of the coder's label, -1 where it gave none: what the naive estimate counts.
        labels: the verdicts, and the coder's labels that the correction uses. They differ from `given` for the
            project's model, which has seen the verdicts: there they are cross-fitted. None where there is no
            correction.
        why_not: why there is no correction; "" if there is one.
        verdict: whether the sentence has a verdict, of any round.
        sampled: whether it has a verdict that speaks for the corpus: it was drawn with a known probability, in a round
            that represents the corpus.
        unit: number of the sentence's copy group.
        home: number of the article that the sentence is counted with, as in `train.predict.sentence_arrays.Layout`.
        article: number of the sentence's article.
        columns: the columns to group by.
        notes: what the user should know, a line each.
    """

    coder: str
    names: list[str]
    given: NDArray[np.int8]
    labels: Labels | None
    why_not: str
    verdict: NDArray[np.bool_]
    sampled: NDArray[np.bool_]
    unit: Codes
    home: Codes
    article: Codes
    columns: list[Column]
    notes: list[str]

    @cached_property
    def units(self) -> int:
        """Number of copy groups in the corpus."""
        return len(np.unique(self.unit))

    @cached_property
    def unlabelled(self) -> int:
        """Number of copy groups without a verdict, from which the next round is drawn."""
        return self.units - len(np.unique(self.unit[self.verdict]))


def read_inputs(
    work: Path,
    target: str,
    by: Sequence[str],
    coder: str | None,
    scheme: Scheme,
    progress: Progress = lambda done, total: None,
) -> Inputs:
    """Read the corpus, the verdicts and what a coder says.

    Args:
        work: the project's folder of tables.
        target: what the stance is toward.
        by: names of the columns to group by.
        coder: machine coder or file of predictions, as for `train.estimate.coder.read_coder`; None is the project's
            model.
        scheme: labels of the project.
        progress: function that is called with the number of sentences that a model has just predicted, and of all.

    Raises:
        StanceError: a table is missing or malformed, or there is no such coder or column.
    """
    layout = read_layout(work)
    columns = [column(work, layout, name) for name in dict.fromkeys(by)]
    coded = read_model_labels(work, scheme) if coder is None else read_coder(work, coder, layout.unit, scheme)
    verdicts = read_verdicts(work, layout, target, scheme)
    labels, notes, why_not = None, list(coded.notes), ""
    if coder is None:
        labels, told = cross_fitted(work, target, layout, verdicts, progress, scheme)
        why_not = "" if labels else told.removeprefix("not corrected: ")
    elif verdicts is None or not verdicts.examples:
        why_not = "there are no verdicts on this corpus yet"
    else:
        labels = Labels(
            stance=verdicts.stance,
            weight=verdicts.weight,
            unit=layout.unit,
            by_chance=verdicts.by_chance,
            held=coded.given,
        )
    return Inputs(
        coder=coded.called,
        names=list(scheme.names),
        given=coded.given,
        labels=labels,
        why_not=why_not,
        verdict=_have_verdicts(layout, verdicts),
        sampled=(verdicts.weight > 0) & verdicts.by_chance if verdicts else np.zeros(len(layout.unit), np.bool_),
        unit=layout.unit,
        home=layout.home,
        article=layout.article,
        columns=columns,
        notes=notes,
    )


def _have_verdicts(layout: Layout, verdicts: Verdicts | None) -> NDArray[np.bool_]:
    units = np.zeros(int(layout.unit.max(initial=-1)) + 1, np.bool_)
    for place, _ in verdicts.examples if verdicts else []:
        units[layout.unit[place]] = True
    return units[layout.unit]


def column(work: Path, layout: Layout, name: str) -> Column:
    """A column of the articles: the outlet, the month or year of publication, the language, or any other one."""
    if name in ("month", "year"):
        length = {"month": 7, "year": 4}[name]
        months = [month_of(row["published"]) for row in layout.articles]
        values = [NO_DATE if month == UNKNOWN else month[:length] for month in months]
    elif name in ("outlet", "language"):
        missing = {"outlet": NO_OUTLET, "language": NO_LANGUAGE}[name]
        values = [row[name] or missing for row in layout.articles]
    else:
        values = _other(work / "articles.parquet", layout, name)
    groups, code = np.unique(values, return_inverse=True)
    return Column(name=name, groups=groups.tolist(), code=code.astype(np.int32)[layout.article])


def _other(path: Path, layout: Layout, name: str) -> list[str]:
    schema = pq.read_schema(path)
    usable = [field.name for field in schema if not pa.types.is_nested(field.type) and field.name != "text"]
    if name not in usable:
        raise StanceError(
            f"--by {name}: expected month, year, or a column of {path}, which are {', '.join(usable)}; found none of "
            "this name"
        )
    table = pq.read_table(path, columns=list(dict.fromkeys(["article_id", name])))
    of = dict(zip(table.column("article_id").to_pylist(), table.column(name).to_pylist(), strict=True))
    found = [of[row["article_id"]] for row in layout.articles]
    return [NOT_GIVEN if value is None or value == "" else str(value) for value in found]
