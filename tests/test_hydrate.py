"""Text put back into a stand-off release: what is found again after which changes, and what never happens."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tempfile
import textwrap
import unicodedata
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corpus.build import build
from corpus.errors import SourceError, StanceError, TableError
from corpus.records import ARTICLES, SENTENCES, CorpusSettings
from corpus.store import read_jsonl, write_bytes
from corpus.tables import read_table
from labeling.scheme import DEFAULT
from release.contents.rows import GOLD, encoded, features, parquet, yaml_features
from release.contents.text_free import public_id, strip, text_key
from release.hydrate import write_release
from release.hydrate.hydrate import ArticleCount, Hydrated, Located, hydrate
from release.hydrate.match_articles import Copy, assigned
from release.messages import hydrated
from tests.conftest import NEWS
from train.examples.load import load_examples

ODD = {
    "column/refrain": (
        "Let them stay at home, said the café’s owner.\n\nNo. We asked three ministers why.\n\n"
        "“It isn’t our war,” said the first. No. The second was away for the week, his office wrote.\n\n"
        "The third only laughed and said: “We’ll see about that.” No. So the matter rests for now.\n"
    ),
}


@cache
def full_rows(texts: str) -> list[dict[str, Any]]:
    """What a full release would hold of every sentence of the articles, id to text in JSON."""
    with tempfile.TemporaryDirectory() as folder:
        source, work = Path(folder) / "original.jsonl", Path(folder) / "work"
        lines = (json.dumps({"id": key, "text": text}) + "\n" for key, text in json.loads(texts).items())
        write_bytes(source, "".join(lines).encode())
        build([source], work, CorpusSettings(), workers=1)
        articles = {row["article_id"]: row for row in read_table(work / "articles.parquet", ARTICLES, "").to_pylist()}
        sentences = read_table(work / "sentences.parquet", SENTENCES, "").to_pylist()
    rows: list[dict[str, Any]] = []
    for n, row in enumerate(sentences):
        more: dict[str, Any] = {"label": DEFAULT.names[n % 3], "target": "troops", "how": "single", "votes": []}
        of = {name: articles[row["article_id"]][name] for name in ("title", "outlet", "published", "url")}
        rows.append({name: (row | of | more | {"copy_of": None}).get(name, "") for name in GOLD})
    return rows


def standoff_release(folder: Path, texts: dict[str, str], test: str = "") -> tuple[Path, list[dict[str, Any]]]:
    """A stand-off release of all sentences of some articles, and the full rows that it was made from.

    The article named by `test` is the test split.
    """
    rows = full_rows(json.dumps(texts))
    out = folder / "release"
    kinds = features("gold", standoff=True)
    sizes: list[dict[str, Any]] = []
    for split in ("train", "test") if test else ("train",):
        part = strip("gold", [row for row in rows if (row["article_id"] == test) == (split == "test")])
        data, size = parquet(encoded("gold", part, kinds), kinds)
        write_bytes(out / "gold" / f"{split}-00000-of-00001.parquet", data)
        sizes.append({"name": split, "num_bytes": size, "num_examples": len(part)})
    files = [{"split": size["name"], "path": f"gold/{size['name']}-*"} for size in sizes]
    front = {
        "configs": [{"config_name": "gold", "data_files": files}],
        "dataset_info": [{"config_name": "gold", "features": yaml_features(kinds), "splits": sizes}],
    }
    write_bytes(
        out / "README.md",
        f"---\n{yaml.safe_dump(front, sort_keys=False)}---\n\n# Card\n\n{STANDOFF}\n\nMore.\n".encode(),
    )
    write_bytes(out / "codebook.md", b"Version 1.0\n")
    write_bytes(out / "croissant.json", b"{}")
    return out, rows


def copies(folder: Path, texts: dict[str, str]) -> Path:
    """The user's copies: a folder of text files."""
    for name, text in texts.items():
        write_bytes(folder / "mine" / f"{name}.txt", text.encode())
    return folder / "mine"


def rooted(folder: Path) -> CorpusSettings:
    return CorpusSettings(root=str(folder))


