"""Arabic, Hebrew, Persian and Urdu are set from right to left in the labelling page and in the report."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from tests.conftest import REPO

ARABIC = "صوت المجلس يوم الاثنين على إغلاق الجسر القديم، وقال رئيس البلدية إن المال متوفر."
ENGLISH = "The council voted on Monday to close the old bridge."


@pytest.mark.parametrize(
    ("style", "before", "after"),
    [
        ("labeling/studio/page.css", '<div class="stance-card"><div class="lsf-richtext__line">', "</div></div>"),
        ("labeling/studio/page.css", '<div class="stance-target"><h2>', "</h2></div>"),
        ("train/report/page.css", '<ul class="cards"><li><p class="text">', "</p></li></ul>"),
        ("train/report/page.css", '<div class="article"><div class="body"><span class="s">', "</span></div></div>"),
    ],
)
def test_text_starts_where_its_script_starts(browser: Browser, style: str, before: str, after: str) -> None:
    css = (REPO / style).read_text("utf-8")
    page = browser.new_page(viewport={"width": 1200, "height": 800})
    starts = {}
    for text in (ARABIC, ENGLISH):
        page.set_content(f'<html><style>{css}</style><body><div style="width: 50rem">{before}{text}{after}</div>')
        starts[text] = page.evaluate(
            """text => {
                const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
                let node; while ((node = walker.nextNode()) && node.data !== text);
                const range = document.createRange(); range.selectNodeContents(node);
                const line = node.parentElement.closest("p, h2, .body, .lsf-richtext__line").getBoundingClientRect();
                const rect = range.getClientRects()[0];
                return [rect.left - line.left, line.right - rect.right];
            }""",
            text,
        )
    page.close()
    left, right = starts[ARABIC]
    assert right < 5 < left
    left, right = starts[ENGLISH]
    assert left < 5 < right
