"""Tell by a file's name of which kind it is, and what to do about a file of a kind that is not read."""

from __future__ import annotations

import os
from pathlib import Path

from corpus.reading.documents.kinds import ENDINGS, OTHER

KINDS = {
    **{
        ".txt": "txt",
        ".html": "html",
        ".htm": "html",
        ".jsonl": "jsonl",
        ".json": "json",
        ".csv": "csv",
        ".parquet": "parquet",
        ".xlsx": "xlsx",
        ".xlsm": "xlsx",
        ".xls": "xls",
    },
    **{".ris": "ris", ".bib": "bibtex"},
    **ENDINGS,
    **dict.fromkeys((".warc", ".warc.gz", ".warc.zst", ".wacz"), "warc"),
    **dict.fromkeys((".warc.wet", ".warc.wet.gz", ".wet", ".wet.gz"), "warc"),
}
"""The kind of file that each ending means, in lower case."""
DATA_FILES = {"jsonl", "json", "csv", "parquet", "xlsx", "xls", "warc"}
"""Kinds of files that hold many articles each."""
REFERENCES = {"ris", "bibtex"}
"""Kinds of files of reference managers."""
LOCK = "~$"
"""What the names of files begin with that Office has beside a document while it is open: they hold no text."""
_BY_LENGTH = sorted(KINDS, key=len, reverse=True)
_PACKED = {".gz", ".bz2", ".xz", ".zst", ".zip"}
_SAVE_AS = {
    **dict.fromkeys((".doc", ".dot", ".pages", ".wpd", ".wps"), ".docx"),
    **dict.fromkeys((".xlsb", ".ods", ".numbers"), ".xlsx"),
    **dict.fromkeys((".ppt", ".pptx", ".odp", ".key"), ".txt"),
    ".msg": ".eml",
}
"""In which format to save files of other kinds that often hold articles."""


def ending_of(name: str) -> str:
    """The ending of a file that is read, in lower case; empty for a file of another kind.

    Args:
        name: the file's name, or a path to it.

    >>> ending_of("news/A.WARC.GZ"), ending_of("a.jpg"), ending_of(".txt")
    ('.warc.gz', '', '')
    """
    lower = os.path.basename(name).lower()  # noqa: PTH119  of perhaps a million
    return next((one for one in _BY_LENGTH if lower.endswith(one) and len(lower) > len(one)), "")


def other_kind(name: str) -> str:
    """The reason why a file of another kind is not read, with what to do about it.

    >>> other_kind("a.DOC"), other_kind("a.jpg")
    ('of another kind (.doc): save it as .docx', 'of another kind (.jpg)')
    """
    return f"{OTHER} ({_ending_of_any(name)}){advice(name)}"


def _ending_of_any(name: str) -> str:
    """The ending of a file of whichever kind, for messages."""
    suffixes = [one for one in Path(name.lower()).suffixes if one[1:].isalnum() and len(one) < 12]
    if not suffixes:
        return "no ending"
    return shown("".join(suffixes[-2:] if suffixes[-1] in _PACKED else suffixes[-1:]))


def advice(name: str) -> str:
    """What to do about a file of a kind that is not read but often holds articles; empty for other kinds."""
    ending = _ending_of_any(name)
    if ending in _SAVE_AS:
        return f": save it as {_SAVE_AS[ending]}"
    if ending in (".7z", ".rar"):
        return ": unpack it first"
    if ending != "no ending" and Path(ending).suffix in _PACKED and ending.removesuffix(Path(ending).suffix) in KINDS:
        return ": unpack it first"
    return ""


def shown(name: str) -> str:
    """A name that can be written: lone surrogates, as in file names that are not UTF-8, become escapes."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")
