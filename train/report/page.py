"""Write the report: one static page, which loads nothing from outside."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from pathlib import Path

import msgspec

from corpus.store import one_state, write_bytes
from labeling.intervals import Estimate, shown
from labeling.records import NO_OUTLET, STANCES, Stance
from train.input_digests import of_report
from train.predict.shares import ShareRow, called
from train.report import methods
from train.report import sentences as readings
from train.report import svg_plots as plots
from train.report.project_snapshot import Found, gather
from train.settings import Settings

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
) -> bool:
    """Write `report.html` from the files in `work`; where one is missing, the section names the command to run.

    Every text of the project is escaped. A content-security policy allows only the page's own style and script, by
    their digests: no other script, style, image or connection. Equal inputs give identical pages.

    Args:
        work: the project's folder of tables.
        target: what the stance is toward.
        ignored: pseudonyms of annotators whose answers do not count in progress and agreement.
        settings: settings of the project, for provenance and the limits; None for the defaults.
        due: sentences that each say which of the page's sources is out of date, as from `release.freshness.told`.

    Returns:
        Whether the page changed.

    Raises:
        TableError: there is no corpus, or a file is malformed.
        ExamplesError: another version wrote the model's metrics.
    """
    found = msgspec.structs.replace(gather(work, target, ignored, settings or Settings()), due=list(due))
    return write_bytes(work / "report.html", render(found).encode())


def render(found: Found) -> str:
    """Render the page as HTML."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    style, script = ((HERE / name).read_text("utf-8").strip() for name in ("page.css", "page.js"))
    page = Environment(
        loader=FileSystemLoader(HERE), undefined=StrictUndefined, autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    page.filters |= {"number": readings.number, "score": shown, "share": readings.share}
    return page.get_template("page.html.j2").render(
        found=found,
        made_of=of_report(found.files, found.target, found.settings),
        stances=STANCES,
        plots=plots,
        readings=readings,
        method=methods.methods(found),
        style=Markup(style),
        script=Markup(script),
        style_digest=_digest(style),
        script_digest=_digest(script),
        shown={row.article_id for row in found.corpus.drawn},
        scores=_scores(found),
        heat=_heat(found),
        mistakes=found.mistakes[:MOST_MISTAKES],
        doubts=found.doubts[:MOST_DOUBTS],
        months=_shares(found, "month"),
        outlets=_shares(found, "outlet", MOST_OUTLETS),
        most_outlets=MOST_OUTLETS,
        estimate={"month": _drawn_rows(found, "month")[1], "outlet": _drawn_rows(found, "outlet", MOST_OUTLETS)[1]},
        whole=_shares(found, "all"),
        settings=_settings(found.settings),
        outlet_counts=[
            *found.corpus.outlets,
            *[(NO_OUTLET, found.corpus.without_outlet)] * (found.corpus.without_outlet > 0),
        ],
        no_outlet=NO_OUTLET,
        called=called,
    )


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _scores(found: Found) -> list[plots.Bar]:
    if found.metrics is None:
        return []
    test = found.metrics.test
    rows = [
        _bar(f"{name}, {who}", score, tone)
        for name, ours, theirs in (
            ("F_avg", test.f_avg, test.majority.f_avg),
            ("macro-F1", test.macro_f1, test.majority.macro_f1),
            ("accuracy", test.accuracy, test.majority.accuracy),
        )
        for who, tone, score in (("model", "one", ours), ("majority", "three", theirs))
    ]
    ceiling = found.analysis.ceiling if found.analysis else None
    if ceiling is not None and ceiling.annotators:
        first, second = ceiling.compared.first, ceiling.compared.second
        rows += [
            _bar("F_avg, model*", first, "one"),
            _bar("annotators*", second, "two"),
        ]
    return rows


def _bar(name: str, score: Estimate, tone: str) -> plots.Bar:
    if not score.is_known:
        return plots.Bar(name=name, value=score.value, tone=tone)
    return plots.Bar(name=name, value=score.value, low=score.low, high=score.high, tone=tone)


def _heat(found: Found) -> list[list[int]]:
    """The shade of each cell of the confusion matrix, from its share of the examples in its row."""
    if found.metrics is None:
        return []
    return [[round(HEAT * cell / (sum(row) or 1)) for cell in row] for row in found.metrics.test.confusion]


def _drawn_rows(found: Found, kind: str, most: int | None = None) -> tuple[list[ShareRow], str]:
    """The rows of the `most` largest cells, and which estimate the plot shows for all of them: `corrected` or `raw`."""
    rows = [row for row in found.shares.rows if row.kind == kind] if found.shares else []
    largest = sorted({(-row.n, row.name) for row in rows})[:most]
    rows = [row for row in rows if (-row.n, row.name) in largest]
    return rows, "corrected" if all(row.corrected is not None for row in rows) else "raw"


def _shares(found: Found, kind: str, most: int | None = None) -> dict[Stance, list[plots.Point]]:
    """The points of the `most` largest cells: corrected shares if all these cells have one, otherwise raw shares."""
    rows, estimate = _drawn_rows(found, kind, most)
    series: dict[Stance, list[plots.Point]] = {stance: [] for stance in STANCES}
    for row in rows:
        place = row.name if kind == "month" else called(row.kind, row.name)
        best = row.corrected if estimate == "corrected" and row.corrected is not None else row.raw
        series[row.stance].append(plots.Point(place=place, value=best.value, low=best.low, high=best.high))
    return series if rows else {}


def _settings(settings: Settings) -> dict[str, str]:
    """Settings by key, without what is private: the annotators' e-mail addresses, and the path of the project."""
    shown: dict[str, str] = {}
    for section in Settings.__struct_fields__:
        for key, value in msgspec.structs.asdict(getattr(settings, section)).items():
            if (section, key) == ("labeling", "ignore"):
                continue
            if (section, key) == ("corpus", "root"):
                value = Path(value).name if Path(value).is_absolute() else value
            shown[f"{section}.{key}"] = msgspec.json.encode(value).decode()
    return shown
