"""Escape text for LaTeX."""

from __future__ import annotations

import re

LATEX = {letter: "\\" + letter for letter in "&%$#_{}"} | {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "×": r"$\times$",
    "\N{NO-BREAK SPACE}": "~",
    "“": "``",
    "”": "''",
    "’": "'",
    '"': r"\textquotedbl{}",
}


def latex(text: str) -> str:
    """Plain text so that LaTeX sets it as it is, and takes none of it for a command."""
    return "".join(LATEX.get(letter, letter) for letter in re.sub(r"[ \t\r\n]+", " ", text).strip())
