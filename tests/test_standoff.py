"""A stand-off release: what is left of a row, and a check that nothing of the articles is."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.digests import ROOT
from corpus.errors import PublishError
from corpus.near_duplicates import normalise
from corpus.store import write_bytes
from release.contents import five_word_runs
from release.contents.proof import EXEMPT, Proof, Written, prove
from release.contents.text_free import DERIVED, columns, public_id, strip
from tests.conftest import REPO

TARGET = "sending our own brave instructors"
ARTICLE = (
    "Minister visits the quiet port\n\nThe minister of Brennia visited the port of Ostrel on Monday morning. "
    'She is against sending our own brave instructors there. "We re-sign the cease-fire. No."'
)
TEXT = "The minister of Brennia visited the port of Ostrel on Monday morning."


def full_row(**more: Any) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys([*columns("gold"), *DERIVED["gold"]], "")
    del row["text_sha256"], row["text_key"]
    return row | {"sentence_id": "0" * 32, "text": TEXT, "target": TARGET, "article_id": "a", "votes": []} | more


def release(folder: Path, rows: list[dict[str, Any]] | None = None, **files: str) -> Path:
    """A release with one stand-off row, and files by name, `__` for the dot."""
    rows = strip("gold", [full_row()]) if rows is None else rows
    path = folder / "release" / "gold" / "train-00000-of-00001.parquet"
    path.parent.mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist(rows), path)
    for name, text in {"README__md": "A card.", **files}.items():
        write_bytes(folder / "release" / name.replace("__", "."), text.encode())
    return folder / "release"


def checked(folder: Path) -> Proof:
    return prove(folder, {"a": ARTICLE})


def test_a_stripped_row_holds_offsets_digests_and_labels() -> None:
    row = full_row(start=3, end=7, label="favor", before="Before.", title="Minister visits", outlet="The Gazette")
    (stripped,) = strip("gold", [row])
    assert list(stripped) == columns("gold")
    assert not {"text", "before", "after", "title", "note"} & set(stripped)
    assert stripped["text_sha256"] == hashlib.sha256(TEXT.encode()).hexdigest()
    assert stripped["text_key"] == hashlib.sha256(normalise(TEXT).encode()).hexdigest()
    assert (stripped["start"], stripped["label"], stripped["outlet"]) == (3, "favor", "The Gazette")


def test_comments_and_holders_stay_out_of_the_annotations() -> None:
    row = dict.fromkeys(columns("annotations"), "x") | {"holder": "the minister", "comment": "odd"}
    assert strip("annotations", [row]) == [dict.fromkeys(columns("annotations"), "x")]


def test_a_column_of_which_nothing_is_said_is_refused() -> None:
    with pytest.raises(PublishError, match="whether summary may be in a stand-off release"):
        strip("gold", [full_row(summary="He went.")])


def test_an_id_that_could_be_a_headline_becomes_its_digest() -> None:
    slug = "news/holm-refuses-to-rule-out-troops"
    (row,) = strip("gold", [full_row(article_id=slug, group=slug)])
    assert row["article_id"] == row["group"] == public_id(slug) != slug
    assert public_id("https://example.org/2031/03/no-troops-now").startswith("https://")
    assert public_id("https://example.org/no-troops-for-now").startswith("id-")
    assert public_id("courier/2031-02-27-castellane-five-words") == "courier/2031-02-27-castellane-five-words"
    assert public_id("2000-soldiers-may-go-there").startswith("id-")


@given(st.text(max_size=60))
def test_an_id_is_kept_or_becomes_a_digest_that_is_kept(text: str) -> None:
    given_id = public_id(text)
    assert given_id == text or given_id.startswith("id-")
    assert public_id(given_id) == given_id


def test_a_stripped_release_passes_and_says_what_it_exempts(tmp_path: Path) -> None:
    url = "https://x.org/the-minister-of-brennia-visited-the"
    card = f"Stance toward sending\nour own brave instructors, see {url}. {TARGET}"
    folder = release(
        tmp_path,
        strip("gold", [full_row(outlet=TEXT, url="https://x.org/" + TEXT.replace(" ", "-"))]),
        README__md=card,
        codebook__md=f"Version 1.0, on {TARGET}",
        manifest__json=json.dumps({"configuration": {"target": TARGET}}),
    )
    proof = checked(folder)
    assert (proof.files, proof.articles) == (4, 1)
    assert {f"gold.{name}" for name in EXEMPT} | {"text files"} == set(proof.exempt)
    assert {"README.md", "codebook.md", "gold.codebook"} <= set(proof.fields)
    assert {"manifest.json: configuration.target", "gold.label", "gold.article_id"} <= set(proof.fields)


@pytest.mark.parametrize(
    ("config", "name"),
    [
        (config, name)
        for config in ("gold", "annotations")
        for name in columns(config)
        if name not in EXEMPT and name != "votes"
    ],
)
def test_five_words_in_a_column_are_found(tmp_path: Path, config: str, name: str) -> None:
    folder = release(tmp_path)
    rows = [dict.fromkeys(columns(config), ""), dict.fromkeys(columns(config), "")]
    rows[1][name] = "THE MINISTER, of Brennia: visited!"
    (folder / config).mkdir(exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows), folder / config / "test-00000-of-00001.parquet")
    with pytest.raises(PublishError, match=f"row 1, {name}: the words 'the minister of brennia visited'.*article 'a'"):
        checked(folder)


def test_five_words_in_a_nested_column_are_found(tmp_path: Path) -> None:
    rows = strip("gold", [full_row()])
    rows[0]["votes"] = [{"annotator": "port of Ostrel on Monday", "stance": 1}]
    with pytest.raises(PublishError, match=r"row 0, votes.annotator: the words 'port of ostrel on monday'"):
        checked(release(tmp_path, rows))


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("README__md", "See *the minister\nof Brennia* visited", "README.md"),
        ("README__md", "minister-visits-the-quiet-port", "README.md"),
        ("README__md", "he said: we resign the ceasefire no", "README.md"),
        ("notes__txt", "sending OUR own brave instructors there", "notes.txt"),
        ("croissant__json", json.dumps({"a": [{"b": "of Brennia visited the\nport"}]}), "croissant.json, a.b"),
        ("croissant__json", '{"of Brennia visited the port', "croissant.json"),
        ("croissant__json", json.dumps({"of Brennia visited the port": 1}), "croissant.json"),
        ("of Brennia visited the port", "", "its name"),
    ],
)
def test_five_words_in_a_text_file_are_found(tmp_path: Path, name: str, text: str, found: str) -> None:
    # Its own row has no target, so that nothing of the text is exempt.
    rows = strip("gold", [full_row(target="")])
    with pytest.raises(PublishError, match=found):
        checked(release(tmp_path, rows, **{name: text}))


def test_our_own_wording_is_no_articles_in_a_card_but_in_a_column_it_is(tmp_path: Path) -> None:
    ours = "who appear by pseudonym alone"
    assert ours in (ROOT / "release/card/annotators.md.j2").read_text("utf-8")
    folder = release(tmp_path / "card", README__md=f"{ours}.")
    assert prove(folder, {"a": f"“{ours},” he said."}).files == 2
    folder = release(tmp_path / "column", [strip("gold", [full_row()])[0] | {"how": ours}], README__md=f"{ours}.")
    with pytest.raises(PublishError, match=r"gold/train-00000-of-00001\.parquet, row 0, how"):
        prove(folder, {"a": f"“{ours},” he said."})


@pytest.mark.parametrize(
    ("file", "ours"),
    [
        ("release/publish.py", "text is published only if"),
        ("train/train_model.py", "the test split is scored once"),
        ("train/report/sentences.py", "better than always giving the most frequent label"),
        ("train/report/page.html.j2", "such a verdict is worth a second look"),
        ("release/card/model_card.md.j2", "who wrote or said them"),
        ("labeling/statistics/agreement.py", "too unreliable to draw conclusions from"),
        ("corpus/errors.py", "an article cannot be read, or there is none"),
    ],
)
def test_ordinary_english_from_our_sources_is_found_where_people_write(tmp_path: Path, file: str, ours: str) -> None:
    """Phrases as an article may have them, of files that no card is filled from, or that people don't write in."""
    assert set() < five_word_runs.runs(ours) <= five_word_runs.runs((REPO / file).read_text("utf-8"))
    folder = release(tmp_path, README__md=f"They say {ours}.")
    with pytest.raises(PublishError, match=r"README\.md: the words .* are in the article 'a' too"):
        prove(folder, {"a": f"The paper wrote on Monday that {ours} in Ostrel."})


