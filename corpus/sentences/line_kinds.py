"""Decide which lines of an article are prose, and what the other lines are.

The text of a saved news page holds more than its article: headline, captions, section headings, ads, notes.
Nothing is dropped: every line that is not blank becomes a span with a kind and the name of the rule that
gave it. A lost sentence costs more than a caption among the sentences, so a line is prose unless a rule
says otherwise, and no rule depends on one outlet's wording.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Callable, Sequence

from corpus import words
from corpus.records import Span
from corpus.sentences import line_ends, surroundings, wrapping
from corpus.sentences.line_ends import Extent
from corpus.sentences.surroundings import LineKind
from corpus.sentences.wordings import cut_short, wording, wording_of

_NAME = r"[^\W\d_a-z][\w.’'-]{0,30}"
_NAMES = rf"{_NAME}(?:,?\s{_NAME}){{0,4}}"
_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6}\.?"
_DAY = r"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day"
_DATE = rf"(?:{_MONTH}\s\d\d?,?\s\d{{4}}|\d\d?\s{_MONTH},?\s\d{{4}}|\d{{4}}-\d\d-\d\d|\d\d?[./]\d\d?[./]\d{{4}}|{_DAY})"
_TIME = r"\d\d?(?:[:.]\d\d)?(?:\s?[ap]\.?m\b\.?)?(?:\s[A-Z]{2,4}\b)?"
_AGENCIES = tuple("AP AFP EPA EFE ANSA dpa PA UPI Reuters REUTERS Getty Shutterstock Xinhua Bloomberg".split())
_AGENCY = rf"(?:{'|'.join(_AGENCIES)})"
_PHOTO = r"(?:[Pp]hotos?|PHOTO|Photograph|Image|Picture|Illustration|Graphic|Courtesy|Handout|Credit|File|FILE|Pool)"
_DATELINE = re.compile(
    rf"(?:(?i:Published|Updated|Posted|Last updated)(?: on| at)?:?\s)?(?:{_NAMES}\s?[,–—|-]\s?)?(?:{_DAY},?\s)?{_DATE}"
    rf"(?:(?:[,.]?(?:\sat)?|\s[–—|-])\s{_TIME})?\.?$"
    r"|[A-Z][A-Z.,' -]{2,40}(?:\s\([A-Za-z ]{2,20}\))?\s?[–—-]{1,2}$"
)
_BYLINE = re.compile(
    rf"(?:(?:Words |Story |Text |Analysis )?[Bb]y|BY|From)\s(?:our\s|the\s)?(?:{_NAME}|correspondents?\b)"
    r"[^“”\"!?:;]{0,120}$"
)
_CONTRIBUTORS = re.compile(
    rf"(?:{_NAME}\s){{1,3}}(?:and\s(?:{_NAME}\s){{1,3}})?reported\sfrom(?:,?\s(?:and|from|in|{_NAME})){{1,20}}$"
    r"|[^“\"]{3,160}\bcontributed\s(?:to\s(?:this|the)\s(?:story|report|article|piece)|reporting\b.{0,60})\.?$"
    r"|[^“\"]{3,60}\b(?:writers?|reporters?|correspondents?|staff|agencies)\b[^“\"]{0,80}\scontributed\.?$"
)
_PHOTO_OPENING = re.compile(
    r"(?:FILE|File)(?:\s(?:PHOTO|photo))?\s?[-–—:]{1,2}\s|(?:PHOTOS?|Photos?|Pictured|Video|WATCH)\s?:\s"
    r"|In this (?:[\w., ]{1,30}\s)?(?:photo|image|picture)\s(?:[\w., ]{1,30}\s)?(?:by|from|released|taken|provided)\b"
)
_CREDIT = re.compile(
    rf"[(\[]?(?:{_PHOTO}|{_AGENCY})s?(?:\s(?:credit|by|courtesy|source|Source|Photo|Images))?\s?[:/|]|[(\[]?{_NAMES}\s?/\s?{_AGENCY}\b"
)
_BRACKET = re.compile(r"\s?\(([^()]{2,120})\)$")
_CREDITED = re.compile(
    rf"{_NAME}\s?/\s?(?:{_NAME}|dpa)|\b(?:{_PHOTO}|via)\b|(?:{_NAME}\s){{1,3}}{_NAME}$|{_NAME}\s(?:\w+\s)?(?:for|of)\s"
)
_CREDIT_LAST = re.compile(r"\((?:[Pp]hotos?|PHOTO|[Ff]otos?|FOTO|Image|Credit)\s?: ?[^()]{2,120}\)\.?$")
_FRAMED = re.compile(r"[-–—*=]{1,4}\s\S.{1,120}\s[-–—*=]{1,4}$|\*\*[^*]{1,120}\*\*$|#{1,6}\s.{1,120}$")
# A heading, unless the article uses single marks for quotations.
_SINGLE = re.compile(r"['‘][^“”\"]{1,60}(?<![.,])['’]$")
_ABOUT_AUTHOR = re.compile(
    rf"{_NAMES}\s(?:is|was)\san?\s[^.]{{0,60}}\b(?:reporter|correspondent|columnist|editor|staff\swriter)\b"
    rf"|{_NAMES}\s(?:covers|writes|reports|has\scovered)\s(?:[^.]{{1,60}}\s)?(?:for\s(?:[Tt]he\s)?{_NAME}|every\s)"
    r"|.{0,300}\b(?:views|opinions)\sexpressed\s(?:here|are)\b"
)
_FINAL = re.compile(
    rf"(?:[{line_ends.STOPS}:;：；]{line_ends.GAP}[{re.escape(line_ends.CLOSING)}*†‡¹²³]*|[\]］]"
    rf"|[,，、،]{line_ends.GAP}[”“’‘\"'»«›‹」』]+|[-–—][”“\"])[■▪◼♦•\s]*$"
)
_STOPS = tuple(f"{line_ends.STOPS}:;：；]］")  # ends of most lines of prose, each of which matches _FINAL
_SIGNED = re.compile(rf"\s[-–—(]*\s?{_AGENCY}\)?$")
_SIGNATURES = (*_AGENCIES, *(f"{agency})" for agency in _AGENCIES))
_BULLET = re.compile(r"[•▪●‣]\s|[*–-]\s(?=\S+(?:\s\S+){5})")
_FULL_NAME = re.compile(rf"{_NAME}(?:\s(?:d[’']|(?:de|du|van|von|der|al)\s)?{_NAME}){{1,3}}")
_SENTENCE_END = re.compile(r"[^\W\d_]{3}[.!?][”’\"']?\s[“\"]?[A-Z]")

_LONG = 600  # characters: no line seen that is not prose is longer than 400
_HEADING = 25  # words: the longest headline seen has 20


BESIDE = (("other", "link"), ("other", "beside the article"))
"""What the place of a line on its page tells. The line's wording can say more: that it is an advertisement, say."""


