"""The `stance` command: its group, the errors that become one message, and where each command is found."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NoReturn

import click

from stance.commands.annotate_command import annotate
from stance.commands.backend_command import backend
from stance.commands.build_commands import build, init
from stance.commands.demo_command import demo
from stance.commands.doctor_command import doctor
from stance.commands.estimate_command import estimate
from stance.commands.export_command import export
from stance.commands.fetch_command import fetch
from stance.commands.overview import overview
from stance.commands.pull_command import people, pull
from stance.commands.push_command import push
from stance.commands.release_commands import hydrate, publish
from stance.commands.serve_command import serve
from stance.commands.train_commands import predict, report, train
from stance.commands.verdict_commands import adjudicate, status
from stance.project import no_project
from stance.signals import Stopping
from stance.terminal import fit_streams


def main() -> None:
    """Run a command; a known error becomes one message and exit code 1, wrong usage 2, Ctrl-C 130."""
    stopping = Stopping()
    fit_streams()
    # Only the server or Hub that the user named is ever called.
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    try:
        cli(standalone_mode=False)
    except (Exception, KeyboardInterrupt) as error:
        # Once a stop was asked for, any error is that stop: DuckDB turns Ctrl-C into one of its own, for instance.
        if stopping.status or isinstance(error, (click.Abort, KeyboardInterrupt)):
            click.echo("stance: interrupted", err=True)
            sys.exit(stopping.status or 130)
        _exit(error)
    finally:
        stopping.end()


def _exit(error: BaseException) -> NoReturn:
    if isinstance(error, click.ClickException):
        error.show()
        _say_no_project(error)
        sys.exit(error.exit_code)
    if isinstance(error, OSError):
        # Such as a full disk or a folder without write permission, which a traceback would not explain.
        click.echo(f"stance: {error.filename or 'the system'}: {error.strerror or error}", err=True)
        _say_no_project(error)
        sys.exit(1)
    from corpus.errors import StanceError

    if not isinstance(error, StanceError):
        raise error
    click.echo(f"stance: {error}", err=True)
    _say_no_project(error)
    sys.exit(1)


def _say_no_project(error: BaseException) -> None:
    if said := no_project(error):
        click.echo(f"stance: {said}", err=True)


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "show_default": True}, invoke_without_command=True
)
@click.option("-C", "folder", default=".", type=click.Path(path_type=Path), help="The project folder.")
@click.version_option(package_name="stance-corpus", message="stance %(version)s")
@click.pass_context
def cli(context: click.Context, folder: Path) -> None:
    """From news articles to a stance classifier and a citable corpus.

    Without a command, stance says where the project in this folder stands, and which command is the next.
    """
    try:
        os.chdir(folder)
    except OSError as error:
        raise click.ClickException(f"{folder}: {error.strerror}; -C names the project folder") from error
    if context.invoked_subcommand is None:
        overview()


for command in (
    init,
    fetch,
    build,
    serve,
    push,
    pull,
    people,
    status,
    adjudicate,
    annotate,
    train,
    predict,
    backend,
    estimate,
    publish,
    hydrate,
    export,
    report,
    doctor,
    demo,
):
    cli.add_command(command)
