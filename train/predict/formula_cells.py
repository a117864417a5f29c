"""Keep spreadsheet programs from running a cell's text as a formula, in a way that can be undone exactly."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from corpus.numbers import agreeing, number

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


def defused_rows(batch: pa.RecordBatch) -> tuple[pa.RecordBatch, int]:
    """The rows with all columns of texts as from `defused`, and the number of cells that were changed."""
    pairs = [defused(one) if pa.types.is_string(one.type) else (one, 0) for one in batch.columns]
    return pa.RecordBatch.from_arrays([one for one, _ in pairs], schema=batch.schema), sum(count for _, count in pairs)


def defused_note(count: int, name: str) -> str:
    """What is different in a file for spreadsheet programs, and how to undo it, for the terminal.

    Args:
        count: number of cells that were changed.
        name: name of the file.
    """
    return (
        f"{number(count, 'cell')} that a spreadsheet could run as formulas {agreeing(count, 'begin')} with an "
        f"apostrophe in {name}; to have the original texts again, take one apostrophe off each text that matches "
        f"{TAKEN_OFF}"
    )
