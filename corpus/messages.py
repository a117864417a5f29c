"""What `stance build` prints: what was made, and on standard error what the user should look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow.parquet as pq

from corpus.build import BuildSummary
from corpus.ids.changes import LEFT, Changes, listed
from corpus.ids.labelled_sentences import MOVED
from corpus.numbers import agreeing, exact_copies, number
from corpus.sentences.languages import NEITHER, is_known
from corpus.store import table_path, wrote

SAFER = ". A column of ids or URLs, named under [corpus.fields] of stance.toml, is safer"
_TABLES = (".csv", ".jsonl", ".json", ".parquet", ".xlsx", ".xlsm", ".xls", "stdin")
KINDS = {"ad": "advert", "other": "other line"}
"""What kinds of lines are called, where that is not their name."""
NAMED = 3
"""Most articles that are named in a line."""
COLUMNS_NAMED = 8
"""Most columns that are named in a line."""
KINDS_NAMED = 12
"""Most reasons that are named in a line: files of other kinds may have any number of endings."""


def built(done: BuildSummary, out: Path) -> list[str]:
    """The lines that say what was made.

    Args:
        done: what the build made.
        out: the folder of the tables.
    """
    lines = [
        f"{number(done.sentences, 'sentence')} in {number(done.articles, 'article')}{_groups(done)}{_unchanged(done)}",
        *_repeated(done),
        *_not_prose(done),
        *_exports(done),
        *_articles(done.changes, out),
        *(_not_described(done, out) if done.changed else []),
        *_labels(done.changes, out),
        wrote(done.changed, out),
    ]
    return list(map(_printable, lines))


def _groups(done: BuildSummary) -> str:
    """How many groups the articles form, which splits keep together; of one article there is nothing to say."""
    if done.articles < 2:
        return ""
    if done.groups == done.articles:
        return ", each a group of its own: no two of them share a sentence"
    return (
        f" of {number(done.groups, 'group')}: articles that share a sentence, or nearly the same one, are one group, "
        "which a training keeps together"
    )


def _unchanged(done: BuildSummary) -> str:
    """How many articles were taken over from an earlier build."""
    if done.cut == 0:
        return "; no article has changed since the last build"
    same = done.articles - done.cut
    return f"; {number(same, 'article', 'have')} not changed since the last build" if same > 0 else ""


def _not_described(done: BuildSummary, out: Path) -> list[str]:
    """How many articles have no outlet or date, without which nothing can be told by them, or no title; what to do.

    Where no table describes the articles, and all have an outlet and a date, they may be texts without any title.
    """
    total = 0
    without = dict.fromkeys(("outlet", "title", "published"), 0)
    with pq.ParquetFile(out / "articles.parquet") as file:
        for batch in file.iter_batches(columns=list(without)):
            total += batch.num_rows
            for name in without:
                without[name] += sum(not value for value in batch[name].to_pylist())
    if not (without["outlet"] or without["published"] or (done.described_by and without["title"])):
        return []
    lacking = [_lack(name, count, total) for name, count in without.items() if count]
    advice = (
        f"{done.described_by} was read, and gives none for them"
        if done.described_by
        else "a table articles.csv beside the files, with the columns file, url, title, outlet and published, gives "
        "articles what the files do not"
    )
    return ["; ".join([*lacking, advice])]


def _lack(name: str, count: int, total: int) -> str:
    """How many articles lack something, as a clause."""
    what = "date" if name == "published" else name
    more = " (a headline in the text is not taken for it)" if name == "title" else ""
    if count == total:
        return f"no article has {'an' if name == 'outlet' else 'a'} {what}{more}"
    return f"{count:,} of {number(total, 'article')} {agreeing(count, 'have')} no {what}{more}"


def _repeated(done: BuildSummary) -> list[str]:
    """How many sentences are copies of another one, and how many clusters these and other near-duplicates form."""
    parts = [f"{exact_copies(done.copies)} of another sentence"] if done.copies else []
    if done.clusters:
        parts.append(f"near-duplicates, exact copies included, form {number(done.clusters, 'cluster')}")
    return ["; ".join(parts)] if parts else []


def _not_prose(done: BuildSummary) -> list[str]:
    if not done.spans:
        return []
    total = sum(done.spans.values())
    kinds = ", ".join(number(count, KINDS.get(kind, kind)) for kind, count in done.spans.items())
    return [f"{number(total, 'line', 'are')} not prose and {agreeing(total, 'are')} kept apart: {kinds}"]


def _articles_in(counts: Mapping[str, int]) -> str:
    """How many articles there are in each language, by its code."""
    return ", ".join(f"{number(count, 'article')} in {code}" for code, count in counts.items())


def noted(done: BuildSummary, out: Path) -> list[str]:
    """The lines that say what to check: articles with a weak id, not in English, read with a doubt, or left out.

    Args:
        done: what the build made.
        out: the folder of the tables.
    """
    notes = []
    if done.by_text:
        count = sum(done.by_text.values())
        notes.append(
            f"{number(count, 'article')} of {_named(list(done.by_text))} {agreeing(count, 'have')} no id or url; "
            f"{'they are' if count > 1 else 'it is'} known by the text, and a new text is a new article"
            f"{SAFER if any(name.endswith(_TABLES) for name in done.by_text) else ''}"
        )
    if done.by_name:
        notes.append(
            f"{number(done.by_name, 'article')} outside of [corpus] root {agreeing(done.by_name, 'are')} known by "
            "the file's name alone; set root in stance.toml to a folder above all articles, and the path from there "
            "makes the id"
        )
    if done.changes.damaged:
        notes.append(
            f"it is not known what left the corpus, for a table of the last build is damaged: {done.changes.damaged}"
        )
    if done.languages:
        paragraphs = {name: count for name, count in done.languages.items() if name in NEITHER}
        others = {name: count for name, count in done.languages.items() if name not in paragraphs}
        unknown = [name for name in others if not is_known(name)]
        if others:
            notes.append(f"not in English: {_articles_in(others)}")
        if unknown:
            notes.append(f"in a language without a table of abbreviations: {', '.join(unknown)}")
        if paragraphs:
            notes.append(f"cut into paragraphs only, as their script marks no sentences: {_articles_in(paragraphs)}")
    if done.unused:
        notes.append(_unused(done))
    if done.notes:
        notes.append(f"about how articles were read, listed in {out / 'notes.jsonl'}: {counts(done.notes)}")
    if done.apart:
        notes.append(f"not searched, for stance itself writes there: {', '.join(done.apart)}")
    if done.skipped:
        total = sum(done.skipped.values())
        notes.append(f"{total:,} skipped, listed in {out / 'skipped.jsonl'}: {counts(done.skipped)}")
    return list(map(_printable, notes))


def _unused(done: BuildSummary) -> str:
    """Which columns of tables are not used, those that seem to mean a field first, and how they would be used."""
    names = sorted(done.unused, key=lambda name: not done.unused[name])
    more = f" and {len(names) - COLUMNS_NAMED:,} more" if len(names) > COLUMNS_NAMED else ""
    fields = {field: column for column, field in done.unused.items() if field}
    lines = ", ".join(f'{field} = "{column}"' for field, column in fields.items())
    hint = f". Where the name says what it holds, write under [corpus.fields] in stance.toml: {lines}" if fields else ""
    return (
        f"{number(len(names), 'column')} of {_named(done.unused_in)} {agreeing(len(names), 'are')} not used: "
        f"{', '.join(names[:COLUMNS_NAMED])}{more}{hint}"
    )


def counts(numbers: Mapping[str, int]) -> str:
    """The number of each kind, in the given order, and the number of kinds beyond those named.

    Args:
        numbers: counts by kind.

    >>> counts({"of another kind (.jpg)": 3, "the file is empty": 1})
    '3 × of another kind (.jpg); 1 × the file is empty'
    """
    named = [f"{count:,} × {name}" for name, count in list(numbers.items())[:KINDS_NAMED]]
    more = len(numbers) - KINDS_NAMED
    return "; ".join([*named, f"and {number(more, 'more reason')}"] if more > 0 else named)


def _exports(done: BuildSummary) -> list[str]:
    """Which databases exported files of the corpus, as articles were read that no file's name tells of."""
    return [
        f"{number(files, 'file', 'are')} {'exports' if files > 1 else 'an export'} of {name} "
        f"({number(articles, 'article')})"
        for name, (files, articles) in done.exports.items()
    ]


