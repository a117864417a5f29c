"""The record that every reader of a format gives for an article in a file."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from corpus.records import Span

CREATED = "published is the day on which the document was made"
"""The note on a document whose own properties give the only date."""


class ArticleInFile(msgspec.Struct, frozen=True, kw_only=True):
    """An article that a reader of some format found in a file.

    Attributes:
        text: the article's text, which all offsets refer to from now on.
        extractor: name and version of what made the text, such as `pypdf 6.1`; it changes whenever the text may.
        fields: what the file says of the article: `title`, `outlet`, `published`, `url`, `language`, `licence`, and
            `id`, the article's own identifier. Missing and empty ones mean that the file does not say.
        marks: the kinds of lines that the format tells apart, in the order of the text: running heads, say. Each span
            covers whole lines; its kind is one of `corpus.records.KINDS` other than `prose`.
        encoding: the encoding that the text was in; documents tell each character, whatever bytes they keep it in.
        member: the file's name within the archive that was read, with the article's number where it holds several;
            empty for a file that is no archive.
        member_id: the end of the article's id, which is that name without its ending; empty for a member that was
            never taken for an article.
        by_text: whether an article without an id of its own is known by its text, as rows of tables are, because the
            next export may give the same articles in another order.
        note: what researchers should know of how it was read; otherwise empty. Each note is on a line of its own.
        fault: why the article cannot be read; then the text does not matter.
    """

    text: str = ""
    extractor: str = ""
    fields: dict[str, str] = {}
    marks: list[Span] = []
    encoding: str = "utf-8"
    member: str = ""
    member_id: str = ""
    by_text: bool = False
    note: str = ""
    fault: str = ""


def by_text(articles: Sequence[ArticleInFile], encoding: str = "utf-8") -> list[ArticleInFile]:
    """The articles of an export, with the encoding of its file; if there are several, each is known by its text."""
    several = len(articles) > 1
    return [msgspec.structs.replace(one, encoding=encoding, by_text=several) for one in articles]
