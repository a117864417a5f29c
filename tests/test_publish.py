"""From votes to a dataset that opens and a page that shows it, on a project small enough to make here."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import yaml

from corpus.errors import PublishError, StanceError, TableError
from corpus.records import CorpusSettings
from corpus.store import read_jsonl, table_path, write_bytes, write_jsonl, write_table
from labeling.adjudicate import adjudicate
from labeling.codebook import Codebook, read_codebook
from labeling.overlap import FewVotes
from labeling.records import Adjudication, Annotation, LabelingSettings, Unsettled, Verdict
from labeling.scheme import DEFAULT
from labeling.settling.open_sentences import open_sentences, what_to_do
from labeling.sync.sent_queue import SentQueue
from release import publish as publishing
from release.contents import rows as gold
from release.contents.manifest import check_dataset, read_manifest, to_json
from release.messages import published
from release.publish import PublishInputs, PublishSummary, publish
from tests.conftest import HOSTILE, Run, copy_project, copy_tables
from tests.support.releases import SETTINGS, publish_release
from train import input_digests
from train.examples.from_verdicts import EXAMPLES, read_examples
from train.examples.load import load_examples
from train.records import ModelCard, read_record
from train.report.page import report
from train.settings import PublishSettings, Settings, TrainSettings

if TYPE_CHECKING:
    from playwright.sync_api import Browser


def test_load_dataset_opens_both_configs_with_typed_features(finished: Path, tmp_path: Path) -> None:
    from datasets import ClassLabel, load_dataset

    out = tmp_path / "dataset"
    assert publish_release(finished, out).changed
    gold = load_dataset(str(out), "gold", cache_dir=str(tmp_path / "cache"))
    assert set(gold) == {"train", "validation", "test"}
    for part in gold.values():
        assert part.features["label"] == ClassLabel(names=["favor", "against", "none"])
        assert part.num_rows
    columns = "sentence_id text label target before after article_id start end cluster_id outlet published votes how"
    assert set(columns.split()) <= set(gold["train"].column_names)
    annotations = load_dataset(str(out), "annotations", cache_dir=str(tmp_path / "cache"))["train"]
    assert annotations.features["stance"].names == list(DEFAULT.names)
    assert annotations.num_rows == len(read_jsonl(finished / "labels" / "annotations.jsonl", Annotation, ""))
    assert annotations["stance"].count(None) == 1
    default = load_dataset(str(out), cache_dir=str(tmp_path / "cache"))
    assert set(default) == {"train", "validation", "test"}


def test_gold_holds_each_settled_sentence_and_its_copies_once(finished: Path, tmp_path: Path) -> None:
    out = tmp_path / "dataset"
    publish_release(finished, out)
    examples = {row.sentence_id: row for row in read_examples(finished / "work")}
    rows = [row for part in gold.gold_rows(finished / "work", list(examples.values())).values() for row in part]
    assert len({row["sentence_id"] for row in rows}) == len(rows) == len(examples) + 1
    (copy,) = [row for row in rows if row["copy_of"]]
    original = next(row for row in rows if row["sentence_id"] == copy["copy_of"])
    assert (copy["text"], copy["label"], copy["group"]) == (original["text"], original["label"], original["group"])
    assert copy["article_id"] != original["article_id"]
    loaded = load_examples(out)
    assert {row.sentence_id: (row.label, row.split, row.group) for row in loaded} == {
        key: (row.label, row.split, row.group) for key, row in examples.items()
    }


def test_publishing_again_changes_nothing(finished: Path, tmp_path: Path) -> None:
    publish_release(finished, tmp_path / "a")
    stamps = {path: path.stat().st_mtime_ns for path in (tmp_path / "a").rglob("*")}
    assert not publish_release(finished, tmp_path / "a").changed
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "a").rglob("*")} == stamps
    publish_release(finished, tmp_path / "b")
    for path in (tmp_path / "a").rglob("*.*"):
        assert path.read_bytes() == (tmp_path / "b" / path.relative_to(tmp_path / "a")).read_bytes()


def test_another_content_under_the_same_version_is_said(finished: Path, tmp_path: Path) -> None:
    project = shutil.copytree(finished, tmp_path / "project")
    out = tmp_path / "dataset"
    assert not publish_release(project, out).differs
    assert not publish_release(project, out).differs
    (project / "codebook.md").write_text((project / "codebook.md").read_text("utf-8") + "\nA rule more.\n", "utf-8")
    done = publish_release(project, out)
    assert done.differs == "0.1.0"
    said = "\n".join(published(done, out, "", asked=False))
    assert "is not what was published before as version 0.1.0: if others have that one, raise [publish] version" in said


def test_a_version_that_is_raised_after_another_content_was_published_is_compared_with_the_first(
    finished: Path, tmp_path: Path
) -> None:
    project, out = shutil.copytree(finished, tmp_path / "project"), tmp_path / "dataset"
    work, answers = project / "work", table_path(project / "work", "annotations.jsonl")
    every = read_jsonl(answers, Annotation, "")
    settled = read_jsonl(work / "verdicts.jsonl", Verdict, "")[0].sentence_id

    def publish_with(rows: list[Annotation], version: str) -> PublishSummary:
        write_jsonl(answers, rows)
        adjudicate(work, LabelingSettings(), codebook=read_codebook(project / "codebook.md"))
        shutil.rmtree(work / "model", ignore_errors=True)
        (work / "examples.parquet").unlink(missing_ok=True)
        return publish_release(project, out, msgspec.structs.replace(SETTINGS, version=version))

    publish_with([row for row in every if row.sentence_id != settled], "0.1.0")
    first = (out / "CHANGELOG.md").read_text("utf-8").partition("\n\n")[2]
    assert publish_with(every, "0.1.0").differs == "0.1.0"
    assert first not in (out / "CHANGELOG.md").read_text("utf-8")
    assert not publish_with(every, "0.1.0").changed
    done = publish_with(every, "0.2.0")
    assert done.compared == "0.1.0"
    assert "correct the entries by hand" in "\n".join(published(done, out, "", asked=False))
    raised = (out / "CHANGELOG.md").read_text("utf-8")
    assert re.search(r"## 0\.2\.0.*\n\n- 1 sentence more: \d+ sentences in all\.\n\n", raised)
    assert raised.endswith(f"in all.\n\n{first}"), "the first version's entry says again what it held"
    assert not publish_with(every, "0.2.0").compared
    assert (out / "CHANGELOG.md").read_text("utf-8") == raised


def test_the_card_states_true_sizes_and_quotes_class_ids(finished: Path, tmp_path: Path) -> None:
    out = tmp_path / "dataset"
    publish_release(finished, out)
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


@pytest.mark.parametrize(("overlap", "few"), [(3, True), (2, False)])
def test_the_release_says_how_many_labels_rest_on_fewer_votes_than_asked_for(
    finished: Path, tmp_path: Path, overlap: int, few: bool
) -> None:
    inputs = PublishInputs(settings=Settings(labeling=LabelingSettings(overlap=overlap)), allow_open=True)
    book = read_codebook(finished / "codebook.md")
    out = tmp_path / "dataset"
    done = publish(finished / "work", out, "a target <b>", book, SETTINGS, inputs=inputs)
    settled = len(read_jsonl(finished / "work" / "verdicts.jsonl", Verdict, ""))
    assert done.few == FewVotes(asked=overlap, sentences=settled if few else 0)
    said = f"The project asked for 3 votes per sentence; {settled} sentences were settled by fewer."
    assert (said in (out / "README.md").read_text("utf-8")) == few
    shown = f"{settled} sentences were settled by fewer votes than the 3 that [labeling] overlap asks for"
    assert (shown in "\n".join(published(done, out, "", asked=False))) == few


def test_without_a_licence_no_text_is_published(finished: Path, tmp_path: Path) -> None:
    done = publish_release(finished, tmp_path / "dataset", PublishSettings())
    assert done.standoff
    said = "\n".join(published(done, tmp_path / "dataset", "", asked=False))
    assert re.search(
        r"were compared with \d+ articles: they repeat no five words in a row\. Not counted are what", said
    )
    assert "not compared" not in said
    assert publish_release(finished, tmp_path / "asked", standoff=True).standoff
    for out in (tmp_path / "dataset", tmp_path / "asked"):
        for path in (out / "gold").iterdir():
            assert not {"text", "before", "after", "title"} & set(pq.read_schema(path).names)
    assert not publish_release(finished, tmp_path / "licensed").standoff


def test_a_dataset_that_does_not_open_is_not_published(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "dataset"
    publish_release(finished, out)
    before = _bytes(out)
    monkeypatch.setattr(publishing, "yaml_features", lambda kinds: [{"name": "label", "dtype": "int64"}])
    with pytest.raises(PublishError, match="was not published"):
        publish_release(finished, out)
    assert _bytes(out) == before


def _bytes(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _lines(path: Path, change: Callable[[dict[str, Any]], dict[str, Any] | None]) -> None:
    rows = [change(msgspec.json.decode(line)) for line in path.read_bytes().splitlines()]
    path.write_bytes(b"".join(msgspec.json.encode(row) + b"\n" for row in rows if row is not None))


def _no_verdict(work: Path) -> None:
    _lines(work / "verdicts.jsonl", lambda _: None)


def _no_adjudication(work: Path) -> None:
    (work / "verdicts.jsonl").unlink()


def _odd_verdict(work: Path) -> None:
    _lines(work / "verdicts.jsonl", lambda row: row | {"stance": "pro" if row["stance"] == "favor" else row["stance"]})


def _odd_answer(work: Path) -> None:
    _lines(table_path(work, "annotations.jsonl"), lambda row: row | {"stance": "maybe" if row["stance"] else None})


def _odd_vote(work: Path) -> None:
    _lines(work / "verdicts.jsonl", lambda row: row | {"votes": row["votes"] | {"A1": "hm"}})


def _odd_example(work: Path) -> None:
    _examples(work, label="pro")


def _old_verdicts(work: Path) -> None:
    _lines(work / "verdicts.jsonl", lambda row: row | {"stance": "none"})


def _old_examples(work: Path) -> None:
    _examples(work, label="none")


def _fewer_verdicts(work: Path) -> None:
    (work / "verdicts.jsonl").write_bytes(b"".join((work / "verdicts.jsonl").read_bytes().splitlines(True)[1:]))


def _fewer_examples(work: Path) -> None:
    table = pq.read_table(work / "examples.parquet")
    (work / "examples.parquet").unlink()
    write_table(work / "examples.parquet", table.slice(1))


def _one_split(work: Path) -> None:
    _examples(work, split="train")
    card = read_record(work / "model" / "model.json", ModelCard)
    trained_on = input_digests.of_examples(read_examples(work), TrainSettings())
    changed = msgspec.json.encode(msgspec.structs.replace(card, trained_on=trained_on))
    (work / "model" / "model.json").write_bytes(changed)


def _examples(work: Path, **values: str) -> None:
    rows = [msgspec.structs.asdict(row) | values for row in read_examples(work)]
    (work / "examples.parquet").unlink()
    write_table(work / "examples.parquet", pa.Table.from_pylist(rows, schema=EXAMPLES))


BAD: list[tuple[Callable[[Path], None], type[StanceError], str]] = [
    (_no_verdict, PublishError, "holds no verdict, so there is nothing to publish.*`stance adjudicate`"),
    (_no_adjudication, TableError, "verdicts.jsonl is not there: run `stance adjudicate` first"),
    (
        _odd_verdict,
        PublishError,
        r"verdicts.jsonl, line \d+: labels outside the codebook: 'pro' \(\d\d\); expected favor",
    ),
    (_odd_answer, PublishError, r"annotations.jsonl, line 1: labels outside the codebook: 'maybe' \(302\)"),
    (_odd_vote, PublishError, r"verdicts.jsonl, line 1: labels outside the codebook: 'hm' \(14\d\)"),
    (_odd_example, PublishError, r"labels or texts are not those of the last training .* have another label now\)"),
    (
        _old_verdicts,
        PublishError,
        r"verdicts are older than the answers, the codebook or .* Run `stance adjudicate`, then",
    ),
    (
        _fewer_verdicts,
        PublishError,
        "verdicts are older than the answers, .*1 has answers and no verdict yet",
    ),
    (_old_examples, PublishError, r"labels or texts are not those of the last training .* have another label now\)"),
    (
        _fewer_examples,
        PublishError,
        r"of the sentences, 1 got a verdict since\).* Run `stance train`, then `stance publish --allow-open --out \S+` "
        "again",
    ),
]


@pytest.mark.parametrize(("spoil", "kind", "message"), BAD, ids=[spoil.__name__ for spoil, _, _ in BAD])
def test_each_bad_state_gets_one_message_and_changes_no_file(
    finished: Path, tmp_path: Path, spoil: Callable[[Path], None], kind: type[StanceError], message: str
) -> None:
    project, out = tmp_path / "project", tmp_path / "dataset"
    shutil.copytree(finished, project)
    publish_release(project, out)
    before = _bytes(out)
    spoil(project / "work")
    with pytest.raises(kind, match=message):
        publish_release(project, out)
    assert _bytes(out) == before
    with pytest.raises(kind, match=message):
        publish_release(project, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_dataset_of_too_few_groups_lacks_a_split_and_says_why(finished: Path, tmp_path: Path) -> None:
    """Ten articles that share a sentence form one group: they can be published, though not divided."""
    from datasets import load_dataset

    project = tmp_path / "project"
    shutil.copytree(finished, project)
    _one_split(project / "work")
    done = publish_release(project, tmp_path / "dataset")
    assert list(done.rows["gold"]) == ["train"]
    opened = load_dataset(str(tmp_path / "dataset"), "gold", cache_dir=str(tmp_path / "cache"))
    assert {name: rows.num_rows for name, rows in opened.items()} == done.rows["gold"]
    card = (tmp_path / "dataset" / "README.md").read_text("utf-8")
    assert "There is no validation and test split: articles that share a sentence" in card
    assert "on the test split" not in card.split("### Recommendations")[1]
    assert "There is no validation and test split" in "\n".join(published(done, tmp_path, "", asked=False))


def test_the_card_says_how_many_answers_were_replaced_by_later_ones(finished: Path, tmp_path: Path) -> None:
    project, said = tmp_path / "project", "The config `annotations` also holds 1 earlier answer: of several answers"
    shutil.copytree(finished, project)
    done = publish_release(project, tmp_path / "dataset")
    card = tmp_path / "dataset" / "README.md"
    assert said not in card.read_text("utf-8")
    path = table_path(project / "work", "annotations.jsonl")
    rows = read_jsonl(path, Annotation, "")
    earlier = msgspec.structs.replace(rows[0], studio_id=999, created_at="2020-01-01T00:00:00+00:00", updated_at="")
    write_jsonl(path, [*rows, earlier])
    again = publish_release(project, tmp_path / "dataset")
    assert again.rows["annotations"]["train"] == done.rows["annotations"]["train"] + 1
    assert said in card.read_text("utf-8")


def test_open_sentences_are_left_out_only_where_one_says_so(finished: Path, tmp_path: Path) -> None:
    count = len((finished / "work" / "queue.jsonl").read_bytes().splitlines())
    with pytest.raises(
        PublishError,
        match=rf"Nothing was published\. {count} sentences are open \({count} of them ties; the first is .*\)\. What "
        "to do: `stance push --limit 0` puts them into the queue, .*`stance adjudicate`, .* or leave them out: ",
    ) as told:
        publish_release(finished, tmp_path / "dataset", allow_open=False)
    assert "--allow-open" in str(told.value)
    assert not (tmp_path / "dataset").exists()
    project = tmp_path / "project"
    shutil.copytree(finished, project)
    _fewer_examples(project / "work")
    last = r"or leave them out: `stance train`, then `stance publish --out \S+ --allow-open`$"
    with pytest.raises(
        PublishError, match=rf"Nothing was published\. {count} sentences are open .* What to do: .*{last}"
    ):
        publish_release(project, tmp_path / "dataset", allow_open=False)
    _old_verdicts(project / "work")  # which sentences are open is not known then
    with pytest.raises(PublishError, match=r"verdicts are older than .*, then `stance publish --out \S+` again$"):
        publish_release(project, tmp_path / "dataset", allow_open=False)
    done = publish_release(finished, tmp_path / "dataset", allow_open=True)
    assert (count, done.unsettled) == (6, 6)
    one = msgspec.structs.replace(done, unsettled=1, comments=2, holders=0, renamed=1)
    said = published(one, tmp_path / "dataset", "", asked=False)
    assert "left out: 1 open sentence; 2 comments of annotators (comments are never published)" in said
    assert "pseudonyms replace 1 name of annotators and adjudicators in the release" in said


def test_publish_says_of_how_many_articles_of_a_stand_off_release_nobody_knows_the_address(
    finished: Path, tmp_path: Path
) -> None:
    done = publish_release(finished, tmp_path / "dataset", standoff=True)

    def said(done: PublishSummary) -> str:
        return "\n".join(published(done, tmp_path / "dataset", "", asked=True))

    assert "\n30 of 30 articles have no URL, and a stand-off release has no titles: others may not know" in said(done)
    assert "\n1 of 30 articles has no URL" in said(msgspec.structs.replace(done, without_url=1))
    assert "no URL" not in said(msgspec.structs.replace(done, without_url=0))
    assert "no URL" not in said(msgspec.structs.replace(done, standoff=False))


def test_publish_lists_the_defaults_that_the_card_gives_until_somebody_states_them(
    finished: Path, tmp_path: Path
) -> None:
    project = copy_project(finished, tmp_path / "p")
    heading = "the card says this by default; if it is wrong, correct it under [publish] in stance.toml:\n"
    said = Run(project)("publish", "--allow-open")
    assert f'{heading}  language = ["en"]: the codes of the languages' in said
    assert (
        "\n  text_source = \"found\": who made the articles' texts, in the Hub's terms for `language_creators`\n"
        in said
    )
    stated = (project / "stance.toml").read_text("utf-8") + '[publish]\ntext_source = "found"\n'
    (project / "stance.toml").write_text(stated, "utf-8")
    said = Run(project)("publish", "--allow-open")
    assert f"{heading}  language = " in said
    assert "text_source" not in said
    (project / "stance.toml").write_text(stated.replace("text_source", 'language = ["de"]\ntext_source'), "utf-8")
    assert heading not in Run(project)("publish", "--allow-open")


def test_publish_says_why_it_has_more_rows_than_train_has_sentences(finished: Path, tmp_path: Path) -> None:
    done = publish_release(finished, tmp_path / "dataset")
    learned = len(read_examples(finished / "work"))
    assert sum(done.rows["gold"].values()) == learned + done.copies == learned + 1
    said = (
        "of the rows in gold, 1 is an exact copy of another one (`copy_of` says which); `stance train` counts them once"
    )
    assert said in published(done, tmp_path, "", asked=False)
    told = published(msgspec.structs.replace(done, copies=0), tmp_path, "", asked=False)
    assert not any("exact cop" in line for line in told)


def test_one_open_sentence_is_told_of_in_the_singular(finished: Path) -> None:
    work = finished / "work"
    first = read_jsonl(work / "queue.jsonl", Unsettled, "")[0]
    id_ = first.sentence_id
    assert open_sentences(work)[0] == first
    said = what_to_do(work, [id_], SentQueue())
    start = "`stance push --limit 0` puts it into the queue, if no other computer has done so already; decide it there"
    assert said.startswith(f"{start}, then `stance pull`, ")
    assert said.endswith("; or leave it out: `stance publish --allow-open`")
    there = SentQueue(url="http://studio.example/projects/2", sentences=[id_])
    assert what_to_do(work, [id_], there).startswith(f"decide it in the queue at {there.url}, then `stance pull`, ")
    assert "puts 1 of them into the queue" in what_to_do(work, [id_, "another"], there)


def test_an_open_sentence_that_left_the_corpus_holds_nothing_up(finished: Path, tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(finished, project)
    work = project / "work"
    queue = read_jsonl(work / "queue.jsonl", Unsettled, "")
    answers = [
        Adjudication(sentence_id=row.sentence_id, adjudicator=who, stance=stance, votes=row.votes)
        for row in queue
        for who, stance in (("A8", DEFAULT.names[0]), ("A9", DEFAULT.names[1]))
    ]
    write_jsonl(table_path(work, "adjudications.jsonl"), answers)
    gone = pa.array([row.sentence_id for row in queue])
    table = pq.read_table(work / "sentences.parquet")
    write_table(work / "sentences.parquet", table.filter(pc.invert(pc.is_in(table["sentence_id"], gone))))
    adjudicate(work, LabelingSettings())
    assert len(read_jsonl(work / "queue.jsonl", Unsettled, "")) == 6
    assert publish_release(project, tmp_path / "dataset", allow_open=False).unsettled == 0


def test_what_people_wrote_in_the_card_survives_and_broken_yaml_stops(finished: Path, tmp_path: Path) -> None:
    out = tmp_path / "dataset"
    publish_release(finished, out)
    card = out / "README.md"
    card.write_bytes(card.read_bytes() + b"\n## Our own words\n\nKept.\n")
    with pytest.raises(PublishError, match=r"changed: README.md;"):
        check_dataset(out)
    assert publish_release(finished, out).changed
    assert "## Our own words\n\nKept." in card.read_text("utf-8")
    assert "README.md" in check_dataset(out).right
    card.write_text(card.read_text("utf-8").replace("---\n", "---\nlicense: [broken\n", 1), "utf-8")
    before = _bytes(out)
    with pytest.raises(PublishError, match=r"README.md.*YAML"):
        publish_release(finished, out)
    assert _bytes(out) == before


@pytest.mark.parametrize(
    "key",
    [
        "name",
        "rationale",
        "annotators",
        "contact",
        "authors",
        "codebook.md",
        "README.md",
        "annotators.md",
        "CHANGELOG.md",
    ],
)
def test_a_stand_off_release_that_quotes_an_article_names_the_place_to_change(
    finished: Path, tmp_path: Path, key: str
) -> None:
    out = tmp_path / "dataset"
    quoted = " ".join((finished / "news" / "05.txt").read_text("utf-8").split()[1:9])
    settings, codebook = PublishSettings(), read_codebook(finished / "codebook.md")
    place = rf"stance\.toml, \[publish\] {key}"
    if key == "codebook.md":
        codebook = Codebook(text=f"{codebook.text}\nSay {quoted}.\n", version=codebook.version)
        place = r"codebook\.md, line 5"
    elif "." in key:
        publish_release(finished, out, settings)
        lines = (out / key).read_bytes() + f"\n## Ours\n\nThey say: {quoted}\n".encode()
        (out / key).write_bytes(lines)
        place = rf"{out / key}, line {lines.count(10)}"
    else:
        said: Any = [quoted] if key == "authors" else f"They say: {quoted}"
        settings = msgspec.structs.replace(settings, **{key: said})
    before = _bytes(tmp_path)
    with pytest.raises(PublishError, match=rf"^{place}: the words '.*' are in the article '05' too"):
        publish(finished / "work", out, "a target <b>", codebook, settings, inputs=PublishInputs(allow_open=True))
    assert _bytes(tmp_path) == before
    if key == "rationale":
        licensed = msgspec.structs.replace(settings, licence="cc-by-4.0")
        assert publish_release(finished, out, licensed).proof is None


def test_patterns_that_quote_articles_lines_are_in_no_stand_off_release(finished: Path, tmp_path: Path) -> None:
    line = (finished / "news" / "05.txt").read_text("utf-8").splitlines()[0]
    settings = Settings(corpus=CorpusSettings(patterns={"footer": [line]}))
    codebook = read_codebook(finished / "codebook.md")
    for standoff in (True, False):
        inputs = PublishInputs(settings=settings, standoff=standoff, allow_open=True)
        publish(finished / "work", tmp_path / "dataset", "a target <b>", codebook, SETTINGS, inputs=inputs)
        assert (line in (tmp_path / "dataset" / "manifest.json").read_text("utf-8")) is not standoff


def test_an_outlet_without_a_labelled_sentence_may_be_named_in_an_article(finished: Path, tmp_path: Path) -> None:
    project, name = tmp_path / "project", "The Voice of the Northern Valleys"
    shutil.copytree(finished, project)
    path = project / "work" / "articles.parquet"
    table = pq.read_table(path)
    more = table.slice(0, 1).to_pylist()[0] | {"article_id": "more", "outlet": name, "text": f"As {name} wrote."}
    write_table(path, pa.concat_tables([table, pa.Table.from_pylist([more], schema=table.schema)]))
    done = publish_release(project, tmp_path / "dataset", PublishSettings())
    assert name in (tmp_path / "dataset" / "README.md").read_text("utf-8")
    assert done.proof
    assert done.proof.articles == 31


@pytest.mark.slow
def test_a_release_of_the_other_kind_leaves_nothing_behind(finished: Path, tmp_path: Path) -> None:
    for name, standoff in (("text", False), ("standoff", True), ("text", False)):
        publish_release(finished, tmp_path / "dataset", standoff=standoff)
        publish_release(finished, tmp_path / name, standoff=standoff)
        assert _bytes(tmp_path / "dataset") == _bytes(tmp_path / name)


def test_an_older_part_of_a_split_goes_and_other_files_stay(finished: Path, tmp_path: Path) -> None:
    out = tmp_path / "dataset"
    publish_release(finished, out)
    shutil.copy(out / "gold" / "train-00000-of-00001.parquet", out / "gold" / "train-00001-of-00002.parquet")
    write_bytes(out / "NOTES.txt", b"ours")
    assert publish_release(finished, out).changed
    assert not (out / "gold" / "train-00001-of-00002.parquet").exists()
    assert (out / "NOTES.txt").read_bytes() == b"ours"


def test_broken_off_at_any_file_the_check_says_so_and_the_next_publish_ends_right(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_release(finished, tmp_path / "old", standoff=True)
    publish_release(finished, tmp_path / "new")
    # The release before had a file more.
    record = read_manifest(tmp_path / "old")
    shutil.copy(tmp_path / "old" / "codebook.md", tmp_path / "old" / "RULES.md")
    record = msgspec.structs.replace(record, files=record.files | {"RULES.md": record.files["codebook.md"]})
    write_bytes(tmp_path / "old" / "manifest.json", to_json(record))
    check_dataset(tmp_path / "old")
    old, new = _bytes(tmp_path / "old"), _bytes(tmp_path / "new")
    for step in range(len(new)):
        out = tmp_path / f"broken{step}"
        shutil.copytree(tmp_path / "old", out)
        left = [step]

        def writing(path: Path, data: bytes, left: list[int] = left) -> bool:
            left[0] -= 1
            if left[0] < 0:
                raise KeyboardInterrupt
            return write_bytes(path, data)

        monkeypatch.setattr(publishing, "write_bytes", writing)
        with pytest.raises(KeyboardInterrupt):
            publishing._replace(new, out)
        monkeypatch.setattr(publishing, "write_bytes", write_bytes)
        if _bytes(out) != old:
            with pytest.raises(PublishError, match=r"is not the release that its manifest"):
                check_dataset(out)
        if step in (1, len(new) - 1):
            publish_release(finished, out)
        else:
            publishing._replace(new, out)
        assert _bytes(out) == new


# --- the page


def test_the_report_shows_the_numbers_and_loads_nothing(finished: Path, tmp_path: Path, browser: Browser) -> None:
    copy_tables(finished / "work", tmp_path / "work")
    assert report(tmp_path / "work", "a target <b>")
    assert not report(tmp_path / "work", "a target <b>")
    page = browser.new_page(viewport={"width": 390, "height": 800})
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.goto((tmp_path / "work" / "report.html").as_uri())
    assert len(asked) == 1
    assert complaints == []
    assert page.title() == "Stance toward a target <b>"
    text = page.inner_text("body")
    for expected in ("Krippendorff’s alpha", "Confusion matrix", "Strongest n-grams", "F_avg", HOSTILE):
        assert expected in text
    metrics = re.search(r'"f_avg": \{\s*"value": ([\d.]+)', (tmp_path / "work" / "model" / "metrics.json").read_text())
    assert metrics
    assert f"{float(metrics.group(1)):.3f}" in text
    # Nothing is wider than a phone's screen but what scrolls in itself.
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.close()
