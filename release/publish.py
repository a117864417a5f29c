"""Turn verdicts into a Hugging Face dataset: choose what may be published, write, check and open it, then move it."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Collection, Container, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa

from corpus.errors import PublishError
from corpus.records import SENTENCES
from corpus.store import one_state, read_jsonl, read_table, table_path, write_bytes
from labeling.codebook import Codebook
from labeling.overlap import FewVotes, few_verdicts
from labeling.records import Annotation, Target, Unsettled, Verdict
from labeling.sampling.rounds import queue_command
from labeling.sampling.sample import read_sample
from labeling.votes import counted
from release.card import card_facts, dataset_card
from release.card.earlier_release import WRITTEN
from release.card.managed_markdown import marked
from release.contents.dataset_folder import check_name
from release.contents.manifest import FILE, Dataset, configuration, manifest, read_manifest, to_json
from release.contents.privacy import prove_private, pseudonymous, release_names
from release.contents.rows import (
    Row,
    annotation_rows,
    check_labels,
    encoded,
    features,
    gold_rows,
    parquet,
    quiet,
    yaml_features,
)
from release.contents.strings import leaves
from release.contents.text_free import Proof, Written, prove, strip
from release.freshness import TRAINED, Project, refuse
from train.examples.from_verdicts import read_examples
from train.settings import PublishSettings, Settings

if TYPE_CHECKING:
    from datasets import Features

CONFIGS = ("gold", "annotations", "articles")
CARD = "README.md"
Parts = Mapping[str, Mapping[str, Sequence[Row]]]


class PublishInputs(msgspec.Struct, frozen=True, kw_only=True):
    """What goes into a release, or must stay out of it, besides the project's tables.

    Attributes:
        settings: all of stance.toml, for the manifest.
        accounts: pseudonym by mail address, as `.stance/annotators.json` has them; none of the addresses may be in
            the release, except the one that `[publish] contact` gives.
        standoff: whether to leave the text out even where there is a licence for it.
        allow_open: whether to leave out sentences that the votes do not settle, rather than refuse to publish.
    """

    settings: Settings = Settings()
    accounts: Mapping[str, str] = {}
    standoff: bool = False
    allow_open: bool = False


class PublishSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What was published.

    Attributes:
        rows: number of rows by config and split.
        standoff: whether the release is without the articles' text.
        unsettled: number of sentences left out because they have no verdict.
        renamed: number of annotators whose names were not pseudonyms and were replaced by some.
        comments: number of annotators' comments, which are not published.
        holders: number of holders that are left out: all of them from a stand-off release, else those that neither
            their article nor the codebook names.
        proof: what a stand-off release was compared with, and what of it was not; None where it has text.
        few: verdicts that rest on fewer votes than the project asks for; None where its settings aren't known.
        changed: whether any file changed.
    """

    rows: dict[str, dict[str, int]]
    standoff: bool
    unsettled: int
    renamed: int
    comments: int
    holders: int
    proof: Proof | None
    few: FewVotes | None
    changed: bool


