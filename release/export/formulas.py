"""Keep spreadsheet programs from running a cell's text as a formula, in a way that can be undone exactly."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

STARTS = "=+\\-@\t\r\n＝＋－＠"
"""Characters with which a text begins that a spreadsheet program may take for a formula, for a regular expression."""
AT_RISK = rf"\A('*[{STARTS}])"
TAKEN_OFF = r"^'+[=+\-@\t\r\n＝＋－＠]"
"""What people search for to have the original texts again: one apostrophe is to be taken off each text that matches."""
NUMBER = r"\A[+-]?[0-9]+([.,][0-9]+)?\z"
"""A plain number is no danger, and a label such as -1 stays readable."""


def defused(column: pa.Array) -> tuple[pa.Array, int]:
    r"""Put an apostrophe before each text that a spreadsheet program might run, so that it shows the text instead.

    A text that begins with apostrophes and then such a character gets one more, too. So whoever takes one apostrophe
    off each text that matches `^'+[=+\-@\t\r\n＝＋－＠]` has the original texts again.

    Args:
        column: texts; some may be null.

    Returns:
        The texts, and the number of those that were changed.

    References:
        OWASP, CSV Injection, https://owasp.org/www-community/attacks/CSV_Injection.

    >>> texts, changed = defused(pa.array(["=1+1", "'=1+1", "'tis", "-1", "- so he said", None]))
    >>> texts.to_pylist(), changed
    (["'=1+1", "''=1+1", "'tis", '-1', "'- so he said", None], 3)
    """
    changes = pc.fill_null(
        pc.and_not(pc.match_substring_regex(column, AT_RISK), pc.match_substring_regex(column, NUMBER)), False
    )
    count = pc.sum(changes).as_py() or 0
    if not count:
        return column, 0
    return pc.if_else(changes, pc.binary_join_element_wise("'", column, ""), column), count
