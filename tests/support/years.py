"""Years of a project: a model that keeps every answer ever given and who gave it, and what must hold of the files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from corpus.errors import StanceError, StudioError
from corpus.store import read_jsonl
from labeling.adjudicate import adjudicate
from labeling.codebook import Change, Codebook
from labeling.identity.account_register import read_register
from labeling.records import Annotation, LabelingSettings, Superseded, Verdict, is_unknown
from labeling.scheme import DEFAULT, Scheme
from labeling.studio.answers import chosen
from labeling.studio.api_records import StudioTask
from labeling.studio.tasks import Corpus
from labeling.sync.export_files import read_export
from labeling.sync.known_answers import ANNOTATIONS, HISTORY
from labeling.sync.people import join_people, separate_people
from labeling.sync.pull import pull
from labeling.votes import latest_answers
from tests.support.corpora import corpus_of
from tests.support.fake_server import FakeServer

KEYS = "stuv"


class Said(msgspec.Struct):
    """An answer: who really gave it, to which sentence, all that it ever said, and whether it was fetched.

    `versions` has, for each thing that it said, the versions of the codebook that it can be of: those at the pulls that
    saw it, of which a killed one may have kept it or not.
    """

    person: str
    key: str
    stances: list[str]
    number: int
    seconds: float
    versions: dict[int, set[str]] = {}
    fetched: int = -1
    lost_name: bool = False
    deleted: bool = False
    stays: bool = False


class Kill(Exception):
    """A pull that ends in the middle."""


class World:
    """A server, machines of two colleagues, the project folder, and what really happened."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.work = folder, folder / "work"
        self.keys = set(KEYS[:3])
        self._tables()
        self.said: list[Said] = []
        self.exported: dict[str, list[Said]] = {"alice": [], "bob": []}
        self.epoch, self.clock, self.address, self.number = 0, 0, 1, 1
        self.title = self.settings_title = "stance"
        self.labels = list(DEFAULT.names)
        self.book = Codebook(text="", version="1.0", changes=(Change(version="1.0"),))
        self.imported: set[int] = set()
        self.joined: list[tuple[str, str]] = []

    def _tables(self) -> None:
        corpus_of(self.work, {key: key for key in sorted(self.keys)})

    # --- what happens

    def answer(self, person: int, key: int, stance: int) -> None:
        self.clock += 1
        place = len(self.said)
        number = 1000 * self.epoch + place + 1
        self.said.append(Said(f"p{person}", KEYS[key], [self.labels[stance]], number, 1.5 + place))

    def edit(self, which: int, stance: int) -> None:
        here = [row for row in self.said if not row.deleted]
        if here:
            self.clock += 1
            here[which % len(here)].stances.append(self.labels[stance])

    def delete(self, which: int) -> None:
        here = [row for place, row in enumerate(self.said) if not row.deleted and place not in self.imported]
        if here:
            here[which % len(here)].deleted = True

    def new_address(self) -> None:
        self.address += 1

    def new_installation(self) -> None:
        """Export and import: new numbers and times, and every answer is the importer's."""
        if all(row.fetched < 0 or row.deleted for row in self.said):
            return  # of a project of which nothing was known, the server's accounts are all that there is
        self.epoch += 1
        self.imported |= set(range(len(self.said)))
        for row in self.said:
            row.lost_name |= row.fetched < 0
            # Nobody can see any more that it was deleted where it was given.
            row.stays |= row.deleted and any(found.seconds == row.seconds for found in self.rows())

    def project_deleted(self) -> None:
        """The project is deleted at the server, and a push makes a new one with the same tasks, without answers."""
        for row in self.said:
            for found in self.rows():
                if found.seconds == row.seconds:
                    row.stays = True
                    row.fetched = int(found.updated_at[5:7]) - 1
            row.deleted = True
        self.number += 2

    def rename_project(self) -> None:
        """The project is renamed or archived in the page: it no longer has the title of [labeling]."""
        self.title = "another"

    def settings_follow(self) -> None:
        """The user writes the project's present title into stance.toml, or gives the project its title back."""
        self.settings_title = self.title

    def codebook(self, kind: int) -> None:
        """A new version: it asks for everything again, for nothing, or renames a label."""
        version = f"{len(self.book.changes) + 1}.0"
        change = Change(version=version, reopens=None if kind == 0 else frozenset())
        if kind == 2:
            old, new = self.labels[-1], f"neutral {version}"
            self.labels = [*self.labels[:-1], new]
            change = Change(version=version, reopens=frozenset(), renames={old: new})
        self.book = Codebook(text="", version=version, changes=(*self.book.changes, change))

    def _version(self, label: str) -> str:
        """The version that an answer with this label is of if it is first seen now."""
        return self.book.version if label in self.labels else self.book.earlier_labels(self.labels)[label]

    def articles(self, key: int) -> None:
        self.keys ^= {KEYS[key]}
        self.keys |= {"s"}
        self._tables()

    def machine(self, name: str, key: int, stance: int) -> None:
        """A colleague labels at home, and sends an export."""
        own = self.exported[name]
        if all(row.key != KEYS[key] for row in own):
            label = self.labels[stance]
            versions = {0: {self._version(label)}}
            own.append(Said(name, KEYS[key], [label], len(own) + 1, 0.5, versions))
        tasks = [
            {
                "id": row.number,
                "data": {"sentence_id": row.key},
                "created_at": f"2026-01-01T12:00:0{len(name)}.{row.number:06}Z",
                "annotations": [
                    {
                        "id": row.number,
                        "completed_by": 1,
                        "result": [chosen("stance", row.stances[-1])],
                        "created_at": f"2026-01-02T12:00:0{len(name)}.{row.number:06}Z",
                        "updated_at": f"2026-01-02T12:00:0{len(name)}.{row.number:06}Z",
                    }
                ],
            }
            for row in own
        ]
        path = self.folder / "export.json"  # everybody's export has this name
        path.write_text(json.dumps(tasks))
        read_export(path, Corpus(self.work), self.work, self.folder, self.book, scheme=Scheme(names=self.labels))
        for row in own:
            row.fetched = 0

    def _served(self) -> FakeServer:
        tasks: dict[str, list[dict[str, Any]]] = {key: [] for key in KEYS}
        for place, row in enumerate(self.said):
            if row.deleted:
                continue
            moved = place in self.imported
            made = f"20{26 + self.epoch if moved else 26 + row.number // 1000}-01-02T12:00:00.{place + 1:06}Z"
            answer = {
                "id": 1000 * self.epoch + place + 1 if moved else row.number,
                "completed_by": 99 if moved else int(row.person[1:]) + 10 * (row.number // 1000),
                "result": [chosen("stance", row.stances[-1])],
                "created_at": made,
                "updated_at": made[:5] + f"{len(row.stances):02}" + made[7:],
                "lead_time": row.seconds,
                "import_id": 1000 * (self.epoch - 1) + place + 1 if moved else None,
            }
            tasks.setdefault(row.key, []).append(answer)
        held = [
            StudioTask(
                id=KEYS.index(key) + 1 + 10 * (self.number - 1),
                data={"sentence_id": key},
                annotations=rows,
                created_at=f"20{26 + self.epoch}-01-01T12:00:{self.number:02}.{KEYS.index(key) + 1:06}Z",
                updated_at=f"20{26 + self.epoch}-01-01T12:00:00.{self.clock:06}Z",
            )
            for key, rows in tasks.items()
        ]
        people = {99: "boss@localhost"} | {
            int(row.person[1:]) + 10 * (row.number // 1000): f"{row.person}@localhost" for row in self.said
        }
        server = FakeServer(held, None, people, self.number)
        server.title = self.title
        server.url = f"http://127.0.0.1:{self.address + 100 * self.epoch}"
        return server

    def pull(self, kill: int = 0) -> None:
        """Pull; a killed one ends before it writes its nth file."""
        from corpus import store
        from labeling.identity import account_register
        from labeling.sync import server_changes

        written = 0
        write = store.write_bytes

        def dying(*words: Any, **more: Any) -> bool:
            nonlocal written
            written += 1
            if written == kill:
                raise Kill
            return write(*words, **more)

        with pytest.MonkeyPatch.context() as patched:
            for module in (store, account_register, server_changes):
                patched.setattr(module, "write_bytes", dying)
            settings, scheme = LabelingSettings(title=self.settings_title), Scheme(names=self.labels)
            server: Any = self._served()
            if self.title != self.settings_title:
                before = self.files()
                with pytest.raises((StudioError, Kill), match=r"has no project|^$"):
                    pull(server, settings, self.work, self.folder, self.book, scheme)
                assert self.files() == before
                return
            here = [row for row in self.said if not row.deleted]
            for row in here:
                if row.fetched < len(row.stances) - 1:
                    row.versions.setdefault(len(row.stances) - 1, set()).add(self._version(row.stances[-1]))
            try:
                pull(server, settings, self.work, self.folder, self.book, scheme)
            except Kill:
                return
        for row in here:
            row.fetched = len(row.stances) - 1

    def files(self) -> dict[str, bytes]:
        """What the project keeps of answers."""
        return {path.name: path.read_bytes() for path in (self.folder / "labels").glob("*.jsonl")}

    def join(self, which: int) -> None:
        names = sorted({row.annotator for row in self.rows() if not is_unknown(row.annotator)})
        if len(names) > 1:
            one, two = names[which % len(names)], names[(which + 1) % len(names)]
            join_people(self.work, self.folder, one, two)
            self.joined.append((one, two))

    def apart(self) -> None:
        if self.joined:
            separate_people(self.work, self.folder, *self.joined.pop())

    # --- what must hold

    def rows(self) -> list[Annotation]:
        path = self.folder / "labels" / ANNOTATIONS
        return read_jsonl(path, Annotation, "") if path.is_file() else []

    def tables(self) -> dict[str, Any]:
        """The final tables, with each person's answers in place of the pseudonym that the person has by chance."""
        rows = self.rows()
        persons: dict[str, set[str]] = {}
        kept = []
        for row in rows:
            fields = {name: value for name, value in msgspec.to_builtins(row).items() if name != "annotator"}
            kept.append(json.dumps(fields, sort_keys=True))
            persons.setdefault(row.annotator, set()).add(kept[-1])
        votes = {key for key, row in latest_answers(rows).items() if row.stance}
        verdicts: list[Any] = []
        if votes:
            settings, scheme = LabelingSettings(), Scheme(names=self.labels)
            try:
                adjudicate(self.work, settings, codebook=self.book, scheme=scheme)
                found = read_jsonl(self.work / "verdicts.jsonl", Verdict, "")
                verdicts = [(row.sentence_id, row.stance, row.how, sorted(row.votes.values())) for row in found]
            except StanceError as error:
                verdicts = [str(error)]
        past = read_jsonl(path, Superseded, "") if (path := self.folder / "labels" / HISTORY).is_file() else []
        return {
            "annotations": sorted(kept),
            "persons": {frozenset(answers) for answers in persons.values()},
            "history": sorted((row.why, row.answer.sentence_id, row.answer.stance or "") for row in past),
            "verdicts": verdicts,
        }

    def check(self) -> None:
        while self.joined:  # whoever was joined for a test is apart at the end
            self.apart()
        rows = self.rows()
        path = self.folder / "labels" / HISTORY
        past = read_jsonl(path, Superseded, "") if path.is_file() else []
        people: dict[str, set[str]] = {}
        for row in self.said:
            mine = [found for found in rows if found.seconds == row.seconds]
            assert len(mine) == (0 if row.deleted and not row.stays else 1), (row, mine)
            if row.deleted and row.fetched >= 0 and not row.stays:
                assert [found.answer.stance for found in past if found.answer.seconds == row.seconds]
            for found in mine:
                assert (found.sentence_id, found.stance) == (row.key, row.stances[row.fetched])
                assert found.codebook in row.versions[row.fetched], row
                if is_unknown(found.annotator):
                    assert row.lost_name, row
                else:
                    people.setdefault(row.person, set()).add(found.annotator)
        for name, own in self.exported.items():
            second = 5 if name == "alice" else 3
            for row in own:
                here = [found for found in rows if found.seconds is None and found.sentence_id == row.key]
                (one,) = [found for found in here if found.created_at[17:19] == f"0{second}"]
                assert (one.stance, one.codebook) == (row.stances[-1], *row.versions[0])
                people.setdefault(name, set()).add(one.annotator)
        assert len(rows) == sum(not row.deleted or row.stays for row in self.said) + sum(
            map(len, self.exported.values())
        )
        every = [name for names in people.values() for name in names]
        assert len(every) == len(set(every))  # no name is two people's
        # A person has one name, and one more for each new installation: an account there shows nobody's old one.
        assert all(len(names) <= 1 + self.epoch for names in people.values())
        assert read_register(self.folder).same() == {}
