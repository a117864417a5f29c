"""The error with which readers of documents say why they cannot go on."""

from __future__ import annotations


class UnreadableError(ValueError):
    """A document, or a part of it, cannot be read; the message is the reason that researchers see."""
