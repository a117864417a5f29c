"""The card and what stands beside it: true, valid, complete, and safe for what people wrote there."""

from __future__ import annotations

import hashlib
import html
import json
import re
import shutil
from collections.abc import Callable, Collection, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from corpus.errors import ConfigError, PublishError
from corpus.store import read_jsonl, table_path, write_bytes, write_jsonl
from labeling.codebook import read_codebook
from labeling.records import Annotation, Target, Verdict
from labeling.sampling.sample_table import Draw, write_sample
from labeling.scheme import DEFAULT, Scheme
from labeling.statistics.intervals import shown
from release.card.card_facts import ASKED, CardFacts, ConfigFacts, Released, SplitFacts, missing, read_facts, summary
from release.card.citation import bibtex
from release.card.dataset_card import others, render
from release.card.earlier_release import EarlierRelease
from release.card.managed_markdown import merge
from release.card.yaml_header import join, split
from release.contents import text_free as standoff
from release.contents.privacy import release_names
from release.contents.rows import annotation_rows, encoded, features, gold_rows, parquet, yaml_features
from release.freshness import Project
from tests.conftest import HOSTILE, copy_tables
from tests.support.examples import examples
from train.examples.from_verdicts import read_examples
from train.report import methods, sentences
from train.report.markdown import plain
from train.report.project_snapshot import gather
from train.settings import LICENCES, PublishSettings, Settings, meaning, read_settings

TEXTS = [key for key in ASKED if key not in ("licence", "authors", "annotation_source")]
SAID = msgspec.convert(
    {
        "name": "Sentences: about *it* # 1",
        "version": "1.0.0",
        "licence": "cc-by-4.0",
        "authors": ["Author, Ann", "The Stance | developers", "Author, Ann"],
        "annotation_source": "expert-generated",
        "url": "https://example.org/a_b*c*",
        "doi": "10.5281/zenodo.1003150",
        **{key: f"Said of {key}: [x](http://x.example) <b>bold</b>." for key in TEXTS},
    },
    PublishSettings,
)
Make = Callable[..., CardFacts]


