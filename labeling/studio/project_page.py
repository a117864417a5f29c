"""The two pages that annotators see: their labelling configuration, and the codebook beside the sentences."""

from __future__ import annotations

import re
from html import escape
from pathlib import Path

from markdown_it import MarkdownIt

from labeling.codebook import Codebook
from labeling.scheme import DEFAULT, Scheme

HERE = Path(__file__).parent
INTERFACE = HERE / "interface.xml"
QUEUE = HERE / "queue.xml"


def page(path: Path, scheme: Scheme = DEFAULT) -> str:
    """The labelling configuration in a file, with the style sheet that both pages share, and the project's labels.

    The keys 1 to 9 choose the labels; the next key after them, or 0, marks an answer as unsure. The queue's levels of
    confidence have the keys 7 to 9, or their first letters where there are more than six labels: the server would give
    a choice without a key one of its own.
    """
    text = path.read_text("utf-8").strip().replace("/* page.css */", (HERE / "page.css").read_text("utf-8"))
    count = len(scheme.names)
    if count > 6:
        text = re.sub(r'<Choice value="(\w)(\w+)" hotkey="[789]"', r'<Choice value="\1\2" hotkey="\1"', text)
    text = text.replace('hotkey="NEXT"', f'hotkey="{(count + 1) % 10}"')
    choices = [_choice(name, key, scheme.hints.get(name, "")) for key, name in enumerate(scheme.names, 1)]
    return text.replace("        <!-- labels -->\n", "".join(choices))


def _choice(name: str, key: int, hint: str) -> str:
    """The choice of a label; what the page shows is HTML, within an attribute."""
    shown = f"{escape(name)} <small>{escape(hint)}</small>" if hint else escape(name)
    return f'''        <Choice value="{escape(name)}" hotkey="{key}"
                html="{escape(shown)}"/>
'''


def instruction(codebook: Codebook) -> str:
    """The codebook as the page shows it, as HTML; HTML inside it stays text.

    The server keeps classes and drops `style` attributes, so its look is set in the page's style sheet.
    """
    shown = MarkdownIt("commonmark", {"html": False}).enable("table").render(codebook.rules)
    return f'<div class="stance-codebook">{shown}</div>'