def lines(
    text: str,
    title: str = "",
    patterns: Sequence[tuple[str, re.Pattern[str]]] = (),
    marks: Sequence[Span] = (),
    language: str = "",
) -> list[Span]:
    r"""The kind of each line of an article.

    Lines end at `\n`, `\r\n` and `\r` only. The lines of a paragraph that was wrapped to a width count as one.

    Args:
        text: the article's text, with each paragraph on one line or wrapped to a width.
        title: the article's title, if known; any line that equals it, except for case and punctuation, is a title.
        patterns: the project's own patterns, which go before the rules here: pairs of a kind and a regular expression
            that lines of this kind match from their start.
        marks: what is known of some lines already, in order: every line that begins in one of these spans has its kind.
        language: code of the text's language, of two letters; empty if it is not known. In languages other than
            English, a line of four words or more that ends in a colon is a label only if its wording is known.

    Returns:
        One span for each line that is not blank, or for each wrapped paragraph, in order, without the white space
        around it. Its kind is `prose` or one of the other kinds. Where a line ends in the marker of a text that was
        cut short, the marker has a span of its own.

    >>> for span in lines("Rain in Sund\n\nIt rained. It will rain.\n\nADVERTISEMENT"):
    ...     print(span.kind, "|", span.reason)
    title | first line
    prose | final punctuation
    ad | advertisement
    """
    title = title[:_LONG]  # no line that it is compared with is longer
    titles = {_key(title), *(_key(part) for part in re.split(r"\s[|–—-]\s", title)[:1])} - {""}
    shortest, longest = min(map(len, titles), default=_LONG), 2 * max(map(len, titles), default=-1) + 20

    def own(body: str) -> str | None:
        return next((kind for kind, pattern in patterns if pattern.match(body)), None) if patterns else None

    def is_title(body: str) -> bool:
        fits = shortest <= 3 * len(body) <= 3 * _LONG and len(body) <= longest  # checked first, as normalising is slow
        return fits and len(body.split()) < _HEADING and _key(body) in titles

    def stands_alone(index: int) -> bool:
        body = _body(text, places[index : index + 1])
        return index in markers or index in marked_lines or is_title(body) or own(body) is not None

    places, markers = _apart(text, line_ends.places(text), own)
    marked_lines = _marked(places, marks)
    paragraphs = wrapping.paragraphs(
        text,
        places,
        alone=stands_alone,
        begins=lambda index: _is_furniture(_body(text, places[index : index + 1])),
        spaced=True,
    )
    extents = [(paragraph[0][0], paragraph[-1][1]) for paragraph in paragraphs]
    bodies = [_body(text, paragraph) for paragraph in paragraphs]
    marked = {places[index][0] for index in markers}
    known = {places[index][0]: kind for index, kind in marked_lines.items()}
    english = language in ("en", "")
    quotes_double = any(mark in text for mark in '“"')
    kinds: list[LineKind | None] = []
    for index, body in enumerate(bodies):
        before = bodies[index - 1] if index else ""
        after = bodies[index + 1] if index + 1 < len(bodies) else ""
        kind = own(body)
        if given := known.get(extents[index][0]):
            said = wording(body) if english else wording_of(language, body)
            kinds.append(said if said and given in BESIDE else given)
        elif extents[index][0] in marked:
            kinds.append(("other", "cut short"))
        elif kind is not None:
            kinds.append((kind, "the project's pattern"))
        elif len(body) > _LONG:
            kinds.append(("prose", "long"))
        elif is_title(body):
            kinds.append(("title", "equals the title"))
        elif not english and (named := wording_of(language, body)):
            kinds.append(named)
        elif spoken := surroundings.by_quotation(text, extents[index], body, before):
            kinds.append(spoken)
        elif body.endswith((":", "：")) and (surroundings.is_label(body, after) if english else words.count(body) < 4):
            kinds.append(wording(body) or ("other", "label"))
        else:
            kinds.append(_by_shape(body, quotes_double))
    _goes_on(paragraphs, bodies, kinds, {index for index, (start, _) in enumerate(extents[1:]) if start in marked})
    surroundings.runs_on(text, extents, bodies, kinds)
    surroundings.leads_in(bodies, kinds)
    surroundings.links(text, extents, bodies, kinds)
    _notes(bodies, kinds)
    _unpunctuated(bodies, kinds)
    return [Span(*extent, *(kind or ("prose", ""))) for extent, kind in zip(extents, kinds, strict=True)]


