"""Train, publish and open public stance data with their own labels, through the plain commands.

    python -m benchmarks.public_schemes FOLDER [SET …] [--most ROWS]

FOLDER holds a folder for each set, with its files as they are distributed (`docs/benchmarks.md` has the addresses). For
each set, `stance train DATA` is run on all of it. A project with the set's labels then takes over the labels of up to
400 texts, is trained, and publishes a dataset, from which a model is trained again.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks.corpus import _load, _row, _table

PROJECT = 400
"""Most texts that the project of a set takes over."""
BEGINNING = 300
"""Characters of an article of FNC-1 that are read: with whole articles, the pairs of the words of text and target take
gigabytes."""


class Row(NamedTuple):
    """A labelled text of a public set; without a split, stance makes them."""

    text: str
    label: str
    target: str
    split: str
    group: str


class PublicSet(NamedTuple):
    """A public set: its labels in their order, how its targets are trained, and the function that reads its folder.

    If its texts are not sentences, `sentences` gives what a project can label instead, and `codebook` what labels mean.
    """

    labels: str
    targets: str
    read: Callable[[Path], Iterable[Row]]
    sentences: Callable[[list[Row]], list[Row]] = list
    codebook: str = ""


def _csv(path: Path) -> Iterator[dict[str, str]]:
    csv.field_size_limit(2**30)
    with path.open(encoding="utf-8-sig", newline="") as file:
        yield from csv.DictReader(file)


def p_stance(folder: Path) -> Iterator[Row]:
    """Tweets on three candidates, from `raw_train_biden.csv` and eight more such files."""
    for path in sorted(folder.glob("raw_*_*.csv")):
        split = path.name.split("_")[1]
        for n, row in enumerate(_csv(path)):
            yield Row(row["Tweet"], row["Stance"], row["Target"], split, f"{path.stem} {n}")


def perspectrum(folder: Path) -> Iterator[Row]:
    """Perspectives for and against 907 claims; each claim is in one split only."""
    splits = json.loads((folder / "dataset_split_v1.0.json").read_text("utf-8"))
    pool = json.loads((folder / "perspective_pool_v1.0.json").read_text("utf-8"))
    texts = {row["pId"]: row["text"] for row in pool}
    for claim in json.loads((folder / "perspectrum_with_answers_v1.0.json").read_text("utf-8")):
        for cluster in claim["perspectives"]:
            for one in cluster["pids"]:
                if texts.get(one, "").strip():
                    label = cluster["stance_label_3"].lower()
                    yield Row(texts[one], label, claim["text"], splits[str(claim["cId"])], str(claim["cId"]))


def ibm_claims(folder: Path) -> Iterator[Row]:
    """Claims for and against 55 motions; each motion is in one split only."""
    for row in _csv(folder / "claim_stance_dataset_v1.csv"):
        text = row["claims.claimCorrectedText"]
        yield Row(text, row["claims.stance"], row["topicText"], row["split"], row["topicId"])


def rumour_eval(folder: Path) -> Iterator[Row]:
    """The tweets of SemEval-2017 task 8, a group for each conversation; the target is the rumour, which has no name."""
    for split in ("train", "dev", "test"):
        key = json.loads((folder / f"{split}-annotations" / "subtaskA.json").read_text("utf-8"))
        for path in sorted((folder / split).rglob("*.json")):
            if path.stem in key and path.parent.name in {"source-tweet", "replies"}:
                text = json.loads(path.read_text("utf-8"))["text"]
                yield Row(text, key[path.stem], "", split, path.parent.parent.name)


def fnc_1(folder: Path) -> Iterator[Row]:
    """Articles (their beginning) on a headline; the files of the competition's test alone are split by article."""
    parts = [name for name in ("train", "competition_test") if (folder / f"{name}_stances.csv").is_file()]
    for part in parts:
        bodies = {row["Body ID"]: row["articleBody"] for row in _csv(folder / f"{part}_bodies.csv")}
        split = "" if len(parts) == 1 else part.removeprefix("competition_")
        for row in _csv(folder / f"{part}_stances.csv"):
            text = " ".join(bodies[row["Body ID"]].split())[:BEGINNING]
            yield Row(text, row["Stance"], row["Headline"], split, f"{part} {row['Body ID']}")


FNC_CODEBOOK = """# Codebook of FNC-1

Version 1.0

Unit: a headline. The article whose body it was compared with is named by its id, the body's number in FNC-1.

| label | the body of the article |
|---|---|
| agree | agrees with the headline |
| disagree | disagrees with the headline |
| discuss | discusses the same topic as the headline, and takes no position |
| unrelated | discusses another topic than the headline |
"""


