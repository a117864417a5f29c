"""HTML pages of real newspapers: several bodies, scripts and comments, and a broken byte somewhere."""

from __future__ import annotations

import csv
import random
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.build import build
from corpus.reading.articles import read
from corpus.reading.source_files import units
from corpus.reading.text_encoding import NotTextError, decode_page
from corpus.reading.web.beside_article import beside
from corpus.reading.web.html_page import ONE_OF, PARTS, REST, TOGETHER, extract, read_page
from corpus.reading.web.html_parser import check_size, parsed
from corpus.reading.web.unread_prose import letters_of, page_lines
from corpus.records import SENTENCES, SPANS, Article, CorpusSettings, Noted
from corpus.sentences.line_ends import places
from corpus.sentences.line_kinds import lines
from corpus.tables import read_table

LINES = (
    "The council of Lake Harbor voted on Monday to close the old bridge after weeks of debate among its members.",
    "Mayor Ruth Dane said the bridge had been unsafe since a storm in March and that repairs would cost too much.",
    "“We will not wait for the capital to act,” she told reporters outside the town hall on Tuesday evening.",
    "Opponents argued that the detour would add forty minutes to every trip and hurt the fishing trade.",
    "“It is a risk that nobody has counted,” said Tom Berg, who leads the union of fishermen in the county.",
    "The vote was seven to four, with one member absent because of illness, according to the clerk.",
    "A second vote on the budget is expected on Thursday, when the governor is due to visit the town.",
    "Residents of the islands have been without power since November, when a cable was cut by an anchor.",
    "The regional government has promised repairs but has named no date, and it has no money for them.",
    "Last year a similar plan cost the town about forty thousand crowns, according to its own report.",
)


def _p(start: int, end: int) -> str:
    return "".join(f"<p>{line}</p>" for line in LINES[start:end])


def _page(body: str, head: str = "") -> str:
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Town closes old bridge</title>{head}</head>'
        f"<body>{body}</body></html>"
    )


ARTICLE = _page(f"<main><article><h1>Town closes old bridge</h1>{_p(0, 10)}</article></main>")


def _lines(text: str) -> list[int]:
    return [n for n, line in enumerate(LINES) if line in text]


# Several bodies


@pytest.mark.parametrize(
    "body",
    [
        f"<main><article><h1>Town</h1>{_p(0, 5)}</article><article><h2>Power</h2>{_p(5, 10)}</article></main>",
        f"<div><article class='s'><h1>T</h1>{_p(0, 5)}</article><hr>"
        f"<article class='s'><h1>P</h1>{_p(5, 10)}</article></div>",
        f"<div class='post-1 post'><h2>A</h2><div class='entry-content'>{_p(0, 5)}</div></div>"
        f"<div class='post-2 post'><h2>B</h2><div class='entry-content'>{_p(5, 10)}</div></div>",
        f"<section><article><p class='t'>Town</p>{_p(0, 5)}</article>"
        f"<article><p class='t'>Power</p>{_p(5, 10)}</article></section>",
    ],
    ids=range(4),
)
def test_of_several_articles_on_a_page_the_first_is_read_and_that_is_said(body: str) -> None:
    found = extract(_page(body))
    assert (_lines(found.text), found.note) == ([0, 1, 2, 3, 4], ONE_OF)


@pytest.mark.parametrize(
    ("body", "head"),
    [
        (
            f"<div itemprop='articleBody'>{_p(0, 5)}</div><aside>Ad</aside>"
            f"<div itemprop='articleBody'>{_p(5, 10)}</div>",
            "",
        ),
        (
            f"<article><h1>T</h1><div class='article-body'>{_p(0, 5)}</div><div class='ad'>Ad</div>"
            f"<div class='article-body'><h2>Power</h2>{_p(5, 10)}</div></article>",
            "",
        ),
        (
            f"<article><h1>T</h1><div class='x'><div class='entry-content'>{_p(0, 5)}</div></div>"
            f"<div class='row'><div class='entry-content'>{_p(5, 10)}</div></div></article>",
            "",
        ),
        (
            f"<main><article class='u'><h2>9:05</h2>{_p(0, 5)}</article>"
            f"<article class='u'><h2>9:10</h2>{_p(5, 10)}</article></main>",
            '<script type="application/ld+json">{"@type": "LiveBlogPosting", "liveBlogUpdate": []}</script>',
        ),
        (
            "<main itemscope itemtype='https://schema.org/LiveBlogPosting'>"
            f"<article class='u' itemprop='liveBlogUpdate'><h2>9:05</h2>{_p(0, 5)}</article>"
            f"<article class='u' itemprop='liveBlogUpdate'><h2>9:10</h2>{_p(5, 10)}</article></main>",
            "",
        ),
    ],
    ids=range(5),
)
def test_the_bodies_of_one_article_are_read_as_one_in_their_order(body: str, head: str) -> None:
    found = extract(_page(body, head))
    assert (_lines(found.text), found.note) == (list(range(10)), PARTS)
    places = [found.text.index(line) for line in LINES]
    assert places == sorted(places)


