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
    """Escape plain text so that LaTeX prints it unchanged and reads none of it as a command."""
    return "".join(LATEX.get(letter, letter) for letter in re.sub(r"[ \t\r\n]+", " ", text).strip())