def _apart(text: str, places: list[Extent], own: Callable[[str], str | None]) -> tuple[list[Extent], set[int]]:
    """The lines, in which the marker of a text that was cut short is a line of its own, and the markers' numbers."""
    last = len(places) - 1
    while last > 0 and wording(_body(text, places[last : last + 1])):
        last -= 1
    apart: list[Extent] = []
    markers: set[int] = set()
    for number, (start, end) in enumerate(places):
        stop = marker = end
        while start < stop and (at := cut_short(text, start, stop, last=number >= last)) < stop:
            stop = marker = at
            while stop > start and text[stop - 1].isspace():
                stop -= 1
        if marker < end and own(_body(text, [(start, end)])) is not None:
            stop = marker = end
        if start < stop:
            apart.append((start, stop))
        if marker < end:
            markers.add(len(apart))
            apart.append((marker, end))
    return apart, markers


def _marked(places: list[Extent], marks: Sequence[Span]) -> dict[int, LineKind]:
    """The kinds of the lines, by their number, that begin in a span of which the kind is known."""
    if not marks:
        return {}
    starts = [start for start, _ in places]
    return {
        index: (mark.kind, mark.reason)
        for mark in marks
        for index in range(bisect_left(starts, mark.start), bisect_left(starts, mark.end))
    }


def _body(text: str, lines: Sequence[Extent]) -> str:
    """A paragraph as one line, without the marks that editors leave at its ends."""
    if len(lines) == 1:  # the common case
        return text[lines[0][0] : lines[0][1]].strip("\ufeff\u200b ")
    return " ".join(text[start:end] for start, end in lines).strip("\ufeff\u200b ")


def _is_furniture(body: str) -> bool:
    """Whether a line, which may be the first of several, starts like a line that is not part of an article."""
    rules = (_DATELINE, _CREDIT, _PHOTO_OPENING, _BYLINE)
    return body[:1] not in "([" and (wording(body) is not None or any(rule.match(body) for rule in rules))


