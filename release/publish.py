"""Turn verdicts into a Hugging Face dataset: choose what may be published, write it, check it, move it into place."""

from __future__ import annotations

import hashlib
import shlex
import tempfile
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa

from corpus.errors import PublishError, TableError
from corpus.numbers import number
from corpus.records import ARTICLES
from corpus.store import one_state, read_jsonl, table_path, write_bytes
from corpus.tables import read_table
from labeling.codebook import Codebook
from labeling.copy_groups import groups_of_labels
from labeling.overlap import FewVotes, few_verdicts
from labeling.records import Annotation, Target, Unsettled, Verdict
from labeling.sampling.archive_sentences import only_archived
from labeling.settling.carried_votes import carry
from labeling.settling.open_sentences import open_sentences, what_to_do
from labeling.sync.sent_queue import SentQueue
from labeling.votes import counted, latest_answers
from release.card import card_facts, dataset_card
from release.card.changelog import changes, compared_with_replaced
from release.card.earlier_release import WRITTEN, keep_replaced
from release.card.managed_markdown import marked
from release.contents.dataset_folder import check_name
from release.contents.machine_rows import machine_release
from release.contents.manifest import FILE, Dataset, configuration, differs, manifest, read_manifest, to_json
from release.contents.privacy import prove_private, pseudonymous, release_names
from release.contents.proof import Proof, Written, prove
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
from release.contents.text_free import strip
from release.freshness import TRAINED, Project, due, refuse
from train.examples.from_verdicts import Plan, keep_examples, plan_examples, read_examples
from train.settings import PublishSettings, Settings

if TYPE_CHECKING:
    from datasets import Features

CONFIGS = ("gold", "annotations", "machine", "articles")
CARD = "README.md"
STEPS = 5
Parts = Mapping[str, Mapping[str, Sequence[Row]]]


class PublishInputs(msgspec.Struct, frozen=True, kw_only=True):
    """What goes into a release, or must stay out of it, besides the project's tables.

    Attributes:
        settings: all settings in stance.toml, for the manifest.
        accounts: mail address → pseudonym, as in `.stance/annotators.json`; none of the addresses may be in the
            release, except the one that `[publish] contact` gives.
        standoff: whether to leave the text out even if a licence is set.
        allow_open: whether to leave out sentences that the votes do not settle, instead of refusing to publish.
        queue: the queue as the last push from this computer left it.
    """

    settings: Settings = Settings()
    accounts: Mapping[str, str] = {}
    standoff: bool = False
    allow_open: bool = False
    queue: SentQueue = SentQueue()


class PublishSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What was published.

    Attributes:
        rows: number of rows by config and split.
        copies: number of the rows in gold that are exact copies of another one, which a model learns from only once.
        standoff: whether the release is without the articles' text.
        articles: number of articles that the rows in gold are from.
        without_url: number of these articles that have no URL.
        unsettled: number of open sentences, which are left out.
        renamed: number of annotators and adjudicators whose names were not pseudonyms and were replaced by pseudonyms.
        comments: number of annotators' comments, which are not published.
        holders: number of holders that are left out: from a stand-off release all of them, from any other release
            those that neither their article nor the codebook names.
        proof: record of what in a stand-off release was compared with the articles, and what was not; None if the
            release has text.
        few: verdicts that rest on fewer votes than the project asks for; None if the project's settings aren't known.
        differs: the version of the release, if another content was published under it before; else "".
        compared: the version whose first content `CHANGELOG.md` compares the release with, although the release in the
            folder replaced that content; else "".
        changed: whether any file changed.
    """

    rows: dict[str, dict[str, int]]
    copies: int
    standoff: bool
    articles: int
    without_url: int
    unsettled: int
    renamed: int
    comments: int
    holders: int
    proof: Proof | None
    few: FewVotes | None
    differs: str
    compared: str
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
    begin: Callable[[str, int, int], None] = lambda name, done, total: None,
) -> PublishSummary:
    """Write the dataset, after checking that `load_dataset` opens it from an empty cache.

    The text is published only if `licence` is set; without a licence the release is stand-off.

    Args:
        work: the project's folder of tables.
        out: the dataset's folder; its files are replaced one by one, and only by those of a dataset that opens.
        target: name of the target that the stance is toward.
        codebook: codebook whose version and text are published too.
        settings: settings under `[publish]` in stance.toml.
        ignored: annotators whose answers don't count; they are left out of the release.
        inputs: everything else that the release depends on.
        begin: function that is called when a step begins, with its name, the number of steps done, and of all.

    Raises:
        PublishError: there is no verdict; the verdicts, the examples or the model are out of date (`allow_open` does
            not permit that); sentences are open; a label is not in the codebook; the existing card
            is malformed; an annotator's address or an article's text would be published; or the dataset doesn't open.
            Nothing is written then.
        StanceError: `load_dataset` cannot open a folder with the name of `out`.
        TableError: an earlier stage has not been run.
    """
    labeling = inputs.settings.labeling if inputs else None
    inputs = inputs or PublishInputs()
    without_text = inputs.standoff or not settings.licence
    check_name(out)
    scheme = inputs.settings.labels
    check_labels(work, scheme, codebook if codebook.changes else None)
    begin("comparing verdicts and model with the answers", 0, STEPS)
    outlets = _outlets(work)
    whole = msgspec.structs.replace(inputs.settings, target=Target(name=target), publish=settings)
    archived = {row.sentence_id for row in only_archived(work)}  # a release holds the corpus, not the archives
    verdicts = [row for row in _verdicts(work) if row.sentence_id not in archived]
    project = Project(work=work, settings=whole, codebook=codebook, ignored=ignored)
    queue = open_sentences(work)
    command, left_open = _command(work, out, inputs), ""
    if queue and not inputs.allow_open:
        left_open = _left_open(work, queue, inputs.queue, command, is_old=bool(due(project, TRAINED)))
    refuse(project, command, TRAINED, left_open)
    if not (work / "queue.jsonl").is_file():
        raise TableError(f"{work / 'queue.jsonl'} is not there: run `stance adjudicate` first")
    if left_open:
        raise PublishError(f"Nothing was published. {left_open}")
    begin("making the tables", 1, STEPS)
    few = few_verdicts(work, verdicts, labeling) if labeling else None
    given = read_jsonl(table_path(work, "annotations.jsonl"), Annotation, "stance pull")
    # Labels by their present names; answers with a label that exists no more have no place in the dataset.
    everything = carry(given, codebook, scheme).every
    answers = [row for row in counted(everything, ignored) if not row.control and row.sentence_id not in archived]
    names = release_names(answers, verdicts, inputs.accounts)
    article_of = groups_of_labels(work).article_of
    held = {article_of[row.sentence_id] for row in answers if row.holder and row.sentence_id in article_of}
    annotations = pseudonymous(answers, names, _texts(work, held), article_of, codebook.text)
    plan = _first_splits(work, whole)
    examples = plan.examples if plan else read_examples(work)
    gold = gold_rows(work, examples, names)
    if plan:
        keep_examples(work, plan, whole.train)
    parts: Parts = {"gold": gold, "annotations": {"train": annotation_rows(annotations)}}
    machine = machine_release(work, scheme)
    if machine.rows:
        parts = {**parts, "machine": {"train": machine.rows}}
    if without_text:
        parts = {
            config: {name: strip(config, list(rows)) for name, rows in splits.items()}
            for config, splits in parts.items()
        }
    kinds = {config: features(config, without_text, scheme) for config in parts}
    released = parts["gold"]
    parts = {
        config: {name: encoded(config, rows, kinds[config]) for name, rows in splits.items()}
        for config, splits in parts.items()
    }
    files, configs = _tables(parts, kinds)
    files |= machine.prompts
    begin("writing the card", 2, STEPS)
    facts = card_facts.read_facts(
        project,
        card_facts.Released(
            gold=released,
            configs=configs,
            standoff=without_text,
            names=names,
            few=few,
            folder=out,
            earlier_answers=len(answers) - len(latest_answers(answers)),
            machine=machine.coders,
        ),
    )
    before = out / CARD
    files[CARD] = dataset_card.render(facts, before.read_bytes() if before.is_file() else None)
    files |= dataset_card.others(facts)
    files["codebook.md"] = codebook.text.encode()
    dataset = Dataset(name=facts.name, version=settings.version, date=facts.date, standoff=without_text)
    made = manifest(files, work, codebook, whole, dataset)
    files[FILE] = to_json(made)
    with tempfile.TemporaryDirectory(prefix="stance-publish-") as folder, quiet():
        staged = Path(folder) / "dataset"
        for path, data in files.items():
            write_bytes(staged / path, data)
        begin("comparing with addresses and articles", 3, STEPS)
        prove_private(staged, inputs.accounts.keys() - {settings.contact})
        written = _written(whole, codebook, out, {str(work / name): text for name, text in machine.prompts.items()})
        proof = prove(staged, _texts(work), written, outlets) if without_text else None
        begin("opening the dataset", 4, STEPS)
        _open_again(staged, parts, kinds)
    compared = compared_with_replaced(facts)
    replaces = differs(out, made)
    if replaces and changes(facts):
        keep_replaced(work, facts.before, settings.version, files[FILE])
    return PublishSummary(
        rows={config: {name: len(rows) for name, rows in splits.items()} for config, splits in parts.items()},
        copies=sum(map(len, gold.values())) - len(examples),
        standoff=without_text,
        articles=facts.articles,
        without_url=facts.without_url,
        unsettled=len(queue),
        renamed=sum(name != called for name, called in names.items()),
        comments=sum(bool(row.comment) for row in answers),
        holders=sum(bool(row.holder) for row in answers)
        - (0 if without_text else sum(bool(row.holder) for row in annotations)),
        proof=proof,
        few=few,
        differs=settings.version if replaces else "",
        compared=compared.version if compared else "",
        changed=_replace(files, out),
    )


def _first_splits(work: Path, settings: Settings) -> Plan | None:
    """The splits of a project in which nothing has been trained yet: a dataset needs no model."""
    if (work / "examples.parquet").is_file():
        return None
    return plan_examples(work, settings.target.name, settings.train, settings.labels)


def _verdicts(work: Path) -> list[Verdict]:
    verdicts = read_jsonl(work / "verdicts.jsonl", Verdict, "stance adjudicate")
    if not verdicts:
        raise PublishError(
            f"{work / 'verdicts.jsonl'} holds no verdict, so there is nothing to publish. Label some sentences, run "
            "`stance pull`, `stance adjudicate` and `stance train`, then publish again"
        )
    return verdicts


def _command(work: Path, out: Path, inputs: PublishInputs) -> str:
    """The command that publishes so, with its options."""
    elsewhere = out.absolute() != (work / "dataset").absolute()
    options = ["--standoff"] * inputs.standoff + ["--allow-open"] * inputs.allow_open + ["--out", str(out)] * elsewhere
    return shlex.join(["stance", "publish", *options])


def _left_open(work: Path, rows: Sequence[Unsettled], sent: SentQueue, command: str, *, is_old: bool) -> str:
    """How many sentences are open, and what to do about them, as sentences; `is_old` if a training is due as well."""
    ties = sum(row.reason.startswith("no majority") for row in rows)
    of_them = f"{ties:,} of them {'a tie' if ties == 1 else 'ties'}; " if ties and len(rows) > 1 else ""
    first = f"{'' if len(rows) == 1 else 'the first is '}{rows[0].sentence_id}: {rows[0].reason}"
    ids = [row.sentence_id for row in rows]
    return (
        f"{number(len(rows), 'sentence', 'are')} open ({of_them}{first}). What to do: "
        f"{what_to_do(work, ids, sent, command, first='`stance train`, then ' if is_old else '')}"
    )


def _outlets(work: Path) -> set[str]:
    """The outlets of the corpus."""
    column = read_table(work / "articles.parquet", pa.schema([ARTICLES.field("outlet")]), "stance build")["outlet"]
    return set(filter(None, column.unique().to_pylist()))


def _texts(work: Path, articles: Collection[str] | None = None) -> dict[str, str]:
    """Title and text of some articles, or of all, joined by a line break, by article id."""
    names = ("article_id", "title", "text")
    schema = pa.schema([ARTICLES.field(name) for name in names])
    where = None if articles is None else ("article_id", articles)
    table = read_table(work / "articles.parquet", schema, "stance build", where)
    return {
        article_id: f"{title or ''}\n{text}"
        for article_id, title, text in zip(*(table[name].to_pylist() for name in names), strict=True)
    }


def _written(settings: Settings, codebook: Codebook, out: Path, prompts: Mapping[str, bytes]) -> list[Written]:
    """Texts by people that would be in the release: settings, codebook, prompts, and what the earlier release has."""
    written = [
        Written(file="stance.toml", field=f"[{section}] {key}", text=text)
        for section, values in configuration(settings, standoff=True).items()
        for key, value in values.items()
        for _, text in leaves(key, value)
    ]
    note = "the codebook's version may stay if no rule changes"
    written.append(Written(file=settings.labeling.codebook, text=codebook.text, note=note))
    written += [Written(file=name, text=text.decode()) for name, text in prompts.items()]
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
    """Open the written dataset as a user would, from an empty cache, and compare it with the intended rows."""
    from datasets import load_dataset

    for config, splits in parts.items():
        with tempfile.TemporaryDirectory(prefix="stance-cache-") as cache:
            try:
                opened: Any = load_dataset(str(folder), config, cache_dir=cache)
            except Exception as error:  # whatever the library raises means that it doesn't open
                raise PublishError(
                    f"the dataset was not published: its config {config} doesn't open: {error}"
                ) from error
            for name, rows in splits.items():
                if opened[name].to_list() != list(rows) or opened[name].features != kinds[config]:
                    raise PublishError(
                        f"the dataset was not published: {config}/{name} opens, but with other rows or types than "
                        "were written"
                    )


def _replace(files: Mapping[str, bytes], out: Path) -> bool:
    """Write the release into `out`; the manifest comes last, so that `--check` notices an interrupted run.

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
