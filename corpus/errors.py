"""The errors that a user may see: each carries one message, and the command exits with 1."""

from __future__ import annotations


class StanceError(Exception):
    """A known error: its message says what was expected, what was found, where, and what to do.

    Attributes:
        missing: whether a command misses what a project has, as in a wrong folder.
    """

    def __init__(self, message: str = "", *, missing: bool = False) -> None:
        """Keep the message, and whether something is missing."""
        super().__init__(message)
        self.missing = missing


class ConfigError(StanceError):
    """stance.toml is missing, malformed, or has an unknown key."""


class SourceError(StanceError):
    """An article cannot be read, or there is none."""


class TableError(StanceError):
    """A table of an earlier stage is missing or has other columns."""


class StudioError(StanceError):
    """The Label Studio server cannot be reached, refuses the request, or gives an unexpected answer."""


class AgreementError(StanceError):
    """There are too few labels to measure agreement."""


class ExamplesError(StanceError):
    """There are too few labelled examples, or labels that no alias maps."""


class PublishError(StanceError):
    """The dataset cannot be published as it stands."""
