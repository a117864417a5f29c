"""Fixed wordings of lines that are not part of an article, such as adverts and copyright notes.

Each row gives the kind of a line, the name of the rule, and a regular expression that matches from the start of the
line, whatever the case; a space in it matches any white space. No such wording opens a sentence of a story, so the rule
applies whatever the final punctuation; the same words inside a quotation are prose, as they are not at the start.
"""

# ruff: noqa: E501  # each wording is one row of a table

from __future__ import annotations

import re

from corpus.sentences.languages import SAME

_WORDINGS = r"""
other   no-letters     [\W_]+$
other   counter        \d{1,3} ?(?:/|of) ?\d{1,3}$|(?:full ?screen|next|previous|back to top)$
other   age            (?:\w+ )?(?:\d{1,3}|an?) ?(?:min|minute|hour|day|week|month|year)s?\.? (?:ago|read)(?: \d+)?$
other   loading        (?:loading(?: comments?)?|please wait)(?:\.{2,4}|…)?$|from the section\b(?!.{60})
footer  correction     (?:correction|clarification)s? ?(?:\(|:|—|–)|to (?:suggest|report) an? (?:correction|error)
footer  correction     an? (?:earlier|previous|prior) (?:version|headline) of this (?:story|article|post|column)
footer  correction     an? (?:earlier|previous) version of this report (?:mis|incorrect|wrong|gave|contain)
footer  correction     this version corrects\b
footer  this-text      this (?:story|article|post|piece|essay) (?:has been|was|is) (?:\w+ )?(?:corrected|updated)\b
footer  this-text      this (?:article|post|piece|interview) (?:has been|was) (?:condensed|edited|amended|translated)\b
footer  this-text      this (?:story|article|post|piece|essay) was (?:\w+ )?published\b
footer  this-text      this (?:story|article|post|piece|essay|column) (?:was )?(?:originally |first )?(?:appeared|reprinted|republished) (?:on|in|at|from|with)\b(?!.{120})
footer  this-text      this (?:report|column) has been (?:corrected|updated|edited)\b
footer  note           (?:editor|author|writer)(?:[’']s|s[’']?)? note\b|notes? (?:from|by) the (?:author|editor)s?\b
footer  note           about the (?:author|writer|columnist|contributor)s?(?: ?[:–—-]|$)
footer  note           our standards ?:
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
footer  contact        submit (?:a|your) (?:letter|comment|op-ed|question)s? (?:to the editor|to us|via|here|at|through|using)\b(?!.{120})|we(?: want|[’']d (?:love|like)) to hear (?:from you|what you think)\b(?!.{120})
footer  contact        (?:you can also )?highlight the text\b
footer  coverage       (?:follow|find|see|read) (?:our|more|all) (?:of )?(?:\w+ ){0,2}coverage\b
footer  coverage       (?:follow|find|see|read) (?:the )?[\w.]{1,20}[’']s (?:\w+ ){0,2}coverage\b
footer  coverage       for (?:more (?!than)|the latest ).{1,60}\b(?:visit|follow|click|sign up|go to|download)\b(?!.{80})
footer  syndication    the post .{1,200}\b(?:appeared first|first appeared|was first published) (?:on|at|in)\b(?!.{100})
other   truncated      (?:[\[(] ?)?only available (?:in|to|for|with) (?:\w+ )?(?:paid|premium|professional)\b[^.!?]{0,40}$
footer  sign-off       \([A-Z]{2,8}\) [a-z]{2,4}(?:[/-][a-z]{2,4}){0,4}$|-30-$|(?:filed under|tags?|topics?) ?:
ad      advertisement  (?:article )?(?:ad|advert|advertisement|advertising|sponsored|paid content)(?: box)?$
ad      advertisement  (?:story|article) continues\b.{0,40}$|(?:scroll|skip)\b.{0,12} to continue\b.{0,30}$
ad      recommended    (?:also (?:read|in|on|see)|(?:read|see|watch)(?: also| more| next)?)(?: [\w+]+)? ?[:|>»]
ad      recommended    (?:related|recommended|most read|trending|don[’']t miss)(?: \w+)? ?[:|>»]
ad      recommended    (?:also read|read also|read more|continue reading|recommended|related)\b[^.!?“"]{0,100}$
ad      recommended    (?:most (?:read|popular|viewed)|trending|more (?:from|on|in|like this|for you))\b[^.!?“"]{0,60}$
ad      recommended    more (?:\S+ )?(?:stories|news|headlines|articles|coverage|reading|(?:must-)?reads)\b[^.!?“"]{0,60}$
ad      recommended    (?:read|see|show|view|find out|learn) more(?: (?:here|about it))?(?: ?(?:\.{2,4}|…|[»›→>]+))?$
ad      recommended    (?:continue|keep) reading\b[^.!?“"]{0,100}(?:\.{2,4}|…)?$
ad      recommended    [\[(] ?(?:read |see |show |continue )?(?:more|reading|continued)\b[^\])]{0,30}[\])]$
ad      recommended    (?:see also|further reading|must[- ]reads?|(?:what to |up |read |watch )next)\b[^.!?“"]{0,60}$
ad      recommended    (?:top|latest|other|popular|featured|recent) (?:stories|headlines|articles|posts|reads)\b[^.!?“"]{0,40}$
ad      recommended    (?:in other news|elsewhere on the web|from the archives?|(?:our|editor|staff)[’']?s?[’']? picks?) ?:?$
ad      recommended    read (?:the |our )?(?:full|entire|whole|rest|original|response|latest)\b(?!.*[.!]$).{0,120}$
ad      recommended    you (?:may|might) (?:also )?(?:like|be interested)\b[^.!]{0,20}$
ad      newsletter     (?:sign up|subscribe)(?: now| today| here)?(?:$|[.!:]| (?:for|to|and|with|–|-|—) )(?!.{160})
ad      newsletter     subscribe to \S+$
ad      newsletter     (?:get|receive) [^“"]{1,80}\b(?:newsletter|your inbox|sign up|subscribe)\b(?!.{80})
ad      newsletter     (?:never|don[’']t) miss (?:a|the|out|another)\b[^“"]{1,60}\b(?:sign|subscrib|newsletter|our app)|\[[^\]“"]{1,120}\b(?:your inbox|newsletter)\b[^\]]{0,40}\]$
ad      support        (?:please )?support (?:independent|our|quality|local|us)\b.{0,80}\b(?:journalism|member|donat)
ad      support        (?:become an? (?:member|supporter|subscriber|patron)|(?:donate|subscribe) (?:now|today|here))\b
ad      support        to (?:view|read|continue(?: reading)?) (?:the|this) (?:(?:full|entire|whole|rest of the) )?(?:story|article),? please (?:subscribe|sign|log|register)
ad      support        (?:if you[’']re seeing this message|first-time subscribers|already an? (?:subscriber|member)\b)(?!.{160})
ad      promotion      (?:click|tap) (?:here|to|on)\b(?!.{120})|follow us\b(?!.{120})
ad      promotion      (?:listen to|download|join|watch|visit) our (?:\w+ )?(?:podcast|app|channel|community|video|page)
ad      promotion      if you (?:enjoyed|liked) (?:reading )?this (?:article|story|post|piece|interview|episode)\b(?!.{160})|want to (?:know|learn|read) more\b[^?“"]{0,80}\?
ad      sharing        (?:share(?: (?:this|on|via)\b[^.!?]{0,40})?|tweet|e?-?mail|print|\d{0,5} ?comments?|copy link)$
"""
# Copyright lines may start with anything, so these are tried only where one of the signs occurs.
_COPYRIGHTS = r"""
credit  copyright      (?:©|\(c\)|copyright)(?: ©| \(c\))? ?\d{4}|©|all rights reserved
credit  copyright      [^“".?!]{0,60}(?:™|®|℠|\btm\b|\((?:tm|r|sm)\))(?:,? ?(?:&|and|\+|/))? ?(?:©|\(c\)|copyright\b)
credit  copyright      (?:©|\(c\)|copyright)(?:,? ?(?:&|and|\+|/))? ?(?:™|®|℠|tm\b|\((?:tm|r|sm)\)) ?[&\d\w]
credit  copyright      [^“"?!]{0,100}(?:©|\(c\)) ?(?:copyright )?(?:19|20)\d\d\b|copyright (?:©|\(c\))
credit  copyright      [^“"?!]{0,160}(?:[.,;:|)–—-] ?|(?:19|20)\d\d [^“"?!.]{0,60})all rights reserved\b(?!.{200})
credit  copyright      [^“"?!]{0,100} (?-i:All Rights Reserved|ALL RIGHTS RESERVED)\W*$
credit  copyright      (?:(?:all|entire|site|web) ?)*(?:contents?|materials?|text) (?:is |are )?copyright(?:ed)? (?:©|by|\d{4})
credit  copyright      this (?:material|content|\w+) may not be (?:published|reproduced|copied|rebroadcast|redistributed)
"""
_BULLETS = "•▪●‣→» "
_COPYRIGHT = 400  # characters: no such line seen is longer

