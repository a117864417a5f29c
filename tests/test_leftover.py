"""Prose on a page that is not read is spoken of, whatever the page's layout."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.reading.web.html_page import ONE_OF, REST, extract
from corpus.reading.web.html_parser import parsed
from corpus.reading.web.unread_prose import FEWEST_WORDS, leftover, page_lines

BRIDGE = [
    "The council of Lake Harbor voted on Monday to close the old bridge for two years.",
    "Mayor Ruth Dane said the bridge had been unsafe since a storm in the spring.",
    "Opponents argued that the detour would add forty minutes to the way to school.",
    "The vote was seven to four, and the work is to begin in the summer of next year.",
]
FERRY = [
    "The island court ruled on Tuesday that the ferry company must pay its crews for the strike.",
    "Judge Anna Holm wrote that the company had broken the agreement of the year before.",
    "The union called the ruling a victory and asked for talks before the winter begins.",
    "The company said it would appeal, and that fares would rise by a tenth in March.",
]


def _paragraphs(sentences: list[str]) -> str:
    return "".join(f"<p>{sentence}</p>" for sentence in sentences)


def _divs(sentences: list[str]) -> str:
    return "".join(f"<div>{sentence}</div>" for sentence in sentences)


def _breaks(sentences: list[str]) -> str:
    return f"<div>{'<br><br>'.join(sentences)}</div>"


def _page(*parts: str) -> str:
    return f"<html><head><title>Lake Harbor</title></head><body>{''.join(parts)}</body></html>"


@pytest.mark.parametrize("prose", [_paragraphs, _divs, _breaks])
@pytest.mark.parametrize(
    ("first", "second"),
    [
        ('article class="lead"', 'article class="second"'),
        ('div role="article"', 'div role="article"'),
        ('div role="article" class="a"', 'section role="article" class="b"'),
        ('div itemscope itemtype="https://schema.org/NewsArticle"', 'section itemtype="https://schema.org/Article"'),
        ("main", "main"),
        ("article", "main"),
        ('div class="story-1"', 'section class="content"'),
    ],
)
def test_of_two_articles_both_are_read_or_the_other_is_spoken_of(
    first: str, second: str, prose: Callable[[list[str]], str]
) -> None:
    found = extract(
        _page(
            f"<{first}><h1>Bridge</h1>{prose(BRIDGE)}</{first.split()[0]}>",
            f"<{second}><h1>Ferry</h1>{prose(FERRY)}</{second.split()[0]}>",
        )
    )
    whole = all(sentence in found.text for sentence in [*BRIDGE, *FERRY])
    assert whole or ONE_OF in found.note or REST in found.note


@pytest.mark.parametrize("prose", [_paragraphs, _divs, _breaks])
def test_prose_is_read_whatever_ends_its_lines(prose: Callable[[list[str]], str]) -> None:
    found = extract(_page(f'<div class="article-body">{prose(BRIDGE)}</div>'))
    assert all(sentence in found.text for sentence in BRIDGE)
    assert found.note == ""


@pytest.mark.parametrize(
    "apart",
    [
        '<div class="comments">{}</div>',
        "<aside>{}</aside>",
        '<div id="related">{}</div>',
        "<nav>{}</nav>",
        "<footer>{}</footer>",
        "<script>{}</script>",
        "<template>{}</template>",
        '<div class="x"><div class="most-popular">{}</div></div>',
    ],
)
def test_what_is_no_article_by_its_name_is_not_spoken_of(apart: str) -> None:
    found = extract(_page(f"<article><h1>Bridge</h1>{_paragraphs(BRIDGE)}</article>", apart.format(_paragraphs(FERRY))))
    assert found.note == ""


def test_the_note_says_how_much_was_left_out_and_how_it_begins() -> None:
    tree = parsed(_page(f"<article>{_paragraphs(BRIDGE)}</article><div>{_breaks(FERRY)}</div>"))
    found = leftover(page_lines(tree), "\n".join(BRIDGE))
    assert (found.words, found.begins, found.article) == (len(" ".join(FERRY).split()), FERRY[0][:80], False)
    # Prose inside of the article that was read is no other article.
    tree = parsed(_page(f"<article>{_paragraphs(BRIDGE)}<section>{_breaks(FERRY)}</section></article>"))
    assert (
        leftover(page_lines(tree), "\n".join(BRIDGE)).words,
        leftover(page_lines(tree), "\n".join(BRIDGE)).article,
    ) == (found.words, False)


@given(st.lists(st.sampled_from([*BRIDGE, *FERRY]), min_size=1, max_size=8, unique=True), st.data())
@settings(deadline=None, max_examples=50)
def test_every_sentence_that_was_not_read_is_counted_once(sentences: list[str], data: st.DataObject) -> None:
    tags = [
        data.draw(st.sampled_from(["<p>{}</p>", "<div>{}</div>", "{}<br>", "<li><b>{}</b></li>"])) for _ in sentences
    ]
    body = "".join(tag.format(sentence) for tag, sentence in zip(tags, sentences, strict=True))
    read = data.draw(st.sets(st.sampled_from(sentences)))
    words = sum(len(sentence.split()) for sentence in sentences if sentence not in read)
    found = leftover(page_lines(parsed(_page(body))), "\n".join(sorted(read)))
    assert found.words == (words if words >= FEWEST_WORDS else 0)
