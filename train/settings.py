"""Read the project file `stance.toml` and all its settings."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal

import msgspec

from corpus.errors import ConfigError
from corpus.records import CorpusSettings
from labeling.assignments import rules_in_table
from labeling.machine.records import MachineSettings
from labeling.records import LabelingSettings, Target
from labeling.scheme import DEFAULT, Scheme
from train.settings_errors import decode

FEWEST_GROUPS = 6
"""Groups of articles that a training needs at least: five for cross-validation, and one to test on."""


class TrainSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[train]` in stance.toml: how the labelled sentences are split, and how the model is trained.

    Attributes:
        validation: the share of sentences in the validation split.
        test: the share of sentences in the test split.
        seed: the seed of the cross-validation folds and of the bootstrap intervals.
        split: what is held out for the test: groups of articles, the newest articles, or whole outlets.
        together: lists of sentence ids that must share a split, in the form that the leakage audit prints.
        mask: whether the marked mention of the target, `[T]…[/T]`, is hidden from the model.
        targets: where the examples have several targets, whether each has its own model, or one joint model reads text
            and target.
        votes: whether the model learns the verdict of each sentence ("hard"), or the shares of the votes for it
            ("soft"), which needs sentences with three votes or more.
        features: what the model reads: n-grams alone, or the sentence vectors of an encoder beside them (`embedding`).
        encoder: the encoder, if `features` is `embedding`: a folder in the usual ONNX layout, or an id at the Hub,
            `ORG/NAME` or `ORG/NAME@REVISION`.
    """

    validation: float = 0.15
    test: float = 0.2
    seed: int = 1
    split: Literal["group", "date", "outlet"] = "group"
    together: list[list[str]] = []
    mask: bool = False
    targets: Literal["each", "joint"] = "each"
    votes: Literal["hard", "soft"] = "hard"
    features: Literal["ngrams", "embedding"] = "ngrams"
    encoder: str = "sentence-transformers/all-MiniLM-L6-v2"

    def __post_init__(self) -> None:
        """Refuse shares that leave nothing to train on."""
        if not (0 <= self.validation < 1 and 0 < self.test < 1 and self.validation + self.test < 1):
            raise ValueError(
                f"validation and test: expected shares that leave some for training; "
                f"got {self.validation} and {self.test}"
            )


LICENCES: dict[str, str] = {
    **{
        name.lower(): name
        for name in (
            *("AFL-3.0", "AGPL-3.0", "Apache-2.0", "Artistic-2.0", "BSD-2-Clause", "BSD-3-Clause"),
            *("BSD-3-Clause-Clear", "BSL-1.0", "CC0-1.0", "CC-BY-2.0", "CC-BY-2.5", "CC-BY-3.0", "CC-BY-4.0"),
            *("CC-BY-NC-2.0", "CC-BY-NC-3.0", "CC-BY-NC-4.0", "CC-BY-NC-ND-3.0", "CC-BY-NC-ND-4.0"),
            *("CC-BY-NC-SA-2.0", "CC-BY-NC-SA-3.0", "CC-BY-NC-SA-4.0", "CC-BY-ND-4.0", "CC-BY-SA-3.0"),
            *("CC-BY-SA-4.0", "CDLA-Permissive-1.0", "CDLA-Sharing-1.0", "ECL-2.0", "EPL-1.0", "EPL-2.0"),
            *("etalab-2.0", "EUPL-1.1", "EUPL-1.2", "GPL-2.0", "GPL-3.0", "ISC", "LGPL-2.1", "LGPL-3.0"),
            *("LPPL-1.3c", "MIT", "MPL-2.0", "MS-PL", "NCSA", "OFL-1.1", "OSL-3.0", "PostgreSQL", "Unlicense"),
            *("WTFPL", "Zlib"),
        )
    },
    **{"c-uda": "C-UDA-1.0", "lgpl-lr": "LGPLLR", "odbl": "ODbL-1.0", "odc-by": "ODC-By-1.0", "pddl": "PDDL-1.0"},
    **dict.fromkeys(
        (
            *("apple-amlr", "apple-ascl", "bigcode-openrail-m", "bigscience-bloom-rail-1.0", "bigscience-openrail-m"),
            *("bsd", "cc", "cdla-permissive-2.0", "creativeml-openrail-m", "deepfloyd-if-license"),
            *("fair-noncommercial-research-license", "gemma", "gfdl", "gpl", "h-research", "intel-research", "lgpl"),
            *("llama2", "llama3", "llama3.1", "llama3.2", "llama3.3", "llama4", "open-mdw", "openrail", "openrail++"),
            *("other", "unknown"),
        ),
        "",
    ),
}
"""The Hub's licence identifiers, each with the SPDX identifier that CFF 1.2 has for it, or "" where it has none.

References:
    https://huggingface.co/docs/hub/repositories-licenses; SPDX licence list of 2021-05-14, in the schema of CFF 1.2.0.
"""

