"""Codebooks change: what their change list says, and which votes and verdicts that re-opens."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import msgspec
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.errors import ConfigError, PublishError
from corpus.store import read_jsonl, table_path, write_jsonl
from labeling.adjudicate import adjudicate, settle
from labeling.codebook import Change, Codebook, read_codebook
from labeling.messages.adjudicate import adjudicated
from labeling.migration.migrated_answers import Migrated, write_migrated
from labeling.records import Adjudication, Annotation, LabelingSettings, Verdict
from labeling.scheme import DEFAULT, Scheme
from labeling.settling.carried_votes import carry
from labeling.studio.answers import chosen
from labeling.studio.project_page import instruction
from labeling.sync.export_files import read_export
from release.contents.rows import check_labels
from tests.conftest import book, vote
from tests.support.commands import run_command
from tests.support.corpora import corpus_of
from tests.support.releases import publish_release

LIST = """---
version: 2.0
reopens: [none]
renames: {neutral: none}
earlier:
- version: 1.10
  reopens: []
- version: 1.0
---
# Codebook

The rules.
"""


def _read(folder: Path, text: str) -> Codebook:
    (folder / "codebook.md").write_text(text, "utf-8")
    return read_codebook(folder / "codebook.md")


def test_a_change_list_states_each_version_and_what_it_changed(tmp_path: Path) -> None:
    found = _read(tmp_path, LIST)
    assert found.version == "2.0"
    assert found.changes == (
        Change(version="1.0"),
        Change(version="1.10", reopens=frozenset()),
        Change(version="2.0", reopens=frozenset({"none"}), renames={"neutral": "none"}),
    )
    assert found.rules == "# Codebook\n\nThe rules.\n"
    assert "earlier" not in instruction(found)
    assert found.text == LIST  # what is published is the whole file


def test_a_change_list_may_be_one_entry_and_stand_above_todays_version_line(tmp_path: Path) -> None:
    found = _read(tmp_path, "---\nversion: 1.1\nreopens: []\n---\n# Book\n\nVersion 1.1\n")
    assert found.asked_again_at("favor", "1.0") is None
    plain = _read(tmp_path, "# Book\n\nVersion 1.1\n")
    assert plain.changes == ()
    assert plain.asked_again_at("favor", "1.0") == 0
    for other in ("---\ntitle: A book\n---\nVersion 1.1\n", "---\n# Book: a draft\nfoo: [bar\n---\nVersion 1.1\n"):
        assert _read(tmp_path, other) == Codebook(text=other, version="1.1")


@pytest.mark.parametrize(
    ("front", "message"),
    [
        ("version: 2.0\nreopen: [none]", "unknown field `reopen`"),
        ("reopens: [none]", "missing required field `version`"),
        ("version: two", "a version with a digit in it, such as 1.0; found 'two'"),
        ("version: 2.0\nreopens: none", "Expected `array"),
        ("version: 2.0\nreopens: [none", "Expected lines such as"),
        ("version: 2.0\nreopens: [a]\nrenames: {a: b}", "version 2.0 both reopens and renames a"),
        ("version: 1.0\nearlier:\n- version: 2.0", "found 1.0 above 2.0"),
        ("version: 2.0\nearlier:\n- version: 2.0", "version 2.0 is listed twice"),
        ("version: 2.0", "states two versions, 2.0 in the change list at its top and 3.0 below it"),
    ],
)
def test_a_change_list_that_cannot_be_meant_is_refused(tmp_path: Path, front: str, message: str) -> None:
    with pytest.raises(ConfigError, match=r"codebook\.md") as caught:
        _read(tmp_path, f"---\n{front}\n---\n# Book\n\nVersion 3.0\n")
    assert message in str(caught.value)


def test_labels_follow_the_chain_of_versions() -> None:
    chain = book(
        "2.0",
        Change(version="1.0"),
        Change(version="1.1", reopens=frozenset({"against"}), renames={"neutral": "neither"}),
        Change(version="2.0", reopens=frozenset({"favor"}), renames={"neither": "none"}),
    )
    assert chain.called_now("neutral", "1.0") == chain.called_now("neither", "1.1") == "none"
    assert chain.called_now("neutral", "1.1") == "neutral"
    again = {(label, version): chain.asked_again_at(label, version) for label in LABELS for version in VERSIONS}
    assert again == {
        ("favor", "0.9"): 0, ("against", "0.9"): 0, ("neutral", "0.9"): 0, ("neither", "0.9"): 0, ("none", "0.9"): 0,
        ("favor", "1.0"): 2, ("against", "1.0"): 1, ("neutral", "1.0"): None, ("neither", "1.0"): None,
        ("none", "1.0"): None,
        ("favor", "1.1"): 2, ("against", "1.1"): None, ("neutral", "1.1"): None, ("neither", "1.1"): None,
        ("none", "1.1"): None,
        ("favor", "2.0"): None, ("against", "2.0"): None, ("neutral", "2.0"): None, ("neither", "2.0"): None,
        ("none", "2.0"): None,
        ("favor", ""): None, ("against", ""): None, ("neutral", ""): None, ("neither", ""): None, ("none", ""): None,
        ("favor", "1.5"): 2, ("against", "1.5"): 2, ("neutral", "1.5"): 2, ("neither", "1.5"): 2, ("none", "1.5"): 2,
    }  # fmt: skip


LABELS = ["favor", "against", "neutral", "neither", "none"]
VERSIONS = ["0.9", "1.0", "1.1", "2.0", "", "1.5"]
"""Versions before the list, in it, not stated, and missing in it."""
SCHEME = Scheme(names=LABELS)
NAMES = st.sampled_from(LABELS)


@st.composite
def _changes(draw: st.DrawFn, version: str) -> Change:
    renames = draw(st.dictionaries(NAMES, NAMES, max_size=2))
    reopens = draw(st.none() | st.frozensets(NAMES.filter(lambda name: name not in renames), max_size=2))
    return Change(version=version, reopens=reopens, renames=renames)


BOOKS = st.tuples(*(_changes(version) for version in ("1.0", "1.1", "2.0"))).map(lambda rows: book("2.0", *rows))
VOTES = st.lists(
    st.builds(
        vote,
        st.sampled_from(["s", "t"]),
        st.sampled_from(["A1", "A2", "A3"]),
        NAMES,
        codebook=st.sampled_from(VERSIONS),
    ),
    max_size=8,
    unique_by=lambda row: (row.sentence_id, row.annotator),
)


@given(BOOKS, NAMES)
def test_two_steps_of_a_chain_are_one_step_after_the_other(chain: Codebook, label: str) -> None:
    first = Codebook(text="", version="1.1", changes=chain.changes[:2])
    middle = first.called_now(label, "1.0")
    assert chain.called_now(label, "1.0") == chain.called_now(middle, "1.1")
    asked = first.asked_again_at(label, "1.0")
    assert chain.asked_again_at(label, "1.0") == (chain.asked_again_at(middle, "1.1") if asked is None else asked)


@given(BOOKS, VOTES)
def test_a_sentence_is_open_again_just_where_a_vote_must_be_given_again_and_nobody_voted_since(
    chain: Codebook, votes: list[Annotation]
) -> None:
    versions = [change.version for change in chain.changes]

    def history(row: Annotation) -> tuple[str, int | None]:
        """The vote's label after every change that came later, and the change that first asked for it again."""
        label, asked = str(row.stance), None
        if row.codebook == "1.5":
            return label, len(versions) - 1
        for number, change in enumerate(chain.changes):
            later = bool(row.codebook) and (row.codebook == "0.9" or versions.index(row.codebook) < number)
            if not later:
                continue
            again = label in change.reopens if change.reopens is not None else label not in change.renames
            asked = number if again and asked is None else asked
            label = change.renames.get(label, label)
        return label, asked

    found = settle(votes, codebook=chain, scheme=SCHEME)
    for key in {row.sentence_id for row in votes}:
        here = [row for row in votes if row.sentence_id == key]
        counting = [row for row in here if history(row)[1] is None]
        asked = [change for row in here if (change := history(row)[1]) is not None]
        since = max((len(versions) - 1 if not row.codebook else _at(versions, row) for row in counting), default=-1)
        reopened = any(since < change for change in asked)
        assert (key in found.again) == reopened
        assert any(row.sentence_id == key for row in found.queue) >= reopened
        for verdict in found.verdicts:
            if verdict.sentence_id == key:
                assert verdict.votes == {row.annotator: history(row)[0] for row in counting}


