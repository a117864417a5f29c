"""`stance fetch`: pages from the web, politely, into web archives that `stance build` reads."""

from __future__ import annotations

from pathlib import Path

import click

from stance.progress import bar
from stance.project import project_settings, without_project


@click.command()
@click.argument("table", type=click.Path(path_type=Path))
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    help="The folder of web archives (.warc.gz) that the pages are added to.",
)
@click.option("--jobs", default=8, type=click.IntRange(1, 256), help="How many hosts are asked at once.")
@click.option(
    "--delay",
    default=1.0,
    type=click.FloatRange(0, 3600),
    help="Seconds between two requests to the same host; a longer Crawl-delay of its robots.txt counts, up to 30.",
)
@click.option("--timeout", default=60.0, type=click.FloatRange(0.1, 3600), help="Most seconds that a page may take.")
@click.option(
    "--contact",
    default="",
    show_default=False,
    metavar="MAIL_OR_URL",
    help="Where the hosts' owners can reach you; it is sent with every request, in the User-Agent.",
)
@click.option("--retry", is_flag=True, help="Try pages again that failed in an earlier run.")
def fetch(table: Path, out: Path, jobs: int, delay: float, timeout: float, contact: str, retry: bool) -> None:
    """Fetch the pages of a table of URLs.

    TABLE is a .csv, .jsonl, .json, .parquet, .xlsx or .xls file with a column url (or another one that [corpus.fields]
    in stance.toml names), or a .txt file with a URL on each line. What robots.txt forbids is not fetched, and each
    host is asked for one page at a time. A run that was stopped goes on where it stopped when the same command is
    typed again: pages that are in the folder are not fetched again. Pages without success are listed in
    failed.jsonl, with the reason.
    """
    from importlib.metadata import version

    from corpus.fetch.fetch_pages import fetch_pages
    from corpus.fetch.messages import fetched
    from corpus.fetch.polite_web import Manners
    from corpus.fetch.robots import AGENT
    from corpus.fetch.url_table import read_urls

    if not (contact.isascii() and contact.isprintable()):
        raise click.UsageError("--contact: expected a mail address or a URL, in ASCII")
    settings = project_settings(required=False)
    with without_project():
        urls = read_urls(table, settings.corpus)
    agent = f"{AGENT}/{version('stance-corpus')}" + (f" ({contact})" if contact else "")
    manners = Manners(agent=agent, jobs=jobs, delay=delay, timeout=timeout)
    with bar("pages") as drawn:

        def step(total: int, failed: int) -> None:
            drawn.total = total
            drawn.set_postfix_str(f"{failed:,} failed" if failed else "", refresh=False)
            drawn.update()

        done = fetch_pages(urls, out, manners, retry=retry, progress=step)
    click.echo("\n".join(fetched(done, urls, out)))