@one_state()
def publish(
    work: Path,
    out: Path,
    target: str,
    codebook: Codebook,
    settings: PublishSettings,
    ignored: Collection[str] = frozenset(),
    *,
    inputs: PublishInputs | None = None,
) -> PublishSummary:
    """Write the dataset, after opening it with `load_dataset` from an empty cache.

    Text goes out only where `licence` says that it may; without one the release is stand-off.

    Args:
        work: the project's folder of tables.
        out: the dataset's folder; replaced file by file, and only by a dataset that opens.
        target: name of the target that the stance is toward.
        codebook: codebook whose version and text are published too.
        settings: settings under `[publish]` in stance.toml.
        ignored: annotators whose answers don't count; they are left out of the release.
        inputs: what else the release depends on.

    Raises:
        PublishError: there is no verdict; verdicts, examples or model are older than what they are made from, which
            `allow_open` doesn't change; sentences are open, a label is not in the codebook, a split is empty,
            the card that is there is malformed, an address or an article's text would go out, or the dataset doesn't
            open. Nothing is written then.
        StanceError: no dataset can be opened in a folder of that name.
        TableError: a stage before is missing.
    """
    labeling = inputs.settings.labeling if inputs else None
    inputs = inputs or PublishInputs()
    without_text = inputs.standoff or not settings.licence
    check_name(out)
    check_labels(work)
    articles, article_of, outlets = _articles(work)
    whole = msgspec.structs.replace(inputs.settings, target=Target(name=target), publish=settings)
    verdicts = _verdicts(work)
    project = Project(work=work, settings=whole, codebook=codebook, ignored=ignored)
    refuse(project, "stance publish", TRAINED)
    queue = _queue(work, article_of, allow_open=inputs.allow_open)
    few = few_verdicts(work, verdicts, labeling) if labeling else None
    everything = read_jsonl(table_path(work, "annotations.jsonl"), Annotation, "stance pull")
    answers = [row for row in counted(everything, ignored) if not row.control]
    names = release_names(answers, verdicts, inputs.accounts)
    annotations = pseudonymous(answers, names, articles, article_of, codebook.text)
    gold = gold_rows(work, read_examples(work), names)
    for name, rows in gold.items():
        if not rows:
            raise PublishError(
                f"the split {name} is empty: label sentences of more articles and train again, or set the shares of "
                "[train] so that each split has some"
            )
    parts: Parts = {"gold": gold, "annotations": {"train": annotation_rows(annotations)}}
    if without_text:
        parts = {
            config: {name: strip(config, list(rows)) for name, rows in splits.items()}
            for config, splits in parts.items()
        }
    kinds = {config: features(config, without_text) for config in parts}
    released = parts["gold"]
    parts = {
        config: {name: encoded(config, rows, kinds[config]) for name, rows in splits.items()}
        for config, splits in parts.items()
    }
    files, configs = _tables(parts, kinds)
    facts = card_facts.read_facts(
        project,
        card_facts.Released(gold=released, configs=configs, standoff=without_text, names=names, few=few, folder=out),
    )
    before = out / CARD
    files[CARD] = dataset_card.render(facts, before.read_bytes() if before.is_file() else None)
    files |= dataset_card.others(facts)
    files["codebook.md"] = codebook.text.encode()
    dataset = Dataset(name=facts.name, version=settings.version, date=facts.date, standoff=without_text)
    files[FILE] = to_json(manifest(files, work, codebook, whole, dataset))
    with tempfile.TemporaryDirectory(prefix="stance-publish-") as folder, quiet():
        staged = Path(folder) / "dataset"
        for path, data in files.items():
            write_bytes(staged / path, data)
        prove_private(staged, inputs.accounts.keys() - {settings.contact})
        proof = prove(staged, articles, _written(whole, codebook, out), outlets) if without_text else None
        _open_again(staged, parts, kinds)
    return PublishSummary(
        rows={config: {name: len(rows) for name, rows in splits.items()} for config, splits in parts.items()},
        standoff=without_text,
        unsettled=len(queue),
        renamed=sum(name != called for name, called in names.items()),
        comments=sum(bool(row.comment) for row in answers),
        holders=sum(bool(row.holder) for row in answers)
        - (0 if without_text else sum(bool(row.holder) for row in annotations)),
        proof=proof,
        few=few,
        changed=_replace(files, out),
    )


def _verdicts(work: Path) -> list[Verdict]:
    verdicts = read_jsonl(work / "verdicts.jsonl", Verdict, "stance adjudicate")
    if not verdicts:
        raise PublishError(
            f"{work / 'verdicts.jsonl'} holds no verdict: there is nothing to publish. Label some sentences, run "
            "`stance pull`, `stance adjudicate` and `stance train`, then publish again"
        )
    return verdicts


def _queue(work: Path, corpus: Container[str], *, allow_open: bool) -> list[Unsettled]:
    """The open sentences that are still in the corpus; refuse where there are some and that is not allowed."""
    everything = read_jsonl(work / "queue.jsonl", Unsettled, "stance adjudicate")
    queue = [row for row in everything if row.sentence_id in corpus]
    if queue and not allow_open:
        ties = sum(row.reason.startswith("no majority") for row in queue)
        push = queue_command(read_sample(work))
        raise PublishError(
            f"{len(queue)} sentences are open, {ties} of them ties (the first is {queue[0].sentence_id}: "
            f"{queue[0].reason}). `{push}` brings them to people, `stance pull` and `stance adjudicate` settle them, "
            "`stance train` follows; `stance publish --allow-open` leaves them out"
        )
    return queue


