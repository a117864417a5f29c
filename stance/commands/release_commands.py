"""`stance publish` and `stance hydrate`: a dataset, and the text put back into one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from stance.progress import named_steps, progress_bar
from stance.project import WORK, project_settings, say_next, this_project, without_project

if TYPE_CHECKING:
    from train.settings import Settings


@click.command()
@click.option(
    "--out",
    default=WORK / "dataset",
    type=click.Path(path_type=Path),
    help="The folder that the dataset is written to.",
)
@click.option("--standoff", is_flag=True, help="Leave the articles' text out, even if [publish] names a licence.")
@click.option(
    "--allow-open", is_flag=True, help="Leave out sentences that are not settled, instead of refusing to publish."
)
@click.option("--repo", metavar="ORG/NAME", help="Upload the dataset to this repository of the Hub, in one commit.")
@click.option("--model", is_flag=True, help="Upload work/model to --repo instead of the dataset.")
@click.option(
    "--dataset",
    default="",
    show_default=False,
    metavar="ORG/NAME",
    help="With --model: the repository of the data that the model was trained on.",
)
@click.option("--private", is_flag=True, help="If the repository is new, make it private.")
@click.option("--tag", is_flag=True, help="Tag the commit with the version in [publish], such as v1.0.0.")
@click.option("--force", is_flag=True, help="Overwrite changes that others made in the repository.")
@click.option(
    "--check",
    metavar="DATASET",
    type=click.Path(path_type=Path),
    help="Only compare the files of a dataset with its manifest.",
)
def publish(out: Path, check: Path | None, model: bool, dataset: str, repo: str | None, **wishes: bool) -> None:
    """Write the dataset for Hugging Face.

    The dataset is opened once as its users will open it.

    Without a licence in [publish] the dataset is stand-off: it holds places, digests and labels, and no text.
    """
    if check:
        _check_release(check)
        return
    upload = {name: wishes.pop(name) for name in ("private", "tag", "force")}
    if not repo and (model or any(upload.values())):
        raise click.UsageError("--model, --private, --tag and --force need --repo ORG/NAME")
    if model and any(wishes.values()):
        raise click.UsageError("--standoff and --allow-open are for a dataset, --model uploads a model")
    if dataset and not model:
        raise click.UsageError("--dataset needs --model")
    settings = project_settings()
    if not model:
        from release.freshness import is_without_text

        had_no_text = is_without_text(out)
        run_publish(out, settings, **wishes)
        if had_no_text and not is_without_text(out):
            _say_text_came(out, uploads=bool(repo))
        if not repo:
            say_next(settings, "publish")
    if repo:
        _upload(WORK / "model" if model else out, repo, settings, dataset if model else None, **upload)


def _say_text_came(out: Path, *, uploads: bool) -> None:
    """Say that a dataset without text has become one with the articles' text, and do not upload it unasked."""
    from corpus.errors import PublishError

    said = (
        f"{out} held no text of the articles before, and holds it now, because [publish] names a licence. If others "
        "may not have the text, run `stance publish --standoff`"
    )
    if uploads:
        raise PublishError(f"{said}. Nothing was uploaded: if they may, run the same command again")
    click.echo(f"warning: {said}", err=True)


@click.command()
@click.argument("dataset", type=click.Path(path_type=Path))
@click.option(
    "--articles",
    multiple=True,
    required=True,
    help="Your copies of the articles: files or folders, as for build. Repeat the option for several. If a table has "
    "columns of other names, stance.toml in the folder where you run the command says which is which; it may hold "
    "nothing else.",
)
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    help="The folder to write; it is written whole or not at all.",
)
def hydrate(dataset: Path, articles: tuple[str, ...], out: Path) -> None:
    """Put the text back into a stand-off dataset.

    The text is taken from your own copies of the articles; what is not found there is listed.
    """
    from corpus.messages import counts
    from release.hydrate.hydrate import hydrate
    from release.messages import hydrated

    with without_project(), progress_bar("articles") as progress:
        done = hydrate(dataset, articles, out, project_settings(required=False).corpus, progress)
    if done.skipped:
        click.echo(f"skipped: {counts(done.skipped)}", err=True)
    click.echo("\n".join(hydrated(done, out, opening_line(out))))
    _say_taken_for(out)


