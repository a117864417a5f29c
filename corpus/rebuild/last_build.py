"""Read what the last build noted about a corpus, without loading what builds one."""

from __future__ import annotations

from pathlib import Path

import msgspec

from corpus.store import read_json_if_whole


class _Summary(msgspec.Struct, frozen=True, kw_only=True):
    groups: int = 0


class _Done(msgspec.Struct, frozen=True, kw_only=True):
    """The part of `.build/done.json` that is read here; `corpus.build` writes it."""

    summary: _Summary


def article_groups(out: Path) -> int:
    """The number of groups that the articles form; 0 if it is not known, as after a build by an earlier version.

    Args:
        out: the folder of the tables.
    """
    done = read_json_if_whole(out / ".build" / "done.json", _Done)
    return done.summary.groups if done else 0
