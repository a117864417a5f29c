"""The card of a model on a Hub, made from the files that `stance train` wrote beside the model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpus.numbers import spoken

if TYPE_CHECKING:
    from train.records import Metrics
    from train.settings import PublishSettings

CARD = "README.md"
MOST_TARGETS = 10
"""Most targets that the name of a model lists, where the project gives it none."""


def model_card(folder: Path, settings: PublishSettings, repo: str, dataset: str = "") -> bytes:
    """The card of a model, made from its `model.json`, `metrics.json` and `analysis.json`.

    What people wrote outside of stance's parts in the existing `README.md` is kept, but not its metadata: stance writes
    all of them again.

    Args:
        folder: model folder that `stance train` wrote.
        settings: settings under `[publish]` in stance.toml.
        repo: repository of the model on the Hub, for the commands in the card.
        dataset: repository on the Hub with the data that the model was trained on; "" if they are not published.

    Raises:
        ExamplesError: one of the three files is missing, or another version wrote it.
        PublishError: the existing `README.md` is not UTF-8, or was edited where it would be overwritten.
    """
    import yaml

    from labeling.statistics.intervals import shown
    from release.card.card_sentences import install_sentence
    from release.card.managed_markdown import decode, fill, merge
    from release.card.yaml_header import FRONT
    from train.evaluate.analysis import read_analysis
    from train.records import ModelCard, read_metrics, read_record
    from train.report import sentences as readings
    from train.report.markdown import Markdown

    model = read_record(folder / "model.json", ModelCard)
    metrics = read_metrics(folder)
    test = metrics.test
    name = settings.name or "Stance toward " + (", ".join(filter(None, model.targets[:MOST_TARGETS])) or "a target")
    fresh = fill(
        "model_card.md.j2",
        name=name,
        repo=Markdown(repo),
        dataset=Markdown(dataset),
        target=Markdown(json.dumps(model.targets[0] if model.targets else "")),
        said=settings,
        says=Markdown(_says(model.labels)),
        install=Markdown(install_sentence(settings.contact)),
        scored=Markdown(spoken([f"`{name}`" for name in metrics.scheme.scored], "and")),
        model=model,
        metrics=metrics,
        analysis=read_analysis(folder),
        readings=readings,
        sizes=[(split, count, metrics.groups[split]) for split, count in metrics.examples.items()],
        labels=[(label, count) for label, count in metrics.labels.items()],
        scores=[
            (who, shown(scores.f_avg), shown(scores.macro_f1), shown(scores.accuracy))
            for who, scores in (("this model", test), ("majority label", test.majority))
        ],
        by_class=[
            (stance, *map(readings.number, (row.precision, row.recall, row.f1)), row.support)
            for stance, row in test.by_class.items()
        ],
    )
    there = folder / CARD
    previous = FRONT.sub("", decode(there.read_bytes(), str(there)), count=1) if there.is_file() else ""
    front = yaml.safe_dump(_metadata(name, settings, metrics, dataset), sort_keys=False, allow_unicode=True, width=110)
    return f"---\n{front}---\n\n{merge(fresh, previous, str(there))}".encode()


def _says(labels: list[str]) -> str:
    """What the model says of a sentence, as the beginning of the card."""
    return f"which stance a sentence expresses or reports, {spoken([f'`{name}`' for name in labels], 'or')},"


def _metadata(name: str, settings: PublishSettings, metrics: Metrics, dataset: str) -> dict[str, Any]:
    key = settings.licence.lower() or "unknown"
    front: dict[str, Any] = {
        "language": settings.language,
        "license": key,
        **({"license_name": settings.licence_name, "license_link": settings.licence_link} if key == "other" else {}),
        "library_name": "sklearn",
        "pipeline_tag": "text-classification",
        "tags": ["stance-detection", "news", "sklearn", "skops"],
        "metrics": ["f1", "accuracy"],
    }
    if not dataset:  # the Hub accepts scores only together with the name of a dataset
        return front
    test = metrics.test
    scores = (("F_avg", "f1", test.f_avg), ("macro-F1", "f1", test.macro_f1), ("accuracy", "accuracy", test.accuracy))
    result = {
        "task": {"type": "text-classification", "name": "stance detection"},
        "dataset": {"type": dataset, "name": dataset, "config": "gold", "split": "test"},
        "metrics": [{"type": kind, "value": score.value, "name": of} for of, kind, score in scores],
    }
    return {**front, "datasets": [dataset], "model-index": [{"name": name, "results": [result]}]}
