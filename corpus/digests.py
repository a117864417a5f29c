"""Digests of texts, of files on disk, and of the code that a task runs.

Which of stance's modules a piece of work runs is found from their imports. What a digest of the code covers, and what
is sent to Spark's executors, must not depend on which files happen to lie in a folder: a rule that is moved to another
module would silently drop out of the digest, and stale results would be used.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("corpus", "labeling", "train", "release", "stance", "stance_command")
"""stance's packages in the order of their imports: each imports only from those before it."""
ROOT = Path(__file__).parent.parent


@cache
def modules_behind(*names: str) -> dict[str, Path]:
    """The named modules, and every module of this project that they import, directly or not.

    Imports inside functions count; those that only type checkers see do not.

    Args:
        names: full names of modules, such as "corpus.shards".

    Returns:
        Each module's file by its name, sorted; a package's file is its `__init__.py`.

    Raises:
        ModuleNotFoundError: one of the names is not a module of this project.
    """
    modules: dict[str, Path] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name in modules:
            continue
        path = _file(name)
        if path is None:
            raise ModuleNotFoundError(f"{name} is not one of our modules; expected one below {', '.join(PACKAGES)}")
        modules[name] = path
        waiting += [parent for parent in [name.rpartition(".")[0]] if parent]
        waiting += [other for other in _imports(path) if other not in modules]
    return dict(sorted(modules.items()))


def code_digest(names: Sequence[str], libraries: Sequence[str], optional: Sequence[str] = ()) -> str:
    """A digest of the code that some modules run, and of the libraries under it whose version may change a result.

    Args:
        names: full names of modules; the modules of this project that they import are covered too.
        libraries: names of distributions, such as "pyarrow".
        optional: names of distributions that may be missing, which counts too.

    Returns:
        The digest, 128 bits in hexadecimal.
    """
    parts = [f"{name} {version(name)}" for name in libraries]
    parts += [f"{name} {version_or_absent(name)}" for name in optional]
    parts += [f"{name}\n{path.read_text('utf-8')}" for name, path in modules_behind(*names).items()]
    return digest(*parts)


def version_or_absent(name: str) -> str:
    """The version of an installed distribution, or "absent"."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "absent"


def digest(*parts: str) -> str:
    """A digest of texts, 128 bits in hexadecimal; where one text ends and the next begins counts."""
    hashed = hashlib.blake2b(digest_size=16)
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        hashed.update(len(data).to_bytes(8, "little") + data)
    return hashed.hexdigest()


def stamp(path: Path) -> str:
    """What changes when somebody writes to a file: its path, size and time of change; or its path, if missing."""
    try:
        status = path.stat()
    except OSError:
        return f"{path} -"
    return f"{path} {status.st_size} {status.st_mtime_ns}"


def _file(name: str) -> Path | None:
    if name.partition(".")[0] not in PACKAGES:
        return None
    path = ROOT.joinpath(*name.split("."))
    for file in (path.with_suffix(".py"), path / "__init__.py"):
        if file.is_file():
            return file
    return None


@cache
def _imports(path: Path) -> tuple[str, ...]:
    """Names of the modules of this project that a file imports."""
    names: set[str] = set()
    for node in _run(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names if _file(alias.name)}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level and _file(node.module):
            # `from corpus import store` imports a module, `from corpus.store import locked` a name from one.
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            names |= {node.module} | {name for name in inner if _file(name)}
    return tuple(sorted(names))


def _run(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a tree except those below `if TYPE_CHECKING:`."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and isinstance(child.test, ast.Name) and child.test.id == "TYPE_CHECKING":
            for other in child.orelse:
                yield other
                yield from _run(other)
            continue
        yield child
        yield from _run(child)
