"""Prove that a stand-off release shares no five consecutive words with any article."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import msgspec

from corpus.errors import PublishError
from corpus.numbers import number
from release.card.managed_markdown import marked
from release.contents.five_word_runs import Names, lines_of, runs, sentence_runs, template_runs, unnamed_runs
from release.contents.strings import strings
from release.contents.text_free import TEXT

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
"""How the user can change what is in a column."""
OURS = {"CITATION.cff", "croissant.json", ".zenodo.json", "datacite.json", "manifest.json"}
"""Files whose words come from stance or the settings. In the card and the data statement, only the marked parts do."""
MOST_PLACES = 10
"""Most places that a refusal names."""


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """A text in a release that people of the project wrote, and where they can change it.

    Attributes:
        file: the file that they edit.
        field: the field in that file; empty if the text is the whole file, so that a message names the line.
        text: what they wrote.
        note: clause on what a change of the text means; "" if there is nothing to say.
    """

    file: str
    field: str = ""
    text: str
    note: str = ""


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """What in a release was compared with the articles, and what was not.

    Attributes:
        files: number of files in the release; all of them are read.
        fields: columns, JSON keys and text files that were compared.
        articles: number of articles that they were compared with.
        exempt: columns that were not compared → what they hold, and "text files" → the words in them that don't count.
    """

    files: int
    fields: list[str]
    articles: int
    exempt: dict[str, str]


class _Place(msgspec.Struct, frozen=True):
    """Where in the release some words are, and how the user can change them."""

    where: str
    remedy: str


def prove(
    release: Path, articles: Mapping[str, str], written: Sequence[Written] = (), outlets: Collection[str] = ()
) -> Proof:
    """Show that a release shares no five consecutive words with any article.

    Every string of every file is compared: Parquet columns and metadata, values of JSON, whole text files, names of
    files. Case and punctuation are ignored, and hyphenated words are compared both as one word and as several. This
    check cannot see sentences of fewer than five words, so columns that hold text are refused by their name, too. Text
    files may contain URLs, runs of words that mostly name an outlet or the target, and the wording of stance's card
    (see `release.contents.five_word_runs`).

    Args:
        release: folder of the release.
        articles: title and text of each article, joined by a line break, by article id.
        written: texts in the release that people wrote, so that a message can name the place to change.
        outlets: names of all outlets of the corpus; those in the release's tables need not be given.

    Raises:
        PublishError: the release shares five words with an article, or has a column of text. The message names the
            words, and the files and fields to change.
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
    shared: dict[str, str] = {}
    for article_id, text in articles.items():
        for run in sorted(wanted.keys() & runs(text)):
            shared.setdefault(run, article_id)
    if shared:
        raise PublishError(_refusal(shared, wanted, written))
    return Proof(files=len(files), fields=sorted(fields), articles=len(articles), exempt=exempt)


def _of_text(name: str, field: str, text: str, names: Names, sentences: frozenset[str]) -> dict[str, _Place]:
    """The runs of words of a text file that no article may contain, each with its place.

    Between markers, and in files that people do not edit, sentences that stance wrote are exempt. Elsewhere only the
    wording of the templates is exempt.
    """
    run_places: dict[str, _Place] = {}
    for part, stretch in marked(text):
        ours = sentences if part or name in OURS else frozenset[str]()
        place = _Place(
            ", ".join(filter(None, (name, field or (f"its part {part!r}" if part else "")))),
            "they come from the project's tables, or are stance's own wording, which only a new version can change"
            if part or name in OURS
            else "remove them there",
        )
        for run in unnamed_runs(stretch, names) - template_runs() - ours:
            run_places.setdefault(run, place)
    return run_places


def _refusal(shared: Mapping[str, str], wanted: Mapping[str, _Place], written: Sequence[Written]) -> str:
    """The message that names each place with words of an article once, up to MOST_PLACES of them.

    Args:
        shared: each run of words that the release shares with an article → the article's id.
        wanted: the place in the release of each run of words.
        written: texts in the release that people wrote.
    """
    lines = [(one, lines_of(one.text)) for one in written]
    rule = "a stand-off release has no five consecutive words of any article"
    found: dict[str, tuple[str, str]] = {}
    for run, article_id in shared.items():
        place = _editable(wanted[run], run, lines)
        found.setdefault(place.where, (f"the words {run!r} are in the article {article_id!r} too", place.remedy))
    if len(found) == 1:
        ((where, (what, remedy)),) = found.items()
        return f"{where}: {what}, and {rule}: {remedy}"
    told = [f"  {where}: {what}: {remedy}" for where, (what, remedy) in list(found.items())[:MOST_PLACES]]
    more = [f"  and {number(len(found) - MOST_PLACES, 'more place')}"] if len(found) > MOST_PLACES else []
    return "\n".join([f"{rule}, but {number(len(found), 'place', 'have')} some:", *told, *more])


def _editable(place: _Place, run: str, lines: Sequence[tuple[Written, Mapping[str, int]]]) -> _Place:
    """The place where people can change the words, or the place in the release if people wrote none of them."""
    for one, line_of in lines:
        if run in line_of:
            there = one.field or f"line {line_of[run]}"
            remedy = f"use other words there, as they would be published in {place.where}"
            return _Place(f"{one.file}, {there}", remedy + (f"; {one.note}" if one.note else ""))
    return place


def _names(files: Sequence[Path], outlets: Collection[str]) -> Names:
    """The names of the outlets, including those in the release's tables, and of the targets."""
    import pyarrow.parquet as pq

    named: dict[str, set[str]] = {"target": set(), "outlet": set(outlets)}
    for path in files:
        if path.suffix == ".parquet":
            for column in named.keys() & set(pq.read_schema(path).names):
                named[column].update(
                    filter(None, pq.read_table(path, columns=[column]).column(column).unique().to_pylist())
                )
    return Names(named["outlet"], named["target"])