def gold(out: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(out / "gold").to_pylist()
    return rows


def listed(out: Path) -> list[Located]:
    return read_jsonl(out / "hydrate.jsonl", Located, "")


def put_back(folder: Path, changed: dict[str, str], texts: dict[str, str] | None = None) -> tuple[Hydrated, list[Any]]:
    """Hydrate a release of `texts` from copies that are `changed`."""
    release, _ = standoff_release(folder, texts or NEWS)
    mine = copies(folder, changed)
    done = hydrate(release, mine, folder / "out", rooted(mine))
    return done, gold(folder / "out")


def test_the_full_release_comes_back_from_the_same_articles(tmp_path: Path) -> None:
    release, rows = standoff_release(tmp_path, NEWS | ODD)
    mine = copies(tmp_path, NEWS | ODD)
    done = hydrate(release, mine, tmp_path / "out", rooted(mine))
    assert (done.matched, done.drifted, done.missing) == (len(rows), 0, 0)
    back = {row["sentence_id"]: row for row in gold(tmp_path / "out")}
    for row in rows:
        found = back[row["sentence_id"]]
        assert {name: found[name] for name in GOLD if name != "label"} == {
            name: row[name] for name in GOLD if name != "label"
        }
        assert DEFAULT.names[found["label"]] == row["label"]
        assert (found["found_start"], found["found_end"], found["state"]) == (row["start"], row["end"], "matched")
    assert {row.text for row in load_examples(tmp_path / "out")} == {row["text"] for row in rows}
    assert (tmp_path / "out" / "codebook.md").is_file()
    assert not (tmp_path / "out" / "croissant.json").exists()


def test_hydrating_again_changes_nothing(tmp_path: Path) -> None:
    release, _ = standoff_release(tmp_path, NEWS)
    mine = copies(tmp_path, NEWS)
    assert hydrate(release, mine, tmp_path / "out", rooted(mine)).changed
    stamps = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*")}
    assert not hydrate(release, mine, tmp_path / "out", rooted(mine)).changed
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*")} == stamps
    (mine / "sentinel" / "bill.txt").unlink()
    again = hydrate(release, mine, tmp_path / "out", rooted(mine))
    assert (again.changed, again.missing) == (True, 4)
    assert {path.name for path in tmp_path.iterdir()} == {"release", "mine", "out"}


CHANGES: dict[str, tuple[Callable[[str], str], str]] = {
    "line ends": (lambda text: text.replace("\n", "\r\n"), "matched"),
    "spaces": (lambda text: text.replace("the ", "the\u00a0"), "drifted"),
    "wide spaces": (lambda text: text.replace(" ", "  "), "drifted"),
    "straight quotes": (lambda text: text.translate({0x201C: '"', 0x201D: '"', 0x2019: "'"}), "drifted"),
    "curly quotes": (lambda text: text.replace(' "', " “").replace('\n"', "\n“").replace('"', "”"), "drifted"),
    "accents apart": (lambda text: unicodedata.normalize("NFD", text), "drifted"),
    "a paragraph before": (lambda text: "It rained for a week in the hills of Brennia.\n\n" + text, "matched"),
    "a paragraph behind": (lambda text: text + "\n\nNo. It rained for a week in the hills of Brennia.", "matched"),
    "paragraphs turned round": (lambda text: "\n\n".join(text.split("\n\n")[::-1]), "matched"),
    "one line": (lambda text: " ".join(text.split()), "drifted"),
    "wrapped lines": (
        lambda text: "\n\n".join(textwrap.fill(part, 30, break_on_hyphens=False) for part in text.split("\n\n")),
        "drifted",
    ),
}

STANDOFF = (
    "**This is a stand-off release**: it holds offsets, and none of the text. Anyone\nwho has copies can put it back."
)


@pytest.mark.parametrize("change", CHANGES)
def test_sentences_are_found_again_after_a_change_of(change: str, tmp_path: Path) -> None:
    edit, worst = CHANGES[change]
    texts = NEWS | ODD
    done, back = put_back(tmp_path, {name: edit(text) for name, text in texts.items()}, texts)
    assert done.missing == 0
    assert worst == "drifted" or done.drifted == 0
    by_article = {name: edit(text) for name, text in texts.items()}
    for row in back:
        assert text_key(row["text"]) == row["text_key"]
        assert by_article[row["article_id"]][row["found_start"] : row["found_end"]] == row["text"]


def test_missing_sentences_are_left_out_and_listed(tmp_path: Path) -> None:
    text = NEWS["gazette/visit"].replace("She spoke with the dockers for an hour.", "She left.")
    done, back = put_back(tmp_path, NEWS | {"gazette/visit": text})
    assert done.missing == 1
    (gone,) = [row for row in listed(tmp_path / "out") if row.state == "missing"]
    assert (gone.article_id, gone.found_article, gone.found_start, gone.shift) == ("gazette/visit", None, None, None)
    assert gone.sentence_id not in {row["sentence_id"] for row in back}
    assert len(back) == len(listed(tmp_path / "out")) - 1
    counts = {row.article_id: (row.matched, row.drifted, row.missing, row.elsewhere) for row in done.articles}
    assert counts["gazette/visit"] == (5, 0, 1, 0)
    card = (tmp_path / "out" / "README.md").read_text("utf-8")
    assert (
        "In this folder `gold` also has the columns `text`, `before`, `after`, `title`, `state`, `found_article`"
        in card
    )
    total = len(back) + 1
    assert f"put the text of {total - 1} of {total} sentences back" in card
    assert "; 1 sentence is missing and left out of `gold` (`hydrate.jsonl` names it)." in card
    assert "drifted" not in card
    assert "This is a stand-off release" not in card
    assert card.endswith("# Card\n\nMore.\n")


def test_the_shift_is_told(tmp_path: Path) -> None:
    added = "It rained for a week in the hills of Brennia.\n\n"
    put_back(tmp_path, {name: added + text for name, text in NEWS.items()})
    assert {row.shift for row in listed(tmp_path / "out")} == {len(added)}


def test_a_split_of_which_nothing_is_found_is_left_out_and_named(tmp_path: Path) -> None:
    from datasets import ClassLabel, load_dataset

    release, _ = standoff_release(tmp_path, NEWS, test="sentinel/bill")
    mine = copies(tmp_path, {name: text for name, text in NEWS.items() if name != "sentinel/bill"})
    assert hydrate(release, mine, tmp_path / "out", rooted(mine)).left_out == ["test"]
    opened = load_dataset(str(tmp_path / "out"), "gold", cache_dir=str(tmp_path / "cache"))
    assert {name: part.num_rows for name, part in opened.items()} == {"train": 9}
    assert opened["train"].features["label"] == ClassLabel(names=list(DEFAULT.names))
    assert opened["train"].features["found_start"].dtype == "int64"
    mine = copies(tmp_path, NEWS)
    assert hydrate(release, mine, tmp_path / "out", rooted(mine)).left_out == []
    assert set(load_dataset(str(tmp_path / "out"), "gold", cache_dir=str(tmp_path / "c"))) == {"train", "test"}


# --- which copy is of which article


def test_articles_are_known_by_their_content_where_ids_differ(tmp_path: Path) -> None:
    names = sorted(NEWS)
    release, rows = standoff_release(tmp_path, NEWS)
    mine = copies(tmp_path, {names[n - 1]: NEWS[names[n]] for n in range(3)})
    done = hydrate(release, mine, tmp_path / "out", rooted(mine))
    assert done.matched == len(rows)
    assert [row.found_article for row in done.articles] == [names[n - 1] for n in range(3)]
    before = {row["sentence_id"]: row["before"] for row in rows}
    assert all(row["before"] == before[row["sentence_id"]] for row in gold(tmp_path / "out"))


def copy(article_id: str, keys: str) -> Copy:
    return Copy(article_id, "", "", [], list(keys))


def test_a_copy_with_the_id_and_half_of_the_sentences_comes_before_one_that_has_more() -> None:
    """A wire story is in both outlets: the copy that was cut since is still its own article's."""
    keys = {"wire": Counter("abcd"), "late": Counter("ax")}
    copies = [copy("late", "abcdx"), copy("wire", "ab")]
    assert assigned(keys, copies) == {"late": copies[0], "wire": copies[1]}
    copies = [copy("late", "abcdx"), copy("wire", "a")]
    assert assigned(keys, copies) == {"late": copies[0], "wire": copies[1]}
    copies = [copy("wire", "nothing"), copy("1", "abc"), copy("2", "abcd")]
    assert assigned(keys, copies) == {"wire": copies[2], "late": copies[1]}
    # One sentence in common makes no copy, unless the id is the same.
    copies = [copy("1", "d"), copy("wire", "q"), copy("2", "d")]
    assert assigned(keys, copies) == {"wire": copies[1]}


def test_of_equal_copies_the_one_with_the_id_is_taken_also_when_it_is_digested() -> None:
    slug = "minister-of-brennia-visits-the-port"
    for name in (slug, "visit"):
        copies = [copy("a", "ab"), copy(name, "ab"), copy("z", "ab")]
        assert assigned({public_id(name): Counter("ab")}, copies) == {public_id(name): copies[1]}


def test_what_stands_in_another_file_is_found_without_its_context(tmp_path: Path) -> None:
    first, second = NEWS["sentinel/bill"].split("\n\n", 1)
    texts = NEWS | {"sentinel/bill": first, "second-page": second}
    done, back = put_back(tmp_path, texts)
    assert (done.missing, done.drifted) == (0, 0)
    assert {row.article_id: row.elsewhere for row in done.articles}["sentinel/bill"] == 2
    elsewhere = [row for row in back if row["found_article"] == "second-page"]
    assert [(row["before"], row["after"], row["title"]) for row in elsewhere] == [(None, None, None)] * 2
    assert [row["text"] for row in elsewhere] == [
        "Others said that allies should go if they wish to.",
        "The vote was put off until Friday.",
    ]


def test_an_article_that_is_not_there_takes_nothing_from_one_that_is(tmp_path: Path) -> None:
    """They share a wire story: what the user has of it is the other article's."""
    release, _ = standoff_release(tmp_path, NEWS)
    mine = copies(tmp_path, {name: text for name, text in NEWS.items() if name != "cwa/visit"})
    done = hydrate(release, mine, tmp_path / "out", rooted(mine))
    assert [(row.article_id, row.missing, row.found_article) for row in done.articles] == [
        ("cwa/visit", 3, None),
        ("gazette/visit", 0, "gazette/visit"),
        ("sentinel/bill", 0, "sentinel/bill"),
    ]


def test_ids_that_were_digested_are_known_again(tmp_path: Path) -> None:
    slug = "minister-of-brennia-visits-the-port"
    done, back = put_back(tmp_path, {slug: NEWS["gazette/visit"]}, {slug: NEWS["gazette/visit"]})
    assert {row["article_id"] for row in back} == {public_id(slug)} != {slug}
    assert {row["found_article"] for row in back} == {slug}
    assert [row.found_article for row in done.articles] == [slug]


@pytest.mark.parametrize("name", ["../../escaped", "/tmp/escaped", "..", "a\\b", "gold/train", "x/../../../escaped"])
def test_no_path_is_made_from_an_id(name: str, tmp_path: Path) -> None:
    release, _ = standoff_release(tmp_path / "in", {name: NEWS["gazette/visit"]})
    mine = tmp_path / "mine.jsonl"
    write_bytes(mine, json.dumps({"id": name, "text": NEWS["gazette/visit"]}).encode())
    before = set(tmp_path.rglob("*"))
    done = hydrate(release, [mine], tmp_path / "deep" / "out", CorpusSettings())
    assert done.missing == 0
    new = set(tmp_path.rglob("*")) - before
    assert all(path.is_relative_to(tmp_path / "deep") for path in new)
    assert not Path("/tmp/escaped").exists()


def test_pages_and_data_files_are_read_as_build_reads_them(tmp_path: Path) -> None:
    release, rows = standoff_release(tmp_path, NEWS)
    mine = tmp_path / "mine"
    for name, text in NEWS.items():
        body = "".join(f"<p>{part}</p>" for part in text.split("\n\n"))
        page = f"<html><head><title>A page of news</title></head><body><article>{body}</article></body></html>"
        write_bytes(mine / f"{name}.html", page.encode())
    write_bytes(mine / "broken.txt", b"\xff\x00\xfe")
    done = hydrate(release, mine, tmp_path / "out", rooted(mine))
    assert (done.matched, done.missing) == (len(rows), 0)
    assert sum(done.skipped.values()) == 1
    assert {row["title"] for row in gold(tmp_path / "out")} == {"A page of news"}


def test_the_release_and_the_output_may_lie_among_the_articles(tmp_path: Path) -> None:
    release, rows = standoff_release(tmp_path / "mine" / "data", NEWS)
    mine = copies(tmp_path, NEWS)
    for _ in range(2):
        assert hydrate(release, mine, mine / "out", rooted(mine)).matched == len(rows)


# --- what is refused, and what never happens


def test_nothing_is_written_where_nothing_is_found(tmp_path: Path) -> None:
    release, rows = standoff_release(tmp_path, NEWS)
    mine = copies(tmp_path, {"other": "Nothing of it is in here at all, said the editor of the paper."})
    with pytest.raises(SourceError, match=f"none of the {len(rows)} sentences"):
        hydrate(release, mine, tmp_path / "out", rooted(mine))
    assert not (tmp_path / "out").exists()


def edited(release: Path, edit: Callable[[pa.Table], pa.Table]) -> None:
    path = release / "gold" / "train-00000-of-00001.parquet"
    pq.write_table(edit(pq.read_table(path)), path)


def _nothing(table: pa.Table, name: str) -> pa.Table:
    at = table.column_names.index(name)
    return table.set_column(at, name, pa.nulls(table.num_rows, table.schema.field(name).type))


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda table: table.append_column("text", table.column("how")), "not a stand-off release"),
        (lambda table: table.drop_columns(["text_key"]), "expected the column text_key of type string"),
        (lambda table: table.set_column(6, "start", table.column("how")), "expected the column start of type int64"),
        (lambda table: _nothing(table, "end"), "row 0: end is null"),
        (lambda table: table.slice(0, 0), "expected Parquet files with sentences"),
        (lambda table: table.replace_schema_metadata({"huggingface": "{"}), "its features cannot be read"),
    ],
)
def test_a_release_that_is_none_is_refused(edit: Callable[[pa.Table], pa.Table], message: str, tmp_path: Path) -> None:
    release, _ = standoff_release(tmp_path, NEWS)
    edited(release, edit)
    mine = copies(tmp_path, NEWS)
    with pytest.raises(TableError, match=message):
        hydrate(release, mine, tmp_path / "out", rooted(mine))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("card", [None, b"# no YAML\n", b"---\nconfigs: [\n---\n", b"---\nconfigs: 3\n---\n", b"\xff"])