def test_several_articles_that_the_extractor_reads_as_one_are_noted() -> None:
    body = f"<article><h1>T</h1>{_p(0, 2)}</article><article><h1>P</h1>{_p(5, 7)}</article>"
    found = extract(_page(body))
    assert (_lines(found.text), found.note) == ([0, 1, 5, 6], TOGETHER)
    assert extract(_page(body.replace("<h1>P</h1>", ""))).note == ""  # the second part of one article
    assert extract(ARTICLE).note == ""


TEASER = (
    "<article class='teaser'><h3><a href='/x'>Rain in the north</a></h3><p>It rained all day in the north, again.</p>"
    "</article>"
)
LONG = (
    f"<p>{'Comments are the opinion of those who write them, and of nobody else in this town or in the next. ' * 3}</p>"
)


@pytest.mark.parametrize(
    "body",
    [
        f"<article><h1>T</h1>{_p(0, 10)}{TEASER}{TEASER}</article>",
        f"<article><h1>T</h1>{_p(0, 10)}</article><section>{TEASER * 9}</section>",
        f"<article><h1>T</h1>{_p(0, 10)}</article>"
        f"<div id='comments'><article class='comment'>{LONG * 2}</article></div>",
        f"<article><h1>T</h1>{_p(0, 10)}<div class='comments'><article>{LONG * 2}</article></div></article>",
        f"<article><h1>T</h1>{_p(0, 10)}</article><aside><article><h2>R</h2>{LONG * 2}</article></aside>",
        f"<article><h1>T</h1>{_p(0, 10)}</article><footer><article>{LONG * 2}</article></footer>",
        f"<article class='story'><h1>T</h1>{_p(0, 10)}</article>"
        f"<article class='related-story'><h2>R</h2>{LONG * 2}</article>",
        f"<article><h1>T</h1>{_p(0, 10)}</article><article><h2>Links</h2>"
        + f"<p><a href='/a'>{LINES[0]}</a></p>" * 9
        + "</article>",
    ],
    ids=range(8),
)
def test_teasers_comments_and_related_stories_beside_one_article_change_nothing(body: str) -> None:
    found = extract(_page(body))
    assert (_lines(found.text), found.note) == (list(range(10)), "")
    assert "Comments are the opinion" not in found.text


MARKS = {("other", "link"), ("other", "beside the article"), ("footer", "about the author")}
LINK = "<p><a href='/b'>How the islands lost their old ferry in one winter</a></p>"
COMMENT = "A reader says that the bridge is safe."


@pytest.mark.parametrize(
    ("part", "mark"),
    [
        (LINK, ("other", "link")),
        (f"<ul><li>{LINK[3:-4]}</li></ul>", ("other", "link")),
        (f"<div class='post-comments'><p>{COMMENT}</p></div>", ("other", "beside the article")),
        (f"<div id='kommentare'><p>{COMMENT}</p></div>", ("other", "beside the article")),
        (f"<nav><p>{COMMENT}</p></nav>", ("other", "beside the article")),
        (f"</article><aside><p>{COMMENT}</p></aside><article>", ("other", "beside the article")),
        (f"<div class='author bio'><p>{COMMENT}</p></div>", ("footer", "about the author")),
    ],
    ids=range(7),
)
@pytest.mark.parametrize("around", ["", "sidebar", "author comments"])
def test_a_line_of_the_text_that_stands_beside_the_article_is_marked(
    part: str, mark: tuple[str, str], around: str
) -> None:
    tree = parsed(_page(f"<div class='{around}'><article><h1>T</h1>{_p(0, 5)}{part}{_p(5, 10)}</article></div>"))
    line = COMMENT if COMMENT in part else "How the islands lost their old ferry in one winter"
    text = "\n".join([*LINES[:5], f"- {line}" if "<ul>" in part else line, *LINES[5:]])
    (found,) = beside(list(page_lines(tree)), text)
    assert text[found.start : found.end].endswith(line)
    assert (found.kind, found.reason) == mark


