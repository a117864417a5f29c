"""Which article is which: labels stay with their article wherever it goes, and what leaves is said."""

from __future__ import annotations

import csv
import json
import os
import random
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus import near_duplicates
from corpus.build import BuildSummary, build
from corpus.database import Database
from corpus.errors import SourceError, StanceError, TableError
from corpus.ids.article_ids import resolve
from corpus.ids.changes import Left
from corpus.ids.fingerprint import fingerprint, text_id
from corpus.ids.labelled_sentences import Moved, read_moved, remember
from corpus.ids.moves import Candidate, Lost, match
from corpus.ids.rewrite_shards import rewritten
from corpus.records import CorpusSettings, Noted, Skipped
from corpus.store import read_jsonl, table_path, write_jsonl
from labeling.records import Adjudication
from labeling.sampling.sample_table import Draw, write_sample
from tests.conftest import NEWS, vote

TABLES = ("articles.parquet", "sentences.parquet", "spans.parquet", "skipped.jsonl", "notes.jsonl")
VISIT, WIRE, BILL = NEWS["gazette/visit"], NEWS["cwa/visit"], NEWS["sentinel/bill"]
FIRE = "The fire at the mill burned for two days. It was put out with water from the canal."
STORM = "A storm took the roof of the old market hall. Nobody was hurt in the night. The mayor came at dawn to see it."


@pytest.fixture(scope="module", autouse=True)
def without_clusters() -> Iterator[None]:
    """Builds that look for no near-duplicates, which have no part in this and take most of the time."""

    def label(tables: Database) -> tuple[int, int]:
        ids = "sentence_id, sentence_id AS copy_id, sentence_id AS cluster_id"
        tables.make("found", f"SELECT file, place, {ids} FROM keyed")
        return 0, 0

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(near_duplicates, "label", label)
        patch.setattr("corpus.build.keep", lambda *_: None)  # there is nothing to keep of it
        yield


