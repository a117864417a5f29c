"""Numbers in text for people. This module imports next to nothing, so that the help of a command stays instant."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_SINGULAR = {"begin": "begins", "are": "is", "were": "was", "have": "has"}


def number(count: int, what: str, verb: str = "") -> str:
    """A number with the name of what is counted, which takes an s, and a verb given in the plural.

    >>> number(1, "sentence"), number(1200, "sentence"), number(1, "sentence", "are")
    ('1 sentence', '1,200 sentences', '1 sentence is')
    """
    return f"{count:,} {what}{'s' if count != 1 else ''} {agreeing(count, verb) if verb else ''}".rstrip()


def agreeing(count: int, verb: str) -> str:
    """A verb, given in the plural, in the form that follows a number.

    >>> agreeing(1, "have"), agreeing(2, "have")
    ('has', 'have')
    """
    return _SINGULAR[verb] if count == 1 else verb


def exact_copies(count: int) -> str:
    """How many of some sentences are exact copies, as the beginning of a clause.

    >>> exact_copies(1), exact_copies(1200)
    ('1 is an exact copy', '1,200 are exact copies')
    """
    return "1 is an exact copy" if count == 1 else f"{count:,} are exact copies"


def separated(value: object) -> object:
    """A value as text for people shows it: whole numbers with thousands separators, everything else as it is.

    >>> separated(1200), separated("1200"), separated(True)
    ('1,200', '1200', True)
    """
    return f"{value:,}" if type(value) is int else value


def spoken(parts: Sequence[str], last: str) -> str:
    """Several words in running text, with "and" or "or" before the last one.

    >>> spoken(["support", "deny", "query"], "or")
    'support, deny or query'
    """
    return f" {last} ".join([part for part in (", ".join(parts[:-1]), parts[-1]) if part])