def run_publish(out: Path, settings: Settings, *, standoff: bool = False, allow_open: bool = False) -> None:
    """Write the dataset, and say what it holds, what the card lacks, and what it says without having been told."""
    import tomllib

    from corpus.store import locked
    from labeling.codebook import read_codebook
    from labeling.identity.pseudonyms import ignored, read_names
    from labeling.sync.question import check_same_target, check_target
    from labeling.sync.sent_queue import read_queue
    from release.card.card_facts import assumed, missing
    from release.messages import published
    from release.publish import PublishInputs, publish
    from train.settings import FILE

    codebook = read_codebook(Path(settings.labeling.codebook))
    check_target(Path(FILE), settings.target.name)
    check_same_target(Path(FILE), settings.target.name, Path(settings.labeling.codebook), codebook)
    apart = ignored(Path(), settings.labeling.ignore)
    inputs = PublishInputs(
        settings=settings,
        accounts=read_names(Path()),
        standoff=standoff,
        allow_open=allow_open,
        queue=read_queue(Path()),
    )
    with locked(Path(), "publish"), named_steps() as begin:
        done = publish(WORK, out, settings.target.name, codebook, settings.publish, apart, inputs=inputs, begin=begin)
    click.echo("\n".join(published(done, out, opening_line(out), asked=standoff)))
    _say_taken_for(out)
    if unsaid := missing(settings.publish):
        click.echo("the card says that this is not stated; you can state it under [publish] in stance.toml:")
        click.echo("\n".join(f"  {line}" for line in unsaid))
        if not settings.publish.licence:
            click.echo("(with a licence, the dataset holds the sentences' text, unless you add --standoff)")
    stated = tomllib.loads(Path(FILE).read_text("utf-8-sig")).get("publish", {})
    if defaults := assumed(settings.publish, stated):
        click.echo("the card says this by default; if it is wrong, correct it under [publish] in stance.toml:")
        click.echo("\n".join(f"  {line}" for line in defaults))


def opening_line(out: Path) -> str:
    """The expression that opens a dataset's folder; after -C with its full path, as the user is in another folder."""
    from release.contents.dataset_folder import open_line

    elsewhere = click.get_current_context().find_root().params["folder"] != Path()
    return open_line(out.absolute() if elsewhere else out)


def _say_taken_for(out: Path) -> None:
    from release.contents.dataset_folder import taken_for, unopenable

    if note := taken_for(out):
        click.echo(f"note: {note}", err=True)
    if reason := unopenable(out.absolute()):
        click.echo(
            f"note: load_dataset can't open {out.absolute()}: {reason}; copy the folder to another place first",
            err=True,
        )


def _check_release(folder: Path) -> None:
    from corpus.numbers import number
    from release.contents.manifest import FILE, check_dataset

    click.echo(f"{number(len(check_dataset(folder).right), 'file', 'are')} as {folder / FILE} says")


def _upload(
    folder: Path, repo: str, settings: Settings, trained_on: str | None, *, private: bool, tag: bool, force: bool
) -> None:
    """Upload a dataset or, if `trained_on` is not None, a model."""
    from release.freshness import TRAINED, is_outside, refuse
    from release.hub.upload import upload_dataset, upload_model
    from release.messages import uploaded

    name = f"v{settings.publish.version}" if tag else None
    if trained_on is not None and not is_outside(folder):
        refuse(this_project(settings), "stance publish --model", TRAINED)
    if trained_on is None:
        done = upload_dataset(folder, repo, private=private, tag=name, force=force)
    else:
        about = settings.publish
        done = upload_model(folder, repo, private=private, tag=name, force=force, settings=about, dataset=trained_on)
    click.echo(uploaded(done))
