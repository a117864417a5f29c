"""What a release says to those who register DOIs: Zenodo's deposit metadata, and DataCite's."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from corpus.errors import PublishError
from corpus.store import read_jsonl, table_path, write_jsonl
from labeling.records import Annotation
from release.contents.manifest import check_dataset
from tests.conftest import HOSTILE, copy_tables
from tests.support.releases import publish_release
from train.settings import PublishSettings

ZENODO_KEYS = {
    *("upload_type", "title", "description", "creators", "access_right", "license", "keywords", "version"),
    *("publication_date", "language", "notes", "related_identifiers"),
}
"""Those of the keys of https://developers.zenodo.org/#representation (deposit metadata) that stance writes."""
DATACITE_REQUIRED = {"creators", "titles", "publisher", "publicationYear", "types", "schemaVersion"}
"""The required properties of DataCite's JSON schema 4.5."""
FULL = PublishSettings(
    name="Stance | <b>Brennia</b>",
    version="1.2.0",
    licence="cc-by-4.0",
    authors=["Author, Ann", "The Stance & developers"],
    url="https://example.org/stance",
    doi="10.5281/zenodo.1003150",
    language=["de", "en"],
)


def metadata(release: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    return json.loads((release / ".zenodo.json").read_bytes()), json.loads((release / "datacite.json").read_bytes())


def check(zenodo: dict[str, Any], datacite: dict[str, Any]) -> None:
    """The rules of both formats for the keys that stance writes."""
    assert (
        {"upload_type", "title", "description", "creators", "access_right", "license"} <= zenodo.keys() <= ZENODO_KEYS
    )
    assert (zenodo["upload_type"], zenodo["access_right"]) == ("dataset", "open")
    assert all(row.keys() == {"name"} and row["name"] for row in zenodo["creators"])
    assert zenodo["creators"]
    assert re.fullmatch(r"[a-z]{3}", zenodo.get("language", "eng"))
    assert datacite.keys() >= DATACITE_REQUIRED
    assert datacite["types"]["resourceTypeGeneral"] == "Dataset"
    assert re.fullmatch(r"[0-9]{4}", datacite["publicationYear"])
    assert datacite["publisher"]["name"]
    assert all(row["name"] for row in datacite["creators"])
    assert [row["title"] for row in datacite["titles"]] == [zenodo["title"]]
    for row in datacite["creators"]:
        assert row.keys() <= {"name", "nameType", "givenName", "familyName"}
        assert row.get("nameType") in {None, "Personal", "Organizational"}


def test_who_finds_a_stand_off_release_in_an_archive_learns_that_it_has_no_text(finished: Path, tmp_path: Path) -> None:
    for standoff in (True, False):
        publish_release(finished, tmp_path / "out", FULL, standoff=standoff)
        zenodo, datacite = metadata(tmp_path / "out")
        for text in (zenodo["description"], datacite["descriptions"][0]["description"]):
            assert ("has no text: `stance hydrate` puts it back from your own copies" in text) is standoff


def test_everything_that_is_known_is_given(finished: Path, tmp_path: Path) -> None:
    copy_tables(finished / "work", tmp_path / "work")
    (tmp_path / "codebook.md").write_bytes((finished / "codebook.md").read_bytes())
    path = table_path(tmp_path / "work", "annotations.jsonl")
    rows = read_jsonl(path, Annotation, "")
    write_jsonl(path, [type(row)(**{**_fields(row), "created_at": "2031-05-30T10:00:00Z"}) for row in rows])
    publish_release(tmp_path, tmp_path / "out", FULL)
    zenodo, datacite = metadata(tmp_path / "out")
    check(zenodo, datacite)
    assert zenodo["creators"] == [{"name": "Author, Ann"}, {"name": "The Stance & developers"}]
    assert (zenodo["license"], zenodo["version"], zenodo["language"]) == ("cc-by-4.0", "1.2.0", "deu")
    assert zenodo["publication_date"] == "2031-05-30"
    assert zenodo["description"].startswith("<p>")
    assert "“a target &lt;b&gt;”" in zenodo["description"]
    assert datacite["creators"] == [
        {"name": "Author, Ann", "nameType": "Personal", "givenName": "Ann", "familyName": "Author"},
        {"name": "The Stance & developers", "nameType": "Organizational"},
    ]
    assert datacite["doi"] == "10.5281/zenodo.1003150"
    assert datacite["publicationYear"] == "2031"
    assert datacite["rightsList"][0]["rightsIdentifier"] == "CC-BY-4.0"
    assert datacite["relatedIdentifiers"][0]["relatedIdentifier"] == "https://example.org/stance"


def _fields(row: Annotation) -> dict[str, Any]:
    return {name: getattr(row, name) for name in row.__struct_fields__}


def test_a_release_of_which_nothing_is_known_has_valid_metadata(finished: Path, tmp_path: Path) -> None:
    publish_release(finished, tmp_path / "out", PublishSettings())
    zenodo, datacite = metadata(tmp_path / "out")
    check(zenodo, datacite)
    assert zenodo["creators"] == datacite["creators"] == [{"name": "Authors not stated"}]
    assert zenodo["license"] == "notspecified"  # without the key, Zenodo would choose a licence
    assert not {"publication_date", "related_identifiers", "notes"} & zenodo.keys()
    assert not {"rightsList", "doi", "dates", "relatedIdentifiers"} & datacite.keys()
    assert (datacite["publicationYear"], datacite["publisher"]) == ("0000", {"name": ":unav"})


def test_a_licence_of_ones_own_is_named_with_its_address(finished: Path, tmp_path: Path) -> None:
    said = PublishSettings(
        licence="other", licence_name="Press licence", licence_link="https://example.org/terms", authors=[HOSTILE]
    )
    publish_release(finished, tmp_path / "out", said)
    zenodo, datacite = metadata(tmp_path / "out")
    check(zenodo, datacite)
    assert zenodo["license"] == "notspecified"
    assert zenodo["notes"] == "Licence: Press licence (https://example.org/terms)"
    assert datacite["rightsList"] == [{"rights": "Press licence", "rightsUri": "https://example.org/terms"}]


def test_both_files_are_in_the_manifest_and_are_checked(finished: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    publish_release(finished, out)
    assert {".zenodo.json", "datacite.json"} <= set(check_dataset(out).right)
    (out / ".DS_Store").write_bytes(b"")  # other hidden files come with a download
    check_dataset(out)
    (out / ".zenodo.json").write_bytes(b"{}\n")
    with pytest.raises(PublishError, match=r"changed: \.zenodo\.json"):
        check_dataset(out)
    (out / ".zenodo.json").unlink()
    with pytest.raises(PublishError, match=r"missing: \.zenodo\.json"):
        check_dataset(out)
