"""`stance serve`: run a local Label Studio server."""

from __future__ import annotations

import shlex
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from stance.progress import bar
from stance.project import outside

if TYPE_CHECKING:
    from labeling.studio.connection import Server


EVERY = 10.0
"""Seconds between two lines on an installation where there is no terminal to draw a bar on."""
INSTALL = click.option(
    "--install",
    is_flag=True,
    help="Install Label Studio first, if it is missing: once for all your projects, in an environment of its own.",
)


@click.command()
@click.option(
    "--host",
    metavar="HOST",
    help="The name or address of this computer at which the server listens; 0.0.0.0 for all of them.",
)
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    help="The port of the server: at first any free one, later the one that it had, unless you name one.",
)
@INSTALL
def serve(host: str | None, port: int | None, install: bool) -> None:
    """Run a Label Studio server.

    It runs for this project until you press Ctrl-C or close the terminal. Only this computer can reach it unless you
    name a --host. Where Label Studio is not installed, you are asked whether to install it, or you say so with
    --install.
    """
    from labeling.studio.connection import read_key_file
    from labeling.studio.install import executable
    from labeling.studio.local_server import answering, how_to_stop, running

    if there := answering(Path(), host, port):
        say_login(there)
        _say_sign_up(there)
        click.echo(f"It runs already, and stops {how_to_stop(there)}; labels are kept.")
        _say_next()
        return
    install_if_wanted(asked=install)
    executable()  # without it nothing starts
    if said := outside():
        click.echo(f"{said}. A new server is made for this folder, without your project's tasks and labels", err=True)
    before = read_key_file(Path())
    click.echo("starting Label Studio; the first time takes up to a minute …", err=True)
    serving = False
    try:
        with running(Path(), host, port) as server:
            if port is None and before is not None and before.port != server.port:
                click.echo(f"port {before.port}, which it had before, is taken by another program", err=True)
            say_login(server)
            _say_sign_up(server)
            click.echo("Ctrl-C stops it; labels are kept.")
            _say_next()
            serving = True
            signal.pause()
    except KeyboardInterrupt:
        if not serving:
            raise
        options = [*(["--host", host] if host else []), *(["--port", str(port)] if port else [])]
        click.echo(f"Label Studio has stopped; `{shlex.join(['stance', 'serve', *options])}` starts it again")
        sys.exit(130)


def _say_next() -> None:
    """Print what `stance` alone would say is next, to be done in another terminal; nothing outside of a project."""
    from corpus.errors import StanceError
    from stance.project import say_next
    from train.settings import FILE, read_settings

    with suppress(StanceError):
        if Path(FILE).is_file():
            say_next(read_settings(Path(), required=True), "", ", in another terminal")


def say_login(server: Server, *, now: bool = True) -> None:
    """Print the server's address, and how its owner logs in."""
    from labeling.studio.connection import KEY_FILE

    when = "is at" if now else "will be at"
    click.echo(f"Label Studio {when} {server.url} (account {server.username}, password in {KEY_FILE})")


def _say_sign_up(server: Server) -> None:
    from labeling.studio.address import is_loopback
    from labeling.studio.local_server import sign_up_page

    click.echo(f"others make their account at {sign_up_page(server)}")
    if is_loopback(server.host):
        click.echo("(on this computer alone; `stance serve --host 0.0.0.0` lets colleagues in the network reach it)")
    else:
        click.echo(
            f"warning: it listens at {server.host}, without encryption: whoever reaches this computer can try to log "
            "in, and passwords and labels can be read on the way; see docs/hosting.md on putting TLS in front",
            err=True,
        )


def install_if_wanted(*, asked: bool) -> None:
    """Install Label Studio where it is missing and the user wants it; else the error that follows says how.

    Args:
        asked: whether the user has said so already; if not, they are asked at a terminal.
    """
    from labeling.studio.install import SIZE, TIME, VERSION, find, install, user_folder

    if find() is not None:
        return
    about = f"Label Studio {VERSION} for all your projects: {SIZE} on the disk, in {user_folder()}, in {TIME}"
    if asked:
        click.echo(f"installing {about}")
    elif not (sys.stdin.isatty() and click.confirm(f"Label Studio is not installed. Install {about}?")):
        return
    with bar("packages") as drawn:
        said_at = begun = time.monotonic()

        def step(said: str) -> None:
            nonlocal said_at
            drawn.set_description_str(said, refresh=False)
            drawn.update()
            now = time.monotonic()
            if drawn.disable and now - said_at >= EVERY:
                said_at = now
                click.echo(f"  after {now - begun:.0f} s: {said}", err=True)

        program = install(step)
    click.echo(f"installed {program}")
