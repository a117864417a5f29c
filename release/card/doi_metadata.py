"""What a DOI needs to be registered: `.zenodo.json` for a deposit at Zenodo, and `datacite.json` for all others."""

from __future__ import annotations

import html
from typing import Any

import msgspec

from release.card.card_facts import NOBODY, CardFacts, authors, licence, summary
from train.settings import LICENCES

ZENODO, DATACITE = ".zenodo.json", "datacite.json"
KERNEL = "http://datacite.org/schema/kernel-4"
NO_YEAR = "0000"
"""The year of a dataset whose answers have no times; the schema demands four digits."""
NO_PUBLISHER = ":unav"
"""DataCite's value for what is not available: stance can't know which archive will publish the dataset."""
KEYWORDS = ["stance detection", "news", "corpus"]
LANGUAGES = dict(
    pair.split(":")
    for pair in (
        "ar:ara bg:bul ca:cat cs:ces da:dan de:deu el:ell en:eng es:spa et:est fa:fas fi:fin fr:fra he:heb hi:hin "
        "hr:hrv hu:hun id:ind is:isl it:ita ja:jpn ko:kor lt:lit lv:lav nl:nld no:nor pl:pol pt:por ro:ron ru:rus "
        "sk:slk sl:slv sr:srp sv:swe th:tha tr:tur uk:ukr vi:vie zh:zho"
    ).split()
)
"""Codes of ISO 639-1 with those of ISO 639-3, which Zenodo wants."""


def zenodo(facts: CardFacts) -> bytes:
    """`.zenodo.json`: the metadata of a deposit, which Zenodo reads from a repository or an upload takes.

    Zenodo gives a deposit without a licence one of its own choice, so a missing licence is stated as such; a licence
    without an SPDX identifier is named in the notes. The DOI is left out, because Zenodo makes a new one.

    References:
        https://developers.zenodo.org/#representation, deposit metadata.
    """
    said = facts.settings
    spdx = LICENCES.get(said.licence.lower(), "")
    language = said.language[0].partition("-")[0]
    code = language if len(language) == 3 else LANGUAGES.get(language, "")
    whole: dict[str, Any] = {
        "upload_type": "dataset",
        "title": facts.name,
        "description": f"<p>{html.escape(summary(facts) + without_text(facts), quote=False)}</p>",
        "creators": [{"name": name} for name in authors(said)],
        "access_right": "open",
        "license": spdx.lower() or "notspecified",
        "keywords": KEYWORDS,
        "version": said.version,
        **({"publication_date": facts.date} if facts.date else {}),
        **({"language": code} if code else {}),
        **({"notes": f"Licence: {licence(said)}"} if said.licence and not spdx else {}),
        **({"related_identifiers": [_zenodo_page(said.url)]} if said.url else {}),
    }
    return _json(whole)


def without_text(facts: CardFacts) -> str:
    """What those who find a stand-off release in an archive have to know first; "" for any other release."""
    if not facts.standoff:
        return ""
    return " The dataset has no text: `stance hydrate` puts it back from your own copies of the articles."


def _zenodo_page(url: str) -> dict[str, str]:
    return {"identifier": url, "relation": "isDocumentedBy", "resource_type": "dataset"}


def datacite(facts: CardFacts) -> bytes:
    """`datacite.json`: the metadata of version 4 of DataCite's schema, which has six mandatory properties.

    References:
        DataCite Metadata Working Group (2024), DataCite Metadata Schema 4.5, https://doi.org/10.14454/g8e5-6293.
    """
    said = facts.settings
    whole: dict[str, Any] = {
        "schemaVersion": KERNEL,
        **({"doi": said.doi} if said.doi else {}),
        "types": {"resourceTypeGeneral": "Dataset", "resourceType": "Corpus with labels of stance"},
        "creators": [_creator(name) for name in authors(said)],
        "titles": [{"title": facts.name}],
        "publisher": {"name": NO_PUBLISHER},
        "publicationYear": facts.date[:4] or NO_YEAR,
        "descriptions": [{"description": summary(facts) + without_text(facts), "descriptionType": "Abstract"}],
        "subjects": [{"subject": keyword} for keyword in KEYWORDS],
        **({"dates": [{"date": facts.date, "dateType": "Issued"}]} if facts.date else {}),
        "language": said.language[0],
        "version": said.version,
        "formats": ["application/x-parquet"],
        **({"rightsList": [_rights(facts)]} if said.licence else {}),
        **({"relatedIdentifiers": [_datacite_page(said.url)]} if said.url else {}),
    }
    return _json(whole)


def _datacite_page(url: str) -> dict[str, str]:
    return {"relatedIdentifier": url, "relatedIdentifierType": "URL", "relationType": "IsDocumentedBy"}


def _creator(name: str) -> dict[str, str]:
    """A person, written `Family, Given`, or a group; see `release.card.citation`."""
    if name == NOBODY:
        return {"name": name}
    family, _, given = (part.strip() for part in name.partition(","))
    if family and given:
        return {"name": f"{family}, {given}", "nameType": "Personal", "givenName": given, "familyName": family}
    return {"name": name, "nameType": "Organizational"}


def _rights(facts: CardFacts) -> dict[str, str]:
    said = facts.settings
    if spdx := LICENCES.get(said.licence.lower(), ""):
        return {
            "rights": spdx,
            "rightsUri": f"https://spdx.org/licenses/{spdx}",
            "rightsIdentifier": spdx,
            "rightsIdentifierScheme": "SPDX",
            "schemeUri": "https://spdx.org/licenses/",
        }
    named = said.licence_name or licence(said)
    return {"rights": named, **({"rightsUri": said.licence_link} if said.licence_link else {})}


def _json(whole: dict[str, Any]) -> bytes:
    return msgspec.json.format(msgspec.json.encode(whole), indent=2) + b"\n"
