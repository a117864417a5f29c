"""Which sentences are open, and how people decide them."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from corpus.store import read_jsonl_if_there
from labeling.copy_groups import groups_of_labels
from labeling.records import Unsettled
from labeling.sampling.rounds import queue_command
from labeling.sampling.sample_table import read_sample
from labeling.sync.sent_queue import SentQueue


def open_sentences(work: Path) -> list[Unsettled]:
    """The open sentences that are still in the corpus, which hold a publication up; none before `stance adjudicate`.

    Args:
        work: the project's folder of tables.

    Raises:
        TableError: a table is malformed, or there is no corpus.
    """
    rows = read_jsonl_if_there(work / "queue.jsonl", Unsettled)
    here = groups_of_labels(work).in_corpus if rows else frozenset()
    return [row for row in rows if row.sentence_id in here]


def what_to_do(
    work: Path, sentences: Collection[str], queue: SentQueue, publish: str = "stance publish", first: str = ""
) -> str:
    """What to do about open sentences before a publication, as a clause that names the commands.

    Args:
        work: the project's folder of tables.
        sentences: ids of the open sentences.
        queue: the queue as the last push from this computer left it; another computer may have filled it.
        publish: command that publishes.
        first: commands that are due before sentences can be left out, as in "`stance train`, then ".
    """
    them = "it" if len(sentences) == 1 else "them"
    model = ", `stance train`, `stance predict`" if (work / "model" / "model.json").is_file() else ""
    then = f"then `stance pull`, `stance adjudicate`{model} and `{publish}`"
    sent = queue.among(sentences)
    if sent == len(sentences):
        decide = f"decide {them} in the queue at {queue.url}"
    else:
        which = f"{len(sentences) - sent:,} of them" if sent else them
        decide = (
            f"`{queue_command(read_sample(work))}` puts {which} into the queue, if no other computer has done so "
            f"already; decide {them} there"
        )
    return f"{decide}, {then}; or leave {them} out: {first}`{publish} --allow-open`"