Creators = Literal["", "crowdsourced", "expert-generated", "machine-generated", "found", "other"]
"""The terms of the Hub's metadata for who made texts or labels; "" leaves the entry out."""


class PublishSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[publish]` in stance.toml: what only you know about the dataset. The card calls the rest "not stated".

    Attributes:
        name: the name of the dataset; if empty, the dataset is named after the target.
        version: the version of the dataset; `publish --tag` tags it at the Hub with `v` before it, as in `v0.1.0`.
        licence: the licence's identifier at the Hub, or "other". Without a licence the text stays out of the dataset.
        licence_name: the name of the licence, if `licence` is "other".
        licence_link: the web address of the licence's text, if `licence` is "other".
        authors: the authors of the dataset: a person as "Family, Given", a group by its name.
        contact: where readers can ask questions.
        funding: who paid for the work.
        url: the web page of the dataset.
        doi: the DOI of the dataset, without `https://doi.org/`.
        rationale: why you chose these articles and this target.
        collection: where the articles come from and how they were collected.
        query: the search query, word for word.
        language: the codes of the languages that the articles are written in.
        variety: the variety of the language, such as British English, and who writes it.
        text_source: who made the articles' texts, in the Hub's terms for `language_creators`.
        speakers: whose language it is: outlets, journalists, and the people they quote.
        situation: when, where and for whom the articles were written.
        annotators: who the annotators were, and how they were recruited and trained.
        annotation_source: who made the labels, in the Hub's terms for `annotations_creators`.
        demographics: the annotators' age, gender, languages and knowledge of the subject.
        pay: what the annotators were paid.
        personal: what personal or sensitive information the dataset holds, and what was done about it.
    """

    name: str = ""
    version: str = "0.1.0"
    licence: str = ""
    licence_name: str = ""
    licence_link: str = ""
    authors: list[str] = []
    contact: str = ""
    funding: str = ""
    url: str = ""
    doi: str = ""
    rationale: str = ""
    collection: str = ""
    query: str = ""
    language: list[str] = msgspec.field(default_factory=lambda: ["en"])
    variety: str = ""
    text_source: Creators = "found"
    speakers: str = ""
    situation: str = ""
    annotators: str = ""
    annotation_source: Creators = ""
    demographics: str = ""
    pay: str = ""
    personal: str = ""

    def __post_init__(self) -> None:
        """Refuse early what the Hub or a citation file would refuse later with a less helpful message."""
        if self.licence and self.licence.lower() not in LICENCES:
            raise ValueError(
                f"licence: expected an identifier that the Hub knows (for instance cc-by-4.0, cc0-1.0, odc-by), or "
                f'"other" with licence_name and licence_link; got {self.licence!r}. The list is at '
                "https://huggingface.co/docs/hub/repositories-licenses"
            )
        if self.licence.lower() == "other" and not (self.licence_name and self.licence_link):
            raise ValueError('licence: "other" needs licence_name, and licence_link to where it can be read')
        if not re.fullmatch(r"[0-9A-Za-z]+([.+-][0-9A-Za-z]+)*", self.version):
            raise ValueError(f'version: expected one such as "1.0.0", of letters, digits and .+-; got {self.version!r}')
        if self.doi and not re.fullmatch(r"10\.\d{4,9}(\.\d+)?/[A-Za-z0-9:/_;\-.()\[\]\\]+", self.doi):
            raise ValueError(f"doi: expected one such as 10.5281/zenodo.1003150; got {self.doi!r}")
        for code in self.language or [""]:
            if not re.fullmatch(r"[a-z]{2,3}(-[A-Za-z0-9]+)*", code):
                raise ValueError(f'language: expected codes of ISO 639 such as "en"; got {code!r}')
        for name, value in (("url", self.url), ("licence_link", self.licence_link)):
            if value and not re.fullmatch(r"https?://[^\s<>\"]+", value):
                raise ValueError(f"{name}: expected an address that begins with https://; got {value!r}")


FILE = "stance.toml"


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All of stance.toml: one record for each section."""

    target: Target = Target()
    labels: Scheme = DEFAULT
    corpus: CorpusSettings = CorpusSettings()
    labeling: LabelingSettings = LabelingSettings()
    machine: MachineSettings = MachineSettings()
    train: TrainSettings = TrainSettings()
    publish: PublishSettings = PublishSettings()


