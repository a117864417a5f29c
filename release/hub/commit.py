"""Upload files in one commit on top of the head that was looked at, or make no commit at all.

The Hub accepts a commit as a whole or not at all, and only on top of the parent that the commit names. So if an upload
is interrupted, the repository is as it was before or as it should be; the next run looks again and does the rest.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from corpus.errors import PublishError
from release.hub.client import BrokenHubError, MovedError, account, asking, connect
from release.hub.repository import MARK, Head, Wish, check_names, look, tree_at

if TYPE_CHECKING:
    from huggingface_hub import HfApi


TRIES = 3


class Uploaded(msgspec.Struct, frozen=True, kw_only=True):
    """What an upload did.

    Attributes:
        url: address of the repository.
        commit: id of the commit that was made; None if the repository held everything already.
        changed: whether a commit or a tag was made.
    """

    url: str
    commit: str | None
    changed: bool


class File(msgspec.Struct, frozen=True, kw_only=True):
    """A file's content or path, and its digests as the Hub lists them: SHA-256 for LFS files, else git's SHA-1."""

    content: Path | bytes
    sha256: str
    sha1: str

    @classmethod
    def of(cls, content: Path | bytes) -> File:
        """Compute the digests; git's SHA-1 includes a header."""
        data = content.read_bytes() if isinstance(content, Path) else content
        git = hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False)
        return cls(content=content, sha256=hashlib.sha256(data).hexdigest(), sha1=git.hexdigest())

    def is_at(self, digest: str | None) -> bool:
        """Whether a file with this digest has the same content as this file."""
        return digest in (self.sha256, self.sha1)


def bring(wish: Wish, files: Mapping[str, File], globs: list[str]) -> Uploaded:
    """Look at the repository and do what is left; if the connection breaks or somebody else pushes, look again.

    Args:
        wish: the repository and what may be done to it.
        files: every file of stance's that the repository should hold, by path.
        globs: patterns of data files; a file that matches one but is not in `files` is deleted, because it would be
            read as data.

    Raises:
        PublishError: see `release.hub.upload.upload_dataset`.
    """
    check_names(wish)
    api, me = connect(), ""
    sent = moved = False
    broken = 0
    while True:
        try:
            me = me or account(api)
            head = look(api, wish, me)
            changed = sorted(path for path, file in files.items() if not file.is_at(head.tree.get(path)))
            stale = sorted(
                path
                for path in head.tree.keys() - files.keys()
                if path in head.listed or any(fnmatch(path, glob) for glob in globs)
            )
            _check_tag(api, wish, head, files, changing=bool(changed or stale))
            commit = head.commit
            if changed or stale:
                _check_head(wish, head, [*changed, *stale])
                sent = True
                commit = _commit(api, wish, head.commit, files, changed, stale, me)
            tagged = wish.tag is not None and wish.tag not in head.tags
            if tagged:
                with asking(api, f"tagging {wish.repo}", me):
                    api.create_tag(wish.repo, tag=str(wish.tag), revision=commit, repo_type=wish.kind)
            url = f"{api.endpoint}/{'datasets/' if wish.kind == 'dataset' else ''}{wish.repo}"
            return Uploaded(url=url, commit=commit if sent else None, changed=sent or tagged)
        except MovedError as error:
            if moved:
                raise PublishError(
                    f"{error}. Somebody else is pushing there at this moment, and no upload was left half "
                    "done: publish again when they have finished"
                ) from None
            moved = True
        except BrokenHubError:
            broken += 1
            if broken == TRIES:
                raise
            time.sleep(2**broken)


def _check_head(wish: Wish, head: Head, paths: list[str]) -> None:
    """Refuse to upload if that would overwrite or delete what others changed, or if there is a `.gitignore`."""
    if ".gitignore" in head.tree:
        raise PublishError(
            f"{wish.repo}: nothing was uploaded, because the repository has a .gitignore, by which the Hub may leave "
            "files out of a commit: delete it there, and publish again"
        )
    touched = [path for path in paths if head.tree.get(path) != head.before.get(path)]
    if not touched or wish.force:
        return
    more = f" and {len(head.theirs) - 1} before it" if len(head.theirs) > 1 else ""
    since = "since stance last published there" if head.before else "and stance never published there"
    card = (
        f" To keep what was written in the card there, save it as {wish.folder / 'README.md'} first."
        if "README.md" in touched
        else ""
    )
    by = head.theirs[0] if head.theirs else head.commit[:8]
    shown = ", ".join(touched[:5]) + (f" and {len(touched) - 5} more" if len(touched) > 5 else "")
    raise PublishError(
        f"{wish.repo}: nothing was uploaded, because others changed {shown} {since}: commit {by}{more}. "
        f"Look at it; --force overwrites the change, which stays in the history.{card}"
    )


def _check_tag(api: HfApi, wish: Wish, head: Head, files: Mapping[str, File], *, changing: bool) -> None:
    """Refuse, before anything is uploaded, if the tag is on a commit with other content."""
    there = head.tags.get(wish.tag or "")
    if there is None or (not changing and there == head.commit):
        return
    if not changing:  # others have committed files of their own since the tag was set
        with asking(api, f"looking at the tag {wish.tag}"):
            tree = tree_at(api, wish, there)
        if all(file.is_at(tree.get(path)) for path, file in files.items()):
            return
    raise PublishError(
        f"{wish.repo}: the tag {wish.tag} is there already, on commit {there[:8]}, which holds other content. A "
        "tag is cited, so stance doesn't move it: raise [publish] version in stance.toml, or leave out --tag"
    )


def _commit(
    api: HfApi,
    wish: Wish,
    parent: str,
    files: Mapping[str, File],
    changed: list[str],
    stale: list[str],
    me: str,
) -> str:
    """Send one commit, and check that it holds what was sent."""
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    lines = [f"{file.sha256}  {path}" for path, file in sorted(files.items())]
    with asking(api, f"uploading to {wish.repo}", me):
        made = api.create_commit(
            wish.repo,
            [
                *(CommitOperationAdd(path_in_repo=path, path_or_fileobj=files[path].content) for path in changed),
                *(CommitOperationDelete(path_in_repo=path, is_folder=False) for path in stale),
            ],
            commit_message=f"Publish {wish.tag}" if wish.tag else f"Publish the {wish.kind}",
            commit_description="\n".join([MARK, "SHA-256 of its files:", "", *lines]),
            repo_type=wish.kind,
            parent_commit=parent or None,
        )
        tree = tree_at(api, wish, made.oid)
    if lost := [path for path, file in files.items() if not file.is_at(tree.get(path))]:
        raise PublishError(
            f"{wish.repo}: commit {made.oid[:8]} doesn't hold {', '.join(lost[:5])}, which was sent with it"
        )
    return made.oid
