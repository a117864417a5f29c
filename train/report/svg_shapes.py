"""What the report's plots are drawn of: colours after Okabe and Ito, a shape for each label, lines and texts in SVG."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup, escape

from labeling.scheme import DEFAULT, Stance

ALONE = """
text { fill: #1b1f24; font: 13px system-ui, "Segoe UI", Roboto, sans-serif; } text.soft { fill: #57616b; }
.LABEL1 { fill: #0072b2; stroke: #0072b2; } .LABEL2 { fill: #c24e00; stroke: #c24e00; }
.LABEL3 { fill: #6b747d; stroke: #6b747d; } .axis { stroke: #d5dbe1; } .fill { stroke: none; }
.thin, .path { stroke-width: 1.5; } .path { fill: none; }
"""
"""The light colours of page.css for a plot in its own file, without CSS variables, which few image viewers support."""
MORE = (
    *(("#007a5a", "#2fbf94", "dashed"), ("#8f4a78", "#d98abf", "groove"), ("#856a00", "#d9b72f", "ridge")),
    *(("#5b3f9e", "#a794e8", "inset"), ("#a02c2c", "#f07f7f", "outset"), ("#00727f", "#4fc3cf", "double")),
)
"""Colour on a light page, colour on a dark one, and underline of the fourth label and those after it."""

LETTER = 13
"""Font size in the plots, in pixels, as in page.css."""
LINES = 3
"""Most lines of a name."""


class Tone(NamedTuple):
    """The class of a colour in the style sheet, and the number of a shape."""

    name: str
    shape: int


ONE, TWO, THREE = Tone("one", 0), Tone("two", 1), Tone("three", 2)
"""The tones of plots that are not about labels."""


def tones(labels: Sequence[Stance]) -> dict[Stance, Tone]:
    """The tone of each label; pages of the default scheme keep the classes that they always had."""
    usual = list(labels) == DEFAULT.names
    return {name: Tone(name if usual else f"label-{n}", n - 1) for n, name in enumerate(labels, 1)}


def coloured(style: str, labels: Sequence[Stance], *, alone: bool = False) -> str:
    """A style sheet with the classes of the labels, and the colours of those after the third.

    Args:
        style: text of page.css, or ALONE; it names the first three labels LABEL1 to LABEL3.
        labels: labels of the page.
        alone: whether the style is for a plot in its own file, which has no dark colours and no variables.
    """
    names = [tone.name for tone in tones(labels).values()]
    for n in range(1, 4):
        style = style.replace(f"LABEL{n}", names[n - 1] if n <= len(names) else f"label-{n}")
    for name, (light, dark, line) in zip(names[3:], MORE, strict=False):
        if alone:
            style += f".{name} {{ fill: {light}; stroke: {light}; }}\n"
        else:
            style += f"\n.{name} {{ --tone: {light}; }} .s.{name} {{ border-bottom-style: {line}; }}"
            style += f"\n@media screen and (prefers-color-scheme: dark) {{ .{name} {{ --tone: {dark}; }} }}"
    return style


def text_width(text: str, *, bold: bool = False) -> float:
    """An estimate of a text's width in pixels, rather too large than too small, as for the font DejaVu Sans."""
    width = 0.0
    for sign in text:
        if unicodedata.combining(sign):
            continue
        if unicodedata.east_asian_width(sign) in "WF":
            width += 1.05
        elif sign in "ijl.,:;'|!I()[] \N{NO-BREAK SPACE}ft/-":
            width += 0.42
        elif sign in "mwMW@%…——":
            width += 1.02
        elif sign.isupper():
            width += 0.8
        else:
            width += 0.66
    return width * LETTER * (1.12 if bold else 1)


def wrapped(text: str, width: float, lines: int = LINES) -> list[str]:
    """Wrap a text into at most `lines` lines of at most `width` pixels; a text that is too long ends in an ellipsis."""
    found: list[str] = []
    rest = " ".join(text.split())
    while rest and len(found) < lines:
        end = len(rest)
        while end > 1 and text_width(rest[:end]) > width:
            end -= 1
        if end < len(rest):
            space = rest.rfind(" ", 0, end + 1)
            end = space if space > end // 2 else end
        found.append(rest[:end].rstrip())
        rest = rest[end:].lstrip()
    if rest:
        last = found[-1]
        while last and text_width(last + "…") > width:
            last = last[:-1]
        found[-1] = last.rstrip() + "…"
    return found or [""]


SHAPES = (
    ((0, -6), (6, 5), (-6, 5)),
    ((0, -7), (7, 0), (0, 7), (-7, 0)),
    ((0, 6), (6, -5), (-6, -5)),
    ((-2, -6), (2, -6), (2, -2), (6, -2), (6, 2), (2, 2), (2, 6), (-2, 6), (-2, 2), (-6, 2), (-6, -2), (-2, -2)),
    ((6, 0), (3, 5.2), (-3, 5.2), (-6, 0), (-3, -5.2), (3, -5.2)),
    ((-5, -6), (5, -6), (-5, 6), (5, 6)),
    ((-6, -5), (-6, 5), (6, -5), (6, 5)),
)
"""The corners of the third shape and of those after it: two triangles, a diamond, a plus, and so on."""


def mark(tone: Tone, x: float, y: float) -> Markup:
    """A point in the shape of its tone: a circle for the first, a square for the second, then the SHAPES."""
    if tone.shape == 1:
        return Markup('<rect class="{} fill" x="{}" y="{}" width="10" height="10"/>').format(
            tone.name, coordinate(x - 5), coordinate(y - 5)
        )
    if tone.shape > 1:
        corners = SHAPES[(tone.shape - 2) % len(SHAPES)]
        points = " ".join(f"{coordinate(x + right)},{coordinate(y + down)}" for right, down in corners)
        return Markup('<polygon class="{} fill" points="{}"/>').format(tone.name, points)
    return Markup('<circle class="{} fill" cx="{}" cy="{}" r="5.5"/>').format(tone.name, coordinate(x), coordinate(y))


def symbol(tone: Tone) -> Markup:
    """The shape of a label, for a legend."""
    return Markup('<svg class="symbol" aria-hidden="true" viewBox="0 0 14 14" width="14" height="14">{}</svg>').format(
        mark(tone, 7, 7)
    )


def axis_of_shares(left: float, right: float, top: float, bottom: float) -> list[Markup]:
    """Lines at 0, 0.25, 0.5, 0.75 and 1 of an axis, each with its value below it."""
    body: list[Markup] = []
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        x = left + (right - left) * tick
        body += [stroke(x, top, x, bottom, "axis"), text_at(x, bottom + 16, f"{tick:g}", "soft")]
    return body


def text_at(x: float, y: float, text: str, tone: str = "", anchor: str = "middle") -> Markup:
    """A text whose middle, or what `anchor` names, is at a place."""
    return Markup('<text class="{}" x="{}" y="{}" text-anchor="{}">{}</text>').format(
        tone, coordinate(x), coordinate(y), anchor, escape(text)
    )


def stroke(x1: float, y1: float, x2: float, y2: float, tone: str) -> Markup:
    """A straight line from one place to another."""
    return Markup('<line class="{}" x1="{}" y1="{}" x2="{}" y2="{}"/>').format(
        tone, coordinate(x1), coordinate(y1), coordinate(x2), coordinate(y2)
    )


def coordinate(value: float) -> str:
    """A coordinate with at most one decimal place, and without a sign if it is zero."""
    return f"{round(value, 1) + 0.0:g}"
