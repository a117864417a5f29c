"""Compare models that learn verdicts with models that learn votes: `python -m benchmarks.soft_labels`.

Each has the recipe that the search chooses for it, and both have the same folds; all scores are of out-of-fold
predictions, and all intervals draw groups.
The first corpus is the starter corpus, with three votes a sentence. The second one is made up: its annotators disagree
in a known way, so that the shares of their votes differ from sentence to sentence.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold

from labeling.scheme import DEFAULT
from labeling.statistics.bootstrap import resampled
from train.examples.from_verdicts import plan_examples
from train.examples.soft_votes import learnable
from train.metrics import RESAMPLES, confusions, summaries
from train.model.counted_texts import Fits
from train.model.search import search
from train.model.soft_labels import shares_of
from train.model.tfidf_logistic import calm
from train.records import Example, Recipe
from train.settings import TrainSettings
from train.vote_scores import LEAST

FOLDS = 5
REPEATS = 5
TEXTS, PEOPLE, GROUPS = 2000, 5, 200
"""Number of texts, of votes for each, and of groups in the made-up corpus."""
CUES = {"favor": "send help ally deploy", "against": "refuse risk danger wrong", "none": "harvest bridge market bus"}


def main() -> None:
    """Print the table."""
    print("| corpus | measure | verdicts | votes | votes less verdicts |\n|---|---|---|---|---|")
    for name, examples in (("starter corpus", starter()), ("made up", made_up())):
        shares = shares_of(examples, DEFAULT)
        assert shares is not None
        split = sum(len(row.votes) > 1 for row in examples)
        sets = [[_hard(row) for row in examples], learnable(examples).examples]
        hard, soft = (search(rows, 1).trials[0].recipe for rows in sets)
        print(
            f"{name}: {len(examples)} sentences, {split} of them with votes for several labels, "
            f"{len({row.group for row in examples})} groups; recipes {hard.features}, C = {hard.c:g} from verdicts, "
            f"and {soft.features}, C = {soft.c:g} from votes",
            file=sys.stderr,
        )
        found = [out_of_fold(rows, recipe) for rows, recipe in zip(sets, (hard, soft), strict=True)]
        for measure, one, two, apart in compared(examples, shares, *found):
            print(f"| {name} | {measure} | {one:.4f} | {two:.4f} | {apart} |", flush=True)


def starter() -> list[Example]:
    """The starter corpus' examples with their votes, as the commands make them."""
    root = Path(__file__).parent.parent
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(root / "seeds", folder / "seeds")
        (folder / "docs").mkdir()
        for part in ("stance.toml", "docs/codebook.md"):
            shutil.copy(root / part, folder / part)
        stance = [sys.executable, "-m", "stance"]
        subprocess.run([*stance, "build", "seeds/articles"], cwd=folder, check=True, stdout=sys.stderr)
        (folder / "labels").mkdir(exist_ok=True)
        with (
            (folder / "seeds" / "annotations.jsonl").open() as rows,
            (folder / "labels/annotations.jsonl").open("w") as out,
        ):
            for row in rows:
                answer = {"seconds": 1.0, "created_at": "", "updated_at": "", "studio_id": None}
                out.write(msgspec.json.encode(answer | msgspec.json.decode(row)).decode() + "\n")
        subprocess.run([*stance, "adjudicate"], cwd=folder, check=True, stdout=sys.stderr)
        plan = plan_examples(folder / "work", "t", TrainSettings(votes="soft"))
        return [msgspec.structs.replace(row, split="train") for row in plan.examples]