def test_a_release_without_its_card_is_refused(card: bytes | None, tmp_path: Path) -> None:
    release, _ = standoff_release(tmp_path, NEWS)
    (release / "README.md").unlink()
    if card is not None:
        write_bytes(release / "README.md", card)
    mine = copies(tmp_path, NEWS)
    with pytest.raises(TableError, match="expected the card of a stand-off release"):
        hydrate(release, mine, tmp_path / "out", rooted(mine))
    assert not (tmp_path / "out").exists()


def test_no_release_at_all_is_refused(tmp_path: Path) -> None:
    mine = copies(tmp_path, NEWS)
    with pytest.raises(TableError, match="no such folder"):
        hydrate(tmp_path / "nowhere", mine, tmp_path / "out", rooted(mine))
    (tmp_path / "empty").mkdir()
    with pytest.raises(TableError, match="expected Parquet files with sentences"):
        hydrate(tmp_path / "empty", mine, tmp_path / "out", rooted(mine))
    write_bytes(tmp_path / "other" / "gold" / "train-00000-of-00001.parquet", b"no Parquet")
    with pytest.raises(TableError, match="expected a Parquet file"):
        hydrate(tmp_path / "other", mine, tmp_path / "out", rooted(mine))
    assert not (tmp_path / "out").exists()


