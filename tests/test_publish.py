"""From votes to a dataset that opens and a page that shows it, on a project small enough to make here."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import pyarrow as pa
import pytest
import yaml

from corpus.build import build
from corpus.records import SENTENCES, CorpusSettings, PublishError
from corpus.store import read_jsonl, read_table, write_bytes, write_jsonl, write_table
from labeling.adjudicate import adjudicate
from labeling.records import STANCES, Annotation, LabelingSettings, read_codebook
from tests.conftest import vote
from tests.test_train import WORDS
from train import publish as publishing
from train.examples import EXAMPLES, from_verdicts, load, read_examples
from train.publish import publish
from train.records import PublishSettings, TrainSettings
from train.report import report
from train.run import train

if TYPE_CHECKING:
    from playwright.sync_api import Browser

HOSTILE = "<script>document.title='owned'</script><img src=x onerror=document.title='owned'>"
SETTINGS = PublishSettings(licence="cc-by-4.0", authors=["Ann Author"])


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that is labelled and trained: 30 articles, two annotators who differ now and then."""
    project = tmp_path_factory.mktemp("finished")
    random = np.random.default_rng(2)
    everything = [word for words in WORDS.values() for word in words]
    for n in range(30):
        lines = []
        for m in range(5):
            words = [*random.choice(WORDS[STANCES[(n + m) % 3]], 5), *random.choice(everything, 4), f"item{n}x{m}"]
            lines.append("Report: " + " ".join(words) + ".")
        if n in (3, 17):
            lines.append("Exactly the same sentence stands in two of the articles.")
        outlet = HOSTILE if n == 0 else "plain"
        write_bytes(project / "news" / f"{n:02}.txt", "\n\n".join(lines).encode())
        with (project / "news" / "articles.csv").open("a") as file:
            if n == 0:
                file.write("file,outlet,published\n")
            file.write(f'{n:02}.txt,"{outlet}",2031-03-{n + 1:02}\n')
    write_bytes(project / "codebook.md", b"# Codebook\n\nVersion 1.0\n")
    work = project / "work"
    build([str(project / "news")], work, CorpusSettings(root=str(project / "news")))
    rows = read_table(work / "sentences.parquet", SENTENCES, "").to_pylist()
    answers: list[Annotation] = []
    for row in rows:
        if row["copy_id"] != row["sentence_id"]:
            continue
        kinds = [stance for stance in STANCES for word in row["text"].split() if word.strip(".") in WORDS[stance]]
        label = max(STANCES, key=kinds.count)
        other = "none" if random.random() < 0.1 else label
        answers += [vote(row["sentence_id"], "A1", label), vote(row["sentence_id"], "A2", other)]
    answers.append(vote(answers[0].sentence_id, "A3", None))
    write_jsonl(work / "annotations.jsonl", answers)
    adjudicate(work, LabelingSettings())
    examples, _ = from_verdicts(work, "a target <b>", TrainSettings())
    train(examples, work / "model", TrainSettings(), lambda *_: None)
    return project


def _publish(project: Path, out: Path, settings: PublishSettings = SETTINGS) -> bool:
    codebook = read_codebook(project / "codebook.md")
    return publish(project / "work", out, "a target <b>", codebook, settings).changed


def test_load_dataset_opens_both_configs_with_typed_features(finished: Path, tmp_path: Path) -> None:
    from datasets import ClassLabel, load_dataset

    out = tmp_path / "dataset"
    assert _publish(finished, out)
    gold = load_dataset(str(out), "gold", cache_dir=str(tmp_path / "cache"))
    assert set(gold) == {"train", "validation", "test"}
    for part in gold.values():
        assert part.features["label"] == ClassLabel(names=["favor", "against", "none"])
        assert part.num_rows
    columns = "sentence_id text label target before after article_id start end cluster_id outlet published votes how"
    assert set(columns.split()) <= set(gold["train"].column_names)
    annotations = load_dataset(str(out), "annotations", cache_dir=str(tmp_path / "cache"))["train"]
    assert annotations.features["stance"].names == list(STANCES)
    assert annotations.num_rows == len(read_jsonl(finished / "work" / "annotations.jsonl", Annotation, ""))
    assert annotations["stance"].count(None) == 1
    default = load_dataset(str(out), cache_dir=str(tmp_path / "cache"))
    assert set(default) == {"train", "validation", "test"}