@pytest.mark.parametrize(
    "body",
    [
        f"<article class='sidebar author'><h1>T</h1>{_p(0, 10)}</article>",  # a theme's name for the whole article
        f"<article><h1>T</h1><p>{LINES[0]}</p>" + "".join(f"<p><a href='/'>{line}</a></p>" for line in LINES[1:]),
        f"<article><h1>T</h1><p><a href='/a'>{LINES[0]}</a></p>{_p(1, 10)}</article>",  # a sentence that is linked
        f"<article><h1><a href='/'>{LINES[0][:-1]}</a></h1>{_p(1, 10)}</article>",  # the title
        f"<article><h1>T</h1>{_p(0, 10)}</article><nav><p>{LINES[3]}</p></nav>",  # quoted elsewhere on the page
        f"<article><h1>T</h1>{_p(0, 10)}<p>By <a href='/a'>Ruth Dane</a></p></article>",
    ],
    ids=range(6),
)
def test_what_the_article_itself_says_is_not_marked(body: str) -> None:
    text = "\n".join((*LINES, "By Ruth Dane"))
    assert beside(list(page_lines(parsed(_page(body)))), text) == []


@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from([*LINES[:4], "By Ruth Dane", "How the islands lost their ferry", "Who pays?", ""]),
            st.sampled_from(["", "comments", "author", "sidebar", "entry", "related card"]),
            st.sampled_from(["div", "aside", "nav", "li", "h2", "p"]),
            st.booleans(),
        ),
        max_size=12,
    ),
    around=st.sampled_from(["", "sidebar", "comments"]),
    seed=st.randoms(use_true_random=False),
)
def test_marks_are_lines_of_the_text_in_order_and_hold_no_more_than_half_of_it(
    rows: list[tuple[str, str, str, bool]], around: str, seed: random.Random
) -> None:
    body = "".join(
        f"<{tag} class='{name}'>{f'<a href=x>{line}</a>' if linked else line}</{tag}>"
        for line, name, tag, linked in rows
    )
    read = [line for line, *_ in rows if seed.random() < 0.8] or [LINES[0]]
    text = "\n".join(read)
    found = beside(list(page_lines(parsed(_page(f"<div class='{around}'>{body}</div>")))), text)
    extents = [(span.start, span.end) for span in found]
    assert extents == sorted(set(extents))
    assert set(extents) <= set(places(text))
    for links in (True, False):
        marked = [text[span.start : span.end] for span in found if (span.reason == "link") == links]
        assert 2 * len(letters_of("".join(marked))) <= len(letters_of(text))
    kinds = lines(text, marks=found)
    assert [(span.start, span.end) for span in kinds if (span.kind, span.reason) in MARKS] == extents


