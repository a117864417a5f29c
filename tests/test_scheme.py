"""The label scheme of a project: what `[labels]` may say, and what is said of one that cannot be used."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.errors import ConfigError, TableError
from labeling.records import Annotation, Verdict
from labeling.scheme import ALIASES, DEFAULT, LONGEST, RESERVED, Scheme, read_labelled
from release.contents.manifest import configuration
from train import input_digests
from train.settings import Settings, read_settings
from train.starter import write_project

RUMOUR = Scheme(names=["support", "deny", "query", "comment"])


def read(folder: Path, text: str) -> Scheme:
    (folder / "stance.toml").write_text(text, "utf-8")
    return read_settings(folder, required=True).labels


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "names = ['one']",
            r"line 2: labels: names: expected 2 to 9 labels, as the keys 1 to 9 .*; found 1 label, one",
        ),
        ("names = []", "names: expected 2 to 9 labels, as the keys 1 to 9 choose them; found none"),
        (f"names = {[str(n) for n in range(10)]}", "found 10 labels, 0, 1, 2"),
        (
            "names = ['Pro', 'con', 'pro']",
            "expected different labels, also without regard to case; '[Pp]ro' stands twice",
        ),
        ("names = ['pro', 'con,tra']", r"expected labels of up to 30 letters, .*; got 'con,tra'"),
        ("names = ['pro', ' con']", "got ' con'"),
        ("names = ['pro', '']", "got ''"),
        (f"names = ['pro', '{'x' * (LONGEST + 1)}']", "got 'xxx"),
        ("names = ['pro', 'cafe\u0301']", "got 'cafe"),
        ("names = ['pro', 'a\\nb']", r"got 'a\\\\nb'"),
        ("names = ['pro', 'Stance']", "'Stance' is the name of a column in stance's own tables; choose another word"),
        ("scored = ['support']", "line 2: labels: scored: 'support' is not one of the names, which are favor, against"),
        ("names = ['pro', 'con']\nscored = ['pro', 'pro']", "line 3: labels: scored: expected each label once"),
        (
            "names = ['pro', 'con']\n[labels.hints]\nfor = 'x'",
            "hints: 'for' is not one of the names, which are pro, con",
        ),
        ('[labels.hints]\nfavor = "a\\u0007b"', "expected one line for 'favor', of printable characters"),
        ("nammes = ['pro', 'con']", r"line 2: \[labels\] has no key nammes \(did you mean names\?\)"),
        ("names = 'pro, con'", "line 2: labels.names: expected a list in square brackets"),
    ],
)
def test_a_scheme_that_a_page_or_a_table_could_not_hold_is_refused(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=message):
        read(tmp_path, f"[labels]\n{text}\n")


def test_what_is_left_out_follows_the_names(tmp_path: Path) -> None:
    assert read(tmp_path, "[target]\nname = 'x'\n") == read(tmp_path, "[labels]\n") == DEFAULT == Scheme()
    assert DEFAULT.scored == DEFAULT.names[:2]
    found = read(tmp_path, "[labels]\nnames = ['-2', '-1', '0', '+1', '+2']\nordered = true\n")
    assert (found.scored, found.hints, found.ordered) == (found.names, {}, True)
    assert read(tmp_path, "[labels]\nnames = ['dafür', 'dagegen']\nscored = ['dagegen']\n").columns == [1]


def test_a_new_project_states_the_scheme_and_reads_it_again(tmp_path: Path) -> None:
    write_project(tmp_path)
    text = (tmp_path / "stance.toml").read_text("utf-8")
    assert "[labels.hints]" in text
    assert f'"{DEFAULT.names[0]}" = ' in text
    assert read_settings(tmp_path, required=True).labels == DEFAULT


def test_only_the_default_scheme_knows_aliases() -> None:
    assert {DEFAULT.read(f" {alias.upper()} ") for alias in ALIASES} == set(DEFAULT.names)
    assert RUMOUR.read("Support") == "support"
    assert RUMOUR.read("favour") is None


def test_no_digest_and_no_release_changes_with_the_default_scheme() -> None:
    other = Settings(labels=RUMOUR)
    assert "labels" not in configuration(Settings(), standoff=False)
    assert configuration(other, standoff=False)["labels"]["names"] == RUMOUR.names
    assert input_digests.of_report({}, "x", Settings()) != input_digests.of_report({}, "x", other)


@given(names=st.lists(st.text(max_size=8), max_size=11), ordered=st.booleans())
def test_a_scheme_that_is_accepted_survives_its_file(names: list[str], ordered: bool) -> None:
    try:
        scheme = Scheme(names=names, ordered=ordered)
    except ValueError as error:
        assert str(error).startswith("names: ")  # noqa: PT017 - any other error is a fault
        return
    assert msgspec.toml.decode(msgspec.toml.encode(scheme), type=Scheme) == scheme
    assert not RESERVED & {name.casefold() for name in scheme.names}
    assert [scheme.read(f"\t{name.upper()}") or scheme.read(name) for name in names] == names


def test_a_label_that_is_not_of_the_scheme_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "annotations.jsonl"
    rows = [Annotation(sentence_id=str(n), annotator="A1", stance=label) for n, label in enumerate([None, "deny"])]
    path.write_bytes(b"\n".join(map(msgspec.json.encode, rows)))
    assert read_labelled(path, Annotation, "stance pull", RUMOUR) == rows
    message = r"annotations.jsonl, line 2: expected one of the labels .*, favor, against, none; found 'deny'"
    with pytest.raises(TableError, match=message):
        read_labelled(path, Annotation, "stance pull", DEFAULT)
    verdict = Verdict(sentence_id="1", stance="deny", how="majority", votes={"A1": "deny", "A2": "refute"})
    path.write_bytes(msgspec.json.encode(verdict))
    with pytest.raises(TableError, match=r"line 1: .*; found 'refute'. Put this label back into"):
        read_labelled(path, Verdict, "stance adjudicate", RUMOUR)
