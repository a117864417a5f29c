"""Annotators' names and addresses: planted in every file that could carry them, looked for in every byte."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.errors import PublishError
from corpus.store import read_jsonl, table_path, write_jsonl
from labeling.adjudicate import adjudicate
from labeling.codebook import read_codebook
from labeling.records import Adjudication, Annotation, LabelingSettings, Superseded, Unsettled, Verdict
from labeling.scheme import DEFAULT
from labeling.votes import latest_votes
from release.contents.privacy import PSEUDONYM, prove_private, release_names
from release.contents.rows import ANNOTATION
from release.publish import PublishInputs, PublishSummary, publish
from tests.conftest import vote
from train.settings import PublishSettings, Settings

NAMES = ("Ursula Quillfeather", "quillfeather", "Bertold Sandwhistle", "sandwhistle", "zq17", "m.ockingbird")
ADDRESSES = ("u.Quillfeather@planted.example", "zq17@planted.example", "m.ockingbird@else.example")
PLANTED = [name.casefold() for name in (*NAMES, *ADDRESSES)]
ACCOUNTS = {ADDRESSES[0]: "A1", ADDRESSES[1]: "A2", "account 7": "A3"}


@pytest.fixture
def planted(finished: Path, tmp_path: Path) -> Path:
    """The finished project with names in every field that people or accounts can fill."""
    project = tmp_path / "project"
    shutil.copytree(finished, project)
    work = project / "work"
    (project / ".stance").mkdir()
    (project / ".stance" / "annotators.json").write_bytes(msgspec.json.encode(ACCOUNTS))
    answers = read_jsonl(table_path(work, "annotations.jsonl"), Annotation, "")
    called = {"A1": ADDRESSES[0], "A2": "Bertold Sandwhistle", "A3": "m.ockingbird@else.example"}
    text = f"{NAMES[0]} <{ADDRESSES[0]}> would ask {NAMES[2]}"
    answers = [
        msgspec.structs.replace(row, annotator=called[row.annotator], comment=text, holder=text) for row in answers
    ]
    write_jsonl(table_path(work, "annotations.jsonl"), answers)
    write_jsonl(table_path(work, "history.jsonl"), [Superseded(why="edited", answer=answers[0])])
    votes = latest_votes(answers)
    settled = [
        Adjudication(
            sentence_id=row.sentence_id,
            adjudicator=NAMES[0],
            stance=row.stance,
            # Other votes than there are now flag the verdict.
            votes=votes[row.sentence_id] if n % 4 else {ADDRESSES[1]: "none"},
            note=text,
        )
        for n, row in enumerate(read_jsonl(work / "verdicts.jsonl", Verdict, ""))
        if n % 2
    ]
    for row in read_jsonl(work / "queue.jsonl", Unsettled, ""):
        by = votes[row.sentence_id]
        for who, stance in ((NAMES[0], DEFAULT.names[0]), (ADDRESSES[1], DEFAULT.names[2])):
            settled.append(
                Adjudication(sentence_id=row.sentence_id, adjudicator=who, stance=stance, votes=by, note=text)
            )
    write_jsonl(table_path(work, "adjudications.jsonl"), settled)
    adjudicate(work, LabelingSettings(), ignored={ADDRESSES[2]})
    return project


def _publish(project: Path, out: Path, settings: PublishSettings, *, standoff: bool = False) -> PublishSummary:
    codebook = read_codebook(project / "codebook.md")
    inputs = PublishInputs(
        settings=Settings(
            publish=settings,
            labeling=LabelingSettings(ignore=[ADDRESSES[2]], title="Sandwhistle's project"),
        ),
        accounts=ACCOUNTS,
        standoff=standoff,
        allow_open=True,
    )
    work = project / "work"
    return publish(work, out, "a target <b>", codebook, settings, {ADDRESSES[2]}, inputs=inputs)


def _found(folder: Path, wanted: list[str]) -> set[tuple[str, str]]:
    """Which of the words stand in which file, whether plain or inside Parquet."""
    found: set[tuple[str, str]] = set()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        texts = [path.relative_to(folder).as_posix(), path.read_bytes().decode("latin-1")]
        if path.suffix == ".parquet":
            table = pq.read_table(path)
            texts += [str(table.to_pylist()), str(table.schema.metadata), str(pq.read_metadata(path).metadata)]
        found |= {(path.name, word) for word in wanted for text in texts if word in text.casefold()}
    return found


@pytest.mark.parametrize("standoff", [False, True])
def test_no_planted_name_or_address_is_in_any_byte_of_a_release(planted: Path, tmp_path: Path, standoff: bool) -> None:
    assert len(_found(planted, PLANTED)) > 20
    out = tmp_path / "dataset"
    done = _publish(planted, out, PublishSettings(licence="cc-by-4.0"), standoff=standoff)
    assert _found(out, PLANTED) == set()
    # The address that is known has its pseudonym, the others have new ones: the ignored one isn't there at all.
    rows = pq.read_table(out / "annotations" / "train-00000-of-00001.parquet").to_pylist()
    assert {row["annotator"] for row in rows} == {"A1", "A4"}
    gold = pq.read_table(out / "gold" / "train-00000-of-00001.parquet").to_pylist()
    assert {who["annotator"] for row in gold for who in row["votes"]} == {"A1", "A4"}
    assert (done.renamed, done.comments, done.holders) == (3, len(rows), len(rows))
    assert "comment" not in ANNOTATION


def test_an_address_that_a_person_wrote_into_the_release_stops_it(planted: Path, tmp_path: Path) -> None:
    out = tmp_path / "dataset"
    with (planted / "codebook.md").open("a") as file:
        file.write(f"\nAsk {ADDRESSES[1].upper()}.\n")
    with pytest.raises(PublishError, match=r"codebook.md would hold zq17@planted.example, the\s+address of an annot"):
        _publish(planted, out, PublishSettings(licence="cc-by-4.0"))
    assert not out.exists()


@pytest.mark.parametrize("nested", [False, True])
def test_an_address_inside_a_compressed_column_is_found(tmp_path: Path, nested: bool) -> None:
    # Repeats break it up for the compressor, and long values stand in no statistics.
    value = "zq17@planted planted.example " * 300 + "zq17@planted.example"
    table = pa.Table.from_pylist([{"a": 1, "b": [{"c": value}] if nested else value}])
    path = tmp_path / "gold" / "test.parquet"
    path.parent.mkdir()
    pq.write_table(table, path, compression="zstd", write_statistics=False, use_dictionary=False)
    assert b"zq17@planted.example" not in path.read_bytes()
    with pytest.raises(PublishError, match=r"gold/test.parquet would hold zq17@planted.example"):
        prove_private(tmp_path, ACCOUNTS)
    prove_private(tmp_path, ["other@planted.example", "account 7"])


@pytest.mark.parametrize(
    "data",
    [
        b'{"asked": ["zq17\\u0040planted.example"]}',
        b'{"zq17@planted.example": 1}',
        b'{"asked": "zq17@planted.example", "asked": "nobody"}',
    ],
)
def test_an_address_in_json_is_found_however_it_is_written(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "croissant.json").write_bytes(data)
    with pytest.raises(PublishError, match=r"croissant.json would hold zq17@planted.example"):
        prove_private(tmp_path, ACCOUNTS)


def test_the_contact_may_be_an_annotator(planted: Path, tmp_path: Path) -> None:
    settings = PublishSettings(licence="cc-by-4.0", contact=ADDRESSES[0])
    _publish(planted, tmp_path / "dataset", settings)
    assert {word for _, word in _found(tmp_path / "dataset", [address.casefold() for address in ADDRESSES])} == {
        ADDRESSES[0].casefold()
    }


def test_a_holder_that_the_article_names_is_kept(finished: Path, tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(finished, project)
    answers = read_jsonl(project / "labels" / "annotations.jsonl", Annotation, "")
    text = {
        row["sentence_id"]: row["text"] for row in pq.read_table(project / "work" / "sentences.parquet").to_pylist()
    }
    holders = {row.sentence_id: text[row.sentence_id].split()[1].upper() for row in answers}
    write_jsonl(
        project / "labels" / "annotations.jsonl",
        [msgspec.structs.replace(row, holder=f"“{holders[row.sentence_id]}”") for row in answers],
    )
    done = _publish(project, tmp_path / "dataset", PublishSettings(licence="cc-by-4.0"))
    rows = pq.read_table(tmp_path / "dataset" / "annotations" / "train-00000-of-00001.parquet").to_pylist()
    assert {row["holder"] for row in rows} == {f"“{holder}”" for holder in holders.values()}
    assert done.holders == 0


known = st.dictionaries(st.sampled_from(["x@y.example", "z@y.example"]), st.sampled_from(["A1", "A2", "Xavier"]))


KNOWN_OR_NOT = st.sets(st.sampled_from(["A1", "A2", "A9", "deleted", "x@y.example", "Xavier", "a1"]))


@given(KNOWN_OR_NOT, KNOWN_OR_NOT, known)
def test_adjudicators_have_pseudonyms_that_change_no_annotators(
    names: set[str], adjudicators: set[str], known: dict[str, str]
) -> None:
    verdicts = [
        Verdict(sentence_id=name, stance="none", how="adjudicated", votes={}, adjudicator=name) for name in adjudicators
    ]
    answers = [vote("s", name, "none") for name in names]
    found: dict[str, Any] = release_names(answers, verdicts, known)
    assert found.keys() == names | adjudicators
    assert all(PSEUDONYM.fullmatch(called) for called in found.values())
    assert {name: found[name] for name in names} == release_names(answers, [], known)
    people = {name: known.get(name, name) if PSEUDONYM.fullmatch(known.get(name, name)) else name for name in found}
    assert len(set(found.values())) == len(set(people.values()))


@given(st.sets(st.sampled_from(["A1", "A2", "A9", "deleted", "x@y.example", "Xavier", "a1"])), known)
def test_names_of_a_release_are_pseudonyms_and_no_two_people_share_one(names: set[str], known: dict[str, str]) -> None:
    verdict = Verdict(sentence_id="s", stance="none", how="single", votes=dict.fromkeys(sorted(names), "none"))
    found: dict[str, Any] = release_names([vote("s", name, "none") for name in names], [verdict], known)
    assert found.keys() == names
    assert all(PSEUDONYM.fullmatch(called) for called in found.values())
    assert all(found[name] == name for name in names if PSEUDONYM.fullmatch(name))
    # Two names are one person where the accounts' file says so, and nowhere else.
    people = {name: known.get(name, name) if PSEUDONYM.fullmatch(known.get(name, name)) else name for name in names}
    assert len(set(found.values())) == len(set(people.values()))
