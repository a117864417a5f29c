"""Read Markdown (.md), with markdown-it-py: the text without its marks, and its headings as such."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib.metadata import version
from typing import TYPE_CHECKING

from corpus.reading.article_in_file import ArticleInFile
from corpus.reading.documents.faults import UnreadableError
from corpus.reading.documents.lines import Line, article_of, clean
from corpus.reading.text_encoding import NotTextError, decode
from corpus.reading.web.html_in_text import lines as html_lines
from corpus.reading.web.html_parser import parsed

if TYPE_CHECKING:
    from markdown_it.token import Token

CHARACTERS = 5_000_000
"""A longer text takes the parser more than a minute."""
FIELDS = ("id", "title", "outlet", "published", "url", "language", "licence")
_NAMES = {"date": "published", "author": "", "lang": "language", "license": "licence"}
"""What front matter of static sites calls the fields."""
_FRONT = re.compile(r"---[ \t]*\r?\n(.*?)\r?\n(?:---|\.\.\.)[ \t]*(?:\r?\n|\Z)", re.S)
_PAIR = re.compile(r"([A-Za-z_]\w*)[ \t]*:[ \t]*(.*)")
_TAG = re.compile(r"<[^<>]{0,2000}>")


def read_markdown(data: bytes) -> list[ArticleInFile]:
    """The article in a Markdown file, whose front matter may give its fields.

    Raises:
        UnreadableError: the file is not text, or it is too long.
    """
    from markdown_it import MarkdownIt

    try:
        text, _ = decode(data)
    except NotTextError as error:
        raise UnreadableError(str(error)) from error
    if len(text) > CHARACTERS:
        raise UnreadableError(f"longer than {CHARACTERS:,} characters")
    fields: dict[str, str] = {}
    passed: list[str] = []
    if front := _FRONT.match(text):
        fields, passed = _front_matter(front[1])
        text = text[front.end() :]
    lines = _lines(MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text))
    title = next((line.text for line in lines if line.kind == "title"), "")
    fields.setdefault("title", title)
    notes = [f"front matter that is not read: {', '.join(passed)}"] if passed else []
    return [article_of(lines, f"markdown-it-py {version('markdown-it-py')}", fields, notes)]


def _front_matter(text: str) -> tuple[dict[str, str], list[str]]:
    """The known fields of front matter, and the names of the others."""
    fields: dict[str, str] = {}
    passed: list[str] = []
    for line in text.splitlines():
        match = _PAIR.match(line)
        if not match:  # a further line of a value of several lines, or a comment
            continue
        name = match[1].lower()
        name = _NAMES.get(name, name)
        value = re.sub(r"""^(["'])(.*)\1$""", r"\2", match[2].strip())
        if name in FIELDS:
            fields[name] = value
        else:
            passed.append(match[1])
    return fields, passed


def _lines(tokens: list[Token]) -> list[Line]:
    lines: list[Line] = []
    kind, reason = "", ""
    for token in tokens:
        if token.type == "heading_open":
            first = token.tag == "h1" and not any(line.kind == "title" for line in lines)
            kind, reason = ("title" if first else "heading"), "Markdown heading"
        elif token.type == "heading_close":
            kind, reason = "", ""
        elif token.type == "inline":
            lines += [Line(text, kind, reason) for text in _inline(token.children or []).split("\n")]
        elif token.type in ("fence", "code_block"):
            lines += [Line(text, "other", "code") for text in token.content.split("\n")]
        elif token.type == "html_block":
            lines += [Line(text) for text in _without_tags(token.content).split("\n")]
    return [line for line in lines if clean(line.text)]


def _without_tags(html: str) -> str:
    if not _TAG.sub("", re.sub(r"<!--.*?-->", "", html, flags=re.S)).strip():
        return ""
    try:
        return html_lines(parsed(f"<div>{html}</div>"))
    except NotTextError:
        return _TAG.sub("", html)


def _inline(tokens: list[Token]) -> str:
    """The text of a paragraph, in which only forced line breaks end a line; what pictures are called is left out."""
    text: dict[str, Callable[[Token], str]] = {
        "text": lambda token: token.content,
        "code_inline": lambda token: token.content,
        "softbreak": lambda _: " ",
        "hardbreak": lambda _: "\n",
        "html_inline": lambda token: "\n" if re.match(r"<br\b", token.content, re.I) else "",
    }
    return "".join(text[token.type](token) for token in tokens if token.type in text)