# Wordings of other languages, each seen on news sites or blogs; what stands before a colon may be short here. Those in
# Czech were seen on irozhlas.cz (2018), hokej.cz (2023), seznamzpravy.cz (2025) and aktualne.cz; in Finnish on
# uusisuomi.fi and yle.fi (2020); in Italian on lastampa.it, ilgiornale.it and repubblica.it (2025); in Norwegian on
# nettavisen.no, nrk.no (2024), dagbladet.no (2024, 2026) and adressa.no; in Portuguese on gazetadopovo.com.br,
# correiobraziliense.com.br, brasil247.com (2022) and folha.uol.com.br, and in the Brazilian texts of the Fake.br corpus.
_OTHER = {
    "de": r"""
ad      recommended    (?:mehr|weiter) ?lesen ?(?:[:…>»]|\.{2,4}|$)|schon gelesen\?$
ad      recommended    (?:lesen sie|lies|lest) (?:(?:dazu|hierzu) )?auch\b(?: [^.!?:]{1,60})? ?(?::|$)
ad      recommended    mehr (?:zum thema|zu diesem thema|dazu)\b[^.!?:]{0,60} ?(?::|$)
ad      recommended    (?:das thema|das|dies|diese \w+) könnten? (?:dich|sie|euch) (?:auch|ebenfalls) interessieren\b
ad      recommended    weitere (?:beiträge|artikel|themen|top-?artikel|topthemen|meldungen|informationen|infos)\b[^.!?:]{0,60}:$
footer  coverage       (?:weitere|mehr) (?:informationen|infos)\b(?: (?:zu|zum|zur|über) [^.!?]{1,60})? (?:finden sie|findet ihr|findest du|(?:gibt[’']s )?unter (?=www|http|\w+\.\w))(?!.{100})
ad      newsletter     (?:abonnieren|bestellen) sie (?:jetzt |hier )?(?:den|unseren) [^.!?]{0,40}newsletter\b
ad      sharing        (?:teilen sie dies mit|teilen mit|bewerten) ?:
ad      advertisement  (?:anzeige|werbung)(?:$|[.\]]| ?[-–:] )
credit  photo-credit   (?:beitragsbild|bildnachweis|bildquelle|titelbild|abb\.) ?(?::|$)
caption figure         abbildung \d{1,3} ?:
credit  source         quellen? ?:
dateline date-or-place (?:zuletzt )?aktualisiert am \d[\w. ]{1,24}(?:, [\d:. ]{4,6}(?:uhr)?)?$
other   comments       kommentare (?:werden geladen|von lesern)\b|(?:um|sie müssen|du musst) .{0,80}\b(?:kommentieren zu können|kommentarfunktion|kommentare zu schreiben)\b
""",
    "fr": r"""
ad      recommended    (?:[àa] )?lire (?:aussi|également) ?(?:[:»>]|$)|pour lire la suite\b(?!.{100})
""",
    "es": r"""
ad      recommended    (?:puedes ver|lea también) ?(?::|$)
ad      promotion      s[íi]guenos en\b(?!.{160})|¿ya sabías que [^?]{0,80}\bcanal\b|¡mira lo que tiene nuestro canal\b
footer  contact        puedes? escribirnos a\b
""",
    "pl": r"""
ad      recommended    (?:prze)?czytaj (?:też|także|więcej) ?(?:[:\])]|$)|zobacz wideo\b(?!.{160})
credit  copyright      materiał chroniony prawem autorskim\b
""",
    "cs": r"""
ad      recommended    (?:čtěte také|více k tématu|související témata|mohlo by vás zajímat) ?(?::|$)
ad      advertisement  reklama$
""",
    "da": r"ad recommended læs også ?(?::|$)",
    "fi": r"ad recommended lue (?:myös|seuraavaksi|aiheesta lisää) ?(?::|$)",
    "id": r"ad recommended baca juga ?(?::|$)",
    "it": r"""
ad      recommended    leggi anche ?(?::|$)
ad      advertisement  pubblicità$
""",
    "nl": r"ad recommended lees ook ?(?::|$)",
    "no": r"ad recommended (?:les også|les mer|se også) ?(?::|$)",
    "pt": r"""
ad      recommended    (?:leia (?:também|mais)|saiba mais|veja também) ?(?::|$)
ad      advertisement  continua depois da publicidade$
""",
    "ru": r"ad recommended читайте также ?(?::|$)",
    "sv": r"ad recommended läs också ?(?::|$)",
    "uk": r"ad recommended читайте також ?(?::|$)",
}


