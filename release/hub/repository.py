"""Look at a repository on a Hub: its head, which of its files stance uploaded, and what others committed since."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from corpus.errors import PublishError
from release.hub.client import MovedError, asking

if TYPE_CHECKING:
    from huggingface_hub import HfApi

MARK = "Made by stance."
"""The line of a commit's description that says that stance made it; the files that it uploaded follow."""


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What a repository should become, and what may be overwritten."""

    repo: str
    kind: Literal["dataset", "model"]
    folder: Path
    private: bool
    tag: str | None
    force: bool


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """What a repository held when stance looked at it.

    Attributes:
        commit: id of the head; "" if the repository has no commit yet.
        tree: path of each file → its digest: SHA-256 for LFS files, git's SHA-1 for others.
        listed: files of which stance's last commit says that stance uploaded them.
        before: tree of stance's last commit, in the form of `tree`; empty if there is no such commit.
        theirs: commits by others since stance's last commit, newest first.
        tags: name of each tag → id of its commit; empty if the user asked for no tag.
    """

    commit: str
    tree: dict[str, str]
    listed: set[str]
    before: dict[str, str]
    theirs: list[str]
    tags: dict[str, str]


def check_names(wish: Wish) -> None:
    """Refuse names that no repository or tag can have, before any request is sent.

    Raises:
        PublishError: a name is malformed; the message says what is expected.
    """
    from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]

    try:
        validate_repo_id(wish.repo)
        well_formed = wish.repo.count("/") == 1
    except ValueError:
        well_formed = False
    if not well_formed:
        raise PublishError(
            f"{wish.repo!r} cannot be a repository's name: expected ORG/NAME of letters, digits, '-', '_' and '.', "
            "such as my-group/stance-corpus"
        )
    if wish.tag is not None and not re.fullmatch(r"\w[\w.+-]*", wish.tag):
        raise PublishError(f"{wish.tag!r} cannot be a tag: expected one like v1.0.0; see [publish] version")


def look(api: HfApi, wish: Wish, me: str) -> Head:
    """Look at the repository as it is now; if there is none, create an empty one.

    Raises:
        PublishError: the repository is public and should be private, the account may not see or create it, or its name
            is that of a repository of the other kind.
    """
    info = _info(api, wish.repo, wish.kind, me)
    if info is None:
        _create(api, wish, me)
        info = _info(api, wish.repo, wish.kind, me)
    if info is None:
        raise PublishError(f"{wish.repo} exists, but the account {me} may not see it: use another name or account")
    if wish.private and not info.private:
        raise PublishError(
            f"{wish.repo} exists already and is public: make it private in its settings, or leave out --private"
        )
    if not info.sha:
        return Head(commit="", tree={}, listed=set(), before={}, theirs=[], tags={})
    with asking(api, f"looking at {wish.repo}", me):
        tree = tree_at(api, wish, info.sha)
        commits = api.list_repo_commits(wish.repo, revision=info.sha, repo_type=wish.kind)
        refs = api.list_repo_refs(wish.repo, repo_type=wish.kind).tags if wish.tag else []
        place = next((n for n, row in enumerate(commits) if MARK in row.message.splitlines()), len(commits))
        ours = commits[place] if place < len(commits) else None
        before = {} if ours is None else tree if place == 0 else tree_at(api, wish, ours.commit_id)
    return Head(
        commit=info.sha,
        tree=tree,
        listed=set(re.findall(r"^[0-9a-f]{64} +(\S.*?)\r?$", ours.message, re.M)) if ours else set(),
        before=before,
        theirs=[f"{row.commit_id[:8]} “{row.title}” by {', '.join(row.authors)}" for row in commits[:place]],
        tags={ref.name: ref.target_commit for ref in refs},
    )


def _info(api: HfApi, repo: str, kind: str, me: str) -> Any:
    from huggingface_hub.errors import RepositoryNotFoundError

    with asking(api, f"looking at {repo}", me):
        try:
            return api.repo_info(repo, repo_type=kind)
        except RepositoryNotFoundError:
            return None


def _create(api: HfApi, wish: Wish, me: str) -> None:
    other = "model" if wish.kind == "dataset" else "dataset"
    if not wish.force and _info(api, wish.repo, other, me) is not None:
        raise PublishError(
            f"{wish.repo} is the repository of a {other}, and there is no {wish.kind} of that name: is the name right? "
            f"Use another name, or --force to create a {wish.kind} of the same name beside it"
        )
    try:
        with asking(api, f"making {wish.repo}", me):
            api.create_repo(wish.repo, repo_type=wish.kind, private=wish.private)
    except MovedError:  # it was created since stance looked, or by an earlier request whose answer was lost
        pass


def tree_at(api: HfApi, wish: Wish, revision: str) -> dict[str, str]:
    """The path of each file at a commit, with its digest: SHA-256 for LFS files, git's SHA-1 for others."""
    from huggingface_hub.hf_api import RepoFile

    rows = api.list_repo_tree(wish.repo, revision=revision, recursive=True, repo_type=wish.kind)
    return {row.path: row.lfs.sha256 if row.lfs else row.blob_id for row in rows if isinstance(row, RepoFile)}
