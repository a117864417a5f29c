"""Write one flat table of the whole project, for colleagues, spreadsheets and R."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
import pyarrow.compute as pc

from corpus.errors import StanceError
from corpus.numbers import spoken
from corpus.staging import put_in_place
from corpus.store import KEPT, one_state, table_path
from labeling.machine.answers import Series
from release.export.answer_rows import answer_rows, answer_table, long_schema
from release.export.corpus_batches import sentence_count
from release.export.project_labels import columns_of_labels, read_all_answers
from release.export.sentence_rows import sentence_rows, sentence_schema
from release.export.table_files import ENDINGS, check_sheet, table_writer
from release.freshness import Project
from train.predict.output_files import staged_file

Progress = Callable[[int, int], None]


class Exported(msgspec.Struct, frozen=True, kw_only=True):
    """What was exported.

    Attributes:
        rows: number of rows.
        labelled: number of these whose sentence has a verdict, or is an exact copy of one that has.
        copies: number of these that have the verdict of an exact copy; 0 in the form with a row for each answer.
        gone: number of sentences with answers or a verdict that are no longer in the corpus, and are left out.
        coders: machine coders by the name of their column; empty in the form with a row for each answer.
        defused: number of cells that begin with an apostrophe, so that no spreadsheet program runs them.
        changed: whether the file changed.
    """

    rows: int
    labelled: int
    copies: int
    gone: int
    coders: dict[str, Series]
    defused: int
    changed: bool


@one_state()
def export(
    project: Project,
    out: Path,
    accounts: Mapping[str, str],
    *,
    long: bool = False,
    progress: Progress = lambda done, total: None,
) -> Exported:
    """Write the table, whole or not at all.

    Args:
        project: the project; what is not there yet, such as predictions, leaves its columns empty.
        out: file to write, which ends in .csv, .xlsx, .jsonl or .parquet.
        accounts: mail address → pseudonym, as in `.stance/annotators.json`.
        long: whether to write a row for each answer instead of one for each sentence.
        progress: function that is called with the number of rows just written, and of all.

    Raises:
        StanceError: `out` has another ending, lies where the project's own files are, or is a workbook that would have
            more rows or columns, or longer cells, than Excel reads.
        TableError: there is no corpus, or a table is malformed.
    """
    _check_place(out, project.work)
    work, scheme, target = project.work, project.settings.labels, project.settings.target.name
    answers = read_all_answers(project, accounts)
    labels = columns_of_labels(project, answers)
    known = answers.sentences()
    if long:
        table = answer_table(answers, scheme)
        schema, total = long_schema(scheme), len(table)
        batches = answer_rows(work, table, labels, scheme, target)
    else:
        schema, total = sentence_schema(labels, scheme), sentence_count(work)
        batches = sentence_rows(work, labels, scheme, target)
    check_sheet(out, total, len(schema))
    rows = labelled = copies = defused = 0
    with staged_file(out) as staged:
        with table_writer(staged, schema) as write:
            for batch in batches:
                defused += write(batch)
                rows += batch.num_rows
                labelled += batch.num_rows - batch.column("label").null_count
                if not long:
                    copies += pc.and_(batch["label"].is_valid(), batch["copy_of"].is_valid()).true_count
                progress(batch.num_rows, total)
        out.parent.mkdir(parents=True, exist_ok=True)
        changed = put_in_place(staged, out)
    return Exported(
        rows=rows,
        labelled=labelled,
        copies=copies,
        gone=len(known - labels.here),
        coders={} if long else labels.coders,
        defused=defused,
        changed=changed,
    )


def _check_place(out: Path, work: Path) -> None:
    if out.suffix.lower() not in ENDINGS or out.is_dir():
        raise StanceError(f"--to {out}: expected a file that ends in {spoken(ENDINGS, 'or')}")
    place, kept = out.resolve(), table_path(work, KEPT[0]).parent.resolve()
    if place.is_relative_to(kept) and kept != work.resolve():
        raise StanceError(f"--to {out}: {kept.name} holds what no command can make again; name another folder")
    if place.is_relative_to(work.resolve()) and not out.name.startswith("export"):
        raise StanceError(
            f"--to {out}: in {work}, where the project's own files are, the name must begin with `export`, as in "
            f"{work / 'export.csv'}"
        )
