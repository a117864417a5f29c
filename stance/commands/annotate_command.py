"""`stance annotate`: labels of machine coders, from a chat server or from a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from corpus.numbers import number
from stance.progress import bar
from stance.project import WORK, check_question, codebook_now, project_settings

if TYPE_CHECKING:
    from labeling.machine.ask import Spent
    from labeling.machine.questions import AskPlan
    from train.settings import Settings

COMPARE = "next: `stance status` compares the machine coder with the annotators"


@click.command()
@click.option("--model", metavar="NAME", help="The model to ask, by the name that the server gives it.")
@click.option(
    "--url",
    metavar="URL",
    help="The address of a chat server that speaks OpenAI's protocol, instead of OPENAI_BASE_URL. The key, where the "
    "server needs one, is read from OPENAI_API_KEY and is never written.",
)
@click.option(
    "--coder", metavar="NAME", help="The name of the machine coder. With --model it is the model's unless you say so."
)
@click.option(
    "--limit",
    type=click.IntRange(1),
    metavar="N",
    help="Ask about N sentences in all: first about those that most people have labelled.",
)
@click.option(
    "--samples",
    default=1,
    type=click.IntRange(1, 100),
    metavar="K",
    help="Ask each question K times, to see whether the model repeats itself. Its first answer is its label.",
)
@click.option("--jobs", default=4, type=click.IntRange(1, 256), metavar="N", help="How many requests run side by side.")
@click.option(
    "--prompt",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A file with an instruction to use instead of stance's own. {{target}}, {{labels}} and {{codebook}} are "
    "filled in there.",
)
@click.option(
    "--dry-run", is_flag=True, help="Print one whole prompt and how much would be asked, without asking anything."
)
@click.option(
    "--from",
    "source",
    type=click.Path(path_type=Path),
    help="Read predictions that were made elsewhere, from a .csv, .jsonl or .parquet file with sentence_id or text, "
    "and stance or label.",
)
@click.option(
    "--description", default="", show_default=False, metavar="TEXT", help="With --from: how the predictions were made."
)
def annotate(
    model: str | None,
    url: str | None,
    coder: str | None,
    limit: int | None,
    samples: int,
    jobs: int,
    prompt: Path | None,
    dry_run: bool,
    source: Path | None,
    description: str,
) -> None:
    """Ask a machine coder the annotators' question.

    The model reads what annotators read: the codebook, the target, and each sentence with its title and context. Its
    answers are kept in work/machine.jsonl, and no question that was answered is asked again. They never count as
    people's: `stance status` and the report compare them with people.
    """
    if (model is None) == (source is None):
        raise click.UsageError("give one of the two: --model NAME to ask a model, --from FILE to read predictions")
    settings = project_settings()
    if source is not None:
        given = (url, limit, prompt) != (None, None, None) or samples > 1 or dry_run
        if given:
            raise click.UsageError("--from reads a file and asks nothing: only --coder and --description go with it")
        if not coder:
            raise click.UsageError("--from needs --coder NAME: the name under which the predictions are kept")
        _adopt(source, settings, coder, description)
        return
    if description:
        raise click.UsageError("--description goes with --from FILE: it says how the file's predictions were made")
    assert model is not None
    _ask(settings, model, coder or model, url, limit, samples, jobs, prompt, dry_run=dry_run)


def _adopt(source: Path, settings: Settings, coder: str, description: str) -> None:
    from corpus.store import locked, wrote
    from labeling.machine.answers import check_coder
    from labeling.machine.messages import adopted
    from labeling.machine.predictions_file import adopt_predictions
    from labeling.machine.records import FILE

    check_coder(WORK, Path(), coder)
    codebook = codebook_now(settings)
    with locked(Path(), "annotate"):
        done = adopt_predictions(source, WORK, settings.labels, coder=coder, description=description, codebook=codebook)
    for note in done.notes:
        click.echo(f"note: {note}", err=True)
    click.echo("\n".join([*adopted(done), wrote(done.changed, WORK / FILE), COMPARE]))


def _ask(
    settings: Settings,
    model: str,
    coder: str,
    url: str | None,
    limit: int | None,
    samples: int,
    jobs: int,
    prompt: Path | None,
    *,
    dry_run: bool,
) -> None:
    from contextlib import nullcontext

    from corpus.store import locked
    from labeling.codebook import read_codebook
    from labeling.machine.answers import check_coder
    from labeling.machine.messages import show_ask_plan, show_prompt
    from labeling.machine.prompt import make_prompt
    from labeling.machine.questions import plan_questions
    from labeling.studio.tasks import Corpus

    codebook = read_codebook(Path(settings.labeling.codebook))
    check_question(settings, codebook)
    check_coder(WORK, Path(), coder)
    made = make_prompt(settings.target.name, codebook, settings.labels, prompt)
    with nullcontext() if dry_run else locked(Path(), "annotate"):
        plan = plan_questions(
            WORK,
            made,
            settings.labels,
            settings.machine,
            settings.target.name,
            model=model,
            coder=coder,
            limit=limit,
            samples=samples,
        )
        if dry_run and plan.questions:
            (task,) = Corpus(WORK).tasks([(plan.questions[0].sentence_id, 0)], settings.target.name)
            click.echo("\n".join(show_prompt(made, task)))
        click.echo("\n".join(show_ask_plan(plan)))
        if not dry_run and plan.questions:
            _run(settings, plan, url, samples, jobs)


def _run(settings: Settings, plan: AskPlan, url: str | None, samples: int, jobs: int) -> None:
    from contextlib import closing

    from corpus.errors import StanceError
    from corpus.store import wrote
    from labeling.machine.ask import ask
    from labeling.machine.client import Chat
    from labeling.machine.messages import asked
    from labeling.machine.records import FILE
    from labeling.machine.server import find_chat_server

    given = settings.machine
    server = find_chat_server(url)
    if server.warning:
        click.echo(f"warning: {server.warning}", err=True)
    chat = Chat(
        server,
        plan.model,
        temperature=given.temperature,
        max_tokens=given.max_tokens,
        timeout=given.timeout,
    )
    with closing(chat), bar("answers") as drawn:
        drawn.total = len(plan.questions)

        def progress(done: int, spent: Spent) -> None:
            cost = "" if spent.cost is None else f", cost {spent.cost:.4g}"
            drawn.set_postfix_str(f"{spent.tokens_in + spent.tokens_out:,} tokens{cost}", refresh=False)
            drawn.update(done)

        done = ask(chat, plan, WORK, settings.labels, given, jobs=jobs, progress=progress)
    click.echo("\n".join([*asked(done, given.temperature, samples), wrote(done.changed, WORK / FILE)]))
    if not done.failed:
        click.echo(COMPARE)
    if done.failed:
        stopped = ", and the run stopped because none came any more" if done.stopped else ""
        raise StanceError(
            f"{number(done.failed, 'request')} got no answer{stopped}; the last because {done.reason}. Nothing is "
            "lost: run the same command again, which asks only what has no answer yet"
        )
