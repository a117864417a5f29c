"""A release without its articles' text: offsets, digests and labels, and the check that proves it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from corpus.duplicates import normalise
from corpus.records import PublishError

WORDS = 5
"""So many words in a row may not stand in both the release and an article."""

COLUMNS = {
    "gold": (
        "sentence_id text_sha256 text_key label target article_id start end cluster_id copy_of group outlet "
        "published url how votes codebook"
    ).split(),
    "annotations": "sentence_id annotator stance unsure seconds codebook created_at updated_at".split(),
}
"""All that a stand-off release may hold: a new column of the full one stays out until it is listed here or there."""

DERIVED = {
    "gold": "text before after title note".split(),
    "annotations": "comment holder note".split(),
}
"""What is the articles' text, or was written with it in view."""
TEXT = frozenset(DERIVED["gold"] + DERIVED["annotations"])

EXEMPT = {
    "target": "what the stance is toward, in the project's words",
    "codebook": "the rules of labelling and their version, in the project's words",
    "outlet": "who published the article",
    "url": "where the article is",
}
HERE = Path(__file__).parent

_SPLIT = re.compile(r"[^\W_]+")
_LONG = re.compile(r"(?<![^\W_])(?:[^\W_]++[\W_]++){4}[^\W_]")
_URL = r"https?://[^\s<>\"')\]]++"


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """What was compared, and what was not.

    Attributes:
        files: how many files of the release were read; all of them.
        fields: each column, JSON key or text file that was compared.
        articles: how many articles it was compared with.
        exempt: what was not compared, and why.
    """

    files: int
    fields: list[str]
    articles: int
    exempt: dict[str, str]


class _Place(msgspec.Struct, frozen=True):
    file: str
    field: str
    row: int | None

    def __str__(self) -> str:
        row = f", row {self.row}" if self.row is not None else ""
        return f"{self.file}{row}, {self.field}"


def columns(config: str) -> list[str]:
    """The columns of a stand-off release's config, `gold` or `annotations`, in their order."""
    return list(COLUMNS[config])