def _articles(changes: Changes, out: Path) -> list[str]:
    """Which articles moved, got another id, or left."""
    lines = []
    if count := len(changes.moves):
        keep = "keep their ids" if count > 1 else "keeps its id"
        found = [f"{row.article_id} is at {row.source_id} now" for row in changes.moves]
        lines.append(
            f"{number(count, 'article')} with labels {agreeing(count, 'have')} moved and {keep}, "
            f"as {table_path(out, MOVED)} says: {_named(found)}"
        )
    if count := len(changes.renamed):
        reason = "theirs are those of articles" if count > 1 else "its own is that of an article"
        found = [f"what is at {row.source_id} now is {row.article_id}" for row in changes.renamed]
        lines.append(
            f"{number(count, 'article', 'have')} another id, as {reason} with labels that moved: {_named(found)}"
        )
    if count := changes.articles_left:
        new = changes.articles_new
        lines.append(
            f"{number(count, 'article')} of the last build {agreeing(count, 'are')} not in the corpus any more: "
            f"{_named(changes.first_left, count)}; {new} {agreeing(new, 'are')} new. A build holds what its "
            "sources name, and nothing else"
        )
    return lines


def _labels(changes: Changes, out: Path) -> list[str]:
    """What became of labelled sentences: one short line where none has left."""
    if not changes.labelled:
        return []
    lines = []
    if count := changes.left:
        lines.append(
            f"{number(count, 'labelled sentence')} left the corpus and {agreeing(count, 'are')} not counted any "
            "more; the labels are kept, and count again when the article is back:"
        )
        lines += listed(changes.first_missing)
    if changes.came:
        lines.append(f"{number(changes.came, 'labelled sentence')} came into the corpus")
    here = changes.labelled - changes.missing
    lines.append(
        f"{here} of {number(changes.labelled, 'labelled sentence')} in the corpus"
        + (f"; the others are listed in {out / LEFT}" if changes.missing else "")
    )
    return lines


def _named(names: Sequence[str], count: int = 0) -> str:
    """The first names, and how many more there are."""
    more = max(count, len(names)) - len(names[:NAMED])
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more else "")


def _printable(line: str) -> str:
    """The line without control characters, which could act on the terminal: ids and texts may hold anything."""
    return "".join(letter if letter.isprintable() else " " for letter in line)