@pytest.fixture(scope="module")
def facts_of(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Facts of the finished project, its files written into a folder of their own."""

    @cache
    def tables(work: Path, without_text: bool) -> tuple[dict[str, Any], list[ConfigFacts], Path]:
        folder = tmp_path_factory.mktemp("release")
        gold: dict[str, Any] = dict(gold_rows(work, read_examples(work)))
        answers = annotation_rows(read_jsonl(table_path(work, "annotations.jsonl"), Annotation, ""))
        parts: dict[str, Any] = {"gold": gold, "annotations": {"train": answers}}
        if without_text:
            parts = {
                config: {name: standoff.strip(config, rows) for name, rows in splits.items()}
                for config, splits in parts.items()
            }
        configs = []
        for config, splits in parts.items():
            kinds = features(config, without_text)
            told = []
            for name, rows in splits.items():
                data, size = parquet(encoded(config, rows, kinds), kinds)
                path = f"{config}/{name}-00000-of-00001.parquet"
                write_bytes(folder / path, data)
                digest = hashlib.sha256(data).hexdigest()
                told.append(
                    SplitFacts(name=name, rows=len(rows), num_bytes=size, path=path, size=len(data), sha256=digest)
                )
            configs.append(ConfigFacts(name=config, splits=told, features=yaml_features(kinds)))
        return parts["gold"], configs, folder

    def make(
        said: PublishSettings = SAID,
        *,
        work: Path | None = None,
        standoff: bool = False,
        ignored: Collection[str] = frozenset(),
        before: Path = Path("nowhere"),
        names: Mapping[str, str] | None = None,
    ) -> CardFacts:
        work = work or finished / "work"
        gold, configs, folder = tables(work, standoff)
        whole = Settings(target=Target(name="a target <b>"), publish=said)
        book = read_codebook(finished / "codebook.md")
        if names is None:
            answers = read_jsonl(table_path(work, "annotations.jsonl"), Annotation, "")
            names = release_names(answers, read_jsonl(work / "verdicts.jsonl", Verdict, ""), {})
        facts = read_facts(
            Project(work=work, settings=whole, codebook=book, ignored=ignored),
            Released(gold=gold, configs=configs, standoff=standoff, names=names, few=None, folder=before),
        )
        for name, data in ({"README.md": render(facts)} | others(facts)).items():
            write_bytes(folder / name, data)
        make.folder = folder  # type: ignore[attr-defined]
        return facts

    return make


@pytest.fixture(scope="module")
def facts(facts_of: Make) -> CardFacts:
    return facts_of()


def _front(card: bytes) -> Any:
    return yaml.safe_load(card.decode().split("---\n")[1])


# --- the metadata


def test_the_metadata_say_what_the_hub_knows_with_true_sizes(facts: CardFacts) -> None:
    from huggingface_hub import DatasetCard

    front = _front(render(facts))
    assert front == DatasetCard(render(facts).decode()).data.to_dict()  # type: ignore[no-untyped-call]
    assert front["language"] == ["en"]
    assert (front["license"], front["size_categories"], front["multilinguality"]) == (
        "cc-by-4.0",
        ["n<1K"],
        ["monolingual"],
    )
    # Of the Hub's subtasks of text classification (packages/tasks/src/pipelines.ts) none is stance.
    assert (front["task_categories"], front["task_ids"]) == (["text-classification"], ["multi-class-classification"])
    assert (front["annotations_creators"], front["language_creators"]) == (["expert-generated"], ["found"])
    assert front["pretty_name"] == SAID.name
    for info, config in zip(front["dataset_info"], facts.configs, strict=True):
        assert info["splits"] == [
            {"name": split.name, "num_bytes": split.num_bytes, "num_examples": split.rows} for split in config.splits
        ]
        assert info["download_size"] == sum(split.size for split in config.splits)
        assert info["dataset_size"] == sum(split.num_bytes for split in config.splits)
    label = next(entry for entry in front["dataset_info"][0]["features"] if entry["name"] == "label")
    assert label["dtype"]["class_label"]["names"] == {"0": "favor", "1": "against", "2": "none"}
    assert [config.get("default") for config in front["configs"]] == [True, None]


def test_without_a_licence_the_metadata_claim_none(facts_of: Make) -> None:
    facts = facts_of(PublishSettings(), standoff=True)
    front = _front(render(facts))
    assert front["license"] == "unknown"
    assert "**License:** not stated (of offsets" in render(facts).decode()
    assert "license" not in yaml.safe_load(others(facts)["CITATION.cff"])


def test_the_metadata_leave_out_who_made_the_labels_and_the_texts_where_nobody_has_said_so(facts_of: Make) -> None:
    silent = render(facts_of(PublishSettings(text_source="")))
    assert not {"annotations_creators", "language_creators"} & _front(silent).keys()
    said = render(facts_of(PublishSettings(annotation_source="crowdsourced")), silent)
    assert (_front(said)["annotations_creators"], _front(said)["language_creators"]) == (["crowdsourced"], ["found"])
    # What an earlier release said is taken back, and what people wrote is kept.
    assert render(facts_of(PublishSettings(text_source="")), said) == silent
    edited = said.replace(b"- crowdsourced", b"- other")
    assert _front(render(facts_of(PublishSettings()), edited))["annotations_creators"] == ["other"]


def test_a_licence_of_ones_own_is_named_and_linked(facts_of: Make) -> None:
    link = "https://example.org/terms"
    facts = facts_of(PublishSettings(licence="Other", licence_name="House terms", licence_link=link))
    front = _front(render(facts))
    assert (front["license"], front["license_name"], front["license_link"]) == ("other", "House terms", link)
    assert yaml.safe_load(others(facts)["CITATION.cff"])["license-url"] == link
    assert json.loads(others(facts)["croissant.json"])["license"] == link


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('licence = "cc-by-5.0"', "expected an identifier that the Hub knows"),
        ('licence = "other"', "needs licence_name"),
        ('version = "one two"', "expected one such as"),
        ('version = "1..0"', "expected one such as"),
        ('language = ["English"]', "expected codes of ISO 639"),
        ("language = []", "expected codes of ISO 639"),
        ('doi = "https://doi.org/10.1/x"', "expected one such as 10.5281"),
        ('url = "javascript:alert(1)"', "expected an address that begins with https"),
        ('annotation_source = "students"', "expected one of .*; found 'students'"),
    ],
)
def test_what_the_hub_or_a_citation_would_refuse_is_refused_when_it_is_read(
    tmp_path: Path, text: str, message: str
) -> None:
    (tmp_path / "stance.toml").write_text(f"[publish]\n{text}\n")
    with pytest.raises(ConfigError, match=rf"line \d: publish.*{message}"):
        read_settings(tmp_path, required=True)


def test_every_key_of_publish_is_explained_where_it_is_asked_for() -> None:
    keys = PublishSettings.__struct_fields__
    assert all(meaning(PublishSettings, key) for key in keys)
    assert "stands" not in ASKED
    assert set(ASKED) <= set(keys)


# --- the sections


@pytest.mark.parametrize("standoff", [False, True])
def test_the_card_has_the_sections_of_the_hubs_own_template(facts_of: Make, standoff: bool) -> None:
    import huggingface_hub

    template = (Path(huggingface_hub.__file__).parent / "templates" / "datasetcard_template.md").read_text("utf-8")
    wanted = [line.removesuffix(" [optional]") for line in re.findall(r"^##+ .*$", template, re.MULTILINE)]
    found = re.findall(r"^##+ .*$", render(facts_of(standoff=standoff)).decode(), re.MULTILINE)
    assert [line for line in found if line in wanted] == wanted
    assert "More Information Needed" not in render(facts_of(standoff=standoff)).decode()


def test_card_and_report_show_the_same_numbers(facts: CardFacts, finished: Path) -> None:
    card = " ".join(render(facts).decode().split())
    found = gather(finished / "work", "a target <b>", frozenset(), Settings())
    assert found.metrics
    assert found.analysis
    method = methods.methods(found)
    figures = {cell for table in method.tables for row in table.rows for cell in row if re.fullmatch(r"[\d.]+.*", cell)}
    assert len(figures) > 10
    assert [figure for figure in figures if figure not in card] == []
    for sentence in (
        sentences.agreement_sentence(found),
        sentences.audit_sentence(found.analysis),
        sentences.recipe_sentence(found.metrics),
        sentences.majority_sentence(found.metrics),
        sentences.naive_sentence(found.analysis.naive) if found.analysis.naive else "none stands in two splits",
    ):
        assert sentence
        assert plain(sentence) in card


def test_the_card_tells_how_the_labels_came_to_be(facts: CardFacts, finished: Path) -> None:
    card = render(facts).decode()
    verdicts = read_jsonl(finished / "work" / "verdicts.jsonl", Verdict, "")
    assert sum(facts.how.values()) == len(verdicts) + 1 == facts.rows
    for how, count in facts.how.items():
        assert f"| {how} | {count} |" in card
    for name, by in facts.labels.items():
        assert f"| {name} | {by['favor']} | {by['against']} | {by['none']} |" in card
    assert "| plain | 29 |" in card
    (told,) = re.findall(r"^\*\*Articles\.\*\* (.*)\. They have", card, re.MULTILINE)
    assert told == "30 articles from 2 outlets, 2031-03-01 to 2031-03-30"
    assert "(version unknown: " in card
    assert re.search(rf"\n{facts.copies} of the rows (is an exact copy|are exact copies) of a labelled", card)
    assert not re.search(r"\b0 (more )?(sentence|article)", card)
    assert "character by character" not in card
    assert "move no sentence between splits; for intervals, resample groups, not sentences.\nLook at `votes`" in card


def test_the_summary_names_the_projects_own_labels(facts: CardFacts) -> None:
    assert summary(facts).endswith("favor, against or none.")
    assert summary(msgspec.structs.replace(facts, scheme=Scheme(names=["yes", "no"]))).endswith("”: yes or no.")


def test_addresses_are_links_that_lead_where_they_say(facts: CardFacts) -> None:
    from markdown_it import MarkdownIt

    page = MarkdownIt("commonmark").render(render(facts).decode())
    assert 'href="https://example.org/a_b*c*"' in page
    assert 'href="https://doi.org/10.5281/zenodo.1003150"' in page
    assert yaml.safe_load(others(facts)["CITATION.cff"])["url"] == "https://example.org/a_b*c*"


def test_rounds_are_told_with_their_probabilities(facts_of: Make, finished: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    copy_tables(finished / "work", work)
    keys = [row.sentence_id for row in read_jsonl(work / "verdicts.jsonl", Verdict, "")]
    drawn = [Draw(sentence_id=key, round=1, by="random", probability=0.25) for key in keys[:20]]
    for key, probability in zip(keys[20:23], (0.2, 0.3, 0.5), strict=True):
        drawn.append(Draw(sentence_id=key, round=2, by="stratified", probability=probability))
    drawn += [Draw(sentence_id=key, round=2, by="uncertainty") for key in [*keys[23:29], "f" * 32]]
    write_sample(work, drawn)
    assert "every sentence was to be labelled" in render(facts_of()).decode()
    card = render(facts_of(work=work)).decode()
    assert "every sentence was to be labelled" not in card
    assert "| 1 | random | 20 | 20 | 0.25 |" in card
    assert "| 2 | stratified | 3 | 3 | 0.2 to 0.5 |" in card
    assert "| 2 | uncertainty | 7 | 6 | none: chance did not choose |" in card


def test_what_was_said_is_shown_and_what_was_not_is_named(facts_of: Make) -> None:
    said, unsaid = facts_of(), facts_of(PublishSettings(name="x", pay="  "))
    assert missing(SAID) == []
    assert [line.split(":")[0] for line in missing(unsaid.settings)] == list(ASKED)
    card, statement = render(said).decode(), others(said)["annotators.md"].decode()
    for key in TEXTS:
        text = plain(getattr(SAID, key)).rstrip(".")
        assert (text in card) == (key not in ("variety", "situation")), key
        assert (text in statement) == (key not in ("contact", "funding", "query")), key
    # Each is said to be not stated where it belongs, and not in a list of keys once more.
    for facts, count in ((said, 0), (unsaid, 12)):
        pages = render(facts).decode(), others(facts)["annotators.md"].decode()
        assert pages[0].lower().count("not stated") >= count
        assert not any(plain(line) in page for line in missing(unsaid.settings) for page in pages)
    assert render(said).decode().lower().count("not stated") == 0


def test_a_standoff_card_says_so_and_how_the_text_comes_back(facts_of: Make) -> None:
    full, without = render(facts_of()).decode(), render(facts_of(standoff=True)).decode()
    assert "stance hydrate DATASET --articles DIR --out DIR" in without
    assert "`text_sha256`" in without
    assert "`before` and `after`" not in without
    assert "hydrate" not in full
    assert "`text_sha256`" not in full


def test_annotators_go_by_their_names_in_the_release(facts_of: Make, finished: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    copy_tables(finished / "work", work)
    for name, kind in (("annotations.jsonl", Annotation), ("verdicts.jsonl", Verdict)):
        path = table_path(work, name)
        raw = path.read_text("utf-8").replace('"A1"', '"Bea Bright"').replace('"A2"', '"cy@mail.example"')
        path.write_text(raw, "utf-8")
        assert read_jsonl(path, kind, "")
    for names in (None, {"Bea Bright": "A1", "cy@mail.example": "A7"}):
        facts = facts_of(work=work, names=names)
        whole = b"".join([render(facts), *others(facts).values()]).decode()
        assert "Bright" not in whole
        assert "mail" not in whole
        assert ("Cohen’s kappa, A1 and A7" in whole) == (names is not None)


# --- what people wrote


def _parts(*numbers: int) -> str:
    return "".join(f"<!-- stance:begin p{'q' * n} -->\n# {n}\n<!-- stance:end p{'q' * n} -->\n" for n in numbers)


@settings(max_examples=examples(150), deadline=None)
@given(*[st.text(st.characters(codec="utf-8", exclude_characters="\r"))] * 3)
@example("<!-- a note -->", "---\n# Mine", "end, without a line break")
def test_text_outside_of_our_parts_survives_letter_by_letter(start: str, middle: str, last: str) -> None:
    first, second = merge(_parts(1, 2), "", "x.md").split("\n\n")
    edited = "\n".join([start, first, middle, second + last])
    dropped = merge(_parts(1), edited, "x.md")
    assert dropped == "\n".join([start, first, middle, "", last])
    renewed = merge(_parts(1, 2), dropped, "x.md")
    assert renewed == "\n".join([start, first, "", second.rstrip(), middle, "", last])
    assert merge(_parts(1, 2), edited, "x.md") == edited


def test_numbers_are_renewed_around_what_people_wrote(facts: CardFacts) -> None:
    card = (
        render(facts).decode().replace("<!-- stance:end annotators -->", "<!-- stance:end annotators -->\n\nBe kind.")
    )
    said = msgspec.structs.replace(SAID, pay="Paid in *cake*.")
    renewed = render(msgspec.structs.replace(facts, settings=said), card.encode()).decode()
    assert "Said of pay" not in renewed
    assert "- **Pay:** Paid in \\*cake\\*.\n" in renewed
    assert "<!-- stance:end annotators -->\n\nBe kind.\n\n<!-- stance:begin personal" in renewed
    assert render(facts, renewed.encode()).decode() == card


def test_line_ends_white_space_and_byte_order_marks_of_editors_are_no_edit(facts: CardFacts) -> None:
    card = render(facts)
    assert render(facts, b"\xef\xbb\xbf" + card.replace(b"\n", b"\r\n")) == card
    assert not re.search(rb"[ \t]\n", card.split(b"---\n", 2)[2])
    assert render(facts, card.replace(b"\n\n### ", b"  \n \n### ")) == card


def test_a_changed_part_is_refused_with_its_line_and_a_deleted_one_written_anew(facts: CardFacts) -> None:
    card = render(facts).decode()
    edited = card.replace("### Out-of-Scope Use", "### Out-of-Scope Use\n\nMy own words.")
    line = card.splitlines().index(next(line for line in card.splitlines() if "begin uses" in line)) + 1
    with pytest.raises(PublishError, match=rf"README.md, line {line}: the part 'uses' was changed between its markers"):
        render(facts, edited.encode())
    for part in ("summary", "uses", "more"):
        cut = re.sub(rf"<!-- stance:begin {part} .*<!-- stance:end {part} -->", "Mine.", card, flags=re.DOTALL)
        assert "Mine." in cut
        anew = render(facts, cut.encode()).decode()
        names = re.findall(r"stance:begin ([a-z]+)", anew)
        assert names == re.findall(r"stance:begin ([a-z]+)", card)
        assert "Mine." in anew
        assert render(facts, anew.encode()) == anew.encode()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "<!-- stance:end uses -->\n",
            "",
            r"line \d+: found the marker '<!-- stance:begin structure .*'uses' has no end",
        ),
        ("<!-- stance:end more -->\n", "", r"line \d+: the part 'more' has no end"),
        ("<!-- stance:end uses -->", "<!-- stance:end limits -->", r"no part of that name is open there"),
        (
            "<!-- stance:end uses -->",
            "<!-- stance:end uses -->\n<!-- stance:end uses -->",
            "no part of that name is open",
        ),
        (
            "---\n\n<!-- stance:metadata",
            "\n<!-- stance:metadata",
            r"line 1: the metadata begin with --- and have no end",
        ),
        ("language:\n- en\n", "language: [en\n", r"README.md, line 4: the metadata .* are not YAML: "),
        (
            "language:\n",
            "due: 2031-13-45\nlanguage:\n",
            r"README.md, line 1: .* are not YAML: month must be",
        ),
        ("language:\n- en\n", "language: &b [en]\nx: *b\n", r"what was added to the metadata can't be kept"),
        ("language:\n", "tags:\n- x\nlanguage:\n", r"README.md, line \d+: .*the key 'tags' occurs twice"),
        ("license: cc-by-4.0", "license: mit", r"README.md, line 5: `license` of the metadata was written by hand"),
        (
            "num_examples: ",
            "num_examples: 1",
            r"README.md, line \d+: `dataset_info` of the metadata was written by hand",
        ),
    ],
)
def test_a_broken_card_is_one_message_that_names_the_line(facts: CardFacts, old: str, new: str, message: str) -> None:
    card = render(facts).decode()
    assert old in card
    with pytest.raises(PublishError, match=re.compile(message, re.DOTALL)):
        render(facts, card.replace(old, new, 1).encode())


def test_a_card_that_is_no_text_names_the_line(facts: CardFacts) -> None:
    with pytest.raises(PublishError, match=r"README.md, line 2: expected UTF-8"):
        render(facts, b"---\npretty_name: \xff\n---\n")
    with pytest.raises(PublishError, match=r"README.md, line 2: expected metadata as `key: value`; found list"):
        render(facts, b"---\n- a\n---\n")


def test_keys_comments_and_tags_that_people_added_are_kept_letter_by_letter(facts: CardFacts) -> None:
    card = render(facts).decode()
    theirs = "# Ours, not stance's:\nregion:   no  # Norway\nextra_gated_prompt: >\n  Be kind:\n\n  it is *news*\n"
    edited = card.replace("tags:\n", f"{theirs}tags:\n- no\n- 'ukraine'\n", 1)
    kept = render(facts, edited.encode())
    assert f"{theirs}---\n" in kept.decode()
    front = _front(kept)
    assert front["extra_gated_prompt"] == "Be kind:\nit is *news*\n"
    assert front["tags"] == ["stance-detection", "news", "no", "ukraine"]
    assert render(facts, kept) == kept


@settings(max_examples=examples(150), deadline=None)
@given(
    extra=st.dictionaries(
        st.text(st.characters(codec="utf-8", exclude_characters="\r"), min_size=1).map("x".__add__),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
            max_leaves=5,
        ),
        max_size=3,
    ),
    unicode=st.booleans(),
)
def test_any_metadata_of_other_tools_are_kept(extra: dict[str, Any], unicode: bool) -> None:
    ours = {"license": "mit", "tags": ["a"]}
    dumped = yaml.safe_dump(extra, allow_unicode=unicode) if extra else ""
    front, _ = split(f"---\n{dumped}---\n", "x.md")
    text = join(ours, front, ["tags"], "x.md")
    again, body = split(text, "x.md")
    assert again.values == ours | (yaml.safe_load(dumped) if extra else {})
    assert body == ""
    assert join(ours, again, ["tags"], "x.md") == text


def test_new_settings_change_the_metadata_that_we_wrote(facts: CardFacts) -> None:
    changed = msgspec.structs.replace(facts, settings=msgspec.structs.replace(SAID, licence="cc0-1.0", name="Other"))
    card = render(changed, render(facts))
    assert card == render(changed)
    assert _front(card)["license"] == "cc0-1.0"


def test_a_card_written_by_hand_stays_below_ours(facts: CardFacts) -> None:
    card = render(facts, b"---\narxiv: '1234.5678'\n---\n\n# Our corpus\n\nIt is about *it*.\n")
    assert _front(card)["arxiv"] == "1234.5678"
    assert card.decode().endswith("<!-- stance:end more -->\n\n# Our corpus\n\nIt is about *it*.\n")
    with pytest.raises(PublishError, match="`license` of the metadata was written by hand"):
        render(facts, b"---\nlicense: mit\n---\n")
    with pytest.raises(PublishError, match="by a version of stance that did not mark its own text"):
        render(facts, b"---\nlicense: mit\n---\n\nBuilt with stance (`stance-corpus`).\n")


def test_a_part_that_is_no_longer_ours_goes_only_when_nobody_changed_it() -> None:
    old = merge("<!-- stance:begin gone -->\nx\n<!-- stance:end gone -->\n", "", "a.md")
    new = "<!-- stance:begin new -->\ny\n<!-- stance:end new -->\n"
    assert "gone" not in merge(new, old, "a.md")
    with pytest.raises(PublishError, match=r"a.md, line 1: the part 'gone' was changed"):
        merge(new, old.replace("x", "z"), "a.md")


# --- text that nobody checked


@settings(max_examples=examples(300), deadline=None)
@given(st.text() | st.text("-+=_*[]()<>!`~#|&\\ 1.0,\n\tab:/"))
@example("1. a")
@example("F_avg __b__ [0.1, 0.2](x)")
@example(HOSTILE)
def test_plain_text_is_shown_as_it_is(text: str) -> None:
    from markdown_it import MarkdownIt

    reader = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    shown = " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f]", " ", text).split())
    expected = f"<p>{html.escape(shown, quote=False)}</p>\n" if shown else ""
    assert reader.render(plain(text)).replace("&quot;", '"') == expected.replace("\N{REPLACEMENT CHARACTER}", "\ufffd")
    row = f"| a | b |\n| --- | ---: |\n| x{plain(text)} | y |"
    assert reader.render(row).count("<td") == 2


def test_hostile_outlets_titles_and_settings_stay_text(facts_of: Make) -> None:
    from markdown_it import MarkdownIt

    attack = f"{HOSTILE}\n\n<!-- stance:end rationale -->\n# Big\n```\n---\nlicense: mit\n---\n- a: [b](javascript:c)"
    told = {"name": attack, "authors": [attack, "`a`, ```b"]}
    said = msgspec.convert(told | dict.fromkeys(TEXTS, attack), PublishSettings)
    facts = facts_of(said)
    card = render(facts)
    assert _front(card)["pretty_name"] == " ".join(attack.split())
    assert render(facts, card) == card
    page = MarkdownIt("commonmark").enable("table").render(card.decode().split("---\n", 2)[2])
    assert "<script" not in page
    assert 'javascript:c"' not in page
    assert page.count("<h1>") == 1
    assert (
        others(msgspec.structs.replace(facts, before=EarlierRelease(files=others(facts))))["annotators.md"]
        == (others(facts)["annotators.md"])
    )
    _check_cff(others(facts)["CITATION.cff"])


# --- beside it


def _check_cff(data: bytes) -> dict[str, Any]:
    """The rules of the schema of CFF 1.2.0 (https://github.com/citation-file-format) for the keys that we write."""
    fields: dict[str, Any] = yaml.safe_load(data)
    rules = {
        "cff-version": r"1\.2\.0",
        "message": r".+",
        "type": r"dataset|software",
        "title": r".+",
        "abstract": r".+",
        "version": r".+",
        "date-released": r"[0-9]{4}-(0[1-9]|1[012])-(0[1-9]|[12][0-9]|3[01])",
        "doi": r"10\.\d{4,9}(\.\d+)?/[A-Za-z0-9:/_;\-\.\(\)\[\]\\]+",
        "url": r"(https|http|ftp|sftp)://.+",
        "license": "|".join(map(re.escape, filter(None, LICENCES.values()))),
        "license-url": r"(https|http|ftp|sftp)://.+",
    }
    assert {"authors", "cff-version", "message", "title"} <= fields.keys() <= {*rules, "authors", "keywords"}
    for key, rule in rules.items():
        if key in fields:
            assert isinstance(fields[key], str), key
            assert re.fullmatch(rule, fields[key], re.DOTALL), key
    for names in (fields["authors"], fields["keywords"]):
        assert names
        assert all(name not in names[:n] for n, name in enumerate(names))
    for author in fields["authors"]:
        assert author.keys() in ({"name"}, {"family-names", "given-names"})
        assert all(isinstance(value, str) and value for value in author.values())
    return fields


def test_the_citation_file_keeps_the_rules_of_its_format(facts_of: Make) -> None:
    fields = _check_cff(others(facts_of())["CITATION.cff"])
    assert (fields["version"], fields["license"], fields["type"]) == ("1.0.0", "CC-BY-4.0", "dataset")
    assert fields["authors"] == [
        {"family-names": "Author", "given-names": "Ann"},
        {"name": "The Stance | developers"},
    ]
    assert "date-released" not in fields
    bare = _check_cff(others(facts_of(PublishSettings(licence="cdla-permissive-2.0")))["CITATION.cff"])
    assert bare["authors"] == [{"name": "Authors not stated"}]
    assert "license" not in bare


def test_the_date_is_the_newest_annotations(facts_of: Make, finished: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    copy_tables(finished / "work", work)
    rows = read_jsonl(table_path(work, "annotations.jsonl"), Annotation, "")
    times = ["2031-04-02T10:00:00Z", "2031-05-01T23:59:59Z", "2031-04-01T00:00:00Z"]
    dated = [
        msgspec.structs.replace(row, created_at=times[n % 3], updated_at="2031-05-30T23:59:59Z" if n == 8 else "")
        for n, row in enumerate(rows)
    ]
    write_jsonl(table_path(work, "annotations.jsonl"), [row for row in dated if row.annotator != "A2"] + [
        msgspec.structs.replace(row, created_at="2099-01-01T00:00:00Z") for row in dated if row.annotator == "A2"
    ])  # fmt: skip
    facts = facts_of(work=work, ignored={"A2"})
    assert facts.date == "2031-05-30"
    assert yaml.safe_load(others(facts)["CITATION.cff"])["date-released"] == "2031-05-30"
    assert json.loads(others(facts)["croissant.json"])["datePublished"] == "2031-05-30"
    assert "## 1.0.0 - 2031-05-30\n" in others(facts)["CHANGELOG.md"].decode()
    assert "year = {2031}" in render(facts).decode()


@pytest.mark.parametrize("standoff", [False, True])
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::ResourceWarning")
def test_croissant_is_valid_and_reads_every_row(facts_of: Make, standoff: bool) -> None:
    import mlcroissant  # type: ignore[import-untyped]

    facts = msgspec.structs.replace(facts_of(standoff=standoff), date="2031-05-30")
    folder: Path = facts_of.folder  # type: ignore[attr-defined]
    write_bytes(folder / "croissant.json", others(facts)["croissant.json"])
    dataset = mlcroissant.Dataset(str(folder / "croissant.json"))
    assert dataset.metadata.ctx.issues.errors == set()
    assert dataset.metadata.ctx.issues.warnings == set()
    described = json.loads(others(facts)["croissant.json"])
    for file in described["distribution"]:
        if file["@type"] == "cr:FileObject":
            assert file["sha256"] == hashlib.sha256((folder / file["contentUrl"]).read_bytes()).hexdigest()
    read = {config.name: list(dataset.records(config.name)) for config in facts.configs}
    for config in facts.configs:
        rows = read[config.name]
        assert len(rows) == sum(split.rows for split in config.splits)
        assert {row[f"{config.name}/split"].decode() for row in rows} == {split.name for split in config.splits}
        assert {key.split("/")[1] for key in rows[0]} == {"split", *(entry["name"] for entry in config.features)}
    gold = {row["gold/sentence_id"].decode(): row for row in read["gold"]}
    assert {key: DEFAULT.names[row["gold/label"]] for key, row in gold.items()} == facts.published
    assert all(isinstance(int(row["gold/start"]), int) and row["gold/votes"] for row in gold.values())


def test_the_changelog_counts_what_changed_and_keeps_its_old_entries(facts: CardFacts) -> None:
    first = others(facts)["CHANGELOG.md"]
    assert first.decode().startswith(
        f"# Changelog\n\n## 1.0.0\n\n- First release: {facts.rows} sentences of 30 articles"
    )
    mine = first + b"\nA note of mine.\n"

    def after(text: bytes, labels: Any, version: str = "1.0.0", codebook: str = "1.0", book: str = "1.0") -> str:
        before = EarlierRelease(files={"CHANGELOG.md": text}, labels=labels, codebook=codebook)
        said = msgspec.structs.replace(SAID, version=version)
        now = msgspec.structs.replace(facts, before=before, settings=said, codebook=book)
        return others(now)["CHANGELOG.md"].decode()

    assert after(mine, facts.published) == mine.decode()
    old = dict(facts.published)
    gone = next(iter(old))
    del old[gone]
    old["f" * 32] = "none"
    turned = next(key for key, label in old.items() if label == "favor")
    old[turned] = "against"
    changes = (
        "1 sentence more; 1 sentence fewer; 1 label changed (1 from against to favor); codebook version 1.1 "
        f"instead of 1.0: {facts.rows} sentences in all."
    )
    # The first version's entry says what it holds now, whatever was published under it before.
    same = after(mine, old, book="1.1")
    assert same == mine.decode().replace("codebook version 1.0.", "codebook version 1.1.")
    twice = mine.replace(b"- First release: ", f"- {changes}\n- First release: 7 ".encode())
    assert after(twice, old, book="1.1") == same
    assert after(same.encode(), old, book="1.1") == same
    later = after(after(mine, old, version="1.1.0").encode(), old, version="1.1.0", book="1.1")
    assert re.match(r"# Changelog\n\n## 1\.1\.0\n\n- 1 .* 1\.1 .*\n- 1 .*\n\n## 1\.0\.0\n\n- First release: ", later)
    unchanged = after(mine, facts.published, version="1.1.0").encode()
    later = after(unchanged, old, version="1.1.0", book="1.1")
    assert later.startswith(f"# Changelog\n\n## 1.1.0\n\n- {changes}\n\n## 1.0.0\n\n- First"), (
        "and not that it is the same"
    )
    new = after(mine, old, version="1.1.0", book="1.1")
    assert new.startswith(f"# Changelog\n\n## 1.1.0\n\n- {changes}\n\n## 1.0.0\n\n- First release: ")
    assert new.endswith("\nA note of mine.\n")
    assert "No sentence, label or codebook version changed." in after(mine, facts.published, version="1.1.0")
    every = {key: "none" if label == "favor" else "favor" for key, label in facts.published.items()}
    facts = msgspec.structs.replace(facts, scheme=Scheme(names=["none", "favor", "against"]))
    pairs = re.findall(r"from (\w+) to (\w+)", after(mine, every, version="1.1.0"))
    assert pairs == [("none", "favor"), ("favor", "none"), ("favor", "against")]  # not the order of the alphabet


def test_what_was_published_before_is_read_from_its_folder(facts_of: Make) -> None:
    first = facts_of()
    folder: Path = facts_of.folder  # type: ignore[attr-defined]
    write_bytes(folder / "codebook.md", b"Version 0.9\n")
    before = facts_of(before=folder).before
    assert before.labels == first.published
    assert before.codebook == "0.9"
    assert before.files.keys() == {"annotators.md", "CHANGELOG.md"}
    broken = folder.with_name("broken")
    write_bytes(broken / "gold" / "train-00000-of-00001.parquet", b"no Parquet")
    with pytest.raises(PublishError, match="expected a table of the earlier release, with sentence_id and label"):
        facts_of(before=broken)
    assert facts_of(before=folder.with_name("nowhere")).before == EarlierRelease()


def test_the_data_statement_has_every_section_and_keeps_what_people_wrote(facts: CardFacts) -> None:
    statement = others(facts)["annotators.md"].decode()
    sections = re.findall(r"^## ([A-I])\. (.*)$", statement, re.MULTILINE)
    assert [letter for letter, _ in sections] == list("ABCDEFGHI")
    assert [name for _, name in sections][:8] == [
        *("Curation rationale", "Language variety", "Speaker demographic", "Annotator demographic"),
        *("Speech situation", "Text characteristics", "Recording quality", "Other"),
    ]
    edited = statement.replace("<!-- stance:end speakers -->", "<!-- stance:end speakers -->\n\nThey were my friends.")
    later = msgspec.structs.replace(facts, before=EarlierRelease(files={"annotators.md": edited.encode()}))
    assert others(later)["annotators.md"].decode() == edited
    edited = statement.replace("The corpus: 30", "The corpus: 31")
    later = msgspec.structs.replace(facts, before=EarlierRelease(files={"annotators.md": edited.encode()}))
    with pytest.raises(PublishError, match=r"annotators.md, line \d+: the part 'situation' was changed"):
        others(later)


def test_card_and_data_statement_say_how_many_articles_name_no_outlet_or_date(facts: CardFacts) -> None:
    corpus = msgspec.structs.replace(facts.snapshot.corpus, without_outlet=3, without_date=2)
    gaps = msgspec.structs.replace(facts, snapshot=msgspec.structs.replace(facts.snapshot, corpus=corpus))
    words = "30 articles (27 name one of 2 outlets, 2 have no date), 2031-03-01 to 2031-03-30."
    (told,) = re.findall(r"^\*\*Articles\.\*\* (.*) They have", render(gaps).decode(), re.MULTILINE)
    assert told == words
    statement = others(gaps)["annotators.md"].decode()
    assert f"The corpus: {words}\n" in statement
    # Nobody has said how the articles were written, or that they were edited.
    assert not re.search("asynchronous|edited for", statement)


def test_a_project_without_a_model_or_shared_sentences_has_a_card_too(
    facts_of: Make, finished: Path, tmp_path: Path
) -> None:
    work = tmp_path / "work"
    copy_tables(finished / "work", work)
    shutil.rmtree(work / "model")
    rows = read_jsonl(table_path(work, "annotations.jsonl"), Annotation, "")
    write_jsonl(table_path(work, "annotations.jsonl"), [row for row in rows if row.annotator == "A1"])
    card = render(facts_of(work=work)).decode()
    assert "No baseline was trained." in card
    assert "No sentence has answers of two annotators" in card


def test_card_and_data_statement_write_large_numbers_with_separators(facts: CardFacts) -> None:
    snapshot = msgspec.structs.replace(facts.snapshot, answers=12345)
    corpus = msgspec.structs.replace(snapshot.corpus, articles=2345, sentences=67890, kinds=[("ad", 4567)])
    large = msgspec.structs.replace(facts, snapshot=msgspec.structs.replace(snapshot, corpus=corpus), articles=2345)
    card = render(large).decode().partition("\n---\n")[2]
    for part in ("from 2,345 news articles", "gave 12,345 answers", "They have 67,890 prose sentences", "| 4,567 |"):
        assert part in card
    assert "from 2,345 articles" in others(large)["annotators.md"].decode()
    assert "from 2,345 news articles" in summary(large)
    assert not re.search(r"(?<![\w.,-])[1-9]\d{3}(?= (?:articles|sentences|answers|rows)| \|)", card)
    assert "67,890 prose sentences" in methods.methods(large.snapshot).paragraphs[0]


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Sentences about the new tram line of Karsova", "sentencesaboutthenewtramlineof"),
        ("Stance toward sending Concord troops to Karsova", "stancetowardsendingconcord"),
        ("Karsova", "karsova"),
        ("Über", "ber"),
        ("???", "stance"),
    ],
)
def test_a_bibtex_key_ends_with_a_whole_word(facts: CardFacts, name: str, key: str) -> None:
    named = msgspec.structs.replace(facts, settings=msgspec.structs.replace(SAID, name=name))
    assert bibtex(named).startswith(f"@misc{{{key},\n")


def test_the_card_gives_ac1_beside_alpha(facts: CardFacts) -> None:
    agreement = facts.snapshot.status.agreement
    row = f"| Gwet’s AC1 | {agreement.sentences} | {shown(agreement.ac1)} |"
    assert row in render(facts).decode()


def test_the_card_says_who_adjudicated_and_whether_they_are_annotators(facts: CardFacts) -> None:
    def told(adjudicators: dict[str, int], copies: int = 0) -> str:
        decided = msgspec.structs.replace(facts, adjudicators=adjudicators, adjudicated_copies=copies)
        return " ".join(render(decided).decode().split())

    assert "decided by" not in told({})
    seen = "saw the votes that had been given by then."
    assert f"1 sentence was decided by A1, who is also an annotator and {seen}" in told({"A1": 1})
    assert f"7 sentences were decided by A9, who is not an annotator and {seen}" in told({"A9": 7})
    two = "by A1 (30; also an annotator) and A9 (7; not an annotator), who"
    assert f"37 sentences were decided {two} {seen}" in told({"A1": 30, "A9": 7})
    assert f"The 38 adjudicated rows (37 sentences and 1 exact copy) were decided {two} {seen}" in told(
        {"A1": 30, "A9": 7}, 1
    )
    assert "(1 sentence and 2 exact copies) were decided by A1, who" in told({"A1": 1}, 2)


def test_a_stand_off_card_says_which_articles_nobody_can_get(facts_of: Make) -> None:
    facts = facts_of(standoff=True)
    assert facts.without_url == facts.articles == 30

    def told(without_url: int) -> str:
        return " ".join(render(msgspec.structs.replace(facts, without_url=without_url)).decode().split())

    learned = (
        "can be learned only from `article_id`, `outlet` and `published`, since a stand-off release has no titles."
    )
    assert f"No article has an address in the column `url`: which articles these are {learned}" in told(30)
    some = "The column `url` says where the articles are, but"
    assert f"{some} 1 of 30 has no address there: which articles these are {learned}" in told(1)
    assert f"{some} 3 of 30 have no address there: which articles these are {learned}" in told(3)
    assert "by article. The command" in told(0)
    assert "The column `url` says where each article is." in told(0)
    assert "`url` says" not in render(facts_of()).decode()


def test_a_stand_off_card_says_where_its_command_comes_from(
    facts_of: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = facts_of(standoff=True)
    asked = "a copy of its source code; ask the contact at the end of this card where it is."

    def told(facts: CardFacts = facts) -> str:
        card = " ".join(render(facts).decode().split())
        return card.partition("by article. ")[2].partition(" No article has")[0]

    package = tmp_path / "stance_corpus-9.8.7.dist-info"
    package.mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    about = "Metadata-Version: 2.4\nName: stance-corpus\nVersion: 9.8.7\n"
    (package / "METADATA").write_text(about)
    start = (
        "The command `stance` comes with the Python package `stance-corpus` 9.8.7, which `pip install .` installs in"
    )
    assert told() == f"{start} {asked}"
    silent = msgspec.structs.replace(facts, settings=msgspec.structs.replace(SAID, contact=""))
    assert told(silent) == f"{start} a copy of its source code."
    (package / "METADATA").write_text(f"{about}Project-URL: Repository, https://example.org/stance\n")
    assert told() == f"{start} a clone of https://example.org/stance."


def test_adjudicators_are_counted_in_rows_of_gold_and_by_their_names_in_the_release(
    facts_of: Make, finished: Path, tmp_path: Path
) -> None:
    work = tmp_path / "work"
    copy_tables(finished / "work", work)
    copied = {
        row["copy_of"] for rows in gold_rows(work, read_examples(work)).values() for row in rows if row["copy_of"]
    }
    verdicts = read_jsonl(work / "verdicts.jsonl", Verdict, "")
    decided = {"ann@example.org": verdicts[:2], "A1": [row for row in verdicts[2:] if row.sentence_id in copied]}
    who = {row.sentence_id: name for name, rows in decided.items() for row in rows}
    write_jsonl(
        work / "verdicts.jsonl",
        [
            msgspec.structs.replace(row, how="adjudicated", adjudicator=who[row.sentence_id])
            if row.sentence_id in who
            else row
            for row in verdicts
        ],
    )
    facts = facts_of(work=work)
    assert sum(facts.adjudicators.values()) + facts.adjudicated_copies == facts.how["adjudicated"]
    assert facts.adjudicated_copies == len(copied) == 1
    assert facts.adjudicators == {"A1": 1, "A4": 2}
    card = " ".join(render(facts).decode().split())
    assert "by A1 (1; also an annotator) and A4 (2; not an annotator), who" in card
    assert "ann@example.org" not in card


def test_the_card_says_which_shares_to_report_where_there_is_an_estimate(facts: CardFacts) -> None:
    status = facts.snapshot.status
    assert status.shares is not None
    told = "To say something about the corpus, report the estimate"
    for weighted in (None, status.shares.raw):
        shares = msgspec.structs.replace(status.shares, weighted=weighted)
        snapshot = msgspec.structs.replace(facts.snapshot, status=msgspec.structs.replace(status, shares=shares))
        assert (told in render(msgspec.structs.replace(facts, snapshot=snapshot)).decode()) == (weighted is not None)