def headlines(pairs: list[Row]) -> list[Row]:
    """Headlines, each with the label of one of its pairs; the group is the body, and no body is that of two headlines.

    One sentence can have one label only, so of each headline one pair is taken: one with the label, of those that its
    pairs have, that was taken least before.
    """
    from corpus.near_duplicates import normalise

    by_label: dict[str, dict[str, list[Row]]] = {}
    for pair in pairs:
        by_label.setdefault(normalise(pair.target), {}).setdefault(pair.label, []).append(pair)
    found: list[Row] = []
    taken: set[str] = set()
    counts: Counter[str] = Counter()
    for found_of in by_label.values():
        labels = sorted(found_of, key=lambda label: (counts[label], label))
        free = [pair for label in labels for pair in found_of[label] if pair.group not in taken]
        for pair in free[:1]:
            taken.add(pair.group)
            counts[pair.label] += 1
            found.append(Row(pair.target, pair.label, "the headline, as the article takes it", "", pair.group))
    return found


def one_column(folder: Path) -> Iterator[Row]:
    """The form of the repository ZeroStance: `raw_train_all_onecol.csv` and two more such files."""
    for path in sorted(folder.glob("raw_*_all_onecol.csv")):
        split = path.name.split("_")[1]
        for row in _csv(path):
            yield Row(row["Tweet"], row["Stance 1"].lower(), row["Target 1"], split, "")


SETS = {
    "p-stance": PublicSet("FAVOR,AGAINST", "each", p_stance),
    "perspectrum": PublicSet("support,undermine", "joint", perspectrum),
    "ibm-claims": PublicSet("PRO,CON", "joint", ibm_claims),
    "rumoureval-2017": PublicSet("support,deny,query,comment", "each", rumour_eval),
    "fnc-1": PublicSet("agree,disagree,discuss,unrelated", "joint", fnc_1, headlines, FNC_CODEBOOK),
    "wt-wt": PublicSet("favor,against,none", "each", one_column),
    "vast": PublicSet("favor,against,none", "joint", one_column),
}


class RefusedError(Exception):
    """A command failed; the message is the last line of what it said, and `said` is all of it."""

    def __init__(self, message: str, said: str) -> None:
        """Keep what the command said."""
        super().__init__(message)
        self.said = said


class Done(NamedTuple):
    """What a command printed, and the processor time that it took."""

    said: list[str]
    seconds: float


def stance(folder: Path, *words: str) -> Done:
    """Run a command in a folder."""
    command = [sys.executable, "-m", "stance", "-C", str(folder), *words]
    with tempfile.TemporaryFile() as out:
        started = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env=os.environ | {"NO_COLOR": "1"})
        _, status, used = os.wait4(started.pid, 0)
        started.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        said = out.read().decode("utf-8", "replace")
    if status:
        raise RefusedError(f"stance {' '.join(words)}: {said.splitlines()[-1]}", said)
    return Done(said.splitlines(), used.ru_utime + used.ru_stime)


