"""Which open sentences this computer has put into the queue at the server, so that nobody is told to do it again."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import msgspec

from corpus.store import private_folder, read_json_if_whole, write_json

NAME = "queue.json"


class SentQueue(msgspec.Struct, frozen=True, kw_only=True):
    """The queue as the last push left it.

    Attributes:
        url: address of the queue's project at the server; empty if no push has filled a queue.
        sentences: ids of the sentences in it.
    """

    url: str = ""
    sentences: list[str] = []

    def among(self, sentences: Collection[str]) -> int:
        """How many of these sentences are in the queue."""
        return len(set(sentences) & set(self.sentences))


def read_queue(project: Path) -> SentQueue:
    """The queue as the last push left it; an empty one if no push from this computer has filled it.

    Args:
        project: the project folder.
    """
    return read_json_if_whole(project / ".stance" / NAME, SentQueue) or SentQueue()


def write_queue(project: Path, queue: SentQueue) -> None:
    """Keep what a push has put into the queue.

    Args:
        project: the project folder.
        queue: the queue as it is now.
    """
    write_json(private_folder(project) / NAME, queue)