def strip(config: str, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows of the full release to rows of the stand-off release.

    Gold rows get `text_sha256`, of the UTF-8 of the exact sentence, and `text_key`, of its normalised text; an
    article's id that could quote a headline becomes its digest (see `public_id`).

    Args:
        config: `gold` or `annotations`.
        rows: with the columns of the full release.

    Returns:
        One row for each, in their order, with exactly `columns(config)`.

    Raises:
        PublishError: a row has a column of which it isn't said here whether it tells the articles' text.
    """
    kept, derived = columns(config), DERIVED[config]
    return [_stripped(config, row, kept, derived) for row in rows]


def _stripped(config: str, row: Mapping[str, Any], kept: list[str], derived: list[str]) -> dict[str, Any]:
    unknown = sorted(row.keys() - kept - set(derived))
    if unknown:
        raise PublishError(
            f"{config}: whether {', '.join(unknown)} may stand in a stand-off release isn't said: name it in COLUMNS "
            "or DERIVED of train/standoff.py"
        )
    full = dict(row)
    if config == "gold":
        full |= {"text_sha256": text_sha256(row["text"]), "text_key": text_key(row["text"])}
        full |= {name: public_id(row[name]) for name in ("article_id", "group")}
    return {name: full[name] for name in kept}


def text_sha256(text: str) -> str:
    """SHA-256, hex, of a text as it stands, in UTF-8."""
    return hashlib.sha256(text.encode()).hexdigest()


def text_key(text: str) -> str:
    """SHA-256, hex, of a text's normalised form: the same under other quotes, spaces, line ends and Unicode forms."""
    return text_sha256(normalise(text))


def public_id(article_id: str) -> str:
    """An article's id as a stand-off release gives it.

    An id made of a file's name or a URL often is the headline. One with five words in a row, at most one of them a
    number, is given by its digest: the release holds no such line, and who has the article still finds it.

    >>> public_id("gazette/2031-03-14-army-town")
    'gazette/2031-03-14-army-town'
    >>> public_id("send-no-more-than-2000")
    'id-e17e7ed60f92748553cb698db34786e3'
    """
    numbers = [word.isdecimal() for word in _SPLIT.findall(article_id)]
    quotes = any(sum(numbers[n : n + WORDS]) < 2 for n in range(len(numbers) - WORDS + 1))
    return f"id-{text_sha256(article_id)[:32]}" if quotes else article_id


# --- the check


def prove(release: Path, articles: Mapping[str, str]) -> Proof:
    """Show that a release shares no five consecutive words with any article.

    Every string of every file is compared: Parquet columns and metadata, values of JSON, whole text files, names of
    files. Words are compared without case and punctuation, both with hyphened words as one and as several. Shorter
    sentences escape such a check, so columns that hold text are refused by their name, too.

    Args:
        release: its folder.
        articles: by id, the title and the text of each, joined by a line break.

    Raises:
        PublishError: it does, or has a column of text; the message names file, row, field and the words.
    """
    # Tables first: what also stands in one of them is no matter of our templates' words.
    files = sorted(
        (path for path in release.rglob("*") if path.is_file()), key=lambda path: (path.suffix != ".parquet", path)
    )
    named = _named(files)
    wanted: dict[str, _Place] = {}
    fields: dict[str, None] = {}
    exempt: dict[str, str] = {}
    for path in files:
        name = path.relative_to(release).as_posix()
        for gram in _grams(name):
            wanted.setdefault(gram, _Place(name, "its name", None))
        if name == "codebook.md":
            exempt[name] = EXEMPT["codebook"]
            continue
        config = path.parent.name if path.suffix == ".parquet" else ""
        for field, row, text in _strings(path):
            column = field.partition(".")[0]
            if config and column in TEXT:
                raise PublishError(f"{_Place(name, field, row)}: a stand-off release has no such column")
            if config and column in EXEMPT:
                exempt[f"{config}.{column}"] = EXEMPT[column]
                continue
            fields[f"{config}.{field}" if config else f"{name}: {field}" if field else name] = None
            for part in [text] if config else named.split(text):
                for gram in _grams(part):
                    wanted.setdefault(gram, _Place(name, field or "its text", row))
    exempt["text files"] = "URLs, outlets, the target or three words of it, and the wording of our own card"
    ours = _our_words()
    wanted = {gram: place for gram, place in wanted.items() if place.file.endswith(".parquet") or gram not in ours}
    for article_id, text in articles.items():
        for gram in sorted(wanted.keys() & _grams(text)):
            raise PublishError(
                f"{wanted[gram]}: the words {gram!r} stand in the article {article_id!r} too. A stand-off release "
                "holds no five words in a row of any article: take them out there"
            )
    return Proof(files=len(files), fields=sorted(fields), articles=len(articles), exempt=exempt)


def _grams(text: str) -> set[str]:
    """All runs of five words, by both ways of telling words."""
    if not _LONG.search(text):
        return set()
    found: set[str] = set()
    for words in (_SPLIT.findall(text.casefold()), normalise(text).split()):
        found.update(map(" ".join, zip(*(words[n:] for n in range(WORDS)), strict=False)))
    return found


@cache
def _our_words() -> frozenset[str]:
    """What the card's texts, and whatever else we write into a release, are made of: it is of no article."""
    files = [path for path in HERE.iterdir() if path.suffix in {".py", ".j2"}]
    return frozenset(gram for path in files for gram in _grams(path.read_text("utf-8")))


def _named(files: Sequence[Path]) -> re.Pattern[str]:
    """What finds URLs, the target and the outlets in a text, however its lines are broken."""
    import pyarrow.parquet as pq

    named: dict[str, set[str]] = {"target": set(), "outlet": set()}
    for path in files:
        if path.suffix == ".parquet":
            for column in named.keys() & set(pq.read_schema(path).names):
                named[column].update(
                    filter(None, pq.read_table(path, columns=[column]).column(column).unique().to_pylist())
                )
    listed = [words for name in named["outlet"] if len(words := _SPLIT.findall(name)) > 1]
    for words in map(_SPLIT.findall, named["target"]):
        # A dataset is often called by a part of its target.
        listed += [words, *(words[a:b] for a in range(len(words)) for b in range(a + 3, len(words) + 1))]
    # The longest first, so that no other one takes a part of it.
    listed.sort(key=lambda words: (-len(words), words))
    patterns = [r"[\W_]+".join(map(re.escape, words)) for words in listed if words]
    return re.compile("|".join([_URL, *(rf"\b{pattern}\b" for pattern in patterns)]), re.IGNORECASE)


def _strings(path: Path) -> Iterator[tuple[str, int | None, str]]:
    """Every string of a file: its field, its row from 0 where it is in a table, and the string."""
    if path.suffix == ".parquet":
        import pyarrow.parquet as pq

        table = pq.read_table(path)
        for key, value in (table.schema.metadata or {}).items():
            yield "metadata", None, f"{key.decode('utf-8', 'replace')} {value.decode('utf-8', 'replace')}"
        for name in table.column_names:
            yield name, None, ""
            for row, value in enumerate(table.column(name).to_pylist()):
                yield from ((field, row, text) for field, text in _leaves(name, value))
        return
    text = path.read_bytes().decode("utf-8", "replace")
    if path.suffix in {".json", ".jsonl"}:
        try:
            parts = [text] if path.suffix == ".json" else text.splitlines()
            values = [json.loads(part) for part in parts if part.strip()]
        except (ValueError, RecursionError):
            pass
        else:
            yield from ((field, None, leaf) for value in values for field, leaf in _leaves("", value))
            return
    yield "", None, text


def _leaves(name: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, bytes):
        yield name, value.decode("utf-8", "replace")
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield name, str(key)
            yield from _leaves(f"{name}.{key}" if name else str(key), inner)
    elif isinstance(value, Sequence):
        for inner in value:
            yield from _leaves(name, inner)
