"""Books, saved pages, news in XML and feeds."""

from __future__ import annotations

import pytest

from corpus.reading.documents.kinds import articles_in
from tests.support.covered import check_covered, marked, one
from tests.support.documents import FEED, PORT, RAIN, SAMPLES, book

NITF = (
    '<nitf><head><title>t</title><docdata><date.issue norm="20310304T100000+0100"/></docdata>'
    '<pubdata name="The Sund Post"/></head><body><body.head><hedline><hl1>Rain</hl1><hl2>Wind</hl2></hedline>'
    "<byline>By Ann Lee</byline><dateline><location>OSTREL</location></dateline></body.head><body.content><block>"
    f"<p>{RAIN}</p><media><media-caption>A boat</media-caption></media><p>The <em>mayor</em>\n slept.</p></block>"
    "</body.content><body.end><tagline>Ann Lee lives here.</tagline></body.end></body></nitf>"
)


def test_nitf_says_what_each_line_is() -> None:
    article = one("xml", NITF)
    assert marked(article) == [
        ("title", "Rain"),
        ("heading", "Wind"),
        ("byline", "By Ann Lee"),
        ("dateline", "OSTREL"),
        ("", RAIN),
        ("caption", "A boat"),
        ("", "The mayor slept."),
        ("footer", "Ann Lee lives here."),
    ]
    assert article.fields == {"title": "Rain", "published": "2031-03-04T10:00:00+01:00", "outlet": "The Sund Post"}
    check_covered(article)


@pytest.mark.parametrize(
    "content",
    [
        f'<inlineXML><html xmlns="http://www.w3.org/1999/xhtml"><body><p>{RAIN}</p></body></html></inlineXML>',
        f"<inlineXML><nitf><body><body.content><p>{RAIN}</p></body.content></body></nitf></inlineXML>",
        f'<inlineData contenttype="text/html">&lt;p&gt;{RAIN}&lt;/p&gt;</inlineData>',
        f'<inlineData contenttype="text/plain">{RAIN}</inlineData>',
    ],
)
def test_newsml_g2_holds_its_text_in_several_forms(content: str) -> None:
    message = (
        '<newsMessage xmlns="http://iptc.org/std/nar/2006-10-01/"><itemSet><newsItem><itemMeta>'
        "<provider><name>The Wire</name></provider><versionCreated>2031-03-05</versionCreated></itemMeta><contentMeta>"
        '<contentCreated>2031-03-04</contentCreated><headline>Rain</headline><language tag="en"/></contentMeta>'
        f"<contentSet>{content}</contentSet></newsItem><newsItem><contentSet/></newsItem></itemSet></newsMessage>"
    )
    article, picture = articles_in("xml", message.encode())
    assert article.text == RAIN
    assert article.fields == {"title": "Rain", "published": "2031-03-04", "outlet": "The Wire", "language": "en"}
    assert picture.fault == "no text in it"


def test_each_tei_element_is_an_article_with_the_text_as_printed() -> None:
    header = (
        "<teiHeader><fileDesc><titleStmt><title>Rain</title></titleStmt><publicationStmt><date when='2020'/>"
        "</publicationStmt><sourceDesc><bibl><title level='j'>The Sund Post</title><date when='1831-03-04'/></bibl>"
        "</sourceDesc></fileDesc></teiHeader>"
    )
    body = (
        "<text xml:lang='en'><body><fw>THE POST</fw><div><head>The port</head><p>It rai-<lb/>ned on the<lb/>pier, "
        "<choice><sic>teh</sic><corr>the</corr></choice> min<lb break='no'/>ister slept.</p></div></body></text>"
    )
    corpus = (
        f"<teiCorpus xmlns='http://www.tei-c.org/ns/1.0'>{header}<TEI>{header}{body}</TEI><TEI>{body}</TEI></teiCorpus>"
    )
    first, second = articles_in("xml", corpus.encode())
    assert marked(first) == [
        ("other", "THE POST"),
        ("heading", "The port"),
        ("", "It rained on the pier, teh minister slept."),
    ]
    assert first.fields == {"language": "en", "title": "Rain", "outlet": "The Sund Post", "published": "1831-03-04"}
    assert second.text == first.text