def _at(versions: list[str], row: Annotation) -> int:
    return versions.index(row.codebook) if row.codebook in versions else -1


@given(VOTES)
def test_without_a_change_list_votes_count_under_their_own_version_alone(votes: list[Annotation]) -> None:
    valid = carry(votes, book("1.1"), SCHEME).valid
    assert valid == [row for row in votes if row.codebook in {"", "1.1"}]
    assert carry(votes, None, SCHEME).valid == votes


def test_what_a_person_settled_moves_along_and_stays_where_its_label_does() -> None:
    def settled(stance: str) -> Adjudication:
        return Adjudication(sentence_id="s", adjudicator="A9", stance=stance, votes={"A1": "neutral"}, codebook="1.0")

    chain = book("2.0", Change(version="1.0"), Change(version="2.0", reopens=frozenset({"favor", "mixed"}),
                                                      renames={"neutral": "none"}))  # fmt: skip
    rows = [vote("s", "A1", "neutral", codebook="1.0")]
    moved = settle(rows, [settled("neutral")], codebook=chain).verdicts[0]
    assert (moved.stance, moved.votes, moved.flag) == ("none", {"A1": "none"}, "")
    stands = settle(rows, [settled("favor")], codebook=chain).verdicts[0]
    assert (stands.stance, stands.flag) == ("favor", "settled under codebook 1.0; it is 2.0 now")
    gone = settle(rows, [settled("mixed")], codebook=chain)
    assert gone.verdicts == []
    assert gone.again == {"s": {"A9": "mixed"}}


