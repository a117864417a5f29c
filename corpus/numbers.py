"""Numbers in text for people. This module imports nothing, so that the help of a command stays instant."""

from __future__ import annotations


def number(count: int, what: str, verb: str = "") -> str:
    """A number with the name of what is counted, which takes an s, and a verb given in the plural.

    >>> number(1, "sentence"), number(1200, "sentence"), number(1, "sentence", "are")
    ('1 sentence', '1,200 sentences', '1 sentence is')
    """
    if count == 1:
        verb = {"are": "is", "were": "was", "have": "has"}.get(verb, verb.removesuffix("s"))
    return f"{count:,} {what}{'s' if count != 1 else ''} {verb}".rstrip()


def separated(value: object) -> object:
    """A value as text for people shows it: whole numbers with thousands separators, everything else as it is.

    >>> separated(1200), separated("1200"), separated(True)
    ('1,200', '1200', True)
    """
    return f"{value:,}" if type(value) is int else value
