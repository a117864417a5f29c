"""Write the report: one static page, which loads nothing from outside."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from corpus.numbers import separated, spoken
from corpus.store import one_state, write_bytes, write_json
from labeling.codebook import Codebook
from labeling.machine import messages as machine_messages
from labeling.records import NO_OUTLET
from labeling.scheme import Stance
from labeling.statistics.intervals import Estimate, shown
from train.predict.shares import ShareRow, called
from train.report import corpus_sentences, label_sentences, methods, share_sentences, svg_shapes
from train.report import sentences as readings
from train.report import svg_plots as plots
from train.report.numbers import report_values
from train.report.project_snapshot import Snapshot, gather
from train.settings import Settings, told

HERE = Path(__file__).parent
MOST_MISTAKES = 300
MOST_DOUBTS = 20
MOST_OUTLETS = 30
HEAT = 9
"""Number of shades in the confusion matrix. Each is a class of the stylesheet, as inline styles would need a weaker
content-security policy."""


@one_state()
def report(
    work: Path,
    target: str,
    ignored: frozenset[str] = frozenset(),
    settings: Settings | None = None,
    due: Sequence[str] = (),
    codebook: Codebook | None = None,
    begin: Callable[[str, int, int], None] = lambda name, done, total: None,
) -> bool:
    """Write `report.html`, and its numbers as `report.json`, from the files in `work`.

    Where a file is missing, the section that needs it names the command to run.

    Every text of the project is escaped. A content-security policy allows only the page's own style and script, by
    their digests: no other script, style, image or connection. Equal inputs give identical pages.

    Args:
        work: the project's folder of tables.
        target: what the stance is toward.
        ignored: pseudonyms of annotators whose answers do not count in progress and agreement.
        settings: settings of the project, for provenance and the limits; None for the defaults.
        due: sentences that each say which of the page's sources is out of date, as from `release.freshness.told`.
        codebook: the codebook; None if it is not known.
        begin: function that is called when a step begins, with its name, the number of steps done, and of all.

    Returns:
        Whether the page or its numbers changed.

    Raises:
        TableError: there is no corpus, or a file is malformed.
        ExamplesError: another version wrote the model's metrics.
    """
    begin("reading the project", 1, 3)
    snapshot = gather(work, target, ignored, settings or Settings(), codebook=codebook)
    snapshot = msgspec.structs.replace(snapshot, due=list(due))
    begin("writing the page", 2, 3)
    numbers = write_json(work / "report.json", report_values(snapshot))
    return write_bytes(work / "report.html", render(snapshot).encode()) or numbers


def render(snapshot: Snapshot) -> str:
    """Render the page as HTML."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    style, script = ((HERE / name).read_text("utf-8").strip() for name in ("page.css", "page.js"))
    labels = snapshot.settings.labels.names
    # A model of other people's data may have other labels than the project.
    every = list(dict.fromkeys([*labels, *(snapshot.metrics.labels if snapshot.metrics else [])]))
    style = svg_shapes.coloured(style, every)
    page = Environment(
        loader=FileSystemLoader(HERE),
        undefined=StrictUndefined,
        autoescape=True,
        finalize=separated,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page.filters |= {"number": readings.number, "score": shown, "share": readings.share}
    return page.get_template("page.html.j2").render(
        snapshot=snapshot,
        stances=labels,
        tones=svg_shapes.tones(every),
        plots=plots,
        shapes=svg_shapes,
        readings=readings,
        spoken=spoken,
        not_better=_not_better(snapshot),
        about=corpus_sentences,
        of_shares=share_sentences,
        of_labels=label_sentences,
        method=methods.methods(snapshot),
        machine=snapshot.status.machine,
        machine_tables=methods.machine_tables(snapshot),
        machine_sentences=machine_messages,
        style=Markup(style),
        script=Markup(script),
        style_digest=_digest(style),
        script_digest=_digest(script),
        shown={row.article_id for row in snapshot.corpus.drawn},
        scores=_scores(snapshot),
        heat=_heat(snapshot),
        mistakes=snapshot.mistakes[:MOST_MISTAKES],
        doubts=snapshot.doubts[:MOST_DOUBTS],
        months=_shares(snapshot, "month"),
        outlets=_shares(snapshot, "outlet", MOST_OUTLETS),
        most_outlets=MOST_OUTLETS,
        settled_months=_settled(snapshot, "month"),
        settled_outlets=_settled(snapshot, "outlet", MOST_OUTLETS),
        estimate={
            "month": _drawn_rows(snapshot, "month")[1],
            "outlet": _drawn_rows(snapshot, "outlet", MOST_OUTLETS)[1],
        },
        whole=_shares(snapshot, "all"),
        settings=_settings(snapshot.settings),
        outlet_counts=[
            *snapshot.corpus.outlets,
            *[(NO_OUTLET, snapshot.corpus.without_outlet)] * (snapshot.corpus.without_outlet > 0),
        ],
        no_outlet=NO_OUTLET,
        called=called,
    )


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _not_better(snapshot: Snapshot) -> str:
    if snapshot.metrics is None:
        return ""
    outside = snapshot.analysis is not None and snapshot.analysis.outside
    different = None if outside else snapshot.status.different
    return readings.not_better_sentence(snapshot.metrics, snapshot.analysis, different)


def _scores(snapshot: Snapshot) -> list[plots.Bar]:
    if snapshot.metrics is None:
        return []
    test = snapshot.metrics.test
    rows = [
        _bar(f"{name}, {who}", score, tone)
        for name, ours, theirs in (
            ("F_avg", test.f_avg, test.majority.f_avg),
            ("macro-F1", test.macro_f1, test.majority.macro_f1),
            ("accuracy", test.accuracy, test.majority.accuracy),
        )
        for who, tone, score in (("model", svg_shapes.ONE, ours), ("majority", svg_shapes.THREE, theirs))
    ]
    ceiling = snapshot.analysis.ceiling if snapshot.analysis else None
    if ceiling is not None and ceiling.annotators:
        first, second = ceiling.compared.first, ceiling.compared.second
        rows += [
            _bar("F_avg, model*", first, svg_shapes.ONE),
            _bar("annotators*", second, svg_shapes.TWO),
        ]
    return rows


def _bar(name: str, score: Estimate, tone: svg_shapes.Tone) -> plots.Bar:
    ends = plots.point(name, score)
    return plots.Bar(name=name, value=score.value, low=ends.low, high=ends.high, tone=tone)


def _heat(snapshot: Snapshot) -> list[list[int]]:
    """The shade of each cell of the confusion matrix, from its share of the examples in its row."""
    if snapshot.metrics is None:
        return []
    return [[round(HEAT * cell / (sum(row) or 1)) for cell in row] for row in snapshot.metrics.test.confusion]


def _drawn_rows(snapshot: Snapshot, kind: str, most: int | None = None) -> tuple[list[ShareRow], str]:
    """The rows of the `most` largest cells, and which estimate the plot shows for all of them: `corrected` or `raw`."""
    rows = [row for row in snapshot.shares.rows if row.kind == kind] if snapshot.shares else []
    largest = sorted({(-row.n, row.name) for row in rows})[:most]
    rows = [row for row in rows if (-row.n, row.name) in largest]
    return rows, "corrected" if all(row.corrected is not None for row in rows) else "raw"


def _shares(snapshot: Snapshot, kind: str, most: int | None = None) -> dict[Stance, list[plots.Point]]:
    """The points of the `most` largest cells: corrected shares if all these cells have one, otherwise raw shares."""
    rows, estimate = _drawn_rows(snapshot, kind, most)
    series: dict[Stance, list[plots.Point]] = {row.stance: [] for row in rows}
    for row in rows:
        place = row.name if kind == "month" else called(row.kind, row.name)
        best = row.corrected if estimate == "corrected" and row.corrected is not None else row.raw
        series[row.stance].append(plots.point(place, best))
    return series if rows else {}


def _settled(snapshot: Snapshot, kind: str, most: int | None = None) -> dict[Stance, list[plots.Point]]:
    """The points of the settled labels in the cells of `_shares`, as far as they have some, with their number."""
    series: dict[Stance, list[plots.Point]] = {}
    for row in _drawn_rows(snapshot, kind, most)[0]:
        if row.settled is not None:
            place = row.name if kind == "month" else f"{called(row.kind, row.name)} ({row.settled_labels:,})"
            series.setdefault(row.stance, []).append(plots.point(place, row.settled))
    return series


def _settings(settings: Settings) -> dict[str, str]:
    """Settings by key, without what is private: the annotators' e-mail addresses, and paths of this machine."""
    shown: dict[str, str] = {}
    for section, values in told(settings).items():
        for key, value in values.items():
            if (section, key) == ("labeling", "ignore"):
                continue
            if (section, key) in (("corpus", "root"), ("train", "encoder")):
                value = Path(value).name if Path(value).is_absolute() else value
            shown[f"{section}.{key}"] = msgspec.json.encode(value).decode()
    return shown