class Corpus:
    """A project folder with articles, which the tests move about."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.work, self.root = folder, folder / "work", folder

    def write(self, **articles: str) -> None:
        """Write articles as text files; two underscores in a name stand for a slash."""
        for name, text in articles.items():
            path = self.folder / f"{name.replace('__', '/')}.txt"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())

    def rows(self, name: str, *rows: Mapping[str, str]) -> None:
        """Write a CSV file."""
        with (self.folder / name).open("w", encoding="utf-8", newline="") as file:
            table = csv.DictWriter(file, list(rows[0]))
            table.writeheader()
            table.writerows(rows)

    def build(self, *sources: str, **options: Any) -> BuildSummary:
        """Build, from all that is there unless sources are named."""
        named = [str(self.folder / source) for source in sources] or [str(self.folder)]
        return build(named, self.work, CorpusSettings(root=str(self.root)), **options, workers=1)

    def texts(self) -> dict[str, tuple[str, str]]:
        """Article and text by sentence."""
        names = ["sentence_id", "article_id", "text"]
        rows = pq.read_table(self.work / "sentences.parquet", columns=names).to_pylist()
        found = {row["sentence_id"]: (row["article_id"], row["text"]) for row in rows}
        assert len(found) == len(rows)
        return found

    def articles(self) -> dict[str, str]:
        """Text by article."""
        rows = pq.read_table(self.work / "articles.parquet").to_pylist()
        found = {row["article_id"]: row["text"] for row in rows}
        assert len(found) == len(rows)
        return found

    def label(self, *articles: str) -> dict[str, tuple[str, str]]:
        """Label every sentence of some articles, of all unless some are named; what was labelled."""
        mine = {id_: row for id_, row in self.texts().items() if row[0] in articles or not articles}
        assert mine
        path = table_path(self.work, "annotations.jsonl")
        before = path.read_text("utf-8") if path.is_file() else ""
        write_jsonl(path, [vote(id_, "A1", "none") for id_ in mine])
        path.write_text(before + path.read_text("utf-8"), "utf-8")
        return mine

    def tables(self) -> dict[str, bytes]:
        return {name: (self.work / name).read_bytes() for name in TABLES}

    def notes(self) -> list[Noted]:
        """What is said of articles that were read."""
        return read_jsonl(self.work / "notes.jsonl", Noted, "")

    def kept(self) -> dict[str, str]:
        """The ids that articles keep, by the id that their source gives them."""
        return {source_id: row.article_id for source_id, row in read_moved(self.work).items()}


@pytest.fixture
def project(tmp_path: Path) -> Corpus:
    """Three articles in folders, the first of them labelled."""
    found = Corpus(tmp_path)
    found.write(a__visit=VISIT, b__wire=WIRE, c__bill=BILL)
    found.build()
    found.label("a/visit")
    return found


def _rename(project: Corpus) -> str:
    (project.folder / "a" / "visit.txt").rename(project.folder / "a" / "port.txt")
    return "a/port"


def _move_folder(project: Corpus) -> str:
    (project.folder / "a").rename(project.folder / "z")
    return "z/visit"


def _change_root(project: Corpus) -> str:
    project.root = project.folder / "a"
    return "visit"


def _other_line_ends(project: Corpus) -> str:
    (project.folder / "a" / "visit.txt").unlink()
    project.write(a__port=VISIT.replace("\n", "\r\n") + "\r\n\r\n")
    return "a/port"


def _into_a_table(project: Corpus) -> str:
    (project.folder / "a" / "visit.txt").unlink()
    project.rows("articles_of_a.csv", {"id": "7", "text": VISIT.strip()})
    return "7"


def _into_a_table_without_ids(project: Corpus) -> str:
    (project.folder / "a" / "visit.txt").unlink()
    project.rows("articles_of_a.csv", {"text": VISIT.strip()})
    return text_id(fingerprint(VISIT))


def _with_front_matter(project: Corpus) -> str:
    (project.folder / "a" / "visit.txt").unlink()
    project.write(a__port=f"---\nid: own-1\ntitle: A visit\n---\n{VISIT}")
    return "own-1"


MOVES = [_rename, _move_folder, _change_root, _other_line_ends, _into_a_table, _into_a_table_without_ids]
MOVES += [_with_front_matter]


@pytest.mark.parametrize("move", MOVES)
def test_an_article_with_labels_that_only_moved_keeps_its_ids(move: Callable[[Corpus], str], project: Corpus) -> None:
    labelled = {id_: row for id_, row in project.texts().items() if row[0] == "a/visit"}
    source_id = move(project)
    done = project.build()
    assert [(row.source_id, row.article_id) for row in done.changes.moves] == [(source_id, "a/visit")]
    assert project.kept() == {source_id: "a/visit"}
    assert (done.changes.labelled, done.changes.missing, done.changes.left) == (len(labelled), 0, 0)
    assert labelled.items() <= project.texts().items()
    # It stays so: in further builds, without the tables, and where the sources are named one by one.
    tables = project.tables()
    assert not project.build().changed
    shutil.rmtree(project.work)
    files = [path for path in project.folder.rglob("*.*") if path.is_file() and "labels" not in path.parts]
    again = project.build(*[str(path) for path in sorted(files, reverse=True)])
    assert (again.changes.moves, project.tables()) == ([], tables)
    assert project.kept() == {source_id: "a/visit"}


def test_labels_find_their_article_after_the_tables_were_deleted(project: Corpus) -> None:
    labelled = {id_: row for id_, row in project.texts().items() if row[0] == "a/visit"}
    remember(project.work)  # as `pull` does
    shutil.rmtree(project.work)
    _rename(project)
    done = project.build()
    assert (done.changes.missing, project.kept()) == (0, {"a/port": "a/visit"})
    assert labelled.items() <= project.texts().items()
    assert project.folder.joinpath("labels", "fingerprints.jsonl").read_text("utf-8").count(VISIT[:20]) == 0


def test_an_edit_after_a_move_keeps_the_ids_of_what_it_leaves_alone(project: Corpus) -> None:
    _rename(project)
    project.build()
    before = project.texts()
    project.write(a__port=VISIT.replace("It wants a debate in the house.", "It asks for a debate in the house."))
    done = project.build(force=True)
    assert (done.changes.left, project.kept()) == (1, {"a/port": "a/visit"})
    assert [row.text for row in done.changes.first_missing] == ["It wants a debate in the house."]
    assert len(before.keys() & project.texts().keys()) == len(before) - 1
    # Moved once more, in its new version.
    (project.folder / "a" / "port.txt").rename(project.folder / "harbour.txt")
    project.build()
    assert project.kept() == {"harbour": "a/visit"}


def test_a_move_that_is_undone_leaves_nothing_behind(project: Corpus) -> None:
    first = project.tables()
    _rename(project)
    project.build()
    (project.folder / "a" / "port.txt").rename(project.folder / "a" / "visit.txt")
    project.build()
    assert project.tables() == first
    assert project.kept() == {}
    project.write(a__port=STORM)
    project.build()
    assert project.articles()["a/port"] == STORM


def test_another_article_under_the_old_name_gets_an_id_of_its_own_that_lasts(project: Corpus) -> None:
    _rename(project)
    project.build()
    project.write(a__visit=STORM)
    done = project.build()
    assert [(row.source_id, row.article_id) for row in done.changes.renamed] == [("a/visit", "a/visit~2")]
    assert project.articles()["a/visit~2"] == STORM
    assert project.articles()["a/visit"] == VISIT
    before = project.texts()
    (project.folder / "a" / "port.txt").unlink()
    project.build(force=True)
    shutil.rmtree(project.work)
    project.build(force=True)
    assert project.texts().items() <= before.items()
    # The name goes round: each article keeps the id that it had when it was labelled.
    project.label("a/visit~2")
    project.write(archive__storm=STORM, archive__port=VISIT, a__visit=FIRE)
    project.build()
    assert project.articles() == {
        **{"a/visit": VISIT, "a/visit~2": STORM, "a/visit~3": FIRE},
        **{"b/wire": WIRE, "c/bill": BILL},
    }


def test_names_that_are_swapped_swap_no_labels(project: Corpus) -> None:
    labelled = {id_: row for id_, row in project.texts().items() if row[0] == "a/visit"} | project.label("c/bill")
    project.write(a__visit=BILL, c__bill=VISIT)
    done = project.build()
    assert (done.changes.missing, project.kept()) == (0, {"a/visit": "c/bill", "c/bill": "a/visit"})
    assert labelled.items() <= project.texts().items()


def test_a_copy_kept_as_a_backup_takes_no_labels_from_the_edited_original(project: Corpus) -> None:
    project.write(old__visit=VISIT, a__visit=VISIT.replace("on Monday morning", "on Monday"))
    project.build(force=True)
    assert project.kept() == {}
    assert project.articles()["old/visit"] == VISIT


def test_of_two_articles_with_one_text_the_labels_go_to_the_one_that_is_left(project: Corpus) -> None:
    project.write(d__visit=VISIT)
    project.build()
    (project.folder / "a" / "visit.txt").unlink()
    done = project.build()
    assert (done.changes.missing, project.kept()) == (0, {"d/visit": "a/visit"})


def test_articles_with_one_text_are_told_apart_by_their_metadata_then_in_order(tmp_path: Path) -> None:
    project = Corpus(tmp_path)
    outlets = ["Gazette", "Courier", "Sentinel"]
    project.rows("a.csv", *({"id": f"n{n}", "outlet": name, "text": VISIT} for n, name in enumerate(outlets)))
    project.build()
    project.label()
    project.rows("a.csv", *({"id": f"m{n}", "outlet": name, "text": VISIT} for n, name in enumerate(reversed(outlets))))
    project.build()
    assert project.kept() == {"m0": "n2", "m1": "n1", "m2": "n0"}
    # Without metadata: by name; and who lost most comes first where there are fewer now.
    project.rows("a.csv", {"id": "x", "text": VISIT})
    done = project.build(force=True)
    assert project.kept()["x"] == "n0"
    assert done.changes.left == 2 * done.changes.labelled // 3


# Rows without a name


def test_rows_without_a_name_are_known_by_their_text_wherever_they_stand(tmp_path: Path) -> None:
    project = Corpus(tmp_path)
    rows = [{"outlet": "Gazette", "text": VISIT}, {"outlet": "CWA", "text": WIRE}, {"outlet": "Sentinel", "text": BILL}]
    project.rows("news.csv", *rows)
    done = project.build()
    assert done.by_text == {"news.csv": 3}
    assert set(project.articles()) == {text_id(fingerprint(text)) for text in (VISIT, WIRE, BILL)}
    before = project.texts()
    project.rows("renamed.csv", {"outlet": "Courier", "text": STORM}, *reversed(rows))
    (project.folder / "news.csv").unlink()
    assert project.build().changes.articles_left == 0
    assert before.items() <= project.texts().items()


def test_equal_texts_of_rows_without_a_name_are_numbered_whatever_their_order(tmp_path: Path) -> None:
    found = []
    for n, order in enumerate(([0, 1, 2], [2, 0, 1])):
        project = Corpus(tmp_path / str(n))
        project.folder.mkdir()
        rows = [{"outlet": outlet, "text": BILL} for outlet in ("Courier", "Gazette", "Sentinel")]
        project.rows("news.csv", *(rows[place] for place in order), {"outlet": "CWA", "text": WIRE})
        (project.folder / "more.jsonl").write_text(json.dumps({"text": BILL, "outlet": "Tribune"}))
        project.build()
        table = pq.read_table(project.work / "articles.parquet", columns=["article_id", "outlet"]).to_pylist()
        found.append({row["outlet"]: row["article_id"] for row in table})
        project.texts()
    first = text_id(fingerprint(BILL))
    assert (
        found[0]
        == found[1]
        == {
            **{"Courier": first, "Gazette": f"{first}-2", "Sentinel": f"{first}-3", "Tribune": f"{first}-4"},
            "CWA": text_id(fingerprint(WIRE)),
        }
    )


def test_neighbours_with_one_text_are_taken_over_apart_from_each_other(tmp_path: Path) -> None:
    project = Corpus(tmp_path)
    rows = [{"outlet": outlet, "text": BILL} for outlet in ("Courier", "Gazette", "Sentinel")]
    project.rows("news.csv", *rows)
    project.build()
    project.rows("news.csv", *rows, {"outlet": "CWA", "text": WIRE})
    project.build()
    tables = project.tables()
    shutil.rmtree(project.work)
    project.build()
    assert project.tables() == tables


def test_notes_stand_under_the_ids_that_articles_have(tmp_path: Path) -> None:
    project = Corpus(tmp_path)
    doubtful = {"published": "03/04/2011", "text": BILL}
    project.rows("news.csv", {**doubtful, "outlet": "Gazette"}, {**doubtful, "outlet": "Courier"})
    project.write(a__visit=f"---\npublished: 05/06/2011\n---\n{VISIT}")
    project.build()
    project.label("a/visit")
    first = text_id(fingerprint(BILL))
    notes = {"news.csv:1": f"{first}-2", "news.csv:2": first, "a/visit.txt": "a/visit"}
    assert {row.source: row.article_id for row in project.notes()} == notes
    _rename(project)
    project.build()
    notes["a/port.txt"] = notes.pop("a/visit.txt")
    assert {row.source: row.article_id for row in project.notes()} == notes


def test_an_article_that_leaves_a_shard_takes_its_notes_along(tmp_path: Path) -> None:
    project = Corpus(tmp_path)
    project.rows("news.csv", *({"id": id_, "published": "03/04/2011", "text": BILL} for id_ in ("1", "2")))
    project.build()
    (shard,) = (path for path in (project.work / ".build" / "shards").iterdir() if path.is_dir())
    row = Skipped(article_id="1", source="news.csv:1", reason="the page was crawled before: x")
    (other,) = rewritten([shard], leaving={0: {0: row}})
    assert [note.article_id for note in read_jsonl(other / "notes.jsonl", Noted, "")] == ["2"]
    assert read_jsonl(other / "skipped.jsonl", Skipped, "") == [row]


def test_of_two_files_that_differ_in_the_ending_alone_the_error_says_what_to_do(tmp_path: Path) -> None:
    project = Corpus(tmp_path)
    for name in ("news/bill.md", "news/bill.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(BILL)
    with pytest.raises(SourceError) as error:
        project.build()
    assert str(error.value).startswith("two articles have the id 'news/bill': news/bill.md and news/bill.txt; an id is")
    assert str(error.value).endswith("or name the files of one kind only, as in 'news/**/*.md'")


def test_ids_that_the_user_gave_are_never_numbered(tmp_path: Path) -> None:
    project = Corpus(tmp_path)
    project.rows("news.csv", {"id": "text:1", "text": BILL}, {"id": "text:1", "text": WIRE})
    with pytest.raises(
        SourceError, match=r"two articles have the id 'text:1': news\.csv:1 and news\.csv:2; rename one, or"
    ):
        project.build()


@pytest.mark.parametrize("ids", ["news#{}", "text-{}"])
def test_labels_of_a_project_whose_rows_had_numbers_stay(ids: str, tmp_path: Path) -> None:
    # As an earlier version called them; or the column of ids is left out of a later export.
    project = Corpus(tmp_path)
    texts = [VISIT, WIRE, BILL]
    project.rows("news.csv", *({"id": ids.format(n), "text": text} for n, text in enumerate(texts, 1)))
    project.build()
    labelled = project.label(ids.format(1), ids.format(3))
    project.rows("news.csv", *({"text": text} for text in [STORM, *texts]))
    done = project.build()
    assert done.changes.missing == 0
    assert labelled.items() <= project.texts().items()
    assert set(project.kept().values()) == {ids.format(1), ids.format(3)}


def test_an_edited_row_without_a_name_keeps_its_labels(tmp_path: Path) -> None:
    project = Corpus(tmp_path)
    project.rows("news.csv", {"text": VISIT}, {"text": BILL})
    project.build()
    labelled = project.label()
    edited = VISIT.replace("It wants a debate in the house.", "It wants a vote at once.")
    for text in (edited, edited.replace("on Monday morning", "on Monday")):
        project.rows("news.csv", {"text": STORM}, {"text": BILL}, {"text": text})
        done = project.build(force=True)
        assert (done.changes.left, len(done.changes.moves)) == (1, 1)
    assert len(labelled.keys() & project.texts().keys()) == len(labelled) - 2
    # Another article with a sentence of it is no version of it.
    project.rows("news.csv", {"text": BILL}, {"text": f"{STORM} She spoke with the dockers for an hour."})
    assert project.build(force=True).changes.moves == []


def test_articles_known_by_the_name_of_their_file_alone_are_counted(tmp_path: Path) -> None:
    project = Corpus(tmp_path)
    project.write(a__visit=VISIT, b__bill=f"---\nid: 7\n---\n{BILL}")
    project.rows("news.csv", {"id": "8", "text": WIRE})
    assert project.build().by_name == 0
    project.root = tmp_path / "elsewhere"
    assert project.build().by_name == 1


# Whatever happens

WORDS = "harbour minister council train budget river winter school market bridge doctor engine".split()


def _invented(number: int) -> str:
    """An article that no other number gives; all begin with the same sentence."""
    chance = random.Random(number)
    lines = [f"Report {number}.{n}: the {' '.join(chance.choices(WORDS, k=6))} was seen." for n in range(3)]
    return "\n\n".join(["This is a developing story.", *lines])


STEP = st.tuples(
    st.sampled_from("label rename folder swap add remove edit insert_row remove_row shuffle_rows forget root".split()),
    st.integers(0, 999),
    st.integers(0, 999),
)


class Steps:
    """A project to which things happen; `files` and `rows` hold the numbers of the articles."""

    def __init__(self, folder: Path) -> None:
        self.project = Corpus(folder / "p")
        self.project.root = folder
        self.files = {f"{folder}/n{n}": n for n, folder in enumerate(["a", "a", "b"])}
        self.rows = [3, 4]
        self.edited: set[int] = set()
        self.labelled: dict[str, str] = {}
        self.next = 5

    def text(self, number: int) -> str:
        return _invented(number) + ("\n\nThis was added." if number in self.edited else "")

    def take(self, kind: str, a: int, b: int) -> None:
        names = sorted(self.files)
        name, other = (names[a % len(names)], names[b % len(names)]) if names else ("", "")
        free = f"{'abc'[a % 3]}/n{b % 7}"
        if kind == "label" and self.project.work.exists():
            articles = sorted(self.project.articles().items())
            article, text = articles[a % len(articles)]
            self.labelled |= dict.fromkeys(self.project.label(article), text)
        elif kind == "rename" and name and free not in self.files:
            self.files[free] = self.files.pop(name)
        elif kind == "folder":
            self.files = {name.replace("a/", "deep/er/"): number for name, number in self.files.items()}
        elif kind == "swap" and name:
            self.files[name], self.files[other] = self.files[other], self.files[name]
        elif kind == "add" and free not in self.files:
            self.files[free], self.next = self.next, self.next + 1
        elif kind == "remove" and len(names) > 1:
            del self.files[name]
        elif kind == "edit" and name and self.text(self.files[name]) not in self.labelled.values():
            self.edited ^= {self.files[name]}
        elif kind == "insert_row":
            self.rows.insert(a % (len(self.rows) + 1), self.next)
            self.next += 1
        elif kind == "remove_row" and self.rows:
            del self.rows[a % len(self.rows)]
        elif kind == "shuffle_rows":
            random.Random(a).shuffle(self.rows)
        elif kind == "forget":
            shutil.rmtree(self.project.work, ignore_errors=True)
        elif kind == "root":
            self.project.root = self.project.folder.parent if a % 2 else self.project.folder

    def build(self, folder: Path | None = None, *, backwards: bool = False) -> dict[str, bytes]:
        project = self.project
        shutil.rmtree(project.folder / "news", ignore_errors=True)
        project.write(**{f"news/{name}": self.text(number) for name, number in self.files.items()})
        (project.folder / "news").mkdir(exist_ok=True)
        if self.rows:
            project.rows("news/rows.csv", *({"text": self.text(number)} for number in self.rows))
        sources = sorted(map(str, (project.folder / "news").rglob("*.*")), reverse=backwards)
        chosen = CorpusSettings(root=str(project.root))
        build(sources if backwards else [str(project.folder / "news")], project.work, chosen, force=True, workers=1)
        return project.tables()


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(st.lists(STEP, min_size=1, max_size=10))
def test_no_label_is_lost_while_its_article_stands_and_no_id_is_given_twice(steps: list[tuple[str, int, int]]) -> None:
    with tempfile.TemporaryDirectory() as name:
        found = Steps(Path(name))
        found.build()
        for step in steps:
            found.take(*step)
            tables = found.build()
            sentences, texts = found.project.texts(), set(found.project.articles().values())
            for id_, text in found.labelled.items():
                assert (id_ in sentences) == (text in texts), step
        # The ids hang on nothing but the articles and the folder of labels.
        shutil.rmtree(found.project.work)
        assert found.build(backwards=True) == tables


IDS = st.sampled_from([f"{name}{end}" for name in "abc" for end in ("", "~2", "~3")])
DIGESTS = st.sampled_from("123")


@given(st.dictionaries(IDS, DIGESTS), st.dictionaries(IDS, st.tuples(IDS, DIGESTS)), st.randoms(use_true_random=False))
def test_everybody_has_one_id_and_nobody_anothers(
    present: dict[str, str], wanted: dict[str, tuple[str, str]], chance: random.Random
) -> None:
    rows = {own: Moved(source_id=own, article_id=id_, sha256=sha256) for own, (id_, sha256) in wanted.items()}

    def settled(rows: Mapping[str, Moved]) -> dict[str, Moved]:
        used = {*present, *rows, *(row.article_id for row in rows.values())}

        def free(own_id: str) -> str:
            name = next(name for n in range(2, 99) if (name := f"{own_id}~{n}") not in used)
            used.add(name)
            return name

        keys = list(present), list(rows)
        for names in keys:
            chance.shuffle(names)
        return resolve({name: present[name] for name in keys[0]}, {name: rows[name] for name in keys[1]}, free)

    found = settled(rows)
    ids = [found[own].article_id if own in found else own for own in present]
    assert len(set(ids)) == len(ids)
    assert settled(rows) == found
    assert {own: row for own, row in settled(found).items() if own in present} == {
        own: row for own, row in found.items() if own in present
    }
    claimed = [row.article_id for own, row in rows.items() if own in present]
    for own, row in rows.items():
        if own in present and claimed.count(row.article_id) == 1:
            assert own == row.article_id or found[own].article_id == row.article_id


ABOUT = st.sampled_from([("Gazette",), ("Courier",)])


@given(
    st.lists(
        st.builds(Lost, article_id=IDS, sha256=DIGESTS, missing=st.integers(1, 2), about=ABOUT | st.none()),
        unique_by=lambda one: one.article_id,
    ),
    st.lists(
        st.builds(Candidate, own_id=IDS, article_id=st.just(""), sha256=DIGESTS, about=ABOUT, is_new=st.booleans()),
        unique_by=lambda one: one.own_id,
    ),
    st.randoms(use_true_random=False),
)
def test_a_lost_article_takes_one_with_its_text_whatever_their_order(
    lost: list[Lost], candidates: list[Candidate], chance: random.Random
) -> None:
    candidates = [msgspec.structs.replace(one, article_id=f"new {one.own_id}") for one in candidates]
    found = match(lost, candidates)
    for sha256 in "123":
        ids = {one.article_id for one in lost if one.sha256 == sha256}
        own = {one.own_id for one in candidates if one.sha256 == sha256}
        mine = [row for row in found if row.article_id in ids]
        assert len(mine) == min(len(ids), len(own))
        assert len({row.source_id for row in mine} & own) == len(mine)
    chance.shuffle(lost)
    chance.shuffle(candidates)
    assert match(lost, candidates) == found


# What is said


def test_what_leaves_is_said_with_its_reason_and_what_comes_back_too(project: Corpus) -> None:
    other = project.label("c/bill")
    (project.folder / "c" / "bill.txt").unlink()
    before, files = project.tables(), {path: path.read_bytes() for path in (project.folder / "labels").iterdir()}
    with pytest.raises(StanceError, match=r"4 of 10 labelled sentences would vanish(.|\n)*c/bill: Senators argued"):
        project.build()
    assert project.tables() == before
    assert {path: path.read_bytes() for path in (project.folder / "labels").iterdir()} == files
    done = project.build(force=True)
    assert (done.changes.labelled, done.changes.left, done.changes.missing) == (10, 4, 4)
    assert (done.changes.articles_left, done.changes.first_left) == (1, ["c/bill"])
    rows = read_jsonl(project.work / "left.jsonl", Left, "")
    assert {row.sentence_id: (row.article_id, row.text) for row in rows} == other
    assert {row.reason for row in rows} == {"the article is not among the sources, and no new article has its text"}
    # It is listed for as long as it is missing, but a build that loses nothing more goes through.
    project.write(d__storm=STORM)
    done = project.build()
    assert (done.changes.left, done.changes.missing) == (0, 4)
    assert read_jsonl(project.work / "left.jsonl", Left, "") == rows
    project.write(c__bill=BILL)
    done = project.build()
    assert (done.changes.came, done.changes.missing) == (4, 0)
    assert not (project.work / "left.jsonl").exists()


def test_a_move_that_a_failing_build_found_is_not_kept(project: Corpus) -> None:
    project.label("c/bill")
    _rename(project)
    (project.folder / "c" / "bill.txt").unlink()
    with pytest.raises(StanceError, match="would vanish"):
        project.build()
    assert project.kept() == {}
    project.build(force=True)
    assert project.kept() == {"a/port": "a/visit"}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (VISIT.replace("on Monday morning", "on Monday"), "the article's text has changed"),
        ("\0" + VISIT, "the article cannot be used: binary: it holds NUL characters"),
    ],
)
def test_the_reason_says_what_became_of_the_article(change: str, reason: str, project: Corpus) -> None:
    project.write(a__visit=change)
    done = project.build(force=True)
    assert {row.reason for row in done.changes.first_missing} == {reason}


def test_other_rules_are_named_as_the_reason_and_move_nothing(project: Corpus) -> None:
    project.write(d__visit=VISIT)
    chosen = CorpusSettings(root=str(project.root), patterns={"footer": ["The (minister|opposition|spoke)"]})
    done = build([str(project.folder)], project.work, chosen, force=True, workers=1)
    assert done.changes.moves == []
    assert {row.reason for row in done.changes.first_missing} == {
        "the article's text is the same, but is cut into other sentences now"
    }


def test_adjudicated_and_drawn_sentences_count_like_labelled_ones(tmp_path: Path) -> None:
    project = Corpus(tmp_path)
    project.write(a__visit=VISIT, b__wire=WIRE, c__bill=BILL)
    project.build()
    of = {article: [id_ for id_, row in project.texts().items() if row[0] == article] for article in project.articles()}
    settled = [Adjudication(sentence_id=id_, adjudicator="A1", stance="none", votes={}) for id_ in of["c/bill"]]
    write_jsonl(table_path(project.work, "adjudications.jsonl"), settled)
    write_sample(project.work, [Draw(sentence_id=of["b/wire"][0], round=1, by="random", probability=0.1)])
    (project.folder / "b").rename(project.folder / "x")
    (project.folder / "c").rename(project.folder / "y")
    done = project.build()
    assert project.kept() == {"x/wire": "b/wire", "y/bill": "c/bill"}
    assert (done.changes.labelled, done.changes.missing) == (4, 0)
    (project.folder / "y" / "bill.txt").unlink()
    with pytest.raises(StanceError, match="4 of 4 labelled sentences would vanish"):
        project.build()


def test_a_damaged_table_of_the_last_build_is_said_and_stops_nothing(project: Corpus) -> None:
    remember(project.work)
    (project.work / "sentences.parquet").write_bytes(b"PAR1 not really")
    (project.work / ".build" / "done.json").unlink()
    _rename(project)
    done = project.build()
    assert "sentences.parquet" in done.changes.damaged
    assert (done.changes.missing, project.kept()) == (0, {"a/port": "a/visit"})


def test_two_ids_for_one_article_in_the_labels_folder_are_an_error(project: Corpus) -> None:
    _rename(project)
    project.build()
    path = table_path(project.work, "moved.jsonl")
    (row,) = read_moved(project.work).values()
    write_jsonl(path, [row, msgspec.structs.replace(row, article_id="z")])
    with pytest.raises(TableError, match=r"records 1 and 2 give the article 'a/port' two ids, 'a/visit' and 'z'"):
        project.build()


def _say(folder: Path, *arguments: str) -> tuple[str, str]:
    from stance.command_line import cli

    here = Path.cwd()
    try:
        result = CliRunner().invoke(cli, ["-C", str(folder), *arguments], catch_exceptions=False)
    finally:
        os.chdir(here)
    assert result.exit_code == 0, result.output
    said = [line for line in result.stdout.splitlines(keepends=True) if not line.startswith("next: ")]
    return "".join(said), result.stderr


def test_the_command_shows_what_moved_what_left_and_what_is_known_by_little(tmp_path: Path) -> None:
    project = Corpus(tmp_path / "p")
    project.write(news__visit=VISIT, news__wire=WIRE, news__bill=BILL)
    (project.folder / "stance.toml").write_text('[corpus]\nroot = "news"\n')
    out, err = _say(project.folder, "build", "news")
    assert out.startswith("13 sentences in 3 articles, each a group of its own"), out
    assert err == ""
    project.label("visit", "bill")
    assert _say(project.folder, "build", "news")[0].splitlines()[2:] == [
        "10 of 10 labelled sentences in the corpus",
        "unchanged: work",
    ]
    (project.folder / "news" / "visit.txt").rename(project.folder / "news" / "port\x1b[2J.txt")
    (project.folder / "news" / "bill.txt").unlink()
    out, _ = _say(project.folder, "build", "news", "--force")
    assert (
        "1 article with labels has moved and keeps its id, as labels/moved.jsonl says: visit is at port [2J now" in out
    )
    assert "1 article of the last build is not in the corpus any more: bill; 0 are new. A build holds what" in out
    assert "4 labelled sentences left the corpus and are not counted any more" in out
    assert "  bill: Senators argued over the aid bill until midnight.\n" in out
    assert "6 of 10 labelled sentences in the corpus; the others are listed in work/left.jsonl" in out
    project.rows("../new.csv", {"text": STORM}, {"text": VISIT})
    (tmp_path / "loose.txt").write_text(BILL)
    out, err = _say(project.folder, "build", "../new.csv", "../loose.txt")
    assert "4 labelled sentences came into the corpus" in out
    assert "1 article of the last build is not in the corpus any more: wire; 2 are new" in out
    assert "2 articles of new.csv have no id or url; they are known by the text" in err
    assert "1 article outside of [corpus] root is known by the file's name alone; set root in stance.toml" in err
