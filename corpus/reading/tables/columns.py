"""The fields of an article, and which columns of a table hold them."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from pathlib import Path

import msgspec

from corpus.errors import SourceError
from corpus.reading.exports.languages import language_code
from corpus.records import CorpusSettings

FIELDS = ("text", "id", "title", "url", "outlet", "published", "language", "licence")

PROQUEST = "export of ProQuest 1"
"""What the table of articles says of where the texts of ProQuest's tables come from."""
ABSTRACT = "a table of ProQuest without the full text: the abstract is read in its place"

_EXAMPLES = {"text": "body", "url": "link"}
_MEANINGS = {
    "text": ("body", "content", "fulltext", "articletext", "maintext"),
    "id": ("articleid", "docid", "documentid", "guid", "identifier", "uid"),
    "title": ("headline", "heading", "articletitle"),
    "url": ("link", "uri", "href", "permalink", "address", "articleurl"),
    "outlet": ("source", "sourcename", "newspaper", "paper", "publisher", "publication", "medium", "media", "journal"),
    "published": (
        *("date", "datetime", "publicationdate", "publisheddate", "publishdate", "pubdate", "datepublished"),
        *("publishedat", "publishedon", "timestamp"),
    ),
    "language": ("lang",),
    "licence": ("license",),
}
"""Names of columns, in small letters without marks, that seem to mean a field."""
_PROQUEST = {
    "text": ("fulltext", "abstract"),
    "id": ("storeid",),
    "title": ("title",),
    "url": ("documenturl",),
    "outlet": ("pubtitle",),
    "published": ("pubdate", "alphadate", "year"),
    "language": ("language",),
}
"""Names of columns in ProQuest's tables in small letters, for each field in the order in which they are looked into."""
_SURELY_PROQUEST = {"storeid", "pubtitle", "title", "abstract"}


class DataRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of a data file.

    Attributes:
        number: the row's number in its file, from 1.
        fields: the row's text by stance's names of fields.
        fault: what is wrong with the row, which then has no fields; or an empty string.
        note: notes on how it was read, each on a line of its own; or an empty string.
        texts: where the row has no text, the fields that may hold one under another name.
        extractor: name and version of the export that the table is; empty for all other tables.
    """

    number: int
    fields: dict[str, str] = {}
    fault: str = ""
    note: str = ""
    texts: list[str] = []
    extractor: str = ""


class Columns(msgspec.Struct, frozen=True):
    """Where a table has the fields of an article.

    Attributes:
        places: for each field the numbers of the columns that may hold it; the first that is not empty counts.
        abstract: number of the column with abstracts in a table of ProQuest; -1 in all other tables.
    """

    places: dict[str, list[int]]
    abstract: int = -1

    @property
    def extractor(self) -> str:
        """What the table of articles says of the rows' texts; empty where the table is of no database."""
        return PROQUEST if self.abstract >= 0 else ""

    def fields(self, cells: Sequence[str]) -> tuple[dict[str, str], str]:
        """The text of a row by the names of fields, and the note on it or an empty string."""
        found = {name: next(filter(None, (cells[place] for place in self.places[name])), "") for name in FIELDS}
        if self.abstract < 0:
            return found, ""
        found["language"] = language_code(found["language"])
        full = self.places["text"][0] != self.abstract and cells[self.places["text"][0]]
        return found, "" if full or not found["text"] else ABSTRACT


def columns_of(header: Sequence[str], settings: CorpusSettings) -> Columns:
    """Which columns of a table hold what.

    A table that ProQuest exported is known by its header, unless the settings name the column of the text, or the
    table has a column `text`.

    Args:
        header: names of the table's columns; of two with the same name the later counts.
        settings: settings, which may give the columns other names.

    >>> columns_of(["StoreId", "Title", "Abstract", "pubtitle"], CorpusSettings()).places["id"]
    [0]
    """
    settings = in_table(settings, header)
    known = {name: place for place, name in enumerate(header)}
    places = {name: settings.fields.get(name, name) for name in FIELDS}
    found = {name: [known[column]] if column in known else [] for name, column in places.items()}
    if found["text"] or "text" in settings.fields:
        return Columns(found)
    plain = {re.sub(r"[\W_]", "", name).lower(): place for name, place in known.items()}
    if not plain.keys() >= _SURELY_PROQUEST:
        return Columns(found)
    theirs = {name: [plain[one] for one in _PROQUEST.get(name, ()) if one in plain] for name in FIELDS}
    given = {name: place for name, place in found.items() if name in settings.fields}
    return Columns(theirs | given, plain["abstract"])


def in_table(settings: CorpusSettings, columns: Collection[str]) -> CorpusSettings:
    """The settings as they hold for one table: one without a named column may have it under stance's own name.

    Args:
        settings: settings, which may give the columns other names.
        columns: names of the table's columns.

    >>> in_table(CorpusSettings(fields={"published": "date"}), ["text", "published"]).fields
    {}
    >>> in_table(CorpusSettings(fields={"published": "date"}), ["text", "published", "date"]).fields
    {'published': 'date'}
    """
    there = set(columns)
    # What is the name of another field's column is that column.
    free = there - set(settings.fields.values())
    named = {field: column for field, column in settings.fields.items() if column in there or field not in free}
    return msgspec.structs.replace(settings, fields=named)


