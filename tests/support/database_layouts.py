"""Exports of newspaper databases, written from invented articles as the databases lay them out."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from html import escape

import msgspec


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """An invented article: what each layout is written from, and what reading must give back."""

    title: str
    outlet: str = "The Harbor Herald"
    day: int = 11
    author: str = "Anna Moss"
    body: tuple[str, ...]

    @property
    def date(self) -> str:
        """The date in ISO 8601."""
        return f"2031-01-{self.day:02}"


STORIES = (
    Story(
        title="Town sends boats to the islands",
        body=("The council sent two boats to the islands on Monday.", "“We will not wait,” the harbor master said."),
    ),
    Story(title="Union warns of storm risk", outlet="Northern Gazette", day=12, body=("The union spoke of a storm.",)),
    Story(title="Cable repairs still without a date", day=15, body=("Nobody knows when.", "It rained.", "It rained.")),
)


def lexisnexis(stories: Sequence[Story]) -> str:
    """LexisNexis: a number before each article, lines of 79 characters, labels in capitals."""
    parts = [f"Download Request: Selected Items: 1-{len(stories)}\n\nSend To:\nLAKE HARBOR LIBRARY\n\n\n"]
    for number, one in enumerate(stories, 1):
        parts.append(
            f"{'':31}{number} of {len(stories)} DOCUMENT{'S' * (len(stories) > 1)}\n\n\n\n{one.outlet:^79}\n\n"
            f"{f'January {one.day}, 2031 Thursday':^79}\n{'Late Edition - Final':^79}\n\n{one.title}\n\n"
            f"BYLINE: {one.author}\n\nSECTION: NEWS; Pg. 7\n\nLENGTH: 155 words\n\n"
            + "".join(f"{textwrap.fill(paragraph, 79)}\n\n" for paragraph in one.body)
            + "LOAD-DATE: January 19, 2031\n\nLANGUAGE: ENGLISH\n\nGRAPHIC: Photo: A boat leaves, seen from a very "
            "long way\noff. (Photo by B. Dane)\n\nPUBLICATION-TYPE: Newspaper\n\n\n"
            f"{'Copyright 2031 Harbor Media Ltd':^79}\n{'All Rights Reserved':^79}\n\n"
        )
    return "".join(parts)


def nexis_uni(stories: Sequence[Story]) -> str:
    """Nexis Uni: a list of the articles, then each from its title to `End of Document`."""
    listed = "".join(
        f"{number}. {one.title}\nClient/Matter: -None-\nSearch Terms: boats\n\n"
        for number, one in enumerate(stories, 1)
    )
    return f"Job Number: 00000001\nDocuments ({len(stories)})\n{listed}" + "".join(
        f"{one.title}\n{one.outlet}\nJanuary {one.day}, 2031 Thursday 10:15 AM GMT\n\n"
        "Copyright 2031 Harbor Media Ltd All Rights Reserved\n\n"
        f"Section: NEWS; Pg. 7\nLength: 155 words\nByline: {one.author}\nHighlight: The council voted 7 to 4.\nBody\n\n"
        + "".join(f"{paragraph}\n\n" for paragraph in one.body)
        + "Graphic\nPhoto: A boat leaves.\n\nClassification\n\nLanguage: ENGLISH\n\nPublication-Type: Newspaper\n\n"
        "Subject: BOATS (90%)\n\nLoad-Date: January 19, 2031\n\nEnd of Document\n\n"
        for one in stories
    )


def factiva_coded(stories: Sequence[Story], mark: str = "\n") -> str:
    """Factiva with codes of fields, behind which the values follow: on the next line, or behind a tab or spaces."""

    def field(code: str, value: str) -> str:
        return f"{code}{mark}{value}\n"

    return "\n".join(
        field("SE", "News")
        + field("HD", one.title)
        + field("BY", one.author)
        + field("WC", "155 words")
        + field("PD", f"{one.day} January 2031")
        + field("SN", one.outlet)
        + field("SC", "HARH")
        + field("LA", "English")
        + field("CY", "(c) 2031 Harbor Media Ltd")
        + field("LP", one.body[0])
        + (field("TD", "\n\n".join(one.body[1:])) if len(one.body) > 1 else "")
        + field("NS", "gvote : Elections | gcat : Political/General News")
        + field("PUB", "Harbor Media Ltd")
        + field("AN", f"Document {record(number)}")
        for number, one in enumerate(stories)
    )


def record(number: int) -> str:
    """The number that Factiva gives to an article."""
    return f"HARH000020310111ek11000{number:02}"


def factiva_plain(stories: Sequence[Story]) -> str:
    """Factiva without codes."""
    return "\n".join(
        f"News\n{one.title}\nBy {one.author}\n155 words\n{one.day} January 2031\n10:15\n{one.outlet}\nHARH\n7\n"
        "English\nCopyright 2031 Harbor Media Ltd\n\n"
        + "".join(f"{paragraph}\n\n" for paragraph in one.body)
        + f"Document {record(number)}\n"
        for number, one in enumerate(stories)
    )


def proquest(stories: Sequence[Story]) -> str:
    """ProQuest: rules between the articles, labels before and behind each text."""
    rule = "_" * 60
    return (
        "".join(
            f"{rule}\n\nDocument {number} of {len(stories)}\n\n{one.title}\n\nAuthor: {one.author}\n\n"
            f"Publication info: {one.outlet} ; Lake Harbor [Lake Harbor]. {one.day} Jan 2031: A3.\n\n"
            "ProQuest document link\n\nAbstract: The council spoke of boats, says the abstract.\n\n"
            "Links: https://sund.example/get\n\nFull text: "
            + "".join(f"{paragraph}\n\n" for paragraph in one.body)
            + f"Subject: Boats; Islands\n\nTitle: {one.title}\n\nPublication title: {one.outlet}\n\nFirst page: A3\n\n"
            f"Publication year: 2031\n\nPublication date: Jan {one.day}, 2031\n\nSection: News\n\n"
            "Publisher: Harbor Media Ltd\n\nLanguage of publication: English\n\nDocument type: News\n\n"
            f"ProQuest document ID: 1234567{number}\n\nDocument URL: https://pq.example/{number}\n\n"
            "Copyright: Copyright Harbor Media Ltd Jan 11, 2031\n\nLast updated: 2031-01-19\n\nDatabase: ProQuest\n\n"
            for number, one in enumerate(stories, 1)
        )
        + f"{rule}\n\nContact us at: https://pq.example/contact\n\nDatabase copyright © 2031 ProQuest LLC.\n"
    )


def europresse_text(stories: Sequence[Story]) -> str:
    """Europresse as plain text."""
    return "".join(
        f"{one.outlet}, no. 4301{number}\nÉvénement, jeudi {one.day} janvier 2031 1 155 mots, p. 3\n\n{one.title}\n\n"
        + "".join(f"{paragraph}\n\n" for paragraph in one.body)
        + f"© 2031 {one.outlet}. Tous droits réservés.\nnews·203101{one.day:02}·HH·0q150{number}\n\n"
        for number, one in enumerate(stories)
    )


def ris(stories: Sequence[Story]) -> str:
    """RIS, with the text in the abstract."""
    return "\n".join(
        "TY  - NEWS\nTI  - "
        + one.title
        + f"\nAU  - Moss, Anna\nT2  - {one.outlet}\nDA  - 2031/01/{one.day:02}/\nAB  - "
        + "\n\n".join(one.body)
        + f"\nLA  - English\nKW  - boats\nAN  - ris{number}\nER  - \n"
        for number, one in enumerate(stories)
    )


def bibtex(stories: Sequence[Story]) -> str:
    """BibTeX, with the text in the abstract."""
    return "\n".join(
        f"@article{{moss{number},\n  title = {{{{{one.title}}}}},\n  author = {{Moss, Anna}},\n"
        f'  journal = "{one.outlet}",\n  date = {{2031-01-{one.day:02}}},\n  langid = {{english}},\n  abstract = {{'
        + "\n\n".join(one.body).replace("&", r"\&").replace("%", r"\%")
        + "},\n  keywords = {boats}\n}\n"
        for number, one in enumerate(stories)
    )


def lexisnexis_html(stories: Sequence[Story]) -> str:
    """LexisNexis as HTML."""

    def part(*lines: str) -> str:
        inner = "".join(f'<P CLASS="c1"><SPAN CLASS="c2">{line}</SPAN></P>\n' for line in lines)
        return f'<BR><DIV CLASS="c0">{inner}</DIV>\n'

    articles = "".join(
        f'<A NAME="DOC_ID_0_{number}"></A><!-- Hide XML section from browser\n<DOC NUMBER={number}>\n<DOCFULL> -->\n'
        + part(f"{number} of {len(stories)} DOCUMENTS")
        + part(escape(one.outlet))
        + part(f"January {one.day}, 2031 Thursday")
        + part(escape(one.title))
        + part(f'BYLINE: </SPAN><SPAN CLASS="c3">{one.author}')
        + part('LENGTH: </SPAN><SPAN CLASS="c3">155 words')
        + part(*map(escape, one.body))
        + part("LOAD-DATE: January 19, 2031")
        + part("LANGUAGE: ENGLISH")
        + part("Copyright 2031 Harbor Media Ltd")
        + "<!-- Hide XML section from browser\n</DOCFULL>\n</DOC> -->\n"
        for number, one in enumerate(stories, 1)
    )
    return f"<HTML>\n<HEAD><TITLE>&nbsp;</TITLE></HEAD>\n<BODY>\n{articles}</BODY></HTML>"


def factiva_html(stories: Sequence[Story]) -> str:
    """Factiva as HTML, with codes."""

    def row(code: str, *values: str) -> str:
        inner = "".join(f"<p class='articleParagraph enarticleParagraph'>{escape(value)}</p>\n" for value in values)
        return f'<tr><td class="index"><b>{code}</b>&nbsp;</td><td>{inner}</td></tr>'

    articles = "<br/>".join(
        '<div class="article enArticle"><table>'
        + row("HD", one.title)
        + row("BY", one.author)
        + row("WC", "155 words")
        + row("PD", f"{one.day} January 2031")
        + row("SN", one.outlet)
        + row("LA", "English")
        + row("LP", one.body[0])
        + (row("TD", *one.body[1:]) if one.body[1:] else "")
        + row("AN", f"Document {record(number)}")
        + "</table></div>"
        for number, one in enumerate(stories)
    )
    return f"<html><head><title>Factiva</title></head><body><h1>Factiva</h1><div>{articles}</div></body></html>"


def europresse_html(stories: Sequence[Story]) -> str:
    """Europresse as HTML."""
    articles = "".join(
        '<article><header><div class="rdp__DocPublicationName"><span class="DocPublicationName">'
        f'{escape(one.outlet)}, no. 4301{number}</span></div><span class="DocHeader">Événement, jeudi {one.day} '
        f'janvier 2031 1 155 mots, p. 3</span><div class="titreArticle"><p class="sm-margin-TopNews titreArticleVisu '
        f'rdp__articletitle">{escape(one.title)}</p></div><div class="docAuthors">{one.author}</div></header><section>'
        '<div class="docOcurrContainer"><div class="DocText clearfix">'
        + "".join(f"<p>{escape(paragraph)}</p>" for paragraph in one.body)
        + f"</div></div></section><footer><small>© 2031 {escape(one.outlet)}. Tous droits réservés.</small>"
        f'<div class="publiC-lblNodoc">news·203101{one.day:02}·HH·0q150{number}</div></footer></article>'
        for number, one in enumerate(stories)
    )
    return f"<!DOCTYPE html><html><head><title>Europresse</title></head><body><h2>Dossier</h2>{articles}</body></html>"


Layout = Callable[[Sequence[Story]], str]
TEXTS: dict[str, Layout] = {
    "LexisNexis": lexisnexis,
    "Nexis Uni": nexis_uni,
    "Factiva, codes on lines": factiva_coded,
    "Factiva, codes and tabs": lambda stories: factiva_coded(stories, "\t"),
    "Factiva, codes and spaces": lambda stories: factiva_coded(stories, "  "),
    "Factiva, codes and one space": lambda stories: factiva_coded(stories, " "),
    "Factiva, no codes": factiva_plain,
    "ProQuest": proquest,
    "Europresse": europresse_text,
    "RIS": ris,
    "BibTeX": bibtex,
}
PAGES: dict[str, Layout] = {
    "LexisNexis": lexisnexis_html,
    "Factiva": factiva_html,
    "Europresse": europresse_html,
}
