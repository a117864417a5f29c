"""HTML in text columns: its tags and entities are no prose; a `<` that is no HTML is."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.reading.articles import MARKUP, PLAIN, read
from corpus.reading.source_files import units
from corpus.reading.text_encoding import NotTextError
from corpus.reading.web.html_in_text import ENTITIES, PERHAPS, TAGS, is_page, plain
from corpus.records import Article, CorpusSettings, Noted, Skipped


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "<p>The boats left.</p><p>The <b>mayor</b> slept &amp; it rained.</p>",
            "The boats left.\nThe mayor slept & it rained.",
        ),
        ("<P CLASS='x'>One.<P>Two.", "One.\nTwo."),
        ("One.<br>Two.<br/><br />Three.", "One.\nTwo.\nThree."),
        ("The <b>mayor</b> slept.\nIt rained.\n\nNobody came.", "The mayor slept.\nIt rained.\nNobody came."),
        ("<h2>Town</h2>\n\nOne.\n\nTwo &mdash; and <em>three</em>.", "Town\nOne.\nTwo — and three."),
        ("<p>One\n   line,\n  wrapped.</p>\n\n<p>Two.</p>", "One line, wrapped.\nTwo."),
        ('See <a href="https://a.example/?b=1&amp;c=2">this</a>.', "See this."),
        ('<img src="a.jpg" alt="x > y">It rained.', "It rained."),
        ("<ul><li>One</li><li>Two</li></ul>", "One\nTwo"),
        ("<p>One.</p><script>if (a < b) { go('</p>') }</script><style>p { }</style>", "One."),
        ("<!-- wp:paragraph --><p>One.</p><!-- /wp:paragraph -->", "One."),
        ("<![CDATA[<p>One &amp; two.</p>]]>", "One & two."),
        ("&lt;p&gt;One.&lt;/p&gt;&lt;p&gt;Two.&lt;/p&gt;", "One.\nTwo."),
        ("<div>One.<div>Two.</div>Three.</div>", "One.\nTwo.\nThree."),
        ("<p>Write &lt;b&gt; for bold.</p>", "Write <b> for bold."),
        ("<blockquote>“We go.”</blockquote>She left.", "“We go.”\nShe left."),
    ],
)
def test_html_is_read_without_its_tags_and_that_is_said(text: str, expected: str) -> None:
    assert plain(text) == (expected, TAGS)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("AT&amp;T slept.", "AT&T slept."),
        ("&quot;We go,&quot; she said &#8211; it&#x27;s late&hellip;", '"We go," she said – it\'s late…'),
        ("It&nbsp;rained.\n\nNobody came.", "It\xa0rained.\n\nNobody came."),
        ("5 &lt; 6 &amp; 7 &gt; 6", "5 < 6 & 7 > 6"),
    ],
)
def test_entities_alone_are_read_as_what_they_stand_for(text: str, expected: str) -> None:
    assert plain(text) == (expected, ENTITIES)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "Where a < b and c > d.",
            "if a<b and c>d then",
            "I <3 you.",
            "AT&T & R&D; fish&chips;",
            "<inaudible> he said.",
        ),
        *(
            "<ref name=x>foo</ref>",
            "x <- y",
            "<<<",
            "<",
            "&",
            "&;",
            "&foo;",
            "a&b=c&copy=d",
            "<@dane> wrote: <3",
            "p > .05",
        ),
        *(
            "He wrote to <dane@herald.example>.",
            "[<Mayor>] slept.",
            "“<Yes>,” she said.",
            "Tom & Jerry <tom@a.example>",
        ),
    ],
)
def test_what_is_no_html_stays_as_it_is(text: str) -> None:
    assert plain(text) == (text, "")


@pytest.mark.parametrize("text", ["Use the <p> tag.", "Write <i> for italics.", "A <table> has rows."])
def test_a_single_tag_that_is_spoken_of_stays_and_is_named(text: str) -> None:
    assert plain(text) == (text, PERHAPS)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="<&"), max_size=200))
def test_text_without_a_mark_of_html_is_never_changed(text: str) -> None:
    assert plain(text) == (text, "")


@given(st.text(alphabet="<>/pb br&;am \n\"='!-[]CDATA", max_size=80))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        found, note = plain(text)
    except NotTextError:
        return
    assert note in ("", TAGS, ENTITIES, PERHAPS)
    assert note == TAGS or len(found) <= len(text)


def test_no_text_takes_long() -> None:
    before = time.process_time()
    for text in ("<" * 300_000, "&" * 300_000, "<p" * 100_000, "<p a=" * 60_000, "&amp" * 100_000, "<p a='" * 50_000):
        plain(text)
    for text in ("<p>x" * 200_000, "<p>" + "<b>" * 30_000 + "</b>", "<p>" + "<div>" * 400 + "x</p>"):
        with pytest.raises(NotTextError):
            plain(text)
    assert time.process_time() - before < 5


def _read(tmp_path: Path, **record: str) -> list[Article | Skipped | Noted]:
    (tmp_path / "a.jsonl").write_text(json.dumps({"id": "1", **record}) + "\n", "utf-8")
    chosen = CorpusSettings(root=str(tmp_path))
    return [item for unit in units([tmp_path / "a.jsonl"], chosen) for item in read(unit, chosen)]


def test_a_row_says_how_its_text_was_read(tmp_path: Path) -> None:
    article, note = _read(tmp_path, text="<p>One &amp; two.</p>", title="Town &amp; <i>country</i>")
    assert isinstance(article, Article)
    assert (article.text, article.title, article.extractor) == ("One & two.", "Town & country", MARKUP)
    assert note == Noted(article_id="1", source="a.jsonl:1", note=TAGS)
    (article,) = _read(tmp_path, text="One & two, a < b.", title="Town & country")
    assert isinstance(article, Article)
    assert (article.text, article.title, article.extractor) == ("One & two, a < b.", "Town & country", PLAIN)


def test_a_whole_page_in_a_column_is_read_as_a_page(tmp_path: Path) -> None:
    prose = (
        "The council of Lake Harbor voted on Monday to close the old bridge after weeks of debate among its members."
    )
    page = f"<!DOCTYPE html><html><body><nav>Home</nav><article><p>{prose}</p></article></body></html>"
    article, note = _read(tmp_path, text=page)
    assert isinstance(article, Article)
    assert article.text == prose
    assert article.extractor.startswith("trafilatura ")
    assert isinstance(note, Noted)
    assert note.note == TAGS
    (skipped,) = _read(tmp_path, text="<html><body></body></html>")
    assert isinstance(skipped, Skipped)
    assert skipped.reason == "trafilatura finds no article in the page"


@pytest.mark.parametrize(
    ("text", "page"),
    [
        ("<!DOCTYPE html><p>x", True),
        ('  <?xml version="1.0"?>\n<!-- x -->\n<html lang="en">', True),
        ("<HTML>", True),
        ("<p>The <html> tag.</p>", False),
        ("The <html> tag.", False),
        ("<htmlx>", False),
    ],
)
def test_a_page_is_told_by_how_it_begins(text: str, page: bool) -> None:
    assert is_page(text) is page
