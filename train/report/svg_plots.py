"""Draw the report's plots as inline SVG, in colours after Okabe and Ito; each label has its own shape, too."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import msgspec
from markupsafe import Markup

from labeling.scheme import Stance
from labeling.statistics.intervals import Estimate
from train.evaluate.calibration import Calibration
from train.evaluate.learning_curve import LearningCurve
from train.predict.shares import NO_DATE, UNKNOWN
from train.report.svg_shapes import (
    ALONE,
    ONE,
    Tone,
    axis_of_shares,
    coloured,
    coordinate,
    mark,
    stroke,
    text_at,
    text_width,
    wrapped,
)

WIDTH = 440
"""Width of most plots in pixels: a phone shows them nearly at full size, so that their text stays readable."""

MONTH, CLOSEST, PANEL = 64.0, 24.0, 860.0
"""Pixels that a month takes with its name, pixels that it takes at least, and pixels of a row of months, which is what
fits beside the axis on a page of full width. Where months are closer, only some are named; if they do not fit into one
row, they take several."""

CONNECTED = 10
"""Fewest sentences of a point of the reliability curve: a line through points of fewer would show chance alone."""

NAME = 230.0
"""Most pixels of a line of a name beside a plot; a longer name takes up to three lines."""


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """A value with its interval, both from 0 to 1; `low` is NaN where there is none. `tone` names its colour."""

    name: str
    value: float
    low: float = math.nan
    high: float = math.nan
    tone: Tone = ONE


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """A value of a series, with its interval (NaN where there is none), at one place of the axis."""

    place: str
    value: float
    low: float
    high: float


def point(place: str, estimate: Estimate) -> Point:
    """The point of an estimate, without an interval where the estimate has none."""
    low, high = _ends(estimate)
    return Point(place=place, value=estimate.value, low=low, high=high)


def figure(title: str, text: str, width: float, height: float, body: Sequence[Markup]) -> Markup:
    """A plot with its title and a text that says in words what it shows, for people who cannot see it."""
    return Markup(
        '<svg role="img" viewBox="0 0 {w} {h}" width="{w}" height="{h}">'
        "<title>{title}</title><desc>{text}</desc>{body}</svg>"
    ).format(w=coordinate(width), h=coordinate(height), title=title, text=text, body=Markup("").join(body))


def stacked(counts: Mapping[Stance, int], tones: Mapping[Stance, Tone], title: str) -> Markup:
    """The shares of the labels as one bar, in their order; a label that is too long for one line gets two."""
    total, at, body, height = sum(counts.values()) or 1, 0.0, list[Markup](), 36.0
    for stance, tone in tones.items():
        width = WIDTH * counts.get(stance, 0) / total
        body.append(
            Markup('<rect class="{} fill" x="{}" y="0" width="{}" height="{}"/>').format(
                tone.name, coordinate(at), coordinate(width), coordinate(height)
            )
        )
        share = f"{100 * counts.get(stance, 0) / total:.0f} %"
        for lines in ([f"{stance} {share}"], [stance, share], [share]):
            if max(text_width(line, bold=True) for line in lines) <= width:
                top = height / 2 + 5 - 8 * (len(lines) - 1)
                body += [text_at(at + width / 2, top + 16 * n, line, "on") for n, line in enumerate(lines)]
                break
        at += width
    text = ", ".join(f"{stance} {counts.get(stance, 0):,}" for stance in tones)
    return figure(title, text, WIDTH, height, body)


def bars(rows: Sequence[Bar], title: str) -> Markup:
    """Values on a line from 0 to 1, each with its interval as a whisker."""
    names, left = _names([row.name for row in rows])
    wide, right = left + WIDTH - 128, left + WIDTH - 184
    places, bottom = _heights(names)
    body = axis_of_shares(left, right, 4, bottom)
    for row, name, y in zip(rows, names, places, strict=True):
        body += _name(name, row.name, y)
        if math.isnan(row.value):
            body.append(text_at(left + 4, y + 4, "undefined", "soft", "start"))
            continue
        if not math.isnan(row.low):
            body.append(
                stroke(
                    left + (right - left) * row.low, y, left + (right - left) * row.high, y, f"{row.tone.name} whisker"
                )
            )
        body.append(mark(row.tone, left + (right - left) * row.value, y))
        body.append(text_at(wide, y + 4, f"{row.value:.3f}", "", "end"))
    text = "; ".join(f"{row.name} {_value(row.value)}{_between(row.low, row.high)}" for row in rows)
    return figure(title, text, wide, bottom + 22, body)


def reliability(calibration: Calibration, title: str, tone: Tone) -> Markup:
    """Accuracy by confidence; on the diagonal the model is right as often as it says."""
    size, left, top = 250.0, 42.0, 8.0
    body: list[Markup] = []
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        x, y = left + size * tick, top + size * (1 - tick)
        body += [
            stroke(x, top, x, top + size, "axis"),
            stroke(left, y, left + size, y, "axis"),
            text_at(x, top + size + 16, f"{tick:g}", "soft"),
            text_at(left - 6, y + 4, f"{tick:g}", "soft", "end"),
        ]
    body.append(stroke(left, top + size, left + size, top, "ideal"))
    places = [(left + size * row.confidence, row) for row in calibration.bins]
    for x, row in places:
        if row.accuracy.is_known:
            low, high = (top + size * (1 - end) for end in _ends(row.accuracy))
            body.append(stroke(x, low, x, high, f"{tone.name} thin"))
    if all(row.n >= CONNECTED for row in calibration.bins):
        line = " ".join(f"{coordinate(x)},{coordinate(top + size * (1 - row.accuracy.value))}" for x, row in places)
        body.append(Markup('<polyline class="{} path" points="{}"/>').format(tone.name, line))
    body += [mark(tone, x, top + size * (1 - row.accuracy.value)) for x, row in places]
    body.append(text_at(left + size / 2, top + size + 34, "confidence", "soft"))
    body.append(
        Markup(
            '<text class="soft" text-anchor="middle" transform="translate(12 {}) rotate(-90)">share right</text>'
        ).format(coordinate(top + size / 2))
    )
    text = "; ".join(
        f"confidence {row.confidence:.2f}: {row.accuracy.value:.2f} right of {row.n:,}" for row in calibration.bins
    )
    return figure(title, text, left + size + 14, top + size + 42, body)


def learning(curve: LearningCurve, title: str) -> Markup:
    """F_avg by the number of labels, on a logarithmic axis."""
    left, right, top, bottom = 40.0, WIDTH - 26.0, 10.0, 210.0
    body = [
        part
        for tick in (0.0, 0.25, 0.5, 0.75, 1.0)
        for part in (
            stroke(left, bottom - (bottom - top) * tick, right, bottom - (bottom - top) * tick, "axis"),
            text_at(left - 6, bottom - (bottom - top) * tick + 4, f"{tick:g}", "soft", "end"),
        )
    ]
    first, last = math.log(curve.steps[0].examples), math.log(curve.steps[-1].examples)
    line = []
    for row in curve.steps:
        x = left + 16 + (right - left - 32) * ((math.log(row.examples) - first) / ((last - first) or 1))
        y = bottom - (bottom - top) * row.f_avg.value
        line.append(f"{coordinate(x)},{coordinate(y)}")
        if row.f_avg.is_known:
            low, high = (bottom - (bottom - top) * end for end in _ends(row.f_avg))
            body.append(stroke(x, low, x, high, "one whisker"))
        body += [mark(ONE, x, y), text_at(x, bottom + 16, f"{row.examples:,.0f}", "soft")]
    body.insert(10, Markup('<polyline class="one path" points="{}"/>').format(" ".join(line)))
    body.append(text_at((left + right) / 2, bottom + 34, "labels trained on", "soft"))
    text = "; ".join(
        f"{row.examples:,.0f} labels: F_avg {row.f_avg.value:.3f}{_between(*_ends(row.f_avg))}" for row in curve.steps
    )
    return figure(title, text, WIDTH, bottom + 42, body)


def over_time(series: Mapping[Stance, Sequence[Point]], tones: Mapping[Stance, Tone], title: str) -> Markup:
    """The share of each stance by month, with intervals; the stances are side by side within a month.

    Months that do not fit into the width of a page are put into several rows.
    """
    months = sorted({point.place for points in series.values() for point in points})
    row = max(1, int(PANEL // CLOSEST))
    row = math.ceil(len(months) / math.ceil(len(months) / row)) if months else 1
    gap = min(MONTH if len(months) > 4 else 300.0 / max(1, len(months)), PANEL / row)
    left, height = 50.0, 240.0
    right = left + gap * min(row, len(months))
    body: list[Markup] = []
    panels = [months[start : start + row] for start in range(0, len(months), row)] or [[]]
    for n, panel in enumerate(panels):
        body += _months(series, tones, panel, left, gap, 10.0 + height * n)
    text = "; ".join(
        f"{stance}: " + ", ".join(f"{_month(point.place)} {100 * point.value:.0f} %" for point in points)
        for stance, points in series.items()
    )
    # The name of the last month may be wider than the month.
    aside = max(6.0, (text_width(NO_DATE) - gap) / 2)
    return figure(title, text, right + aside, height * len(panels) - 4, body)


def _months(
    series: Mapping[Stance, Sequence[Point]],
    tones: Mapping[Stance, Tone],
    months: Sequence[str],
    left: float,
    gap: float,
    top: float,
) -> list[Markup]:
    """One row of months."""
    place_of = {month: n for n, month in enumerate(months)}
    named, apart = math.ceil(MONTH / gap), min(12.0, gap / 4)
    bottom, right = top + 200.0, left + gap * len(months)
    body = [
        part
        for tick in (0.0, 0.25, 0.5, 0.75, 1.0)
        for part in (
            stroke(left, bottom - (bottom - top) * tick, right, bottom - (bottom - top) * tick, "axis"),
            text_at(left - 6, bottom - (bottom - top) * tick + 4, f"{100 * tick:.0f} %", "soft", "end"),
        )
    ]
    undated = len(months) - 1 if UNKNOWN in place_of else len(months)
    body += [
        text_at(left + gap * (n + 0.5), bottom + 18, _month(month), "soft")
        for month, n in place_of.items()
        if month == UNKNOWN or (n % named == 0 and n + named <= undated + (undated == len(months)) * named)
    ]
    for n, (stance, points) in enumerate(series.items()):
        tone, offset = tones[stance], -apart + 2 * apart * n / max(1, len(series) - 1)
        here = [point for point in points if point.place in place_of]
        places = [(left + gap * (place_of[point.place] + 0.5) + offset, point) for point in here]
        # The line must not go on to articles without a date, which do not follow the last month.
        dated = [(x, point) for x, point in places if point.place != UNKNOWN]
        line = " ".join(f"{coordinate(x)},{coordinate(bottom - (bottom - top) * point.value)}" for x, point in dated)
        body.append(Markup('<polyline class="{} path" points="{}"/>').format(tone.name, line))
        for x, point in places:
            if not math.isnan(point.low):
                low, high = (bottom - (bottom - top) * end for end in (point.low, point.high))
                body.append(stroke(x, low, x, high, f"{tone.name} thin"))
            body.append(mark(tone, x, bottom - (bottom - top) * point.value))
    return body


def _month(place: str) -> str:
    return NO_DATE if place == UNKNOWN else place


def alone(drawing: Markup, tones: Mapping[Stance, Tone], title: str) -> str:
    """A plot by label as an image file, with a visible title, a legend of the shapes, and colours."""
    start, _, rest = drawing.partition("</desc>")
    told = start.partition("<desc>")[2]
    width, height = map(float, start.partition('viewBox="0 0 ')[2].partition('"')[0].split())
    steps = [max(84.0, text_width(label) + 24) for label in tones]
    wide, head = max(width, float(WIDTH), sum(steps)), 56.0
    body = [text_at(8, 20, title, "", "start")]
    for n, (label, tone) in enumerate(tones.items()):
        at = sum(steps[:n])
        body += [mark(tone, 16 + at, 42), text_at(28 + at, 46, label, "soft", "start")]
    return Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {w} {h}" width="{w}" height="{h}">'
        '<title>{title}</title><desc>{text}</desc><style>{style}</style><rect width="{w}" height="{h}" fill="#ffffff"/>'
        '{body}<g transform="translate(0 {head})">{rest}</g></svg>\n'
    ).format(
        w=coordinate(wide),
        h=coordinate(height + head),
        title=title,
        text=Markup(told),
        style=Markup(coloured(ALONE, list(tones), alone=True)),
        body=Markup("").join(body),
        head=coordinate(head),
        rest=Markup(rest.removesuffix("</svg>")),
    )


def shares(points: Sequence[Point], tone: Tone, title: str) -> Markup:
    """The share of one stance in each place, on a line from 0 to 100 %."""
    names, left = _names([point.place for point in points])
    wide, right = left + WIDTH - 176, left + WIDTH - 238
    places, bottom = _heights(names)
    body: list[Markup] = []
    for tick in (0.0, 0.5, 1.0):
        x = left + (right - left) * tick
        body += [stroke(x, 4, x, bottom, "axis"), text_at(x, bottom + 16, f"{100 * tick:.0f} %", "soft")]
    for point, name, y in zip(points, names, places, strict=True):
        body += _name(name, point.place, y)
        if not math.isnan(point.low):
            ends = (left + (right - left) * end for end in (point.low, point.high))
            body.append(stroke(next(ends), y, next(ends), y, f"{tone.name} whisker"))
        body.append(mark(tone, left + (right - left) * point.value, y))
        body.append(text_at(wide, y + 4, f"{100 * point.value:.0f} %", "", "end"))
    text = "; ".join(f"{point.place} {100 * point.value:.0f} %" for point in points)
    return figure(title, text, wide, bottom + 22, body)


def _names(names: Sequence[str]) -> tuple[list[list[str]], float]:
    """The lines of each name beside a plot, and where the plot begins."""
    lines = [wrapped(name, NAME) for name in names]
    return lines, 16 + max((text_width(line) for name in lines for line in name), default=0.0)


def _heights(names: Sequence[Sequence[str]]) -> tuple[list[float], float]:
    """The middle of each row, which is as high as its name needs, and the end of the last row."""
    places, at = [], 8.0
    for lines in names:
        height = max(26.0, 10.0 + 16.0 * len(lines))
        places.append(at + height / 2)
        at += height
    return places, at


def _name(lines: Sequence[str], whole: str, y: float) -> list[Markup]:
    """A name in its lines; the whole name is shown when the pointer is over it."""
    top = y + 4 - 8 * (len(lines) - 1)
    body = [text_at(0, top + 16 * n, line, "", "start") for n, line in enumerate(lines)]
    return [Markup("<g><title>{}</title>{}</g>").format(whole, Markup("").join(body))]


def length(share: float, tone: Tone) -> Markup:
    """A bar beside a number in a table, which shows the same value."""
    return Markup(
        '<svg class="bar" aria-hidden="true" viewBox="0 0 100 8" preserveAspectRatio="none">'
        '<rect class="{} fill" width="{}" height="8"/></svg>'
    ).format(tone.name, coordinate(100 * share))


def _value(value: float) -> str:
    return "undefined" if math.isnan(value) else f"{value:.3f}"


def _ends(estimate: Estimate) -> tuple[float, float]:
    """The ends of an interval; NaN where there is none, for which files may have 0 and 1."""
    return (estimate.low, estimate.high) if estimate.is_known else (math.nan, math.nan)


def _between(low: float, high: float) -> str:
    return "" if math.isnan(low) else f" [{low:.3f}, {high:.3f}]"
