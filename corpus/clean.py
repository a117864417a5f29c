"""Which lines of an article are prose, and what the others are.

The text of a saved news page holds more than its article: headline, captions, section headings, ads, notes.
Nothing is dropped: every line that is not blank becomes a span with a kind and the name of the rule that
gave it. A lost sentence costs more than a caption among the sentences, so a line is prose unless a rule
says otherwise, and no rule rests on one outlet's wording.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from corpus.attributions import is_attribution
from corpus.records import Span

# Wordings that open no sentence of a story, so they hold whatever the final punctuation. They match from
# the start of a line: the same words inside a quotation are prose. A blank stands for any white space.
_WORDINGS = r"""
other   no-letters     [\W_]+$
other   counter        \d{1,3} ?(?:/|of) ?\d{1,3}$|(?:full ?screen|next|previous|back to top)$
other   age            (?:\w+ )?(?:\d{1,3}|an?) ?(?:min|minute|hour|day|week|month|year)s?\.? (?:ago|read)(?: \d+)?$
credit  copyright      (?:©|\(c\)|copyright)(?: ©| \(c\))? ?\d{4}|©|all rights reserved
footer  correction     (?:correction|clarification)s? ?(?:\(|:|—|–)|to (?:suggest|report) an? (?:correction|error)
footer  correction     an? (?:earlier|previous|prior) (?:version|headline) of this (?:story|article|post|column)
footer  correction     an? (?:earlier|previous) version of this report (?:mis|incorrect|wrong|gave|contain)
footer  this-text      this (?:story|article|post|piece|essay) (?:has been|was|is) (?:\w+ )?(?:corrected|updated)\b
footer  this-text      this (?:article|post|piece|interview) (?:has been|was) (?:condensed|edited|amended|translated)\b
footer  this-text      this (?:story|article|post|piece|essay) was (?:\w+ )?published\b
footer  this-text      this (?:report|column) has been (?:corrected|updated|edited)\b
footer  note           (?:editor|author|writer)(?:[’']s|s[’']?)? note\b|notes? (?:from|by) the (?:author|editor)s?\b
footer  note           about the (?:author|writer|columnist|contributor)s?(?: ?[:–—-]|$)
footer  contributors   additional reporting (?:by|from) (?!.{200})
footer  contributors   (?:reporting|writing|editing)(?: and \w+)? by [^.]{3,120}(?:;|$)
footer  contributors   (?:edited|translated|compiled)(?: and \w+)? (?:by|from) [^.“"]{3,80}$
footer  contributors   (?:collaboration ?:|with (?:reporting|files|inputs?) (?:from|by) )(?!.{120})
footer  opinions       (?:the )?(?:views|opinions) (?:and \w+ )?expressed (?:here|in this|are (?:those|solely))\b
footer  opinions       (?:the )?(?:views|opinions) (?:and \w+ )?expressed by (?:the )?(?:author|columnist|contributor)
footer  opinions       (?:editorials|guest essays|columns|op-eds|letters) (?:do not|represent|reflect|may be)\b
footer  contact        (?:follow|e-?mail|reach|contact) (?:\w+ ){1,2}(?:at|on) (?:\S*@|x\b|twitter|facebook|bluesky)
footer  contact        (?:have|do you have|got) (?:a (?:news )?tip|something to say)\b
footer  contact        (?:[^“".?!]{3,60}\? )?(?:write|send a letter) to (?:us|our|the editors?)\b(?: [^,]{0,60})?$
footer  contact        (?:you can also )?highlight the text\b
footer  coverage       (?:follow|find|see|read) (?:our|more|all) (?:of )?(?:\w+ ){0,2}coverage\b
footer  coverage       (?:follow|find|see|read) (?:the )?[\w.]{1,20}[’']s (?:\w+ ){0,2}coverage\b
footer  coverage       for (?:more (?!than)|the latest ).{1,60}\b(?:visit|follow|click|sign up|go to)\b(?!.{80})
footer  sign-off       \([A-Z]{2,8}\) [a-z]{2,4}(?:[/-][a-z]{2,4}){0,4}$|-30-$|(?:filed under|tags?|topics?) ?:
ad      advertisement  (?:article )?(?:ad|advert|advertisement|advertising|sponsored|paid content)(?: box)?$
ad      advertisement  (?:story|article) continues\b.{0,40}$|(?:scroll|skip)\b.{0,12} to continue\b.{0,30}$
ad      recommended    (?:also (?:read|in|on|see)|(?:read|see|watch)(?: also| more| next)?)(?: [\w+]+)? ?[:|>»]
ad      recommended    (?:related|recommended|most read|trending|don[’']t miss)(?: \w+)? ?[:|>»]
ad      recommended    (?:also read|read also|read more|continue reading|recommended|related)\b[^.!?“"]{0,100}$
ad      recommended    (?:most (?:read|popular)|trending|more (?:from|on))\b[^.!?“"]{0,60}$
ad      recommended    read (?:the |our )?(?:full|entire|whole|rest|original|response|latest)\b(?!.*[.!]$).{0,120}$
ad      recommended    you (?:may|might) (?:also )?(?:like|be interested)\b[^.!]{0,20}$
ad      newsletter     (?:sign up|subscribe)(?: now| today| here)?(?:$|[.!:]| (?:for|to|and|with|–|-|—) )(?!.{160})
ad      newsletter     subscribe to \S+$
ad      newsletter     (?:get|receive) [^“"]{1,80}\b(?:newsletter|your inbox|sign up|subscribe)\b(?!.{80})
ad      support        (?:please )?support (?:independent|our|quality|local|us)\b.{0,80}\b(?:journalism|member|donat)
ad      support        (?:become an? (?:member|supporter|subscriber|patron)|(?:donate|subscribe) (?:now|today|here))\b
ad      promotion      (?:click|tap) (?:here|to|on)\b(?!.{120})|follow us\b(?!.{120})
ad      promotion      (?:listen to|download|join|watch|visit) our (?:\w+ )?(?:podcast|app|channel|community|video|page)
ad      sharing        (?:share(?: (?:this|on|via)\b[^.!?]{0,40})?|tweet|e?-?mail|print|\d{0,5} ?comments?|copy link)$
"""
_ROWS = [row.split(maxsplit=2) for row in _WORDINGS.strip().splitlines()]
_WORDING = re.compile("|".join(f"({pattern})" for _, _, pattern in _ROWS).replace(" ", r"\s"), re.IGNORECASE)

# In what follows capitals count.
_NAME = r"[^\W\d_a-z][\w.’'-]{0,30}"
_NAMES = rf"{_NAME}(?:,?\s{_NAME}){{0,4}}"
_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6}\.?"
_DAY = r"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day"
_DATE = rf"(?:{_MONTH}\s\d\d?,?\s\d{{4}}|\d\d?\s{_MONTH},?\s\d{{4}}|\d{{4}}-\d\d-\d\d|\d\d?[./]\d\d?[./]\d{{4}}|{_DAY})"
_TIME = r"\d\d?(?:[:.]\d\d)?(?:\s?[ap]\.?m\b\.?)?(?:\s[A-Z]{2,4}\b)?"
_AGENCY = r"(?:AP|AFP|EPA|EFE|ANSA|dpa|PA|UPI|Reuters|REUTERS|Getty|Shutterstock|Xinhua|Bloomberg)"
_PHOTO = r"(?:[Pp]hotos?|PHOTO|Photograph|Image|Picture|Illustration|Graphic|Courtesy|Handout|Credit|File|Pool)"
_DATELINE = re.compile(
    rf"(?:(?:Published|Updated|Posted|Last updated)(?: on| at)?:?\s)?(?:{_NAMES}\s?[,–—|-]\s?)?(?:{_DAY},?\s)?{_DATE}"
    rf"(?:(?:,|\sat|\s[–—|-]|)\s{_TIME})?\.?$"
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
    rf"[(\[]?(?:{_PHOTO}|{_AGENCY})s?(?:\s(?:credit|by|courtesy|Photo|Images))?\s?[:/|]|[(\[]?{_NAMES}\s?/\s?{_AGENCY}\b"
)
_BRACKET = re.compile(r"\s?\(([^()]{2,120})\)$")
_CREDITED = re.compile(
    rf"{_NAME}\s?/\s?(?:{_NAME}|dpa)|\b(?:{_PHOTO}|via)\b|(?:{_NAME}\s){{1,3}}{_NAME}$|{_NAME}\s(?:\w+\s)?(?:for|of)\s"
)
_FRAMED = re.compile(r"[-–—*=]{1,4}\s\S.{1,120}\s[-–—*=]{1,4}$|\*\*[^*]{1,120}\*\*$|#{1,6}\s.{1,120}$")
# A heading, unless the article quotes in single marks.
_SINGLE = re.compile(r"['‘][^“”\"]{1,60}(?<![.,])['’]$")
_ABOUT_AUTHOR = re.compile(
    rf"{_NAMES}\s(?:is|was)\san?\s[^.]{{0,60}}\b(?:reporter|correspondent|columnist|editor|staff\swriter)\b"
    rf"|{_NAMES}\s(?:covers|writes|reports|has\scovered)\s(?:[^.]{{1,60}}\s)?(?:for\s(?:[Tt]he\s)?{_NAME}|every\s)"
    r"|.{0,300}\b(?:views|opinions)\sexpressed\s(?:here|are)\b"
)
_FINAL = re.compile(r"(?:[.!?…:;][”“’‘\"'»«›‹)\]*†‡¹²³]*|\]|,[”“’‘\"'»«›‹]+|[-–—][”“\"])[■▪◼♦•\s]*$")
_SIGNED = re.compile(rf"\s[-–—(]*\s?{_AGENCY}\)?$")
_BULLET = re.compile(r"[•▪●‣]\s|[*–-]\s(?=\S+(?:\s\S+){5})")
_FULL_NAME = re.compile(rf"{_NAME}(?:\s(?:d[’']|(?:de|du|van|von|der|al)\s)?{_NAME}){{1,3}}")
_LINE = re.compile(r"\S[^\r\n]*+")

_LONG = 600  # characters: no furniture seen is longer than 400
_HEADING = 25  # words: the longest headline seen has 20
_WRAPPED = range(50, 101)


def lines(text: str, title: str = "", patterns: Sequence[tuple[str, re.Pattern[str]]] = ()) -> list[Span]:
    r"""What each line of an article is.

    Lines end at `\n`, `\r\n` and `\r` only.

    Args:
        text: the article, a paragraph a line.
        title: its title, if known; a line anywhere that equals it, but for case and punctuation, is a title.
        patterns: kinds and what their lines match from the start, of a project's own, before any rule here.

    Returns:
        One span a line that is not blank, without white space around it, in order; its kind is `prose`, or
        what else the line is.

    >>> for span in lines("Rain in Sund\n\nIt rained. It will rain.\n\nADVERTISEMENT"):
    ...     print(span.kind, "|", span.reason)
    title | first line
    prose | final punctuation
    ad | advertisement
    """
    places = [(line.start(), line.start() + len(line[0].rstrip())) for line in _LINE.finditer(text)]
    quotes_double = any(mark in text for mark in '“"')
    bodies = [text[start:end].strip("\ufeff\u200b ") for start, end in places]
    wrapped = _wrapped(text, places)
    title = title[:_LONG]  # no line that is compared is longer
    titles = {_key(title), *(_key(part) for part in re.split(r"\s[|–—-]\s", title)[:1])} - {""}
    found: list[tuple[str, str] | None] = []
    for index, body in enumerate(bodies):
        own = next((kind for kind, pattern in patterns if pattern.match(body)), None)
        after_quote = index > 0 and bodies[index - 1].endswith((",”", ",“", ',"', ",’", ",‘", ",'", ",»", ",«"))
        if own is not None:
            found.append((own, "the project's pattern"))
        elif index in wrapped:
            found.append(("prose", "wrapped text"))
        elif len(body) > _LONG:
            found.append(("prose", "long"))
        elif len(body.split()) < _HEADING and _key(body) in titles:
            found.append(("title", "equals the title"))
        elif after_quote and is_attribution(text, *places[index], whole=True):
            found.append(("prose", "attribution"))
        else:
            found.append(_by_shape(body, quotes_double))
    _runs_on(text, places, bodies, found)
    _notes(bodies, found)
    _unpunctuated(bodies, found)
    return [Span(*place, *(kind or ("prose", ""))) for place, kind in zip(places, found, strict=True)]


def _by_shape(body: str, quotes_double: bool) -> tuple[str, str] | None:
    """What a line is by itself, or None if that hangs on the lines around it."""
    if wording := _WORDING.match(body.lstrip("•▪●‣→» ")) or _WORDING.match(body):
        kind, reason, _ = _ROWS[(wording.lastindex or 1) - 1]
        return kind, reason.replace("-", " ")
    if _DATELINE.match(body):
        return "dateline", "date or place"
    if _CREDIT.match(body) and not _is_final(body):
        return "credit", "photo credit"
    if _PHOTO_OPENING.match(body):
        return "caption", "photo opening"
    bracket = _BRACKET.search(body)
    if bracket and _CREDITED.search(bracket[1]) and not bracket[1].endswith((".", "!", "?")):
        return "caption", "credit in brackets"
    if _CONTRIBUTORS.match(body):
        return "footer", "contributors"
    if _FRAMED.match(body) or (quotes_double and _SINGLE.match(body)):
        return "heading", "framed"
    if _is_final(body) or (bracket and _is_final(body[: bracket.start()])):
        return "prose", "final punctuation"
    if _BYLINE.match(body):
        return "byline", "by a name"
    if _SIGNED.search(body) and _is_final(_SIGNED.sub("", body)):
        return "prose", "final punctuation"
    if len(body.split()) >= _HEADING or _BULLET.match(body):
        return "prose", "too long for a heading"
    return None


def _is_final(body: str) -> bool:
    """Whether a line ends with final punctuation; only its end is looked at, for searching costs by length."""
    return _FINAL.search(body, max(0, len(body) - 40)) is not None


def _adjacent(text: str, before: tuple[int, int], after: tuple[int, int]) -> bool:
    """Whether no blank line stands between two lines."""
    return text[before[1] : after[0]].replace("\r\n", "\n").replace("\r", "\n").count("\n") == 1


def _wrapped(text: str, places: list[tuple[int, int]]) -> set[int]:
    """The lines of paragraphs that were wrapped to a width: a line's end says nothing there."""
    wrapped: set[int] = set()
    block: list[int] = []
    for index, (start, end) in enumerate(places):
        if block and not _adjacent(text, places[index - 1], places[index]):
            block = []
        block.append(index)
        last = index + 1 == len(places) or not _adjacent(text, places[index], places[index + 1])
        if not last or len(block) < 3:
            continue
        widths = [places[line][1] - places[line][0] for line in block[:-1]]
        filled = max(widths) in _WRAPPED and max(widths) - min(widths) <= 20 and end - start <= max(widths)
        if filled and 2 * sum(text[places[line][0]].islower() for line in block) > len(widths):
            wrapped.update(block)
    return wrapped


def _runs_on(text: str, places: list[tuple[int, int]], bodies: list[str], found: list[tuple[str, str] | None]) -> None:
    """Keeps a line without final punctuation that goes on, in lower case, on the next line."""
    for index in range(1, len(bodies)):
        goes_on = bodies[index][:1].islower() and _adjacent(text, places[index - 1], places[index])
        if goes_on and found[index - 1] is None and (found[index] or ("prose",))[0] == "prose":
            found[index - 1] = found[index] = ("prose", "runs on")


def _notes(bodies: list[str], found: list[tuple[str, str] | None]) -> None:
    """Marks notes on the author at either end: they open with a name of the byline, or name a trade."""
    bylines = [body for body, kind in zip(bodies, found, strict=True) if kind and kind[0] == "byline"]
    authors = {name.casefold() for body in bylines for name in _FULL_NAME.findall(body.partition(" ")[2])}
    lengths = {len(name) for name in authors}  # few, where a page may list thousands of names
    for order in (range(len(bodies)), range(len(bodies) - 1, -1, -1)):
        for index in order:
            kind, body = found[index], bodies[index]
            if kind is None or kind[0] != "prose":
                continue
            if len(body) > _LONG or "“" in body or '"' in body:
                break
            folded = body.casefold()
            if not (any(folded[:length] in authors for length in lengths) or _ABOUT_AUTHOR.match(body)):
                break
            found[index] = ("footer", "about the author")


def _unpunctuated(bodies: list[str], found: list[tuple[str, str] | None]) -> None:
    """Names what has no final punctuation: the title before the text, headings in it, the rest after it."""
    prose = [index for index, kind in enumerate(found) if kind and kind[0] == "prose"]
    titled = any(kind and kind[0] == "title" for kind in found)
    if not prose:
        found[:] = [kind or ("prose", "nothing else is") for kind in found]
        return
    before = [index for index in range(prose[0]) if found[index] is None]
    after = (found[prose[0] + 1 :] or [None])[0] or ("", "")
    heads = after[0] in ("byline", "dateline") or after[1] in ("copyright", "counter", "age")
    if not titled and heads and _is_headline(bodies[prose[0]]):
        found[prose[0]] = ("title", "before the byline")
    elif not titled and before:
        first = next((index for index in before if len(bodies[index].split()) > 3), before[0])
        found[first] = ("title", "first line")
    for index, kind in enumerate(found):
        if kind is None:
            found[index] = ("other", "after the text") if index > prose[-1] else ("heading", "no final punctuation")


def _is_headline(body: str) -> bool:
    """Whether a line with final punctuation may be a headline: it asks, or capitalises all its long words."""
    words = [word for word in re.findall(r"[^\W\d_]+", body) if len(word) > 3]
    return len(body.split()) < _HEADING and (body.endswith(("?", "!")) or all(word[0].isupper() for word in words))


def _key(text: str) -> str:
    """What two spellings of a title share: letters and digits."""
    return "".join(re.findall(r"[^\W_]+", unicodedata.normalize("NFKC", text).casefold()))