def test_gold_holds_each_settled_sentence_and_its_copies_once(finished: Path, tmp_path: Path) -> None:
    out = tmp_path / "dataset"
    _publish(finished, out)
    examples = {row.sentence_id: row for row in read_examples(finished / "work")}
    rows = [row for part in publishing.gold_rows(finished / "work", list(examples.values())).values() for row in part]
    assert len({row["sentence_id"] for row in rows}) == len(rows) == len(examples) + 1
    (copy,) = [row for row in rows if row["copy_of"]]
    original = next(row for row in rows if row["sentence_id"] == copy["copy_of"])
    assert (copy["text"], copy["label"], copy["group"]) == (original["text"], original["label"], original["group"])
    assert copy["article_id"] != original["article_id"]
    loaded = load(out)
    assert {row.sentence_id: (row.label, row.split, row.group) for row in loaded} == {
        key: (row.label, row.split, row.group) for key, row in examples.items()
    }


def test_publishing_again_changes_nothing(finished: Path, tmp_path: Path) -> None:
    _publish(finished, tmp_path / "a")
    stamps = {path: path.stat().st_mtime_ns for path in (tmp_path / "a").rglob("*")}
    assert not _publish(finished, tmp_path / "a")
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "a").rglob("*")} == stamps
    _publish(finished, tmp_path / "b")
    for path in (tmp_path / "a").rglob("*.*"):
        assert path.read_bytes() == (tmp_path / "b" / path.relative_to(tmp_path / "a")).read_bytes()


def test_the_card_states_true_sizes_and_quotes_class_ids(finished: Path, tmp_path: Path) -> None:
    out = tmp_path / "dataset"
    _publish(finished, out)
    text = (out / "README.md").read_text("utf-8")
    front = yaml.safe_load(text.split("---\n")[1])
    gold = next(entry for entry in front["dataset_info"] if entry["config_name"] == "gold")
    label = next(entry for entry in gold["features"] if entry["name"] == "label")
    assert label["dtype"]["class_label"]["names"] == {"0": "favor", "1": "against", "2": "none"}
    assert (
        sum(split["num_examples"] for split in gold["splits"])
        == 151 - len((finished / "work" / "queue.jsonl").read_text().splitlines()) + 1
    )
    assert gold["download_size"] == sum(path.stat().st_size for path in (out / "gold").iterdir())
    assert (front["license"], front["configs"][0]["default"]) == ("cc-by-4.0", True)
    assert "Krippendorff's alpha" in text
    assert "Ann Author" in text


def test_text_is_never_published_without_a_licence(finished: Path, tmp_path: Path) -> None:
    with pytest.raises(PublishError, match="licence is not set"):
        _publish(finished, tmp_path / "dataset", PublishSettings())
    assert not (tmp_path / "dataset").exists()


def test_a_dataset_that_does_not_open_is_not_published(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "dataset"
    _publish(finished, out)
    before = (out / "README.md").read_bytes()
    monkeypatch.setattr(publishing, "_size_category", lambda count: {"not": ["a", "size"]})
    monkeypatch.setattr(publishing, "_yaml_features", lambda config: [{"name": "label", "dtype": "int8"}])
    with pytest.raises(PublishError, match="was not published"):
        _publish(finished, out)
    assert (out / "README.md").read_bytes() == before


def test_an_empty_split_is_an_error(finished: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    shutil.copytree(finished / "work", work)
    examples, _ = from_verdicts(work, "t", TrainSettings())
    (work / "examples.parquet").unlink()
    rows = [msgspec.structs.asdict(row) | {"split": "train"} for row in examples]
    write_table(work / "examples.parquet", pa.Table.from_pylist(rows, schema=EXAMPLES))
    with pytest.raises(PublishError, match="the split validation is empty"):
        publish(work, tmp_path / "out", "t", read_codebook(finished / "codebook.md"), SETTINGS)


# --- the page


def test_the_report_shows_the_numbers_and_loads_nothing(finished: Path, browser: Browser) -> None:
    assert report(finished / "work", "a target <b>")
    assert not report(finished / "work", "a target <b>")
    page = browser.new_page(viewport={"width": 390, "height": 800})
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.goto((finished / "work" / "report.html").as_uri())
    assert len(asked) == 1
    assert complaints == []
    assert page.title() == "Stance toward a target <b>"
    text = page.inner_text("body")
    for expected in ("Krippendorff’s alpha", "Confusion matrix", "Strongest n-grams", "F_avg", HOSTILE):
        assert expected in text
    metrics = re.search(r'"f_avg": \{\s*"value": ([\d.]+)', (finished / "work" / "model" / "metrics.json").read_text())
    assert metrics
    assert f"{float(metrics.group(1)):.3f}" in text
    # Nothing is wider than a phone's screen but what scrolls in itself.
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.close()
