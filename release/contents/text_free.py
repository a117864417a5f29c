"""A release without its articles' text: offsets, digests and labels, and the check that proves it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from corpus.errors import PublishError
from corpus.near_duplicates import normalise
from release.card.managed_markdown import marked
from release.contents.five_word_runs import WORDS as WORDS
from release.contents.five_word_runs import Names, line_of, runs, sentence_runs, template_runs, unnamed_runs
from release.contents.strings import strings

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
    "outlet": "who published the article",
    "url": "where the article is",
}
CORRECT = {
    "article_id": "give that article another `id`, or its file another name, and build again",
    "group": "give the article of that id another `id`, or its file another name, and build again",
    "published": "correct that article's date, and build again",
}
"""How the user changes what stands in a column."""
OURS = {"CITATION.cff", "croissant.json", "manifest.json"}
"""Files whose words come from stance or the settings; in the card and the data statement, only the marked parts do."""

_SPLIT = re.compile(r"[^\W_]+")


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """What people of the project wrote that goes into a release, and where they can change it.

    Attributes:
        file: the file that they edit.
        field: the field in it; "": the text is all of the file, and a message names the line.
        text: what they wrote.
    """

    file: str
    field: str = ""
    text: str


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
    """Where in the release some words stand, and what to do about it."""

    where: str
    remedy: str


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
            "or DERIVED of release/contents/text_free.py"
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
    number, is given by its digest: the release holds no such line, and anyone who has the article still finds it.

    >>> public_id("gazette/2031-03-14-army-town")
    'gazette/2031-03-14-army-town'
    >>> public_id("send-no-more-than-2000")
    'id-e17e7ed60f92748553cb698db34786e3'
    """
    numbers = [word.isdecimal() for word in _SPLIT.findall(article_id)]
    quotes = any(sum(numbers[n : n + WORDS]) < 2 for n in range(len(numbers) - WORDS + 1))
    return f"id-{text_sha256(article_id)[:32]}" if quotes else article_id


# --- the check


def prove(
    release: Path, articles: Mapping[str, str], written: Sequence[Written] = (), outlets: Collection[str] = ()
) -> Proof:
    """Show that a release shares no five consecutive words with any article.

    Every string of every file is compared: Parquet columns and metadata, values of JSON, whole text files, names of
    files. Words are compared without case and punctuation, both with hyphened words as one and as several. Shorter
    sentences escape such a check, so columns that hold text are refused by their name, too. Text files may hold URLs,
    runs of words that mostly name an outlet or the target, and the wording of stance's card (see
    `release.contents.five_word_runs`).

    Args:
        release: folder of the release.
        articles: title and text of each article, joined by a line break, by article id.
        written: texts in the release that people wrote, so that a message can name the place to change.
        outlets: the names of all outlets of the corpus; those in the release's tables are known anyway.

    Raises:
        PublishError: it shares five words, or has a column of text; the message names the words, and the file and field
            to change.
    """
    files = sorted(path for path in release.rglob("*") if path.is_file())
    names = _names(files, outlets)
    sentences = sentence_runs().difference(*(runs(one.text) for one in written))
    wanted: dict[str, _Place] = {}
    fields: dict[str, None] = {}
    exempt: dict[str, str] = {}
    for path in files:
        name = path.relative_to(release).as_posix()
        for run in runs(name):
            wanted.setdefault(run, _Place(f"{name}, its name", "call it something else"))
        config = path.parent.name if path.suffix == ".parquet" else ""
        for field, row, text in strings(path):
            column = field.partition(".")[0]
            if config and column in TEXT:
                raise PublishError(f"{name}, {field}: a stand-off release has no such column")
            if config and column in EXEMPT:
                exempt[f"{config}.{column}"] = EXEMPT[column]
                continue
            fields[f"{config}.{field}" if config else f"{name}: {field}" if field else name] = None
            if config:
                where = f"{name}, {field}" if row is None else f"{name}, row {row}, {field}"
                place = _Place(where, CORRECT.get(column, "correct the table of the project that it comes from"))
                run_places = dict.fromkeys(runs(text), place)
            else:
                run_places = _of_text(name, field, text, names, sentences)
            for run, place in run_places.items():
                wanted.setdefault(run, place)
    exempt["text files"] = (
        "URLs, names of outlets, the target or three words of it, and the wording of stance's own card"
    )
    for article_id, text in articles.items():
        for run in sorted(wanted.keys() & runs(text)):
            place = _editable(wanted[run], run, written)
            raise PublishError(
                f"{place.where}: the words {run!r} stand in the article {article_id!r} too, and a stand-off release "
                f"holds no five words in a row of any article: {place.remedy}"
            )
    return Proof(files=len(files), fields=sorted(fields), articles=len(articles), exempt=exempt)


def _of_text(name: str, field: str, text: str, names: Names, sentences: frozenset[str]) -> dict[str, _Place]:
    """The runs of a text file that must be in no article, each with its place.

    Between markers, and in files that people don't write in, stance's own sentences do not count as an article's;
    outside of them only the templates' wording is known to be stance's.
    """
    run_places: dict[str, _Place] = {}
    for part, stretch in marked(text):
        ours = sentences if part or name in OURS else frozenset[str]()
        place = _Place(
            f"{name}, {field or (f'its part {part!r}' if part else 'its text')}",
            "the project's tables have it, or it is stance's own wording, which only a new version of stance can change"
            if part or name in OURS
            else "take them out there",
        )
        for run in unnamed_runs(stretch, names) - template_runs() - ours:
            run_places.setdefault(run, place)
    return run_places


def _editable(place: _Place, run: str, written: Sequence[Written]) -> _Place:
    """The place where people can change the words; where they wrote none of them, the place in the release."""
    for one in written:
        if run in runs(one.text):
            line = one.field or f"line {line_of(run, one.text)}"
            return _Place(f"{one.file}, {line}", f"say it there in other words (the release has it in {place.where})")
    return place


def _names(files: Sequence[Path], outlets: Collection[str]) -> Names:
    """The outlets, those of the release's tables too, and the targets."""
    import pyarrow.parquet as pq

    named: dict[str, set[str]] = {"target": set(), "outlet": set(outlets)}
    for path in files:
        if path.suffix == ".parquet":
            for column in named.keys() & set(pq.read_schema(path).names):
                named[column].update(
                    filter(None, pq.read_table(path, columns=[column]).column(column).unique().to_pylist())
                )
    return Names(named["outlet"], named["target"])