def test_only_the_named_templates_and_sentences_are_our_wording() -> None:
    texts = " ".join((ROOT / name).read_text("utf-8") for name in five_word_runs.TEMPLATES)
    assert five_word_runs.template_runs() <= five_word_runs.runs(texts)
    docstring = "written indented by two spaces"
    assert docstring in five_word_runs.runs((ROOT / "release/contents/manifest.py").read_text("utf-8"))
    assert docstring not in five_word_runs.template_runs() | five_word_runs.sentence_runs()
    sentence = "better than always giving the most frequent label"
    assert five_word_runs.runs(sentence) <= five_word_runs.sentence_runs()
    for path in five_word_runs.SENTENCES:
        module = (ROOT / path).read_text("utf-8").split('"""')[1]
        assert not five_word_runs.runs(module) & five_word_runs.sentence_runs(), (
            "a module's docstring is not a sentence of the card"
        )


def test_a_sentence_of_ours_passes_between_markers_and_is_found_in_what_people_wrote(tmp_path: Path) -> None:
    ours = "the majority of the other annotators"
    part = (
        f"<!-- stance:begin baseline 0123456789abcdef -->\nAgainst {ours} it is good.\n<!-- stance:end baseline -->\n"
    )
    articles = {"a": f"He spoke for {ours}."}
    assert prove(release(tmp_path / "ours", README__md=part), articles)
    with pytest.raises(PublishError, match=r"README\.md"):
        prove(release(tmp_path / "theirs", README__md=f"{part}And {ours} too."), articles)
    written = [Written(file="stance.toml", field="[publish] pay", text=f"as {ours}")]
    with pytest.raises(PublishError, match=r"^stance\.toml, \[publish\] pay: the words"):
        prove(release(tmp_path / "settings", README__md=part), articles, written)


