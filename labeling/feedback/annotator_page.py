"""Write the page to hand to an annotator: one static page, which loads nothing from outside."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

from corpus.store import write_bytes
from labeling.feedback.differences import Feedback, confusions, summary
from labeling.scheme import Scheme

HERE = Path(__file__).parent


def write_page(work: Path, feedback: Feedback, scheme: Scheme, target: str) -> tuple[bool, Path]:
    """Write `annotator-NAME.html` into the project's folder of tables.

    Returns:
        Whether the page changed, and its path.
    """
    name = re.sub(r"[^\w.-]", "-", feedback.annotator)
    path = work / f"annotator-{name}.html"
    return write_bytes(path, render(feedback, scheme, target).encode()), path


def render(feedback: Feedback, scheme: Scheme, target: str) -> str:
    """Render the page as HTML; every text of the project is escaped, and has the direction of its own script."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    style = (HERE / "annotator_page.css").read_text("utf-8").strip()
    page = Environment(
        loader=FileSystemLoader(HERE), undefined=StrictUndefined, autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    return page.get_template("annotator_page.html.j2").render(
        feedback=feedback,
        summary=summary(feedback),
        confusions=confusions(feedback),
        labels=scheme.names,
        hints=scheme.hints,
        target=target,
        style=Markup(style),
        style_digest="sha256-" + base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
    )