def _by_shape(body: str, quotes_double: bool) -> LineKind | None:
    """The kind of a line by itself, or None if it depends on the lines around it."""
    if furniture := wording(body):
        return furniture
    if _DATELINE.match(body):
        return "dateline", "date or place"
    if _CREDIT.match(body) and not _is_final(body):
        return "credit", "photo credit"
    if _PHOTO_OPENING.match(body):
        return "caption", "photo opening"
    # The tests of a line's words and of its end only save time: the search of a whole line is slow.
    bracket = _BRACKET.search(body) if body.endswith(")") else None
    if bracket and _CREDITED.search(bracket[1]) and not bracket[1].endswith((".", "!", "?")):
        return "caption", "credit in brackets"
    if body.endswith((")", ").")) and _CREDIT_LAST.search(body, max(0, len(body) - 140)):
        return "caption", "credit in brackets"
    if ("contributed" in body or "reported" in body) and _CONTRIBUTORS.match(body):
        return "footer", "contributors"
    if _FRAMED.match(body) or (quotes_double and _SINGLE.match(body)):
        return "heading", "framed"
    if _is_final(body) or (bracket and _is_final(body[: bracket.start()])):
        return "prose", "final punctuation"
    if _BYLINE.match(body):
        return "byline", "by a name"
    if body.endswith(_SIGNATURES) and _SIGNED.search(body) and _is_final(_SIGNED.sub("", body)):
        return "prose", "final punctuation"
    if words.count(body) >= _HEADING or _BULLET.match(body):
        return "prose", "too long for a heading"
    return None


def _is_final(body: str) -> bool:
    """Whether a line ends with final punctuation; only its end is searched, as a search takes longer on more text."""
    return body.endswith(_STOPS) or _FINAL.search(body, max(0, len(body) - 40)) is not None


def _goes_on(
    paragraphs: Sequence[Sequence[Extent]], bodies: list[str], kinds: list[LineKind | None], cut_off: set[int]
) -> None:
    """Keep as prose what was cut short, or is longer than a wrapped title or heading."""
    prose = [index for index, kind in enumerate(kinds) if kind and kind[0] == "prose"] or [len(kinds)]
    for index, kind in enumerate(kinds):
        if kind is not None:
            continue
        if index in cut_off:
            kinds[index] = ("prose", "cut short")
        elif (
            len(paragraphs[index]) > 1
            and index > prose[0]
            and (index > prose[-1] or _SENTENCE_END.search(bodies[index]))
        ):
            kinds[index] = ("prose", "wrapped text")


def _notes(bodies: list[str], kinds: list[LineKind | None]) -> None:
    """Mark notes on the author at either end: they open with a name from the byline, or name a profession."""
    bylines = [body for body, kind in zip(bodies, kinds, strict=True) if kind and kind[0] == "byline"]
    authors = {name.casefold() for body in bylines for name in _FULL_NAME.findall(body.partition(" ")[2])}
    lengths = {len(name) for name in authors}  # there are few lengths, while a page may list thousands of names
    for order in (range(len(bodies)), range(len(bodies) - 1, -1, -1)):
        for index in order:
            kind, body = kinds[index], bodies[index]
            if kind is None or kind[0] != "prose":
                continue
            if len(body) > _LONG or "“" in body or '"' in body:
                break
            folded = body.casefold()
            if not (any(folded[:length] in authors for length in lengths) or _ABOUT_AUTHOR.match(body)):
                break
            kinds[index] = ("footer", "about the author")


def _unpunctuated(bodies: list[str], kinds: list[LineKind | None]) -> None:
    """Give a kind to lines without final punctuation: title before the text, heading in it, other after it."""
    prose = [index for index, kind in enumerate(kinds) if kind and kind[0] == "prose"]
    titled = any(kind and kind[0] == "title" for kind in kinds)
    if not prose:
        kinds[:] = [kind or ("prose", "nothing else is") for kind in kinds]
        return
    before = [index for index in range(prose[0]) if kinds[index] is None]
    after = (kinds[prose[0] + 1 :] or [None])[0] or ("", "")
    heads = after[0] in ("byline", "dateline") or after[1] in ("copyright", "counter", "age")
    if not titled and heads and _is_headline(bodies[prose[0]]):
        kinds[prose[0]] = ("title", "before the byline")
    elif not titled and before:
        first = next((index for index in before if len(bodies[index].split()) > 3), before[0])
        kinds[first] = ("title", "first line")
    for index, kind in enumerate(kinds):
        if kind is None:
            kinds[index] = ("other", "after the text") if index > prose[-1] else ("heading", "no final punctuation")


def _is_headline(body: str) -> bool:
    """Whether a line with final punctuation may be a headline: it is a question, or capitalises all its long words."""
    long = [word for word in re.findall(r"[^\W\d_]+", body) if len(word) > 3]
    return len(body.split()) < _HEADING and (body.endswith(("?", "!")) or all(word[0].isupper() for word in long))


def _key(text: str) -> str:
    """The letters and digits of a title, which its different spellings share."""
    return "".join(re.findall(r"[^\W_]+", unicodedata.normalize("NFKC", text).casefold()))
