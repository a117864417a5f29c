"""What comes from outside: answers, accounts, addresses, settings and files that are not as they should be."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.errors import ConfigError, StudioError, TableError
from corpus.store import read_jsonl, table_path, write_jsonl
from labeling.adjudicate import adjudicate, settle
from labeling.codebook import read_codebook
from labeling.identity.account_register import FILE, Account, KnownServer, Person, Register, write_register
from labeling.identity.pseudonyms import ignored, name_accounts, read_names
from labeling.records import Adjudication, Annotation, LabelingSettings
from labeling.studio.answers import chosen, foreign_stance, read_answer
from labeling.studio.connection import KEY_FILE, Server, check, find_server
from labeling.studio.tasks import read_predictions
from labeling.sync.merge_answers import Merged, merge, pair, superseded
from tests.conftest import book, vote


def _raw(*parts: Any, **more: object) -> dict[str, Any]:
    return {"id": 7, "result": list(parts), **more}


# --- answers


@pytest.mark.parametrize(
    "raw",
    [
        _raw("x"),
        _raw({"value": None}),
        _raw({"from_name": "stance", "value": {"choices": [3]}}),
        _raw(chosen("stance", "favor"), lead_time="soon"),
        _raw(chosen("stance", "favor"), created_at=5),
    ],
)
def test_an_answer_of_another_shape_is_one_error_that_names_it(raw: dict[str, Any]) -> None:
    with pytest.raises(StudioError, match="annotation 7"):
        read_answer(raw, "s", "A1", book("1.0"))


def test_an_answer_without_a_result_is_a_skip_where_it_says_so() -> None:
    assert read_answer({"id": 7, "result": None, "was_cancelled": True}, "s", "A1", book("1.0")).stance is None
    with pytest.raises(StudioError, match=r"annotation 7 .*found none"):
        read_answer({"id": 7, "result": None}, "s", "A1", book("1.0"))


def test_a_comment_is_no_choice_of_another_project() -> None:
    comment = {"from_name": "why", "type": "textarea", "value": {"text": ["pro"]}}
    assert foreign_stance(_raw(chosen("label", "irrelevant"), comment)).stance is None
    assert foreign_stance(_raw(chosen("label", "Con"), comment)).stance == "against"
    assert foreign_stance(_raw({"type": "relation", "from_id": "a"}, chosen("label", "Con"))).stance == "against"


def test_answers_written_by_hand_have_no_number_and_stay_as_they_are() -> None:
    rows = [vote("s1", "A1", "favor"), vote("s1", "A2", "none"), vote("s2", "A1", "favor")]
    new = [vote("s3", "A1", "favor", studio_id=1)]
    merged = merge(rows, new, pair(rows, new))
    assert merged == Merged(rows=[*rows, *new], edits=[], gone=[])


def test_answers_of_two_servers_with_one_number_are_no_edit() -> None:
    one = vote("s1", "A1", "favor", adopted=True, studio_id=1, created_at="2026-01-01", updated_at="2026-01-01")
    two = vote("s2", "A2", "none", adopted=True, studio_id=1, created_at="2026-02-02", updated_at="2026-02-02")
    merged = merge([one], [two], pair([one], [two]))
    assert (merged.rows, superseded(merged, [])) == ([one, two], [])


@given(st.randoms(use_true_random=False), st.lists(st.tuples(st.sampled_from(["favor", "none"]), st.booleans())))
def test_the_order_of_answers_of_one_moment_decides_nothing(
    chance: random.Random, said: list[tuple[Any, bool]]
) -> None:
    rows = [vote("s", "A1", stance, unsure=unsure) for stance, unsure in said]
    other = list(rows)
    chance.shuffle(other)
    assert settle(rows) == settle(other)


# --- accounts


def _named(register: Register, place: KnownServer, *keys: str, **how: Any) -> dict[str, str]:
    rest: dict[str, Any] = {"known": {}, "taken": set(), "in_step": True, **how}
    addresses: dict[str, str] = rest.pop("addresses", {})
    return name_accounts(register, place, dict.fromkeys(keys, "") | addresses, **rest).people


def test_a_pseudonym_is_given_once_though_the_private_file_lost_it() -> None:
    register, place = Register(), KnownServer()
    assert _named(register, place, "1", "2") == {"1": "A1", "2": "A2"}
    register.places = [other := KnownServer()]
    assert _named(register, other, "3", taken={"A1", "A12", "unknown 3"}) == {"3": "A13"}


def test_accounts_of_another_server_are_other_people() -> None:
    register = Register(places=[here := KnownServer(), there := KnownServer()])
    assert _named(register, here, "1", "2", "10") == {"1": "A1", "2": "A2", "10": "A3"}
    assert _named(register, there, "1") == {"1": "A4"}


def test_an_account_keeps_the_name_that_its_answers_came_home_under() -> None:
    known = {"2": Counter(A1=1), "3": Counter(A3=1, A2=5)}
    assert _named(Register(), KnownServer(), "2", "3", "4", known=known) == {"2": "A1", "3": "A2", "4": "A3"}
    register = Register(places=[place := KnownServer(accounts={"2": Account(person="A7")})])
    assert _named(register, place, "2", known=known) == {"2": "A7"}
    assert _named(register, place, "2", known=known, in_step=False) == {"2": "A1"}


def test_an_address_that_several_people_had_tells_nobody() -> None:
    places = [
        KnownServer(accounts={"1": Account(person=name, addresses=["kim@lab.example", "b@x.example"])})
        for name in ("A1", "A2")
    ]
    register = Register(places=[*places, new := KnownServer()])
    assert _named(register, new, "1", addresses={"1": "kim@lab.example"}) == {"1": "A3"}
    places[1].accounts["1"].addresses.append("kim@lab.example")  # has it now
    register.places = [*places, new := KnownServer()]
    assert _named(register, new, "1", addresses={"1": "kim@lab.example"}) == {"1": "A2"}


def test_an_ignored_person_is_known_by_every_address_and_name(tmp_path: Path) -> None:
    account = Account(person="A1", addresses=["old@lab.example", "test@lab.example"])
    people = {"A2": Person(names=["bob"], also=["A5"])}
    write_register(tmp_path, Register(people=people, places=[KnownServer(accounts={"1": account})]))
    for name in ("Test@Lab.example ", "OLD@lab.example", "a1"):
        assert ignored(tmp_path, [name]) == {"A1"}
    for name in ("Bob", "a2", "A5"):
        assert ignored(tmp_path, [name]) == {"A2"}


@pytest.mark.parametrize("text", ['{"places": [{"accounts": 1}]}', '{"kim@x": 1}', "[]", '{"places": [], "x": 1}'])
def test_a_private_file_of_another_form_is_one_clear_error(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).parent.mkdir()
    (tmp_path / FILE).write_text(text)
    with pytest.raises(TableError, match="which annotator is A1, A2"):
        read_names(tmp_path)


def test_an_ignored_account_settles_nothing_in_the_queue_either(tmp_path: Path) -> None:
    from tests.support.corpora import corpus_of

    corpus_of(tmp_path, {"s": "s"})
    write_jsonl(table_path(tmp_path, "annotations.jsonl"), [vote("s", "A1", "favor"), vote("s", "A2", "none")])
    trial = Adjudication(sentence_id="s", adjudicator="A3", stance="none", votes={"A1": "favor", "A2": "none"})
    write_jsonl(table_path(tmp_path, "adjudications.jsonl"), [trial])
    assert adjudicate(tmp_path, LabelingSettings()).settled == {"adjudicated": 1}
    done = adjudicate(tmp_path, LabelingSettings(), ignored={"A3"})
    assert (done.settled, done.unsettled, done.ignored) == ({}, 1, ["A3"])


# --- settings and files


@pytest.mark.parametrize("title", [" Stance", "Stance\n", "    "])
def test_a_title_that_the_server_would_change_is_refused(title: str) -> None:
    """It would never be found again, and each push would make another project."""
    with pytest.raises(ValueError, match="outer spaces"):
        LabelingSettings(title=title)


def test_projects_of_long_titles_stay_apart_and_within_what_the_server_takes() -> None:
    ours, theirs = (
        LabelingSettings(
            title=f"Stance: sending Western troops to Ukraine, {name}".ljust(50, "."), overlap=12, blind=True
        )
        for name in ("one", "two")
    )
    titles = [*ours.titles, ours.queue_title, *theirs.titles, theirs.queue_title]
    assert len(set(titles)) == 26
    assert max(map(len, titles)) == 50
    assert LabelingSettings(title="Stance", blind=True, overlap=2).titles == ["Stance - 1", "Stance - 2"]


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("# Book\n\n## Version history\n\nVersion 1.2\n", "1.2"),
        ("**Version:** v3", "v3"),
        ("version pilot-2", "pilot-2"),
    ],
)
def test_a_codebooks_version_is_the_one_that_it_states(tmp_path: Path, text: str, version: str) -> None:
    (tmp_path / "codebook.md").write_text(text)
    assert read_codebook(tmp_path / "codebook.md").version == version


@pytest.mark.parametrize("content", [b"Version\n\n1 rule\n", b"# Version history\n", b"Version 1.0 \xff"])
def test_a_codebook_without_a_version_or_of_no_utf_8_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "codebook.md").write_bytes(content)
    with pytest.raises(ConfigError, match=r"codebook\.md: expected"):
        read_codebook(tmp_path / "codebook.md")


def test_bytes_that_are_no_utf_8_are_one_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LABEL_STUDIO_URL", raising=False)
    monkeypatch.delenv("LABEL_STUDIO_API_KEY", raising=False)
    (tmp_path / "rows.jsonl").write_bytes(b'{"sentence_id": "\xff"}\n')
    with pytest.raises(TableError, match=r"rows\.jsonl, line 1"):
        read_jsonl(tmp_path / "rows.jsonl", Annotation, "stance pull")
    (tmp_path / FILE).parent.mkdir()
    (tmp_path / FILE).write_bytes(b'{"a@x": "\xff"}')
    with pytest.raises(TableError, match="restore it from a copy"):
        read_names(tmp_path)
    (tmp_path / KEY_FILE).write_bytes(b'{"url": "\xff"}')
    (tmp_path / KEY_FILE).chmod(0o600)
    with pytest.raises(ConfigError, match="restore it from a copy"):
        find_server(tmp_path)


def test_an_address_with_a_password_is_refused_without_showing_it() -> None:
    with pytest.raises(ConfigError, match="holds a user or password") as caught:
        check(Server(url="https://kim:secret-word@studio.example.org", api_key="k" * 40))
    assert "secret-word" not in str(caught.value)


@pytest.mark.parametrize("chance", [None, float("nan"), 1.5])
def test_predictions_that_no_server_can_be_told_are_refused(tmp_path: Path, chance: float | None) -> None:
    import pyarrow.parquet as pq

    row = {"sentence_id": "s", "stance": "favor", "model": "m", "favor": 0.5, "against": 0.2, "none": chance}
    pq.write_table(pa.Table.from_pylist([row]), tmp_path / "predictions.parquet")
    with pytest.raises(TableError, match="`stance predict` again"):
        read_predictions(tmp_path)