def unused_columns(columns: Sequence[str], settings: CorpusSettings, nested: Collection[str] = ()) -> dict[str, str]:
    """The columns of a table that hold no field, each with the field that its name seems to mean, or "".

    Args:
        columns: names of the table's columns.
        settings: settings, as `in_table` gives them for this table.
        nested: names of columns with values that are no text, which cannot hold a field.

    >>> unused_columns(["text", "Date", "section"], CorpusSettings())
    {'Date': 'published', 'section': ''}
    """
    known = columns_of(columns, settings)
    names = {field: settings.fields.get(field, field) for field in FIELDS}
    # A name may lead into an object within a record; only its first part is a column then.
    here = {field: name if name in columns else name.partition(".")[0] for field, name in names.items()}
    used = {name for name in here.values() if name in columns}
    has = {field for field, name in here.items() if name in columns}
    if known.extractor:
        used |= {columns[place] for places in known.places.values() for place in places}
        has |= {field for field, places in known.places.items() if places}
    unused: dict[str, str] = {}
    for column in columns:
        if column and column not in used:
            meant = "" if column in nested else meaning(column)
            unused[column] = "" if meant in has else meant
            has.add(meant)  # of two columns that seem to mean the same the first is named
    return unused


def meaning(column: str) -> str:
    """The field that the name of a column seems to mean; "" if none does."""
    plain = re.sub(r"[\W_]", "", column).lower()
    return next((field for field in FIELDS if plain == field or plain in _MEANINGS[field]), "")


def check_columns(path: str, shown: Sequence[str], columns: set[str], settings: CorpusSettings, field: str) -> None:
    """Check that a table has the columns that are needed.

    Args:
        path: the table's file, for the message.
        shown: names of its columns, for the message.
        columns: names of all its columns.
        settings: settings, whose names of columns must be there too.
        field: the field that every table must have.

    Raises:
        SourceError: a column is missing.
    """
    if reason := missing_columns(Path(path).name, shown, columns, settings, field):
        raise SourceError(f"{path}, line 1: {reason}")


def missing_columns(name: str, shown: Sequence[str], columns: set[str], settings: CorpusSettings, field: str) -> str:
    """What to say of a table without the columns that are needed, and what to do; empty where it has them.

    Args:
        name: the file's name: one that describes other files has a name of its own.
        shown: names of its columns, for the message.
        columns: names of all its columns.
        settings: settings, whose names of columns must be there too.
        field: the field that every table must have.
    """
    settings = in_table(settings, columns)
    missing = [name for name in needed(settings, field) if name not in columns]
    if field == "text" and columns_of(shown, settings).abstract >= 0:
        missing = [name for name in missing if name != "text"]
    if not missing:
        return ""
    return (
        f"expected the column{'s' * (len(missing) > 1)} {', '.join(missing)}; "
        f"found {', '.join(shown[:50]) or 'nothing'}. {_advice(missing[0], shown, settings)}"
        f"{_describes(name) if settings.fields.get('text', 'text') in missing else ''}"
        f"{_only_urls(shown) if settings.fields.get('text', 'text') in missing else ''}"
    )


def _advice(missing: str, shown: Sequence[str], settings: CorpusSettings) -> str:
    """What to do about a column that is missing: name the one that seems to be meant, or, if there is none, add one."""
    field = next((name for name, column in settings.fields.items() if column == missing), missing)
    seeming = [column for column in shown if meaning(column) == field]
    if not seeming and field not in _EXAMPLES:
        return (
            f"If it has none of that kind, give it an empty column {field}; [corpus.fields] in stance.toml names others"
        )
    return (
        "Say which column is which under [corpus.fields] in stance.toml in the folder where you run the command (make "
        "the file if it isn't there), as in: "
        f'{field} = "{seeming[0] if seeming else _EXAMPLES[field]}"'
    )


def _describes(name: str) -> str:
    """What to say of a table whose name is that of one that describes other files."""
    return "; an articles.csv that describes other files has a column file" if Path(name).stem == "articles" else ""


def needed(settings: CorpusSettings, field: str) -> list[str]:
    """Names of the columns that a table must have: that of a field, and those that the settings name."""
    return list(dict.fromkeys([settings.fields.get(field, field), *settings.fields.values()]))


def _only_urls(shown: Sequence[str]) -> str:
    """What to say of a table that seems to have addresses in place of texts, as those of MediaCloud and GDELT have."""
    urls = [name for name in shown if name.lower().endswith(("url", "documentidentifier", "link")) or "://" in name]
    # The address of the article goes before those of its outlet or its pictures.
    urls.sort(key=lambda name: name.lower() not in ("url", "link", "documentidentifier"))
    if not urls:
        return ""
    return (
        f". If none of its columns is the text, the table has URLs without text (column {urls[0][:100]}): "
        "`stance fetch` fetches the pages"
    )