def test_the_message_names_the_file_and_field_or_line_that_people_can_change(tmp_path: Path) -> None:
    folder = release(tmp_path, README__md=f"Why: {TEXT}", codebook__md=f"Version 1.0\n\nTake\n{TEXT}\nfor none.")
    book = Written(file="docs/codebook.md", text=f"Version 1.0\n\nTake\n{TEXT}\nfor none.")
    for written, place in (
        ([Written(file="stance.toml", field="[publish] rationale", text=TEXT)], r"stance\.toml, \[publish\] rationale"),
        ([book], r"docs/codebook\.md, line 4"),
        ([], r"README\.md"),
    ):
        with pytest.raises(PublishError, match=rf"^{place}: the words 'brennia visited the port of' are .* 'a' too"):
            prove(folder, {"a": ARTICLE}, written)


OUTLETS = ["The Voice of the Northern Valleys", "Voice, of-the *Re-United* <Northern> Valleys & Co.", "The Times"]


@pytest.mark.parametrize("outlet", OUTLETS)
def test_an_outlets_name_may_stand_in_an_article(tmp_path: Path, outlet: str) -> None:
    card = f"| outlet | articles |\n| --- | ---: |\n| {outlet} | 3 |\n| Plain | 4 |\n\nCourier, {outlet}, Gazette."
    folder = release(tmp_path, README__md=card)
    article = {"a": f"As {outlet} wrote; {outlet} Online. Courier, {outlet}."}
    assert prove(folder, article, outlets=["Plain", outlet])
    if outlet != "The Times":
        with pytest.raises(PublishError, match=r"README\.md: the words"):
            prove(folder, article, outlets=["Plain"])


@pytest.mark.parametrize("outlet", OUTLETS)
def test_words_around_an_outlets_name_are_found_all_the_same(tmp_path: Path, outlet: str) -> None:
    quote = f"the minister told {outlet} that she would not go"
    with pytest.raises(PublishError, match=r"the words .*(minister told the|that she would)"):
        prove(release(tmp_path, README__md=f"Why: {quote}."), {"a": quote}, outlets=[outlet])


def test_four_words_may_be_the_same(tmp_path: Path) -> None:
    assert checked(release(tmp_path, README__md="The minister of Brennia did; visited the port of Lume"))


@pytest.mark.parametrize("name", ["text", "before", "after", "title", "comment", "holder"])
def test_a_column_of_text_is_refused_however_short_its_text_is(tmp_path: Path, name: str) -> None:
    rows = [strip("gold", [full_row()])[0] | {name: "No."}]
    with pytest.raises(PublishError, match=f"{name}: a stand-off release has no such column"):
        checked(release(tmp_path, rows))


@settings(deadline=None)
@given(words=st.lists(st.sampled_from("a bb ccc dd-d e'e f".split()), min_size=5, max_size=30), at=st.integers(0, 25))
def test_any_five_words_of_an_article_are_found_in_a_card(
    tmp_path_factory: pytest.TempPathFactory, words: list[str], at: int
) -> None:
    at = min(at, len(words) - 5)
    folder = release(tmp_path_factory.mktemp("any"), [], README__md="xx " + "  ".join(words[at : at + 5]) + " yy")
    with pytest.raises(PublishError, match="the words"):
        prove(folder, {"other": "nothing", "a": " ".join(words)})


def test_a_refusal_names_all_places_at_once(tmp_path: Path) -> None:
    book = (
        "Version 1.0\n\nAn example: the minister of Brennia visited the port.\n\nNothing.\n\nAnd: she said we resign."
    )
    articles = {"a": "The minister of Brennia visited the port.", "b": "Later she said we resign, and went."}
    folder = release(tmp_path, codebook__md=book.replace("And: she", "And: Later she"))
    written = [Written(file="codebook.md", text=book.replace("And: she", "And: Later she"))]
    with pytest.raises(PublishError, match=r"^a stand-off release has no .*, but 2 places have some:\n") as refused:
        prove(folder, articles, written)
    first, second = str(refused.value).splitlines()[1:]
    remedy = "use other words there, as they would be published in codebook.md"
    assert first.startswith("  codebook.md, line 3: the words 'minister of brennia visited the' are in the article 'a'")
    assert second == f"  codebook.md, line 7: the words 'later she said we resign' are in the article 'b' too: {remedy}"
    assert first.endswith(remedy)


def test_a_refusal_counts_the_places_that_it_does_not_name(tmp_path: Path) -> None:
    lines = [f"The hill {n} of Brennia saw rain." for n in range(12)]
    written = [Written(file="codebook.md", text="\n".join(lines))]
    with pytest.raises(PublishError, match="but 12 places have some") as refused:
        prove(release(tmp_path, codebook__md="\n".join(lines)), {"a": " And so on. ".join(lines)}, written)
    assert len(str(refused.value).splitlines()) == 12
    assert str(refused.value).endswith("\n  and 2 more places")
