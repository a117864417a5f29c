"""Compare a model for each target with one joint model, on targets that training has and on targets that it has not.

    python -m benchmarks.targets FOLDER [SET …]

FOLDER is that of `benchmarks.public_schemes`; `semeval-2016` is a folder with `examples.jsonl` there. Of a set, up to
SIZE labelled texts are taken. Everything is a cross-validation: of texts within their targets, and of whole targets.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from benchmarks.corpus import _load, _row, _table
from benchmarks.public_schemes import SETS, PublicSet, Row, some

if TYPE_CHECKING:
    from labeling.scheme import Scheme
    from train.records import Example, Recipe

SIZE = 1000
"""Most texts of a set, at equal distances in its file."""


def semeval(folder: Path) -> Iterable[Row]:
    """SemEval-2016 task 6A, as `STANCE_TEST_DATA` has it: tweets on five targets."""
    for line in (folder / "examples.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        yield Row(row["text"], row["label"], row["target"], "", "")


COMPARED = {"semeval-2016": PublicSet("favor,against,none", "each", semeval), **SETS}


def examples_of(rows: Sequence[Row]) -> list[Example]:
    """The texts of a set as training examples; copies of a text are one group."""
    from train.records import Example

    return [
        Example(sentence_id=str(n), text=row.text, label=row.label, target=row.target, group=row.text, split="train")
        for n, row in enumerate(some(list(rows), SIZE))
    ]


class Scores(NamedTuple):
    """F_avg on texts of targets that training has, and on texts of targets that it has not; NaN without a model."""

    seen: float
    unseen: float
    note: str


def each(examples: list[Example], usable: list[Example], scheme: Scheme) -> Scores:
    """A model for each target; a target without one gets the mean of the others' models."""
    from train.model.search import search

    if not usable:
        return Scores(math.nan, math.nan, "")
    found = search(usable, 1, jobs=1, scheme=scheme)
    recipe = found.trials[0].recipe
    mine = {row.sentence_id for row in usable}
    unseen = _whole_targets(recipe, examples, [row.sentence_id in mine for row in examples], examples, scheme)
    return Scores(_f_avg(usable, found.out_of_fold, scheme), unseen, recipe.features)


def _whole_targets(
    recipe: Recipe, read: list[Example], learned: list[bool], examples: list[Example], scheme: Scheme
) -> float:
    """The score of a recipe on targets that are held apart, as `read` gives the examples to the model."""
    from train.metrics import f_avg
    from train.model.tfidf_logistic import fit, probabilities

    true: list[str] = []
    given: list[str] = []
    for held in _folds(sorted({row.target for row in examples})):
        apart = [row.target in held for row in examples]
        model = fit(
            recipe, [row for row, here, out in zip(read, learned, apart, strict=True) if here and not out], scheme
        )
        rows = [row for row, out in zip(read, apart, strict=True) if out]
        chances = probabilities(model, [row.text for row in rows], [row.target for row in rows])
        true += [row.label for row in rows]
        given += [scheme.names[n] for n in chances.argmax(axis=1)]
    return f_avg(true, given, scheme)


def joint(examples: list[Example], usable: list[Example], scheme: Scheme) -> Scores:
    """One model that reads text and target; its score on seen targets is of the same texts as that of `each`.

    With fewer targets than folds, the recipe is not chosen again for targets that are held apart.
    """
    from train.model.joint import joined
    from train.model.search import FOLDS, search
    from train.model.tfidf_logistic import JOINT

    read = [msgspec.structs.replace(row, text=joined(row.text, row.target), target="") for row in examples]
    apart = [msgspec.structs.replace(row, group=of.target) for row, of in zip(read, examples, strict=True)]
    within = search(read, 1, jobs=1, scheme=scheme, features=JOINT)
    mine = {row.sentence_id for row in usable or examples}
    rows = [n for n, row in enumerate(examples) if row.sentence_id in mine]
    seen = _f_avg([examples[n] for n in rows], within.out_of_fold[rows], scheme)
    if len({row.target for row in examples}) < FOLDS:
        recipe = within.trials[0].recipe
        unseen = _whole_targets(recipe, read, [True] * len(read), examples, scheme)
        return Scores(seen, unseen, recipe.features)
    whole = search(apart, 1, jobs=1, scheme=scheme, features=JOINT)
    return Scores(seen, _f_avg(examples, whole.out_of_fold, scheme), whole.trials[0].recipe.features)


def _f_avg(examples: Sequence[Example], chances: NDArray[np.float64], scheme: Scheme) -> float:
    from train.metrics import f_avg

    return f_avg([row.label for row in examples], [scheme.names[n] for n in chances.argmax(axis=1)], scheme)


def _usable(examples: list[Example], scheme: Scheme) -> list[Example]:
    """The texts of the targets that can have a model of their own."""
    from corpus.errors import ExamplesError
    from train.model.search import check_examples

    tested = [msgspec.structs.replace(row, split="test") for row in examples]  # the check wants a test split
    try:
        return [row for row in check_examples([*examples, *tested], 1, scheme).examples if row.split == "train"]
    except ExamplesError:
        return []


def _folds(targets: Sequence[str]) -> list[set[str]]:
    """The targets in five parts, or each alone where there are fewer."""
    order = np.random.default_rng(1).permutation(len(targets))
    return [{targets[n] for n in part} for part in np.array_split(order, min(5, len(targets)))]


def compare(name: str, rows: Sequence[Row]) -> None:
    """Print the row of a set."""
    from train.examples.read_labels import labels_of
    from train.metrics import f_avg

    examples = examples_of(rows)
    scheme = labels_of(examples)
    before = time.process_time()
    usable = _usable(examples, scheme)
    alone, together = each(examples, usable, scheme), joint(examples, usable, scheme)
    labels = [row.label for row in examples]
    common = max(scheme.names, key=Counter(labels).__getitem__)
    scores = (alone.seen, together.seen, alone.unseen, together.unseen)
    _row(
        name,
        f"{len(examples):,}",
        f"{len({row.target for row in examples}):,}",
        f"{len({row.target for row in usable}):,}",
        *("–" if math.isnan(score) else f"{score:.3f}" for score in scores),
        together.note,
        f"{f_avg(labels, [common] * len(labels), scheme):.3f}",
        f"{time.process_time() - before:.0f}",
    )


def main() -> None:
    """Print the table, in Markdown."""
    from train.model import search as recipes

    parser = argparse.ArgumentParser(description="Compare a model for each target with one joint model.")
    parser.add_argument("folder", type=Path, help="folder that holds a folder for each set")
    parser.add_argument("sets", nargs="*", help=f"sets to compare, of {', '.join(COMPARED)}; by default all there")
    arguments = parser.parse_args()
    names = arguments.sets or [name for name in COMPARED if (arguments.folder / name).is_dir()]
    recipes.REPEATS = 1  # one cross-validation instead of three, to save time
    print(f"Load before: {_load()}\n", flush=True)
    seen = ("seen: each", "seen: joint", "unseen: each", "unseen: joint")
    _table("set", "texts", "targets", "with a model", *seen, "features", "one label", "CPU s")
    for name in names:
        compare(name, list(COMPARED[name].read(arguments.folder / name)))
    print(f"\nLoad after: {_load()}", flush=True)


if __name__ == "__main__":
    main()
