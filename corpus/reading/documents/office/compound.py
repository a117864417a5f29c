"""Tell what is in the compound files that Office 97 to 2003 wrote; today's Office puts encrypted files in them."""

from __future__ import annotations

import re

MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""What such a file begins with."""
ENCRYPTED = "encrypted: it needs a password"

_STREAMS = {
    "EncryptedPackage": "encrypted",
    "Workbook": "xls",
    "Book": "xls",
    "WordDocument": "doc",
    "PowerPoint Document": "ppt",
    "__substg1.0_": "msg",
}
_NAMED = [(re.compile(re.escape(name.encode("utf-16-le")), re.I), kind) for name, kind in _STREAMS.items()]
_NAMES = {
    "doc": "a Word document of the older format (.doc): save it as .docx",
    "xls": "an Excel workbook of the older format (.xls)",
    "ppt": "a presentation of the older format (.ppt): save its text as .docx or .txt",
    "msg": "a mail that Outlook saved (.msg): save it as .eml",
    "": "a file of the older formats of Office",
}


def kind_of_compound(data: bytes) -> str:
    """Which kind of file a compound file is: `encrypted`, `xls`, `doc`, `ppt`, `msg`, or an empty string.

    The streams in it are told by their names, wherever these stand; some programs write them in capitals.

    >>> kind_of_compound(MAGIC + "WordDocument".encode("utf-16-le"))
    'doc'
    """
    return next((kind for name, kind in _NAMED if name.search(data)), "")


def why_not_compound(kind: str) -> str:
    """What a compound file of a kind is, for messages, and what to do about it."""
    return ENCRYPTED if kind == "encrypted" else f"found {_NAMES[kind]}"