def _rows(table: str) -> list[list[str]]:
    return [row.split(maxsplit=2) for row in table.strip().splitlines()]


def _compiled(rows: list[list[str]]) -> re.Pattern[str]:
    return re.compile("|".join(f"({pattern})" for _, _, pattern in rows).replace(" ", r"\s"), re.IGNORECASE)


_ROWS = _rows(_WORDINGS)
_WORDING = _compiled(_ROWS)
# The same without groups, for lines in lower case: without them a row that begins with another letter costs next to
# nothing, so this is tried first.
_ANY_WORDING = re.compile("|".join(row for _, _, row in _ROWS).replace(" ", r"\s").replace("[A-Z]", "[a-z]"))
_ANY_COPYRIGHT = _compiled(_rows(_COPYRIGHTS))
_OTHERS = {language: (rows := _rows(table), _compiled(rows)) for language, table in _OTHER.items()}

# What an API or a feed puts where it cut a text short, after text of the article on the same line: in brackets
# "[+1234 chars]" (NewsAPI), "[1234 chars]" (GNews), "(more…)", and at the end of the text "[…]" (WordPress); after a
# full stop or an ellipsis "Read more" and the like.
_BRACKETED = re.compile(
    r"""
    [\[(]\s?
    (?: \+\s?\d[\d,.]{0,9}\s(?:more\s)?(?:char|word)[^\])]{0,24}
      | (?<=\[)(?:…\s?)?\d[\d,.]{0,9}\s(?:more\s)?(?:char|word)[^\])]{0,24}
      | (?:(?:text|content|article|story|message)\s)?(?:truncated|clipped)[^\])]{0,24}
      | (?:(?:read|see)\s)?more\s?(?:…|\.{2,4}|[»›→>]+)? | continue(?:d|\sreading)\b[^\])]{0,24}
    )
    \s?[\])]$
    """,
    re.VERBOSE | re.IGNORECASE,
)
_ELLIPSIS = re.compile(r"[\[(]\s?(?:\.{3,5}|…|&hellip;|&#8230;)\s?[\])]$")
_INVITATION = re.compile(
    r"""
    (?<=[.!?…”"\])»]\s)
    (?: (?:Read|READ|See|SEE|Show|View)\s(?i:more|on|(?:the\s)?(?:full|whole|entire|rest\sof\sthe)\s(?:story|article|text|post))
        (?:\s(?:here|(?:at|on|in|about)\s[^.!?]{1,60}))?(?:\s?(?:\.{2,4}|…|[»›→>]+))?
      | (?:(?<=…\s)|(?<=\.\.\s)|(?<=…\]\s)|(?<=\.\.\]\s))(?i:read|see|show|view)\s(?i:more|on)(?:\s?(?:\.{1,4}|…|[»›→>]+))?
      | (?:Continue|Keep)\s[Rr]eading\b[^.!?“"]{0,100}(?:\.{2,4}|…)?
      | CONTINUE\sREADING\W{0,4}
      | The\spost\s[^\r\n]{1,200}?\s(?:appeared\sfirst|first\sappeared)\son\s[^.!?]{1,80}\.?
    )$
    """,
    re.VERBOSE,
)
_MARKER = 330  # characters: no such marker is longer


