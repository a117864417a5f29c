"""`stance backend`: the model as a backend of an existing Label Studio."""

from __future__ import annotations

import os
from pathlib import Path

import click

from stance.project import WORK, project_settings

USER, PASSWORD = "STANCE_BACKEND_USER", "STANCE_BACKEND_PASSWORD"


@click.command()
@click.argument("model", default=WORK / "model", type=click.Path(path_type=Path))
@click.option(
    "--host",
    default="127.0.0.1",
    metavar="HOST",
    help="The name or address of this computer at which the backend listens; 0.0.0.0 for all of them.",
)
@click.option("--port", default=9090, type=click.IntRange(1, 65535), help="The port of the backend.")
def backend(model: Path, host: str, port: int) -> None:
    """Show the predictions of a MODEL (work/model unless you name another one) in Label Studio.

    It runs until you press Ctrl-C. In Label Studio, connect its address under Settings, Model. A project fits if one of
    its Choices controls has the model's labels. If STANCE_BACKEND_PASSWORD is set, Label Studio must send it (Basic
    Authentication) with the user name "stance", or the one in STANCE_BACKEND_USER.
    """
    from labeling.studio.address import EVERY, free_port, is_loopback, reached_at, resolve
    from train.backend.server import Backend
    from train.predict.judge import open_model

    judge = open_model(model, project_settings(required=False).target.name)
    address = resolve(host)
    free_port(address, port)  # it says why a port cannot be used
    password = os.environ.get(PASSWORD)
    login = (os.environ.get(USER, "stance"), password) if password else None
    with Backend((address, port), judge, login, lambda line: click.echo(line, err=True)) as server:
        shown = reached_at(address) if address == EVERY else address
        click.echo(f"{model} (labels {', '.join(judge.labels)}) answers at http://{shown}:{port}")
        click.echo("connect this address in Label Studio, in the project's settings, under Model; Ctrl-C stops it")
        if not is_loopback(address):
            click.echo(
                f"warning: it listens at {address}, without encryption: texts can be read on the way"
                + ("" if login else f", and anybody who reaches this computer can ask it; set {PASSWORD}"),
                err=True,
            )
        server.serve_forever()