def some(rows: list[Row], most: int) -> list[Row]:
    """At most so many rows of a set, at equal distances, so that each split and target has its part."""
    return rows[:: -(-len(rows) // most)]


def write_data(path: Path, rows: Iterable[Row]) -> None:
    """Write a set as a file that `stance train DATA` reads; columns without a value are left out."""
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps({name: value for name, value in row._asdict().items() if value or name == "text"}))
            file.write("\n")


def trained(name: str, rows: list[Row], folder: Path) -> None:
    """Run `stance train DATA` on a whole set, and print a row with its scores."""
    write_data(folder / "data.jsonl", rows)
    (folder / "stance.toml").write_text(f'[train]\ntargets = "{SETS[name].targets}"\n')
    done = stance(folder, "train", "data.jsonl", "--out", "model")
    first = next(line for line in done.said if line.startswith("labels: "))
    metrics = json.loads((folder / "model" / "metrics.json").read_text("utf-8"))
    test = metrics["test"]
    seen = {kind: f"{part['f_avg']:.3f} of {part['n']:,}" for kind, part in test.get("by_seen", {}).items()}
    _row(
        name,
        f"{len(rows):,}",
        first.removeprefix("labels: "),
        SETS[name].targets,
        " / ".join(f"{metrics['examples'][split]:,}" for split in ("train", "validation", "test")),
        f"{test['f_avg']['value']:.3f} [{test['f_avg']['low']:.3f}, {test['f_avg']['high']:.3f}]",
        f"{test['macro_f1']['value']:.3f}",
        f"{test['majority']['f_avg']['value']:.3f}",
        f"{test['majority']['macro_f1']['value']:.3f}",
        "; ".join(f"{kind} {score}" for kind, score in seen.items()),
        f"{done.seconds:.0f}",
    )


def published(name: str, labels: str, rows: list[Row], folder: Path) -> None:
    """Take a set's labels over into a project of its own, publish them, and print a row on what was published."""
    from datasets import disable_progress_bars, load_dataset

    disable_progress_bars()
    rows = SETS[name].sentences(rows)
    target, count = Counter(row.target for row in rows).most_common(1)[0]
    is_one = count >= PROJECT or count == len(rows)
    mine = [row for row in rows if row.target == target] if is_one else rows
    mine = some(mine, PROJECT)
    stance(folder, "init", ".", "--labels", labels)
    if SETS[name].codebook:
        (folder / "codebook.md").write_text(SETS[name].codebook, "utf-8")
    settings = (folder / "stance.toml").read_text("utf-8")
    licence = {"licence": "other", "licence_name": "of the set", "licence_link": "https://example.org"}
    lines = "\n".join(f'{key} = "{value}"' for key, value in licence.items())
    settings = re.sub(r'^licence = ""', lines, settings, flags=re.MULTILINE)
    settings = re.sub(r"^overlap = \d+", "overlap = 1", settings, flags=re.MULTILINE)
    name_of_target = json.dumps(target if is_one and target else "what each text is about")
    settings = re.sub(r'(\[target\][^\[]*?^name = )""', rf"\g<1>{name_of_target}", settings, flags=re.MULTILINE)
    (folder / "stance.toml").write_text(settings, "utf-8")
    groups = [row.group for row in mine]
    ids = groups if len({*groups}) == len(mine) else [f"t{n}" for n in range(len(mine))]
    with (folder / "texts.jsonl").open("w", encoding="utf-8") as file:
        file.writelines(json.dumps({"id": id_, "text": row.text}) + "\n" for id_, row in zip(ids, mine, strict=True))
    with (folder / "labels.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["text", "annotator", "label"])
        table.writerows([row.text, "the set", row.label] for row in mine)
    stance(folder, "build", "texts.jsonl")
    stance(folder, "pull", "--from", "labels.csv")
    stance(folder, "adjudicate")
    _train(folder)
    stance(folder, "publish", "--allow-open")
    opened = load_dataset(str(folder / "work" / "dataset"), "gold", cache_dir=str(folder / "cache"))
    (folder / "elsewhere").mkdir()
    again = stance(folder / "elsewhere", "train", str((folder / "work" / "dataset").resolve()))
    _row(
        name,
        f"{len(mine)}",
        f"{sum(part.num_rows for part in opened.values())}",
        ", ".join(opened["train"].features["label"].names),
        next(line for line in again.said if line.startswith("labels: ")).removeprefix("labels: "),
    )


def _train(folder: Path) -> None:
    """Run `stance train`; if it finds near-duplicates in two splits, set what it says, so that each pair is in one."""
    try:
        stance(folder, "train")
    except RefusedError as error:
        together = re.search(r"^ *together = .*$", error.said, re.MULTILINE)
        if together is None:
            raise
        path = folder / "stance.toml"
        path.write_text(f"{path.read_text('utf-8')}\n[train]\n{together[0].strip()}\n", "utf-8")
        stance(folder, "train")


def main() -> None:
    """Print both tables, in Markdown."""
    parser = argparse.ArgumentParser(description="Train and publish public stance data with their own labels.")
    parser.add_argument("folder", type=Path, help="folder that holds a folder for each set")
    parser.add_argument("sets", nargs="*", help=f"sets to run, of {', '.join(SETS)}; all that are there by default")
    parser.add_argument("--most", type=int, default=10**9, help="most rows of a set, taken at equal distances")
    arguments = parser.parse_args()
    names = arguments.sets or [name for name in SETS if (arguments.folder / name).is_dir()]
    rows = {name: some(list(SETS[name].read(arguments.folder / name)), arguments.most) for name in names}
    print(f"Load before: {_load()}\n", flush=True)
    scores = ("F_avg", "macro-F1", "majority F_avg", "majority macro-F1", "by target")
    _table("set", "rows", "labels, as the first line says", "targets", "train / validation / test", *scores, "CPU s")
    for name in names:
        with tempfile.TemporaryDirectory(prefix="stance-") as folder:
            trained(name, rows[name], Path(folder))
    print()
    _table("set", "texts", "published", "ClassLabel of load_dataset", "labels, as `stance train` says of it")
    for name in names:
        with tempfile.TemporaryDirectory(prefix="stance-") as folder:
            try:
                published(name, SETS[name].labels, rows[name], Path(folder))
            except RefusedError as error:  # where hardly any text is a single sentence, there is too little to train on
                _row(name, "", "0", "", str(error))
    print(f"\nLoad after: {_load()}", flush=True)


if __name__ == "__main__":
    main()