def test_a_page_is_built_without_the_lines_beside_its_article_wherever_it_comes_from(tmp_path: Path) -> None:
    page = _page(f"<article><h1>Town closes old bridge</h1>{_p(0, 5)}{LINK}{_p(5, 10)}</article>")
    (tmp_path / "page.html").write_text(page, "utf-8")
    with (tmp_path / "table.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("id", "text"), ("row", page)])
    (tmp_path / "mail.eml").write_text(f"Subject: Sund\nContent-Type: text/html; charset=utf-8\n\n{page}", "utf-8")
    block = f"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n{page}".encode()
    head = (
        f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: https://a.org/b\r\nContent-Length: {len(block)}\r\n\r\n"
    )
    (tmp_path / "pages.warc").write_bytes(head.encode() + block + b"\r\n\r\n")
    saved = (
        "Content-Type: multipart/related; boundary=b\n\n--b\nContent-Type: text/html; charset=utf-8\n"
        f"Content-Location: https://a.org/c\n\n{page}\n--b--\n"
    )
    (tmp_path / "saved.mhtml").write_text(saved, "utf-8")
    xhtml = page.replace("<html", "<html xmlns='http://www.w3.org/1999/xhtml'").replace('"utf-8">', '"utf-8"/>')
    (tmp_path / "xhtml.xml").write_text(xhtml, "utf-8")
    done = build([tmp_path], tmp_path / "work", CorpusSettings(root=str(tmp_path)))
    assert done.articles == 6
    spans = read_table(tmp_path / "work" / "spans.parquet", SPANS, "").to_pylist()
    assert [row["kind"] for row in spans if row["reason"] == "link"] == ["other"] * 6
    texts = read_table(tmp_path / "work" / "sentences.parquet", SENTENCES, "").column("text").to_pylist()
    assert not any("old ferry in one winter" in text for text in texts)
    assert sum(LINES[9] in text for text in texts) == 6


def test_prose_beside_an_article_that_nothing_calls_a_comment_is_left_out_and_spoken_of() -> None:
    body = (
        f"<div class='row'><div class='article-text'>{_p(0, 10)}</div></div>"
        f"<div class='row foot'><div class='text'>{LONG * 2}</div></div>"
    )
    found = extract(_page(body))
    assert _lines(found.text) == list(range(10))
    assert found.note.startswith(f"{REST}: 60 words are left out, beginning with “Comments are the opinion")


def test_each_note_on_a_page_is_on_a_line_of_its_own() -> None:
    bodies = "".join(f"<div itemprop='articleBody'>{_p(*half)}</div><aside>Ad</aside>" for half in ((0, 5), (5, 10)))
    found = extract(_page(f"{bodies}<div class='row foot'><div class='text'>{LONG * 2}</div></div>"))
    rest, parts = found.note.split("\n")
    assert rest.startswith(f"{REST}: 60 words are left out")
    assert parts == PARTS


def test_what_is_to_be_said_of_a_page_is_listed(tmp_path: Path) -> None:
    body = f"<main><article><h1>Town</h1>{_p(0, 5)}</article><article><h2>Power</h2>{_p(5, 10)}</article></main>"
    (tmp_path / "a.html").write_text(_page(body), "utf-8")
    chosen = CorpusSettings(root=str(tmp_path))
    article, note = [item for unit in units([tmp_path], chosen) for item in read(unit, chosen)]
    assert isinstance(article, Article)
    assert note == Noted(article_id="a", source="a.html", note=ONE_OF)


# Comments, scripts and styles are no tags


CSS = ".a b, .c d { color : red ; margin : 0 auto ; }\n" * 800
SCRIPT = "if (a<b && c>d) { x = 'word word word word word' ; }\n" * 2_000


@pytest.mark.parametrize(
    "head",
    [
        f'<style type="text/css">/*<![CDATA[*/{CSS}/*]]>*/</style>',
        f"<STYLE>{CSS}</STYLE >",
        f"<!-- {CSS} --!>",
        f"<!--{CSS}<p {CSS.replace('>', '')}-->",
        f"<script>{SCRIPT}</script>",
        f"<script type='text/javascript'><!--\n{SCRIPT.replace('>', '')}//--></script>",
        f"<script>var t = '{'<p>' * 60_000}';</script>",
        f"<!-- {'<p>' * 60_000} -->",
        f"<!--[if IE]>{CSS}<![endif]-->",
        "<script>/* <!-- */</script>",
    ],
    ids=range(10),
)
def test_what_stands_in_comments_scripts_and_styles_counts_as_no_tag(head: str) -> None:
    assert _lines(extract(ARTICLE.replace("</head>", f"{head}</head>")).text) == list(range(10))


MANY = "".join(f"a{n}=1 " for n in range(5_000)) + "x" * 20_000


@pytest.mark.parametrize(
    "start",
    [
        f"<p {MANY}>",
        f"</p {MANY}>",
        f"<!-- not closed <p {MANY}>",
        f"<script>not closed <p {MANY}>",
        f"<![CDATA[ > <p {MANY}> ]]>",
        f"<!DOCTYPE html [ > <p {MANY}> ]>",
        f"<p title='<script>'> <p {MANY}> </script>",
        f"<p title='<!--'> <p {MANY}> -->",
        f'<script a"> </script> <p {MANY}> " > </script>',
        f"<script/> <p {MANY}>",
        f"<scripty> <p {MANY}> </scripty>",
        f"<!--> <p {MANY}> -->",
        f"<textarea><p {MANY}></textarea>",
        f"<p\n{MANY.replace('=1 ', '/')}>",
    ],
    ids=range(14),
)
def test_a_tag_that_stops_the_parser_is_found_wherever_it_hides(start: str) -> None:
    before = time.process_time()
    with pytest.raises(NotTextError, match="an HTML tag of more than 2,000 attributes"):
        check_size(ARTICLE.replace("</main>", f"{start}</main>"))
    assert time.process_time() - before < 2


# A broken byte


@pytest.mark.parametrize(
    "spot",
    [
        *(
            b'<img alt="K\xfcchen">',
            b"<!-- K\xfcchen -->",
            b"<script>var a = 'K\xfcchen';</script>",
            b'<img alt="x\0\0">',
        ),
        *(
            b"<script>a\0b</script>",
            b"<!--\0\xff\xfe-->",
            b"<style>.\xe9 {}</style>",
            b'<meta name="d" content="\xe2\x80">',
        ),
    ],
)
def test_a_broken_byte_or_nul_outside_of_the_text_does_no_harm(spot: bytes) -> None:
    whole = extract(ARTICLE)
    found, encoding = read_page(ARTICLE.encode().replace(b"</main>", spot + b"</main>"))
    assert (found.text, encoding) == (whole.text, "utf-8")


@pytest.mark.parametrize("spot", [b"\xfc", b"\0", b"\xe2\x80", b"\0\xff\xfe"])
@pytest.mark.parametrize("place", [b"council", b"Opponents argued", b"report."])
def test_a_broken_byte_or_nul_in_the_text_refuses_the_page(spot: bytes, place: bytes) -> None:
    data = ARTICLE.encode().replace(place, place[:3] + spot + place[3:])
    with pytest.raises(NotTextError, match="expected utf-8; bytes of the article's text cannot be"):
        read_page(data)


def test_a_broken_byte_in_the_title_is_marked_there() -> None:
    head = b'<meta property="og:title" content="A t\xf6wn closes its old bridge"></head>'
    found, _ = read_page(ARTICLE.encode().replace(b"</head>", head))
    assert "\ufffd" in found.fields["title"]


def test_a_replacement_character_that_stands_in_the_page_is_text() -> None:
    page = ARTICLE.replace("old bridge after", "old \ufffd bridge after")
    found, _ = read_page(page.encode())
    assert "old \ufffd bridge" in found.text
    found, _ = read_page(page.encode().replace(b"</main>", b'<img alt="\xfc"></main>'))
    assert "old \ufffd bridge" in found.text


@pytest.mark.parametrize(
    ("encoding", "line", "spot"),
    [
        ("shift_jis", "大臣は月曜日の朝に港を訪れた。彼女は一時間のあいだ港で働く人々と話した。", b"\xfd\xfe"),
        ("gb18030", "部长星期一早上访问了港口。她和码头工人谈了一个小时,没有别人在场。", b"\xff"),
        ("euc-kr", "장관은 월요일 아침 항구를 방문했다. 그녀는 부두 노동자들과 이야기했다.", b"\xff\xff"),
    ],
)
def test_a_page_in_a_declared_code_page_may_have_a_broken_byte_too(encoding: str, line: str, spot: bytes) -> None:
    body = f"<html><head><meta charset={encoding}></head><body><article>{f'<p>{line}</p>' * 30}</article></body></html>"
    data = body.encode(encoding).replace(b"</article>", b'<img alt="' + spot + b'"></article>')
    found, _ = read_page(data)
    assert found.text.splitlines()[0] == line


def test_what_is_mostly_nuls_is_binary() -> None:
    with pytest.raises(NotTextError, match="binary: it holds NUL characters"):
        decode_page(b"<html>\0\0</html>")


def test_a_page_that_is_whole_is_decoded_as_ever() -> None:
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        decoded = decode_page(ARTICLE.encode(encoding))
        assert (decoded.text, decoded.encoding, decoded.mark) == (ARTICLE, encoding, "")
