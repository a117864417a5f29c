"""The dataset card: metadata for the Hub and sections for readers, in which what people wrote is kept."""

from __future__ import annotations

from typing import Any

from corpus.numbers import number, spoken
from labeling.records import NO_OUTLET
from labeling.scheme import DEFAULT, Scheme
from release.card.card_facts import (
    CardFacts,
    Round,
    cited,
    extractors,
    licence,
)
from release.card.card_sentences import addresses_sentence, decided_sentence, install_sentence
from release.card.changelog import changelog
from release.card.citation import bibtex, citation
from release.card.croissant import croissant
from release.card.data_statement import data_statement
from release.card.doi_metadata import DATACITE, ZENODO, datacite, zenodo
from release.card.managed_markdown import decode, fill, merge
from release.card.yaml_header import join, split
from train.examples.splits import lacking
from train.report import corpus_sentences, methods
from train.report import sentences as readings
from train.report.label_sentences import answers_words
from train.report.markdown import Markdown
from train.report.share_sentences import whole_corpus

NAME = "README.md"
MOST_OUTLETS = 50
ADDED = ("source_datasets", "tags", "task_categories", "task_ids")
"""Lists in the metadata to which people may add items; stance makes its other keys from settings and data alone."""
SIZES = ("n<1K", "1K<n<10K", "10K<n<100K", "100K<n<1M", "1M<n<10M", "10M<n<100M", "100M<n<1B")


def render(facts: CardFacts, previous: bytes | None = None) -> bytes:
    """The card, `README.md`: facts between stance's markers, and what people wrote in `previous`.

    From `previous`, the new card keeps the text outside of stance's parts, the keys of the metadata that aren't
    stance's, and the items that people added to tags, tasks and sources. If somebody edited one of stance's parts or
    values, `previous` is refused; `release.card.managed_markdown` says why.

    Args:
        facts: facts that the card tells.
        previous: card that this one replaces; None if there is none.

    Raises:
        PublishError: `previous` is not UTF-8, its metadata are not YAML, a marker is missing, or the card was edited
            where it would be overwritten.
    """
    front, body = split(decode(previous, NAME) if previous else "", NAME)
    merged = merge(sections(facts), body, NAME, front.first)
    return (join(metadata(facts), front, ADDED, NAME) + merged).encode()


def others(facts: CardFacts) -> dict[str, bytes]:
    """The contents of the files beside the card, by name.

    Raises:
        PublishError: one of the existing files is malformed, or was edited where it would be overwritten.
    """
    return {
        "annotators.md": data_statement(facts),
        "CITATION.cff": citation(facts),
        "croissant.json": croissant(facts),
        ZENODO: zenodo(facts),
        DATACITE: datacite(facts),
        "CHANGELOG.md": changelog(facts),
    }


def metadata(facts: CardFacts) -> dict[str, Any]:
    """The metadata in the form that the Hub reads; class ids are strings, because YAML would make them integers.

    The Hub has no task category for stance, so the task is given as a choice of one of several classes. Who made
    the labels and the texts is left out where it isn't stated: the Hub's vocabulary has no value for "unknown".
    """
    said = facts.settings
    key = said.licence.lower() or "unknown"
    return {
        "pretty_name": facts.name,
        "language": said.language,
        "license": key,
        **({"license_name": said.licence_name, "license_link": said.licence_link} if key == "other" else {}),
        **({"annotations_creators": [said.annotation_source]} if said.annotation_source else {}),
        **({"language_creators": [said.text_source]} if said.text_source else {}),
        "multilinguality": ["monolingual" if len(said.language) == 1 else "multilingual"],
        "size_categories": [size_category(facts.rows)],
        "source_datasets": ["original"],
        "task_categories": ["text-classification"],
        "task_ids": ["multi-class-classification"],
        "tags": ["stance-detection", "news"],
        "configs": [
            {
                "config_name": config.name,
                **({"default": True} if config.name == "gold" else {}),
                "data_files": [
                    {"split": split.name, "path": f"{config.name}/{split.name}-*"} for split in config.splits
                ],
            }
            for config in facts.configs
        ],
        "dataset_info": [
            {
                "config_name": config.name,
                "features": config.features,
                "splits": [
                    {"name": split.name, "num_bytes": split.num_bytes, "num_examples": split.rows}
                    for split in config.splits
                ],
                "download_size": sum(split.size for split in config.splits),
                "dataset_size": sum(split.num_bytes for split in config.splits),
            }
            for config in facts.configs
        ],
    }


def size_category(rows: int) -> str:
    """The Hub's category of a number of rows.

    >>> size_category(999), size_category(1000)
    ('n<1K', '1K<n<10K')
    """
    return SIZES[min(max(len(str(rows)) - 3, 0), len(SIZES) - 1)]


