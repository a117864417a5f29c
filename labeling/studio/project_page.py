"""The two pages that annotators see: their labelling configuration, and the codebook beside the sentences."""

from __future__ import annotations

from pathlib import Path

from markdown_it import MarkdownIt

from labeling.codebook import Codebook

HERE = Path(__file__).parent
INTERFACE = HERE / "interface.xml"
QUEUE = HERE / "queue.xml"


def page(path: Path) -> str:
    """The labelling configuration in a file, with the style sheet that both pages share."""
    return path.read_text("utf-8").strip().replace("/* page.css */", (HERE / "page.css").read_text("utf-8"))


def instruction(codebook: Codebook) -> str:
    """The codebook as the page shows it, as HTML; HTML inside it stays text.

    The server keeps classes and drops `style` attributes, so its look is set in the page's style sheet.
    """
    shown = MarkdownIt("commonmark", {"html": False}).enable("table").render(codebook.text)
    return f'<div class="stance-codebook">{shown}</div>'
