"""The article of a project whose years are lived: its sentences leave and come back, and it is built each time.

A build takes a quarter of a second. So each history of an article is built once, and copied for other projects.
"""

from __future__ import annotations

import shutil
import tempfile
from functools import cache
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from corpus import near_duplicates
from corpus.build import FILES, build
from corpus.database import Database
from corpus.records import CorpusSettings

SENTENCES = {
    "s": "The council spoke of the harbour for an hour on Monday.",
    "t": "Nobody in the old town wanted a second tunnel.",
    "u": "The minister said that the bridge had cost too much.",
    "v": "A storm took the roof of the market hall in the night.",
}
KEYS = "".join(SENTENCES)
BUILT: dict[tuple[str, ...], Path] = {}
KEPT = tempfile.TemporaryDirectory()


class News:
    """An article of some of the sentences, in an order that changes; the tables are those of real builds."""

    def __init__(self, folder: Path) -> None:
        """Write the article with the first three sentences."""
        self._folder = folder
        self.order = list(KEYS[:3])
        self._history: tuple[str, ...] = ()
        self._build()

    def toggle(self, key: str, place: int) -> None:
        """Take a sentence out of the article, or put it back at some place; the first one never leaves."""
        if key in self.order[1:] or (key in self.order and key != KEYS[0]):
            self.order.remove(key)
        elif key not in self.order:
            self.order.insert(place % (len(self.order) + 1), key)
        self._build()

    def _build(self) -> None:
        path, work = self._folder / "news" / "council.txt", self._folder / "work"
        path.parent.mkdir(exist_ok=True)
        path.write_text("\n\n".join(SENTENCES[key] for key in self.order) + "\n", "utf-8")
        self._history = (*self._history, "".join(self.order))
        if (kept := BUILT.get(self._history)) is None:
            build([path.parent], work, CorpusSettings(root=str(self._folder)), force=True, workers=1)
            kept = BUILT[self._history] = Path(KEPT.name) / str(len(BUILT))
            shutil.copytree(work / ".build", kept / ".build")
            for name in FILES:
                shutil.copyfile(work / name, kept / name)
        else:
            shutil.rmtree(work / ".build", ignore_errors=True)
            shutil.copytree(kept, work, dirs_exist_ok=True)

    def ids(self) -> list[str]:
        """The ids of the sentences that the article has now, in their order."""
        table = pq.read_table(self._folder / "work" / "sentences.parquet", columns=["sentence_id"])
        return [str(id_) for id_ in table.column(0).to_pylist()]


@cache
def sentence_ids() -> dict[str, str]:
    """The id of each sentence, as an article has it that holds them all."""
    with tempfile.TemporaryDirectory() as folder:
        news = News(Path(folder))
        news.toggle(KEYS[3], 3)
        return dict(zip(news.order, news.ids(), strict=True))


def build_quickly(patch: pytest.MonkeyPatch) -> None:
    """Without near-duplicates, which take most of a build's time and have no part in this."""

    def label(tables: Database) -> tuple[int, int]:
        ids = "sentence_id, sentence_id AS copy_id, sentence_id AS cluster_id"
        tables.make("found", f"SELECT file, place, {ids} FROM keyed")
        return 0, 0

    patch.setattr(near_duplicates, "label", label)
    patch.setattr("corpus.build.keep", lambda *_: None)
