"""The formats of documents, and the reader of each."""

from __future__ import annotations

from collections.abc import Sequence

from corpus.reading.article_in_file import ArticleInFile
from corpus.reading.documents.faults import UnreadableError

ENDINGS: dict[str, str] = {
    **{".docx": "docx", ".odt": "odt", ".rtf": "rtf", ".pdf": "pdf", ".md": "md", ".markdown": "md"},
    **{".eml": "eml", ".mbox": "mbox", ".epub": "epub"},
    **{".mhtml": "mhtml", ".mht": "mhtml", ".webarchive": "webarchive"},
    **{".xml": "xml", ".rss": "xml", ".atom": "xml"},
    **{".zip": "zip", ".tar": "tar", ".tar.gz": "tar", ".tgz": "tar"},
}
"""The kind of file that each ending means, in lower case; of several endings of a kind, messages name the first."""
DOCUMENTS = frozenset(ENDINGS.values())
OTHER = "of another kind"
"""Why a file is not read whose ending means nothing here."""


def articles_in(kind: str, data: bytes, family: str = "") -> Sequence[ArticleInFile]:
    """The articles in a file of this kind.

    A file that cannot be read gives one article with the reason as its fault; nothing is raised.

    Args:
        kind: kind of the file, one of DOCUMENTS.
        data: the file's bytes.
        family: `[corpus] format`, for pages, mails and the files in archives.
    """
    try:
        return _read(kind, data, family) or [ArticleInFile(fault="no article in it")]
    except UnreadableError as error:
        return [ArticleInFile(fault=str(error))]
    except Exception as error:  # a file may hold anything; whatever it makes a reader raise is the file's fault
        return [ArticleInFile(fault=f"cannot be read as .{kind}: {type(error).__name__}: {error}"[:300])]


def _read(kind: str, data: bytes, family: str) -> Sequence[ArticleInFile]:
    """The articles in a file, as its reader gives them.

    Readers and their libraries are imported here, when they are needed. (Imports by name would escape the digest of the
    code, see `corpus.digests`.)
    """
    if kind == "docx":
        from corpus.reading.documents.office.word import read_word

        return read_word(data)
    if kind == "odt":
        from corpus.reading.documents.office.open_document import read_open_document

        return read_open_document(data)
    if kind == "pdf":
        from corpus.reading.documents.pdf import read_pdf

        return read_pdf(data)
    if kind == "rtf":
        from corpus.reading.documents.office.rich_text import read_rich_text

        return read_rich_text(data)
    if kind == "md":
        from corpus.reading.documents.markdown import read_markdown

        return read_markdown(data)
    if kind == "eml":
        from corpus.reading.documents.mail import read_message

        return read_message(data, family)
    if kind == "mbox":
        from corpus.reading.documents.mail import read_mailbox

        return read_mailbox(data, family)
    if kind == "epub":
        from corpus.reading.documents.epub import read_epub

        return read_epub(data)
    if kind == "mhtml":
        from corpus.reading.documents.saved_pages import read_mhtml

        return read_mhtml(data, family)
    if kind == "webarchive":
        from corpus.reading.documents.saved_pages import read_web_archive

        return read_web_archive(data, family)
    if kind == "xml":
        from corpus.reading.documents.xml_news import read_xml

        return read_xml(data)
    if kind == "zip":
        from corpus.reading.documents.archives import read_zip

        return read_zip(data, family)
    if kind == "tar":
        from corpus.reading.documents.archives import read_tar

        return read_tar(data, family)
    raise AssertionError(kind)