def test_a_release_that_is_not_as_its_manifest_says_is_refused(tmp_path: Path) -> None:
    mine = copies(tmp_path, NEWS)
    release, rows = standoff_release(tmp_path, NEWS, test="sentinel/bill")
    names = ["README.md", "codebook.md", "gold/train-00000-of-00001.parquet", "gold/test-00000-of-00001.parquet"]
    digests = {name: {"sha256": hashlib.sha256((release / name).read_bytes()).hexdigest()} for name in names}
    manifest = {"files": digests | {"annotators.md": {"sha256": "0"}}, "of": "another version"}
    write_bytes(release / "manifest.json", json.dumps(manifest).encode())
    assert hydrate(release, mine, tmp_path / "out", rooted(mine)).matched == len(rows)
    shutil.copy(release / names[3], release / "gold" / "more-00000-of-00001.parquet")
    (release / names[3]).unlink()
    write_bytes(release / "codebook.md", b"Version 2.0\n")
    said = "changed: codebook.md; missing: gold/test-00000-of-00001.parquet; unknown: gold/more-00000-of-00001.parquet"
    with pytest.raises(TableError, match=re.escape(said)):
        hydrate(release, mine, tmp_path / "again", rooted(mine))
    write_bytes(release / "manifest.json", b"{")
    with pytest.raises(TableError, match="expected digests of the release's files"):
        hydrate(release, mine, tmp_path / "again", rooted(mine))
    assert not (tmp_path / "again").exists()


