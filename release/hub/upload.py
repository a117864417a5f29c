"""Upload a finished dataset or model to a Hub: which files are sent, and with which card."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from corpus.errors import PublishError
from corpus.store import write_bytes
from release.card.model_card import CARD, model_card
from release.contents.manifest import FILE, compare, read_manifest
from release.hub.client import BrokenHubError as BrokenHubError
from release.hub.commit import File, bring
from release.hub.commit import Uploaded as Uploaded
from release.hub.repository import Wish

if TYPE_CHECKING:
    from train.settings import PublishSettings

MODEL = ("model.skops", "model.joblib", "model.json", "metrics.json")
"""The files of a model that are uploaded. `mistakes.jsonl` and `analysis.json` are not: they quote sentences."""


def upload_dataset(folder: Path, repo: str, *, private: bool, tag: str | None, force: bool) -> Uploaded:
    """Make a dataset repository hold what a finished dataset folder holds, in one commit with its card.

    Files that stance uploaded and the folder no longer holds are deleted; files that others put there stay. If nothing
    differs, no commit is made. The token is the one that huggingface_hub keeps (`HF_TOKEN`, or `hf auth login`).

    Args:
        folder: dataset folder that `stance publish` wrote.
        repo: name of the repository, `ORG/NAME`; the repository is created if it is missing.
        private: whether to make a new repository private; an existing public one is then refused.
        tag: tag to set on the commit, such as `v1.0.0`.
        force: whether to overwrite what others changed in files that stance uploaded.

    Raises:
        PublishError: the folder is not a finished dataset or holds other files; the name is malformed, or is that of a
            model; there is no token, or it has no write permission; others changed files of the release since stance
            last published there; the tag is on another commit; or the Hub refuses.
        BrokenHubError: the Hub could not be reached, broke off or was too busy, three times.
    """
    paths, globs = release(folder)
    files = {path: File.of(folder / path) for path in paths}
    return bring(Wish(repo=repo, kind="dataset", folder=folder, private=private, tag=tag, force=force), files, globs)


def upload_model(
    folder: Path,
    repo: str,
    *,
    private: bool,
    tag: str | None,
    force: bool,
    settings: PublishSettings,
    dataset: str = "",
) -> Uploaded:
    """Make a model repository hold the files of a model folder and a card, as `upload_dataset` does for a dataset.

    The card is made from the folder's files and is also written into the folder. What people write there in the card
    is kept.

    Args:
        folder: model folder that `stance train` wrote.
        repo: name of the repository, `ORG/NAME`; the repository is created if it is missing.
        private: whether to make a new repository private; an existing public one is then refused.
        tag: tag to set on the commit, such as `v1.0.0`.
        force: whether to overwrite what others changed in files that stance uploaded.
        settings: settings under `[publish]` in stance.toml, for the card.
        dataset: repository on the Hub with the data that the model was trained on; "" if they are not published.

    Raises:
        PublishError: a file of the model is missing, the existing card was edited where it would be overwritten, or
            the upload is refused for a reason that `upload_dataset` names.
        BrokenHubError: the Hub could not be reached, broke off or was too busy, three times.
        ExamplesError: another version wrote a file of the model.
    """
    if missing := [name for name in MODEL if not (folder / name).is_file()]:
        raise PublishError(f"{folder} holds no {' and no '.join(missing)}: run `stance train` first")
    card = model_card(folder, settings, repo, dataset)
    files = {name: File.of(folder / name) for name in MODEL} | {CARD: File.of(card)}
    done = bring(Wish(repo=repo, kind="model", folder=folder, private=private, tag=tag, force=force), files, [])
    write_bytes(folder / CARD, card)
    return done


def release(folder: Path) -> tuple[list[str], list[str]]:
    """The files of a finished dataset folder, and the patterns of its data files, which its card names.

    Raises:
        PublishError: the folder has no manifest, doesn't hold what the manifest describes, or holds other files too; or
            the card doesn't say how the dataset opens.
    """
    checked = compare(folder, read_manifest(folder).files)
    if wrong := [*checked.changed, *checked.missing]:
        raise PublishError(
            f"{folder} is not what its {FILE} describes: {_some(wrong)} changed or missing; run `stance publish` again"
        )
    if checked.unknown:
        raise PublishError(
            f"{folder} holds files that are not part of the release: {_some(checked.unknown)}. Nothing was uploaded, "
            "because these files may be private: move them elsewhere"
        )
    return [*checked.right, FILE], _tables(folder / CARD)


def _some(paths: list[str]) -> str:
    return ", ".join(paths[:5]) + (f" and {len(paths) - 5} more" if len(paths) > 5 else "")


def _tables(card: Path) -> list[str]:
    """The patterns of data files in a card; without them, the dataset would not open from the Hub."""
    import yaml

    parts = re.match(r"---\r?\n(.*?)\r?\n---\r?\n", card.read_text("utf-8"), re.S)
    try:
        front = yaml.safe_load(parts.group(1)) if parts else {}
        globs = [str(entry["path"]) for config in front["configs"] for entry in config["data_files"]]
        if globs and front["dataset_info"]:
            return globs
    except (yaml.YAMLError, TypeError, KeyError):
        pass
    raise PublishError(
        f"{card}: expected YAML between two lines of --- with `configs` and `dataset_info`, which say how the dataset "
        "opens; move the card away, and publish again"
    )