def read_settings(project: Path, *, required: bool) -> Settings:
    """The settings of a project folder; the defaults where it has no stance.toml and needs none.

    Raises:
        ConfigError: the file is missing where one is required, is not TOML, or has an unknown key or value.
    """
    path = project / FILE
    if not path.is_file():
        if required:
            raise ConfigError(
                f"{path} is not there: name a project with -C, or make one with `stance init`", missing=True
            )
        return Settings()
    try:
        settings: Settings = decode(path.read_bytes(), Settings)
    except ValueError as error:
        from train.starter import starter_path

        raise ConfigError(f"{path}: {error}. {starter_path('docs/settings.md')} explains every key") from error
    if isinstance(settings.labeling.assign, str) and settings.labeling.assign:
        rules = rules_in_table(project / settings.labeling.assign)
        try:
            labeling = msgspec.structs.replace(settings.labeling, assign=rules)
        except ValueError as error:
            raise ConfigError(f"{project / settings.labeling.assign}: {error}") from error
        return msgspec.structs.replace(settings, labeling=labeling)
    return settings


def told(settings: Settings) -> dict[str, dict[str, Any]]:
    """The sections of stance.toml as tables of values, for digests and releases.

    The default scheme, the defaults for machine coders, an empty `assign`, that each target has its own model, that the
    model learns verdicts, and that it reads n-grams alone are left out, so that what was made before there were these
    settings is not out of date.
    """
    sections: dict[str, dict[str, Any]] = msgspec.to_builtins(settings)
    if settings.labels == DEFAULT:
        del sections["labels"]
    if settings.train.targets == TrainSettings().targets:
        del sections["train"]["targets"]
    if settings.train.votes == TrainSettings().votes:
        del sections["train"]["votes"]
    if settings.train.features == TrainSettings().features:
        del sections["train"]["features"], sections["train"]["encoder"]
    if settings.machine == MachineSettings():
        del sections["machine"]
    if not settings.labeling.assign:
        del sections["labeling"]["assign"]
    if settings.labeling.assist_share == LabelingSettings().assist_share:
        del sections["labeling"]["assist_share"]
    return sections


def meaning(section: type[msgspec.Struct], key: str) -> str:
    """What the docstring of a section's record says about one of its keys, on one line; "" if it says nothing."""
    stated = re.search(rf"^ {{8}}{key}: (.+(?:\n {{12}}.+)*)", section.__doc__ or "", re.MULTILINE)
    return " ".join(stated.group(1).split()) if stated else ""