def cut_short(text: str, start: int, end: int, *, last: bool) -> int:
    """Where the marker of a text that was cut short starts in a line, or the line's end.

    Args:
        text: the text.
        start: where the line starts.
        end: where the line ends, without the white space after it.
        last: whether the line is the last of the text.

    >>> line = "Opponents in… [+1234 chars]"
    >>> line[: cut_short(line, 0, len(line), last=True)]
    'Opponents in… '
    """
    back = max(start, end - _MARKER)
    if text[end - 1] in "])":
        opening = max(text.rfind("[", back, end), text.rfind("(", back, end), back)
        match = _BRACKETED.match(text, opening, end) or (_ELLIPSIS.match(text, opening, end) if last else None)
    else:
        tail = text[max(start, end - 12) : end] if text[end - 1] in '!?”"’' else text[back:end]
        low = tail.lower()
        invites = (
            " more" in low or " read" in low or "eading" in low or "see " in low or "show " in low or " first " in low
        )
        match = _INVITATION.search(text, back, end) if invites else None
    return match.start() if match else end


def _has_sign(low: str) -> bool:
    """Whether a line in lower case has a word or sign that each of `_COPYRIGHTS` asks for; `any` would take twice as long."""
    return (
        "copyright" in low or "(c)" in low or "tm " in low or "all rights reserved" in low or "may not be " in low
    ) or ("©" in low or "™" in low or "®" in low or "℠" in low)


