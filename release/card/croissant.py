"""`croissant.json`, for machines: the release's files with their digests, and the configs as typed record sets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from labeling.scheme import Stance
from release.card.card_facts import NOBODY, CardFacts, ConfigFacts, authors, cited, summary
from train.settings import LICENCES

VERSION = "http://mlcommons.org/croissant/1.0"
NUMBERS = {f"{name}{bits}": f"cr:{name.title()}{bits}" for name in ("int", "float") for bits in (8, 16, 32, 64)}
TYPES = {"string": "sc:Text", "bool": "sc:Boolean", **NUMBERS}
PARQUET = "application/x-parquet"
TERMS = (
    *("citeAs", "column", "equivalentProperty", "extract", "field", "fileObject", "fileProperty", "fileSet", "format"),
    *("includes", "isLiveDataset", "jsonPath", "key", "md5", "parentField", "path", "recordSet", "references"),
    *("regex", "repeated", "replace", "samplingRate", "separator", "source", "subField", "transform"),
)


def croissant(facts: CardFacts) -> bytes:
    """Metadata in the Croissant format 1.0, which `mlcroissant` validates and uses to read the rows.

    The files of a config form one file set, from which its record set is read; `split` is taken from the file's name.

    References:
        Akhtar et al. (2024), Croissant: A Metadata Format for ML-Ready Datasets, DEEM.
        https://docs.mlcommons.org/croissant/docs/croissant-spec.html
    """
    said = facts.settings
    spdx = LICENCES.get(said.licence.lower(), "")
    licence = f"https://spdx.org/licenses/{spdx}" if spdx else said.licence_link or said.licence
    files = [
        {
            "@type": "cr:FileObject",
            "@id": split.path,
            "name": split.path,
            "contentUrl": split.path,
            "contentSize": f"{split.size} B",
            "encodingFormat": PARQUET,
            "sha256": split.sha256,
        }
        for config in facts.configs
        for split in config.splits
    ]
    sets = [
        {
            "@type": "cr:FileSet",
            "@id": f"{config.name}-files",
            "name": f"{config.name}-files",
            "encodingFormat": PARQUET,
            "includes": f"{config.name}/*.parquet",
        }
        for config in facts.configs
    ]
    whole: dict[str, Any] = {
        "@context": _context(),
        "@type": "sc:Dataset",
        "conformsTo": VERSION,
        "name": facts.name,
        "description": summary(facts),
        "version": said.version,
        **({"datePublished": facts.date} if facts.date else {}),
        **({"license": licence} if licence else {}),
        **({"url": said.url} if said.url else {}),
        "creator": [_creator(name) for name in authors(said) if name != NOBODY],
        "citeAs": cited(facts),
        "inLanguage": said.language,
        "keywords": ["stance detection", "news", "corpus"],
        "isLiveDataset": False,
        "distribution": [*files, *sets],
        "recordSet": [_labels(facts.scheme.names), *map(_records, facts.configs)],
    }
    return msgspec.json.format(msgspec.json.encode(whole), indent=2) + b"\n"


def _context() -> dict[str, Any]:
    return {
        "@language": "en",
        "@vocab": "https://schema.org/",
        "sc": "https://schema.org/",
        "cr": "http://mlcommons.org/croissant/",
        "rai": "http://mlcommons.org/croissant/RAI/",
        "dct": "http://purl.org/dc/terms/",
        "conformsTo": "dct:conformsTo",
        "data": {"@id": "cr:data", "@type": "@json"},
        "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
        "examples": {"@id": "cr:examples", "@type": "@json"},
        **{term: f"cr:{term}" for term in TERMS},
    }


def _creator(name: str) -> dict[str, str]:
    return {"@type": "sc:Person" if "," in name else "sc:Organization", "name": name}


def _labels(names: Sequence[Stance]) -> dict[str, Any]:
    """The record set that says which label each number in the Parquet files stands for."""
    return {
        "@type": "cr:RecordSet",
        "@id": "labels",
        "name": "labels",
        "dataType": "sc:Enumeration",
        "key": {"@id": "labels/value"},
        "field": [
            {"@type": "cr:Field", "@id": "labels/value", "name": "value", "dataType": "sc:Integer"},
            {"@type": "cr:Field", "@id": "labels/name", "name": "name", "dataType": "sc:Text"},
        ],
        "data": [{"labels/value": number, "labels/name": stance} for number, stance in enumerate(names)],
    }


def _records(config: ConfigFacts) -> dict[str, Any]:
    files = {"fileSet": {"@id": f"{config.name}-files"}}
    split = {
        "@type": "cr:Field",
        "@id": f"{config.name}/split",
        "name": "split",
        "dataType": "sc:Text",
        "source": {
            **files,
            "extract": {"fileProperty": "fullpath"},
            "transform": {"regex": f"{config.name}/(.+)-[0-9]+-of-[0-9]+\\.parquet$"},
        },
    }
    fields = [_field(feature, config.name, files) for feature in config.features]
    return {
        "@type": "cr:RecordSet",
        "@id": config.name,
        "name": config.name,
        "field": [split, *fields],
    }


def _field(feature: dict[str, Any], parent: str, files: dict[str, Any], column: str = "") -> dict[str, Any]:
    """A field, made from a feature in the form of the Hub's YAML; `column` is the list column that contains it."""
    name = feature["name"]
    field: dict[str, Any] = {"@type": "cr:Field", "@id": f"{parent}/{name}", "name": name}
    if isinstance(feature.get("list"), list):
        inner = [_field(one, f"{parent}/{name}", files, name) for one in feature["list"]]
        return field | {"repeated": True, "subField": inner}
    if "list" in feature:
        field["repeated"] = True
    kind = feature.get("list", feature.get("dtype"))
    if isinstance(kind, dict):
        field |= {"dataType": "sc:Integer", "references": {"field": {"@id": "labels/value"}}}
    else:
        field["dataType"] = TYPES[str(kind)]
    source = {**files, "extract": {"column": column or name}}
    return field | {"source": source | ({"transform": {"jsonPath": name}} if column else {})}