@pytest.mark.parametrize("out", ["release", "release/out", ".", "mine"])
def test_a_place_where_something_else_is_is_refused(out: str, tmp_path: Path) -> None:
    release, _ = standoff_release(tmp_path, NEWS)
    mine = copies(tmp_path, NEWS)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(StanceError, match="name another folder"):
        hydrate(release, mine, tmp_path / out, rooted(mine))
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("step", ["_card", "_open", "rename"])
def test_broken_off_it_leaves_what_was_there(step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    release, _ = standoff_release(tmp_path, NEWS)
    mine = copies(tmp_path, NEWS)

    def fail(*_: object) -> None:
        raise OSError("the disk is full")

    real = Path.rename

    def broken() -> None:
        with monkeypatch.context() as patch:
            if step == "rename":
                patch.setattr(Path, "rename", lambda path, to: fail() if path.name == "new" else real(path, to))
            else:
                patch.setattr(write_release, step, fail)
            with pytest.raises(OSError, match="the disk is full"):
                hydrate(release, mine, tmp_path / "out", rooted(mine))

    broken()
    assert {path.name for path in tmp_path.iterdir()} == {"release", "mine"}
    hydrate(release, mine, tmp_path / "out", rooted(mine))
    before = {path: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    (mine / "sentinel" / "bill.txt").unlink()
    broken()
    assert {path: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()} == before
    assert {path.name for path in tmp_path.iterdir()} == {"release", "mine", "out"}


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    files=st.dictionaries(
        st.sampled_from(["a.txt", "b.html", "gazette/visit.txt", "c.jsonl", "d.csv", "e.parquet", "articles.csv"]),
        st.binary(max_size=200) | st.text(max_size=100).map(str.encode),
        min_size=1,
    )
)
def test_no_folder_of_files_makes_it_fail_but_by_a_message(
    files: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory, small: Path
) -> None:
    folder = tmp_path_factory.mktemp("any")
    for name, data in files.items():
        write_bytes(folder / "mine" / name, data)
    with pytest.raises(StanceError):
        hydrate(small, folder / "mine", folder / "out", rooted(folder / "mine"))
    assert not (folder / "out").exists()


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return standoff_release(tmp_path_factory.mktemp("small"), NEWS)[0]


def test_a_line_is_printed_for_articles_with_a_difference_alone_and_for_twenty_at_most() -> None:
    same = [
        ArticleCount(article_id=f"a{n}", found_article=f"a{n}", matched=3, drifted=0, missing=0, elsewhere=0)
        for n in range(1000)
    ]
    gone = [
        msgspec.structs.replace(
            row, found_article=None, matched=0, missing=3, outlet="Gazette", url="https://g.example/"
        )
        for row in same[:30]
    ]
    done = Hydrated(
        matched=2910, drifted=0, missing=90, articles=[*gone, *same[30:]], skipped={}, left_out=[], changed=True
    )
    lines = hydrated(done, Path("out"), "")
    assert lines[0] == "970 articles: all sentences matched in the article's own copy"
    assert lines[1] == "a0 (no copy; Gazette, https://g.example/): 0 matched, 0 drifted, 3 missing"
    assert lines[21] == f"and 10 more articles, which {Path('out') / 'hydrate-articles.jsonl'} lists"
    assert lines[22] == "in all: 2,910 matched, 0 drifted, 90 missing"