def wording(body: str) -> tuple[str, str] | None:
    """The kind and rule of a line whose wording shows that it is not part of the article, or None.

    >>> wording("Copyright 2031 The Sund Post. All rights reserved.")
    ('credit', 'copyright')
    """
    low, bare = body.lower(), body.lstrip(_BULLETS)
    if len(body) <= _COPYRIGHT and _has_sign(low) and (_ANY_COPYRIGHT.match(bare) or _ANY_COPYRIGHT.match(body)):
        return "credit", "copyright"
    bulleted = len(bare) < len(body)
    if not (_ANY_WORDING.match(low) or (bulleted and _ANY_WORDING.match(low.lstrip(_BULLETS)))):
        return None
    match = _WORDING.match(bare) or (_WORDING.match(body) if bulleted else None)
    if match is None:
        return None
    kind, reason, _ = _ROWS[(match.lastindex or 1) - 1]
    return kind, reason.replace("-", " ")


def wording_of(language: str, body: str) -> tuple[str, str] | None:
    """The kind and rule of a line whose wording, in a language other than English, is not part of the article, or None.

    Args:
        language: code of the text's language, of two letters.
        body: the line.

    >>> wording_of("fr", "À lire aussi : La pluie à Sund")
    ('ad', 'recommended')
    """
    known = _OTHERS.get(SAME.get(language, language))
    match = known and known[1].match(body.lstrip("•▪●‣→»>*[( -–"))
    if not (known and match):
        return None
    kind, reason, _ = known[0][(match.lastindex or 1) - 1]
    return kind, reason.replace("-", " ")