def sections(facts: CardFacts) -> str:
    """The card's sections, each between its markers; all numbers are those of the report."""
    snapshot = facts.snapshot
    method = methods.methods(snapshot)
    agreement = [table for table in method.tables if table.caption.startswith("Agreement")]
    machine = [table for table in method.tables if table.caption.startswith(methods.MACHINE)]
    outlets = sorted(snapshot.corpus.outlets, key=lambda row: (-row[1], row[0]))
    if snapshot.corpus.without_outlet:
        outlets.append((NO_OUTLET, snapshot.corpus.without_outlet))
    return fill(
        "dataset_card.md.j2",
        facts=facts,
        said=facts.settings,
        snapshot=snapshot,
        stances=facts.scheme.names,
        choices=Markdown(spoken([f"`{name}`" for name in facts.scheme.names], "or")),
        meant=Markdown(_meant(facts.scheme)),
        scored=Markdown(spoken([f"`{name}`" for name in facts.scheme.scored], "and")),
        readings=readings,
        about=corpus_sentences,
        sizes=[
            (config.name, split.name, split.rows, split.size) for config in facts.configs for split in config.splits
        ],
        fields=[
            (config.name, Markdown(", ".join(f"`{feature['name']}`" for feature in config.features)))
            for config in facts.configs
        ],
        labels=[(name, *by.values()) for name, by in facts.labels.items()],
        outlets=outlets[:MOST_OUTLETS],
        other_outlets=len(outlets[MOST_OUTLETS:]),
        extractors=extractors(facts),
        rounds=[(row.number, row.by, row.drawn, row.settled, _chance(row)) for row in facts.rounds],
        codebooks=", ".join(
            f"version {name or 'unknown'}: {number(count, 'answer')}" for name, count in snapshot.codebooks.items()
        ),
        annotators=[
            (row.annotator, *(row.votes[stance] for stance in facts.scheme.names), row.skips, row.unsure)
            for row in snapshot.status.annotators
        ],
        controls=[(row.annotator, f"{100 * row.same:.1f} %", row.repeats) for row in snapshot.status.controls],
        decided=decided_sentence(facts),
        addresses=Markdown(addresses_sentence(facts)),
        install=Markdown(install_sentence(facts.settings.contact)),
        how=[(name.replace("_", " "), count) for name, count in facts.how.items()],
        shares=_shares(facts),
        whole=whole_corpus(snapshot),
        answers=answers_words(snapshot),
        splits=_splits(facts),
        agreement=agreement,
        scores=[table for table in method.tables if table not in agreement and table not in machine],
        machine=[
            (
                row.series.coder,
                row.series.model,
                row.series.prompt,
                ", ".join(row.codebooks) or "not known",
                "not known" if row.series.temperature < 0 else f"{row.series.temperature:g}",
                row.first if row.first == row.last else f"{row.first} to {row.last}",
                row.answers,
                row.refused,
            )
            for row in facts.machine
        ],
        machine_scores=machine,
        limits=method.limits,
        licence=licence(facts.settings),
        # `PublishSettings` allows only web addresses here, without spaces or angle brackets.
        url=Markdown(f"<{facts.settings.url}>" if facts.settings.url else ""),
        doi=Markdown(f"<https://doi.org/{facts.settings.doi}>" if facts.settings.doi else ""),
        bibtex=Markdown(bibtex(facts)),
        cited=cited(facts),
    )


def _meant(scheme: Scheme) -> str:
    """The labels in the entry of the card's glossary on stance; those of the default scheme explain each other."""
    names = [f"`{name}`" for name in scheme.names]
    if scheme.names == DEFAULT.names:
        return f"{names[0]}, {names[1]}, or {names[2]} (neither of the two)"
    return spoken(names, "or")


def _chance(row: Round) -> str:
    if row.low is None or row.high is None:
        return "none: chance did not choose"
    return f"{row.low:.4g}" if row.low == row.high else f"{row.low:.4g} to {row.high:.4g}"


def _shares(facts: CardFacts) -> list[tuple[str, str, str]]:
    shares = facts.snapshot.status.shares
    if shares is None:
        return []
    whole = shares.weighted
    return [
        (stance, readings.share(shares.raw[stance]), readings.share(whole[stance]) if whole else "no estimate")
        for stance in facts.scheme.names
    ]


def _splits(facts: CardFacts) -> list[str]:
    analysis = facts.snapshot.analysis
    told = [
        readings.split_sentence(facts.snapshot)
        or "A group is a connected component of articles and near-duplicate sentences; none is in two splits."
    ]
    told.append(lacking(facts.labels))
    if analysis is not None:
        told += [readings.audit_sentence(analysis), readings.naive_sentence(analysis.naive) if analysis.naive else ""]
    return [sentence for sentence in told if sentence]
