"""Read mail: a message (.eml) or a mailbox with many (.mbox), with the standard library.

A message is an article, or those of the export that a newspaper database sent. Its text is the part in plain text or,
where there is none, the one in HTML. Attachments are never opened.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from email import message_from_bytes
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message
from email.utils import parsedate_to_datetime

from msgspec.structs import replace

from corpus.reading.article_in_file import ArticleInFile, by_text
from corpus.reading.database_exports import may_be_export
from corpus.reading.documents.faults import UnreadableError
from corpus.reading.documents.lines import Line, article_of, clean
from corpus.reading.exports import split
from corpus.reading.text_encoding import NotTextError, decode
from corpus.reading.web.html_in_text import lines as html_lines
from corpus.reading.web.html_page import read_page
from corpus.reading.web.html_parser import parsed
from corpus.records import Span
from corpus.sentences import line_ends, wrapping

MAIL = "stance mail 1"
MESSAGES = 100_000
PARTS = 500
"""Parts inside of each other or side by side: a mail with more was made to stop programs."""
HEADER = 10_000
"""Characters of a header that are decoded."""
_HEADERS = re.compile(rb"From |[!-9;-~]{1,100}:")
_BEGIN = re.compile(rb"(?:\A|(?<=\n)\r?\n)From [^\r\n]*\d{4}[^\r\n]*\r?\n(?=[!-9;-~]{1,100}:)")
_INNER = re.compile(rb"^content-type:\s*(?:multipart|message)/", re.I | re.M)
_FLOWED = re.compile(r"(?<!\n-- )(?<=[^\n ]) \n(?![>\n])")
_SIGNATURE = re.compile(r"^-- ?$", re.M)


def read_message(data: bytes, family: str = "") -> list[ArticleInFile]:
    """The article that a mail is, or the articles of the export in it.

    Args:
        data: the mail.
        family: `[corpus] format`; with `plain`, no mail is split.

    Raises:
        UnreadableError: it is no mail, or has too many parts.
    """
    data = data.lstrip(b"\xef\xbb\xbf \t\r\n")
    if not _HEADERS.match(data):
        raise UnreadableError("expected a mail, which begins with its headers; found something else")
    return _articles(data.partition(b"\n")[2] if data.startswith(b"From ") else data, family)


def read_mailbox(data: bytes, family: str = "") -> list[ArticleInFile]:
    """The articles that the mails of a mailbox are, each of which begins after a blank line, with `From `.

    Args:
        data: the mailbox.
        family: `[corpus] format`; with `plain`, no mail is split.

    Raises:
        UnreadableError: it is no mailbox, or has too many mails.
    """
    starts = [match.start() for match in _BEGIN.finditer(data)]
    if not starts or data[: starts[0]].strip():
        raise UnreadableError("expected a mailbox, which begins with a line “From ”; found something else")
    if len(starts) > MESSAGES:
        raise UnreadableError(f"more than {MESSAGES:,} mails")
    articles = []
    for start, end in zip(starts, [*starts[1:], len(data)], strict=True):
        raw = data[start:end].lstrip(b"\r\n").partition(b"\n")[2]
        try:
            # Mailboxes escape lines of a mail that begin like the next mail.
            articles += _articles(re.sub(rb"^>(>*From )", rb"\1", raw, flags=re.M), family)
        except UnreadableError as error:
            articles.append(ArticleInFile(fault=str(error)))
        except Exception as error:  # a broken mail must not hide the others
            articles.append(ArticleInFile(fault=f"a broken mail: {type(error).__name__}: {error}"[:300]))
    return articles


def _articles(data: bytes, family: str) -> list[ArticleInFile]:
    if len(_INNER.findall(data)) > PARTS:
        raise UnreadableError(f"more than {PARTS:,} parts in a mail")
    message = message_from_bytes(data)
    parts = list(_leaves(message))
    shown = [part for part in parts if not _attached(part)]
    texts = [part for part in shown if part.get_content_type() == "text/plain"]
    pages = [part for part in shown if part.get_content_type() == "text/html"]
    others = [part for part in parts if part not in texts and part not in pages]
    notes: list[str] = []
    exported = [] if family == split.PLAIN else _exported(texts, pages)
    # A mail in both forms says the same in both.
    lines, extractor = [line for part in texts for line in _plain(part)], MAIL
    if not lines and pages and not exported:
        lines, extractor, note = _of_page(pages[0])
        notes.append(note)
        if len(pages) > 1:
            notes.append(f"further parts in HTML that are not read: {len(pages) - 1}")
    if others:
        kinds = ", ".join(sorted({clean(part.get_content_type()) for part in others}))
        notes.append(f"attachments that are not read: {len(others)} ({kinds[:200]})")
    if any(part.defects for part in [message, *parts]):
        notes.append("the mail breaks the rules of its format; some of its text may be missing")
    if exported:
        return [*_noted(exported[:1], notes), *exported[1:]]
    article = article_of(lines, extractor, {"title": _header(message, "subject"), "published": _date(message)}, notes)
    if article.fault and others:
        raise UnreadableError(f"no text in the mail; {notes[-1]}")
    return [article]


def _exported(texts: Sequence[Message], pages: Sequence[Message]) -> list[ArticleInFile]:
    """The articles of the export of a newspaper database that a mail is; none where it is no such mail."""
    found: Sequence[ArticleInFile] = []
    if texts:
        text = _text(texts[0])
        found = split.articles_of(text) or [] if may_be_export(text) else []
    elif pages and may_be_export(_text(pages[0])):
        try:
            found = read_page(_payload(pages[0]), _charset(pages[0]), "")[0].articles
        except NotTextError:  # it is read as a mail, or refused there with its reason
            found = []
    return [replace(one, extractor=f"{one.extractor}, {MAIL}") for one in by_text(found)]


def _noted(articles: Sequence[ArticleInFile], notes: Sequence[str]) -> list[ArticleInFile]:
    return [replace(one, note="\n".join(filter(None, [*notes, one.note]))) for one in articles]


def _leaves(message: Message) -> Iterator[Message]:
    """The parts of a mail that hold no parts, in order; mails that it forwards are looked into, too."""
    waiting = [message]
    while waiting:
        part = waiting.pop()
        inner = part.get_payload() if part.is_multipart() else None
        if isinstance(inner, list):
            waiting += [one for one in reversed(inner) if isinstance(one, Message)]
        else:
            yield part


def _attached(part: Message) -> bool:
    return part.get_content_disposition() == "attachment" or bool(part.get_filename())


def _plain(part: Message) -> list[Line]:
    """The paragraphs of a part in plain text; lines that quote another mail, and the signature, are told apart."""
    text = _text(part).replace("\r\n", "\n").replace("\r", "\n")
    if str(part.get_param("format") or "").lower() == "flowed":
        text = re.sub(r"(?m)^ ", "", _FLOWED.sub(" ", text))
    signature = max((match.start() for match in _SIGNATURE.finditer(text)), default=len(text))
    places = line_ends.places(text)
    apart = [start >= signature or text[start] == ">" for start, _ in places]
    # Mail programs wrap paragraphs to a width.
    found = wrapping.paragraphs(text, places, alone=apart.__getitem__, begins=lambda _: False, spaced=True)
    lines: list[Line] = []
    for paragraph in found:
        start = paragraph[0][0]
        whole = " ".join(text[begin:end] for begin, end in paragraph)
        if start >= signature:
            lines.append(Line(whole, "footer", "signature"))
        elif text[start] == ">":
            lines.append(Line(whole, "other", "quoted mail"))
        else:
            lines.append(Line(whole))
    return lines


def _payload(part: Message) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _charset(part: Message) -> str:
    charset = part.get_content_charset() or ""
    return "" if charset in ("us-ascii", "ascii") else charset


def _text(part: Message) -> str:
    data = _payload(part)
    try:
        if charset := _charset(part):
            return data.decode(charset)
    except (LookupError, ValueError):  # it declares another encoding than it has
        pass
    try:
        return decode(data)[0] if data else ""
    except NotTextError as error:
        raise UnreadableError(f"the text of the mail: {error}") from error


def _of_page(part: Message) -> tuple[list[Line], str, str]:
    """The lines of an HTML part. Mails are not laid out as pages are: where no article is found, all of it is read."""
    try:
        found, _ = read_page(_payload(part), _charset(part))
        return _marked_lines(found.text, found.marks), found.extractor, found.note
    except NotTextError:
        pass
    try:
        return [Line(line) for line in html_lines(parsed(_text(part))).split("\n")], MAIL, ""
    except NotTextError as error:
        raise UnreadableError(f"the HTML of the mail: {error}") from error


def _marked_lines(text: str, marks: Sequence[Span]) -> list[Line]:
    """The lines of a page's text, each with its kind where the page tells it."""
    kinds = {mark.start: (mark.kind, mark.reason) for mark in marks}
    lines, start = list[Line](), 0
    for line in text.split("\n"):
        lines.append(Line(line, *kinds.get(start + len(line) - len(line.lstrip()), ("", ""))))
        start += len(line) + 1
    return lines


def _header(message: Message, name: str) -> str:
    """A header in plain characters; in bytes that were never declared, UTF-8 or Windows' code page is assumed."""
    raw = next((str(value) for key, value in message.raw_items() if key.lower() == name), "")[:HEADER]
    data = raw.encode("utf-8", "surrogateescape")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("cp1252", "replace")
    try:
        return clean(str(make_header(decode_header(re.sub(r"\r?\n(?=[ \t])", "", text)))))
    except (LookupError, ValueError, MessageError):
        return clean(text)


def _date(message: Message) -> str:
    """The date of a mail as ISO 8601 with its time zone; one that cannot be parsed stays as it is."""
    stated = _header(message, "date")
    try:
        return parsedate_to_datetime(stated).isoformat() if stated else ""
    except (ValueError, TypeError, OverflowError):
        return stated
