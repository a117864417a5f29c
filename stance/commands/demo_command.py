"""`stance demo`: every step on the starter corpus."""

from __future__ import annotations

from pathlib import Path

import click

from stance.commands.build_commands import run_build
from stance.commands.pull_command import run_pull
from stance.commands.push_command import run_push
from stance.commands.release_commands import opening_line, run_publish
from stance.commands.serve_command import INSTALL, install_if_wanted, say_login
from stance.commands.train_commands import run_predict, run_report, run_train
from stance.commands.verdict_commands import run_adjudicate, run_status
from stance.progress import progress_bar
from stance.project import WORK, project_settings


@click.command()
@INSTALL
def demo(install: bool) -> None:
    """Run every step on the starter corpus.

    A Label Studio server of its own is started for it, and recorded answers are played in.
    """
    from labeling.studio.client import Studio
    from labeling.studio.local_server import running
    from labeling.sync.replay import replay
    from train.starter import write_starter

    install_if_wanted(asked=install)
    recorded = write_starter(Path())
    settings = project_settings()
    run_build((settings.corpus.root,), WORK, settings)
    click.echo("starting Label Studio (the first time takes half a minute) …")
    with running(Path()) as server, Studio(server) as studio:
        run_push(studio, settings)
        with progress_bar("answers") as progress:
            played = replay(studio, server, settings.labeling.title, recorded, progress)
        click.echo(f"answers of three annotators: {played:,} played in through the server's API")
        run_pull(studio, settings)
        say_login(server, now=False)
    run_adjudicate(settings)
    run_status(settings)
    run_train(None, WORK / "model", settings)
    run_predict(None, (), None, settings)
    run_publish(WORK / "dataset", settings)
    run_report(settings)
    click.echo(
        f"\ndone. Look at {WORK / 'report.html'}; open the dataset with\n"
        f"  {opening_line(WORK / 'dataset')}\n"
        "`stance serve` starts the server again."
    )