def test_each_item_of_a_feed_is_an_article_and_a_summary_is_noted() -> None:
    first, second = articles_in("xml", FEED.encode())
    assert marked(first) == [("", RAIN), ("heading", "The port"), ("", PORT)]
    assert first.fields == {
        "title": "Rain & wind",
        "published": "Tue, 04 Mar 2031 10:00:00 GMT",
        "url": "https://example.org/1",
        "outlet": "The Sund Post",
        "language": "en",
    }
    assert (second.text, second.note) == (PORT, "only the feed's summary of the article")


def test_a_wordpress_export_gives_its_posts_and_counts_the_rest() -> None:
    item = "<item><title>T</title><wp:post_type>{0}</wp:post_type><wp:status>{1}</wp:status>"
    item += "<content:encoded>{2}</content:encoded></item>"
    text = "<![CDATA[<!-- wp:p -->First paragraph.\n\nSecond <b>one</b>.[caption id='a']A boat[/caption]]]>"
    export = (
        '<rss xmlns:wp="http://wordpress.org/export/1.2/" xmlns:content="http://purl.org/rss/1.0/modules/content/">'
        f"<channel>{item.format('post', 'draft', text)}{item.format('attachment', 'inherit', '')}</channel></rss>"
    )
    post, rest = articles_in("xml", export.encode())
    assert post.text == "First paragraph.\nSecond one.A boat"
    assert post.note == "not published: its status is draft"
    assert rest.fault == "no articles, and not read: attachment (1)"


def test_atom_is_read() -> None:
    feed = (
        '<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en"><title>Post</title><entry><title>Rain</title>'
        '<link rel="self" href="x"/><link href="https://example.org/1"/><published>2031-03-04</published>'
        f'<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>{RAIN}</p></div></content></entry></feed>'
    )
    article = one("xml", feed)
    assert article.text == RAIN
    assert article.fields == {
        "title": "Rain",
        "published": "2031-03-04",
        "url": "https://example.org/1",
        "outlet": "Post",
        "language": "en",
    }


def test_what_breaks_the_rules_of_xml_in_a_feed_is_put_right_and_noted() -> None:
    first, _ = articles_in("xml", FEED.replace("Rain &amp; wind", "Rain &eacute; \x0b wind").encode())
    assert first.fields["title"] == "Rain é wind"
    assert "the XML breaks its rules" in first.note


def test_xml_of_another_kind_and_html_are_told_by_the_root() -> None:
    assert one("xml", "<gpx/>").fault == "XML of a kind that is not read: its root element is gpx"
    page = (
        f"<html xmlns='http://www.w3.org/1999/xhtml'><body><article><p>{RAIN}</p><p>{PORT}</p></article></body></html>"
    )
    assert one("xml", page).text == f"{RAIN}\n{PORT}"


def test_each_chapter_of_a_book_is_an_article() -> None:
    pages = {
        "cover.xhtml": "<img/>",
        "a.xhtml": f"<h1>One</h1><p>{RAIN}</p>",
        "b.xhtml": f"<p>It &eacute; br<br>{PORT}",
    }
    first, second = articles_in("epub", book(pages))
    assert marked(first) == [("heading", "One"), ("", RAIN)]
    assert first.fields == {"language": "en", "published": "2031", "title": "One"}
    assert first.note == "files of the book that hold no text: 1"
    assert second.fields["title"] == "The Book of Ostrel"
    assert second.text == f"It é br\n{PORT}"


def test_an_encrypted_chapter_is_a_fault() -> None:
    lock = '<encryption><CipherReference URI="OPS/a.xhtml"/></encryption>'
    first, second = articles_in("epub", book({"a.xhtml": "x", "b.xhtml": RAIN}, {"META-INF/encryption.xml": lock}))
    assert first.fault == "encrypted: the book is protected against copying"
    assert second.text == RAIN


@pytest.mark.parametrize("kind", ["mhtml", "webarchive"])
def test_a_saved_page_is_read_as_the_page(kind: str) -> None:
    article = one(kind, SAMPLES[kind])
    assert RAIN in article.text
    assert article.extractor.startswith("trafilatura ")
    assert article.fields["url"] == "https://example.org/rain"
