"""Years of a project: a model that keeps every answer ever given and who gave it, and what must hold of the files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from corpus.errors import StanceError, StudioError
from corpus.store import read_jsonl
from labeling.adjudicate import adjudicate, settled_now
from labeling.codebook import Change, Codebook
from labeling.identity.account_register import read_register
from labeling.migration.carry_out import migrate
from labeling.migration.plan import plan_migration
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
from tests.support.years_news import KEYS, News, sentence_ids
from tests.support.years_server import Kill, Said, YearsServer, place_at, updated


class World:
    """A server, machines of two colleagues, the project folder with its article, and what really happened.

    Of four people at the server, the first two have an address that is theirs at every server.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.work = folder, folder / "work"
        self.news = News(folder)
        self.ids = sentence_ids()
        self.said: list[Said] = []
        self.exported: dict[str, list[Said]] = {"alice": [], "bob": []}
        self.epoch, self.clock, self.address, self.number, self.importer = 0, 0, 1, 1, True
        self.last = 0
        self.title = self.settings_title = "stance"
        self.labels = list(DEFAULT.names)
        self.page = self.labels
        self.book = Codebook(text="", version="1.0", changes=(Change(version="1.0"),))
        self.joined: list[tuple[str, str]] = []
        self.killed = False
        self.since: set[str] = set()
        self.strange = 0

    # --- what happens

    def answer(self, person: int, key: int, stance: int) -> None:
        self.clock += 1
        label = self.page[stance]
        self.last += 1
        self.said.append(Said(f"p{person}", KEYS[key], [label], 1.5 + len(self.said), number=self.last, held=label))

    def edit(self, which: int, stance: int) -> None:
        here = [row for row in self.said if row.is_held]
        if here and not (row := here[which % len(here)]).unclear(self.page[stance], self._known(row)):
            self.clock += 1
            row.say(self.page[stance])

    def delete(self, which: int) -> None:
        here = [row for row in self.said if row.is_held and row.before is None]
        if here and not (row := here[which % len(here)]).unclear(None, self._known(row)):
            row.deleted = True

    def new_address(self) -> None:
        self.address += 1
        self._since("address")

    def _since(self, event: str) -> None:
        """A new project shows nobody's old name at a new address, nor if the only pull that gave it was killed."""
        self.since.add(event)
        self.strange += "project" in self.since and len(self.since) > 1

    def new_installation(self, address: int, importer: int) -> None:
        """Export and import: new numbers and times; the account of each answer is the importer's or some other."""
        if all(row.fetched < 0 or not row.is_held for row in self.said):
            return  # of a project of which nothing was known, the server's accounts are all that there is
        self.epoch, self.importer = self.epoch + 1, bool(importer)
        self.since = {"installation"}
        self.address += address  # or at the same address, as on one's own computer
        for row in self.said:
            row.lost_name |= row.fetched < 0
            # Nobody can see any more that it was deleted where it was given.
            row.stays |= row.deleted and self._known(row) >= 0
            row.before, row.number = row.number, 0
            if row.is_held and row.unclear(row.held, known := self._known(row)):
                del row.stances[known + 1 :], row.times[known + 1 :]
        here = sorted((row for row in self.said if row.is_held), key=lambda row: row.key)
        self.last = len(here)
        for number, row in enumerate(here, 1):
            row.number = number

    def project_deleted(self) -> None:
        """The project is deleted at the server, and a push makes a new one with the same tasks, without answers."""
        if "installation" in self.since:
            return  # of two servers at one address that have nothing in common, nobody could tell that they are two
        for row in self.said:
            if (known := self._known(row)) >= 0:
                row.stays, row.fetched = True, known
            row.deleted = True
        self.number += 2
        self._since("project")

    def rename_project(self) -> None:
        """The project is renamed or archived in the page: it no longer has the title of [labeling]."""
        self.title = "another"

    def settings_follow(self) -> None:
        """The user writes the project's present title into stance.toml, or gives the project its title back."""
        self.settings_title = self.title

    def codebook(self, kind: int) -> None:
        """A new version, and a push: it asks for everything again, for nothing, for a label, or renames or splits one.

        The page stays as it was while answers at the server have a label that the new one does not have.
        """
        version = f"{len(self.book.changes) + 1}.0"
        old, new = self.labels[-1], f"neutral {version}"
        change = [
            Change(version=version),
            Change(version=version, reopens=frozenset()),
            Change(version=version, reopens=frozenset(), renames={old: new}),
            Change(version=version, reopens=frozenset({self.labels[0]})),
            Change(version=version, reopens=frozenset({old})),
            Change(version=version, reopens=frozenset(), renames={old: self.labels[0]}),
        ][kind]
        if kind in {2, 4, 5}:
            self.labels = [*self.labels[:-1], new]
        self.book = Codebook(text="", version=version, changes=(*self.book.changes, change))
        if self._are_present():
            self.page = self.labels

    def _are_present(self) -> bool:
        """Whether all labels that the server holds are on the present page."""
        return all(row.held in self.labels for row in self.said if row.is_held)

    def migrate(self, kill: int = 0, after: bool = False) -> None:
        """`push --migrate`; a killed one ends before the nth change of an answer, or after it and before the reply."""
        if self.title != self.settings_title:
            return
        server: Any = self._served()
        server.kill, server.after = kill, after
        settings, scheme = LabelingSettings(title=self.title), Scheme(names=self.labels)
        place = server.find_project(self.title)
        plan = plan_migration(server, place, self.work, self.folder, settings, self.book, scheme)
        if plan.unfetched:
            return  # the command refuses, and says that a pull is needed first
        for row in [*plan.rewrite, *plan.again]:
            found = self._numbered()[row.answer["id"]]
            found.fetched = self._known(found)  # also if the pull was killed that wrote it
            found.plan(row.now, found.fetched)
        self.clock += 1
        try:
            migrate(server, [plan], self.work, lambda *_: None)
        except Kill:
            return
        assert self._are_present()
        self.page = self.labels

    def _version(self, label: str) -> str:
        """The version that an answer with this label is of if it is first seen now."""
        return self.book.version if label in self.labels else self.book.earlier_labels(self.labels)[label]

    def articles(self, key: int, place: int) -> None:
        """An article is edited: a sentence leaves it, or comes back at some place; then the corpus is built."""
        self.news.toggle(KEYS[key], place)

    def machine(self, name: str, key: int, stance: int) -> None:
        """A colleague labels at home, and sends an export."""
        own = self.exported[name]
        if all(row.key != KEYS[key] for row in own):
            label = self.labels[stance]
            versions = {0: {self._version(label)}}
            own.append(Said(name, KEYS[key], [label], 0.5, versions=versions))
        tasks = [
            {
                "id": number,
                "data": {"sentence_id": self.ids[row.key]},
                "created_at": f"2026-01-01T12:00:0{len(name)}.{number:06}Z",
                "annotations": [
                    {
                        "id": number,
                        "completed_by": 1,
                        "result": [chosen("stance", row.stances[-1])],
                        "created_at": f"2026-01-02T12:00:0{len(name)}.{number:06}Z",
                        "updated_at": f"2026-01-02T12:00:0{len(name)}.{number:06}Z",
                    }
                ],
            }
            for number, row in enumerate(own, 1)
        ]
        path = self.folder / "export.json"  # everybody's export has this name
        path.write_text(json.dumps(tasks))
        read_export(path, Corpus(self.work), self.work, self.folder, self.book, scheme=Scheme(names=self.labels))
        for row in own:
            row.fetched = 0

    def _account(self, person: str, epoch: int) -> int:
        """The number of a person's account; at another installation it is somebody else's."""
        return (int(person[1:]) + epoch) % 4 + 1

    def _numbered(self) -> dict[int, Said]:
        """The answers by their number at the present installation."""
        return {row.number: row for row in self.said if row.is_held}

    def _served(self) -> YearsServer:
        tasks: dict[str, list[dict[str, Any]]] = {key: [] for key in KEYS}
        for number, row in self._numbered().items():
            theirs = 99 if self.importer else self._account(row.person, self.epoch - 1)
            made = f"20{26 + self.epoch}-01-02T12:00:00.{number:06}Z"
            answer = {
                "id": number,
                "completed_by": self._account(row.person, self.epoch) if row.before is None else theirs,
                "result": [chosen("stance", row.held)],
                "created_at": made,
                "updated_at": updated(made, row.changes),
                "lead_time": row.seconds,
                "import_id": row.before,
            }
            tasks[row.key].append(answer)
        held = [
            StudioTask(
                id=KEYS.index(key) + 1 + 10 * (self.number - 1),
                data={"sentence_id": self.ids[key]},
                annotations=rows,
                created_at=f"20{26 + self.epoch}-01-01T12:00:{self.number:02}.{KEYS.index(key) + 1:06}Z",
                updated_at=f"20{26 + self.epoch}-01-01T12:00:00.{self.clock:06}Z",
            )
            for key, rows in tasks.items()
        ]
        people = {99: "boss@localhost"} | {
            self._account(f"p{n}", self.epoch): f"p{n}@lab.example" if n < 2 else f"p{n}@localhost" for n in range(4)
        }
        server = YearsServer(held, people, self.number, self._numbered())
        server.title = self.title
        server.url = f"http://127.0.0.1:{self.address}"
        server.made = f"20{26 + self.epoch}-01-01T11:00:{self.number:02}.000001Z"
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
            here = [row for row in self.said if row.is_held]
            for row in here:
                if row.fetched < len(row.stances) - 1:
                    row.versions.setdefault(len(row.stances) - 1, set()).add(self._version(row.stances[-1]))
            try:
                pull(server, settings, self.work, self.folder, self.book, scheme)
            except Kill:
                self.killed = True
                self._since("kill")
                return
        self.since.clear()
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

    def _known(self, row: Said) -> int:
        """The place of the label under which the project has an answer; -1 if it has none."""
        here = [found.updated_at for found in self.rows() if found.seconds == row.seconds]
        return place_at(row, here[0]) if here else -1

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
                assert (found.sentence_id, found.stance) == (self.ids[row.key], row.stances[row.fetched]), row
                assert found.codebook in row.versions[row.fetched], row
                if is_unknown(found.annotator):
                    assert row.lost_name, row
                else:
                    people.setdefault(row.person, set()).add(found.annotator)
        for name, own in self.exported.items():
            second = 5 if name == "alice" else 3
            for row in own:
                here = [found for found in rows if found.seconds is None and found.sentence_id == self.ids[row.key]]
                (one,) = [found for found in here if found.created_at[17:19] == f"0{second}"]
                assert (one.stance, one.codebook) == (row.stances[-1], *row.versions[0])
                people.setdefault(name, set()).add(one.annotator)
        assert len(rows) == sum(not row.deleted or row.stays for row in self.said) + sum(
            map(len, self.exported.values())
        )
        every = [name for names in people.values() for name in names]
        assert len(every) == len(set(every))  # no name is two people's
        # A person has one name, and one more for each new installation: an account there shows nobody's old one.
        assert all(len(names) <= 1 + self.epoch + self.strange for names in people.values())
        if not self.killed:
            assert all(len(people.get(name, ())) <= 1 for name in ("p0", "p1"))  # their address is known
        assert read_register(self.folder).same() == {}
        self._check_verdicts(rows)

    def _check_verdicts(self, rows: Sequence[Annotation]) -> None:
        """Every sentence of the article with a vote that counts is settled or open, whatever left and came back."""
        assert self.news.ids() == [self.ids[key] for key in self.news.order]
        if not rows:
            return
        done = settled_now(self.work, LabelingSettings(), codebook=self.book, scheme=Scheme(names=self.labels))
        found = {row.sentence_id for row in done.verdicts} | {row.sentence_id for row in done.queue}
        here = {self.ids[key] for key in self.news.order}
        count = {
            row.sentence_id
            for row in latest_answers(rows).values()
            if row.stance and self.book.asked_again_at(row.stance, row.codebook) is None
        }
        assert here & count <= found <= here