def made_up(seed: int = 1) -> list[Example]:
    """Texts with cues of several labels; each annotator votes by chance, with probabilities that the cues give."""
    random = np.random.default_rng(seed)
    filler = [f"word{n}" for n in range(400)]
    rows: list[Example] = []
    while len(rows) < TEXTS:
        number = len(rows)
        leaning = random.dirichlet([0.7] * 3)
        cues = [str(random.choice(CUES[DEFAULT.names[n]].split())) for n in random.choice(3, 4, p=leaning)]
        text = " ".join(random.permutation([*cues, *random.choice(filler, 12).tolist()]).tolist())
        votes = Counter(DEFAULT.names[n] for n in random.choice(3, PEOPLE, p=leaning))
        label, most = votes.most_common(1)[0]
        if 2 * most > PEOPLE:  # as a project's verdicts by majority, which leave ties and pluralities to people
            rows.append(
                Example(
                    sentence_id=str(number), text=text, label=label, group=f"g{number % GROUPS}", split="train",
                    votes=dict(sorted(votes.items())),
                )
            )  # fmt: skip
    return rows


def _hard(row: Example) -> Example:
    return msgspec.structs.replace(row, votes={})


def out_of_fold(examples: list[Example], recipe: Recipe) -> NDArray[np.float64]:
    """Probabilities of each example by models that have not seen its group, shape (repeats, examples, labels)."""
    fits = Fits(recipe, examples)
    labels, groups = [row.label for row in examples], [row.group for row in examples]
    found = np.zeros((REPEATS, len(examples), len(DEFAULT.names)))
    for repeat in range(REPEATS):
        folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=repeat)
        for seen, held in folds.split(examples, labels, groups):
            with calm():
                found[repeat, held] = fits.probabilities([examples[n] for n in seen], [examples[n] for n in held])
    return found


def compared(
    examples: list[Example], shares: NDArray[np.float64], hard: NDArray[np.float64], soft: NDArray[np.float64]
) -> list[tuple[str, float, float, str]]:
    """Each measure for both models, and the difference with its paired 95 % interval; means over repeats."""
    names = sorted({row.group for row in examples})
    at = {name: n for n, name in enumerate(names)}
    place = np.array([at[row.group] for row in examples])
    true, groups = [row.label for row in examples], [row.group for row in examples]

    def sums(values: NDArray[np.float64]) -> NDArray[np.float64]:
        each = np.zeros((len(names), 2))
        np.add.at(each, place, np.column_stack([values, np.ones(len(values))]))
        return each

    def tables(chances: NDArray[np.float64]) -> NDArray[np.float64]:
        given = [[DEFAULT.names[n] for n in one.argmax(axis=1)] for one in chances]
        return np.stack([confusions(true, one, groups, names) for one in given], axis=1)

    def means(chances: NDArray[np.float64]) -> list[NDArray[np.float64]]:
        entropy = -(shares * np.log(np.maximum(chances, LEAST))).sum(axis=2).mean(axis=0)
        return [sums(part) for part in (entropy, np.abs(shares - chances).sum(axis=2).mean(axis=0))]

    rows: list[tuple[str, float, float, str]] = []
    for measure, one, two in zip(("cross-entropy", "Manhattan distance"), means(hard), means(soft), strict=True):
        drawn = resampled(np.stack([one, two], axis=1), 1, RESAMPLES)
        spread = drawn[:, 1, 0] / drawn[:, 1, 1] - drawn[:, 0, 0] / drawn[:, 0, 1]
        values = [float(part[:, 0].sum() / part[:, 1].sum()) for part in (one, two)]
        rows.append((measure, values[0], values[1], _shown(values[1] - values[0], spread)))
    first, second = tables(hard), tables(soft)
    drawn = resampled(np.stack([first, second], axis=1), 1, RESAMPLES)
    for n, measure in enumerate(("F_avg", "macro-F1", "accuracy")):
        values = [float(summaries(part.sum(axis=0))[n].mean()) for part in (first, second)]
        both = [summaries(drawn[:, m].reshape(-1, 3, 3))[n].reshape(RESAMPLES, -1).mean(axis=1) for m in (0, 1)]
        rows.append((measure, values[0], values[1], _shown(values[1] - values[0], both[1] - both[0])))
    return rows


def _shown(value: float, spread: NDArray[np.float64]) -> str:
    low, high = np.percentile(spread, [2.5, 97.5])
    return f"{value:+.4f} [{low:+.4f}, {high:+.4f}]"


if __name__ == "__main__":
    main()