def _articles(work: Path) -> tuple[dict[str, str], dict[str, str], set[str]]:
    """Title and text of each article, joined by a line break; the article of each sentence; the outlets."""
    kinds = pa.schema([(name, pa.string()) for name in ("article_id", "title", "text", "outlet")])
    articles = read_table(work / "articles.parquet", kinds, "stance build").to_pylist()
    of = pa.schema([SENTENCES.field("sentence_id"), SENTENCES.field("article_id")])
    sentences = read_table(work / "sentences.parquet", of, "stance build").to_pylist()
    return (
        {row["article_id"]: f"{row['title'] or ''}\n{row['text']}" for row in articles},
        {row["sentence_id"]: row["article_id"] for row in sentences},
        {row["outlet"] for row in articles if row["outlet"]},
    )


def _written(settings: Settings, codebook: Codebook, out: Path) -> list[Written]:
    """Texts by people that the release would hold: settings, the codebook, and what they wrote in the last release."""
    written = [
        Written(file="stance.toml", field=f"[{section}] {key}", text=text)
        for section, values in configuration(settings, standoff=True).items()
        for key, value in values.items()
        for _, text in leaves(key, value)
    ]
    written.append(Written(file=settings.labeling.codebook, text=codebook.text))
    for path in (out / name for name in (CARD, *WRITTEN)):
        if path.is_file():
            # The parts that stance writes become empty lines, so that the other lines keep their numbers.
            parts = marked(path.read_bytes().decode("utf-8", "replace"))
            written.append(Written(file=str(path), text="".join("\n" * t.count("\n") if p else t for p, t in parts)))
    return written


def _tables(parts: Parts, kinds: Mapping[str, Features]) -> tuple[dict[str, bytes], list[card_facts.ConfigFacts]]:
    """The Parquet files by path, and what the card says about them."""
    files: dict[str, bytes] = {}
    configs: list[card_facts.ConfigFacts] = []
    for config, splits in parts.items():
        told: list[card_facts.SplitFacts] = []
        for name, rows in splits.items():
            path = f"{config}/{name}-00000-of-00001.parquet"
            files[path], num_bytes = parquet(rows, kinds[config])
            told.append(
                card_facts.SplitFacts(
                    name=name,
                    rows=len(rows),
                    num_bytes=num_bytes,
                    path=path,
                    size=len(files[path]),
                    sha256=hashlib.sha256(files[path]).hexdigest(),
                )
            )
        configs.append(card_facts.ConfigFacts(name=config, splits=told, features=yaml_features(kinds[config])))
    return files, configs


def _open_again(folder: Path, parts: Parts, kinds: Mapping[str, Features]) -> None:
    """Open what was written as a user would, from an empty cache, and compare it with what was meant."""
    from datasets import load_dataset

    for config, splits in parts.items():
        with tempfile.TemporaryDirectory(prefix="stance-cache-") as cache:
            try:
                opened: Any = load_dataset(str(folder), config, cache_dir=cache)
            except Exception as error:  # the library raises many kinds; all mean that it doesn't open
                raise PublishError(f"the dataset was not published: {config} doesn't open: {error}") from error
            for name, rows in splits.items():
                if opened[name].to_list() != list(rows) or opened[name].features != kinds[config]:
                    raise PublishError(
                        f"the dataset was not published: {config}/{name} opens, but not as it was written"
                    )


def _replace(files: Mapping[str, bytes], out: Path) -> bool:
    """Bring `out` to the release; the manifest goes last, so that a broken-off run shows in `--check`.

    Files of the earlier release that this one lacks are deleted; files that stance didn't write stay.
    """
    try:
        before = set(read_manifest(out).files)
    except PublishError:  # no release yet, or its manifest is damaged
        before = set()
    before |= {path.relative_to(out).as_posix() for config in CONFIGS for path in (out / config).glob("*.parquet")}
    last = [name for name in (CARD, FILE) if name in files]
    order = [name for name in sorted(files) if name not in last] + last[:-1]
    changed = [write_bytes(out / name, files[name]) for name in order]
    for name in sorted(before - files.keys()):
        (out / name).unlink(missing_ok=True)
        changed.append(True)
    for config in CONFIGS:
        if (out / config).is_dir() and not any((out / config).iterdir()):
            (out / config).rmdir()
    return any([*changed, write_bytes(out / FILE, files[FILE])])