def test_a_dry_run_counts_what_would_re_open_and_writes_nothing(tmp_path: Path) -> None:
    work = tmp_path / "work"
    corpus_of(work, {f"s{n}": f"s{n}" for n in range(5)})
    labels = ["favor", "none", "none", "neutral", "against"]
    rows = [vote(f"s{n}", who, label, codebook="1.0") for n, label in enumerate(labels) for who in ("A1", "A2")]
    write_jsonl(table_path(work, "annotations.jsonl"), rows)
    adjudicate(
        work, LabelingSettings(), codebook=book("1.0"), scheme=Scheme(names=["favor", "against", "none", "neutral"])
    )
    held = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    chain = book("2.0", Change(version="1.0"), Change(version="2.0", reopens=frozenset({"none"}),
                                                      renames={"neutral": "none"}))  # fmt: skip
    done = adjudicate(work, LabelingSettings(), codebook=chain, dry_run=True)
    assert held == {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert (done.reopened, done.again, done.moved, done.changed) == (2, {"none": 2}, {"neutral → none": 1}, False)
    text = "\n".join(adjudicated(done, 1, work, dry_run=True))
    assert "2 sentences that had a verdict would have none" in text
    assert "2 of them because the codebook asks for votes again: 2 none" in text
    assert "1 verdict would get another label: 1 neutral → none" in text
    assert text.endswith("dry run: nothing was written")
    adjudicate(work, LabelingSettings(), codebook=chain)
    verdicts = read_jsonl(work / "verdicts.jsonl", Verdict, "")
    assert {row.sentence_id: row.stance for row in verdicts} == {"s0": "favor", "s3": "none", "s4": "against"}


def test_labels_that_would_change_are_listed_in_the_order_of_the_settings(tmp_path: Path) -> None:
    work = tmp_path / "work"
    labels = ["support", "query", "deny", "comment"]
    corpus_of(work, {f"s{n}": f"s{n}" for n in range(8)})
    rows = [vote(f"s{n}", who, labels[n % 4], codebook="1.0") for n in range(8) for who in ("A1", "A2")]
    write_jsonl(table_path(work, "annotations.jsonl"), rows)
    adjudicate(work, LabelingSettings(), codebook=book("1.0"), scheme=Scheme(names=labels))
    chain = book("2.0", Change(version="1.0"), Change(version="2.0", reopens=frozenset({"support", "query"}),
                                                      renames={"deny": "comment", "comment": "deny"}))  # fmt: skip
    done = adjudicate(work, LabelingSettings(), codebook=chain, scheme=Scheme(names=labels), dry_run=True)
    assert [*done.again] == ["support", "query"]
    assert [*done.moved] == ["deny → comment", "comment → deny"]


def test_a_release_takes_labels_that_the_change_list_explains_and_no_others(tmp_path: Path) -> None:
    chain = book("2.0", Change(version="2.0", reopens=frozenset({"mixed"}), renames={"neutral": "none"}))
    rows = [vote("s0", "A1", "neutral", codebook="1.0"), vote("s1", "A1", "mixed", codebook="1.0")]
    write_jsonl(tmp_path / "annotations.jsonl", rows)
    check_labels(tmp_path, DEFAULT, chain)
    assert [row.stance for row in carry(rows, chain).every] == ["none"]  # nobody can choose "mixed" any more
    for known in (None, book("2.0", Change(version="2.0", reopens=frozenset()))):
        with pytest.raises(PublishError, match=r"labels outside the codebook: 'mixed' \(1\), 'neutral' \(1\)"):
            check_labels(tmp_path, DEFAULT, known)


def test_an_export_of_a_migrated_server_changes_no_answer(tmp_path: Path) -> None:
    work = tmp_path / "work"
    corpus = corpus_of(work, {"s0": "s0"})
    chain = book("2.0", Change(version="1.0"), Change(version="2.0", reopens=frozenset(), renames={"neutral": "none"}))
    made = "2031-02-03T04:05:06.123456Z"

    def export(label: str, edited: str) -> Path:
        answer = {
            "id": 7, "completed_by": 1, "result": [chosen("stance", label)], "was_cancelled": False,
            "created_at": made, "updated_at": edited, "unique_id": "u7",
        }  # fmt: skip
        data = {"sentence_id": "s0", "text": "About s0."}
        path = tmp_path / "export.json"
        path.write_text(json.dumps([{"id": 3, "data": data, "created_at": made, "annotations": [answer]}]))
        return path

    def read(path: Path, codebook: Codebook, scheme: Scheme) -> bytes:
        read_export(path, corpus, work, tmp_path, codebook, annotator="Ann", scheme=scheme)
        return table_path(work, "annotations.jsonl").read_bytes()

    first = read(export("neutral", made), book("1.0"), SCHEME)
    later = "2031-02-04T00:00:00.000001Z"
    row = Migrated(
        studio_id=7, created_at=made, updated_at=made, was="neutral", codebook="1.0", now="none", to="2.0", at=later,
        answer={},
    )  # fmt: skip
    write_migrated(work, [row])
    scheme = Scheme(names=["favor", "against", "none"])
    assert read(export("none", later), chain, scheme) == first
    assert read(export("favor", "2031-02-05T00:00:00.000001Z"), chain, scheme) != first


@pytest.mark.parametrize("step", ["publish", "estimate"])
def test_answers_under_a_label_that_was_renamed_are_published_and_counted(
    finished: Path, tmp_path: Path, step: str
) -> None:
    project = tmp_path / "project"
    shutil.copytree(finished, project)
    path = table_path(project / "work", "annotations.jsonl")
    rows = [
        msgspec.structs.replace(row, stance="neutral" if row.stance == "none" else row.stance, codebook="1.0")
        for row in read_jsonl(path, Annotation, "")
    ]
    write_jsonl(path, rows)
    renamed = "---\nversion: 1.1\nreopens: []\nrenames: {neutral: none}\n---\n# Codebook\n\nThe rules.\n"
    (project / "codebook.md").write_text(renamed, "utf-8")
    run_command(project, "adjudicate")
    run_command(project, "train")
    if step == "publish":
        publish_release(project, tmp_path / "out")
        given = pq.read_table(tmp_path / "out" / "annotations").column("stance").to_pylist()
        assert {*given} == {None, 0, 1, 2}  # codes of the labels of today
    else:
        run_command(project, "predict")
        assert "annotators" in run_command(project, "estimate", "--plan", "--width", "0.2")
