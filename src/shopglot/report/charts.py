"""Charts as SVG text that takes its colours from the page, so that it follows light, dark and print."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from shopglot.core.errors import RecipeError
from shopglot.report.decisions import Bin, Reliability

_WIDTH: Final = 300
_STEP: Final = 22
_HEIGHT: Final = 180
_THOUSAND: Final = 1_000
_INK, _GRID, _MARK, _REFERENCE = "var(--quiet)", "var(--line)", "var(--mark)", "var(--ink)"


_PANEL: Final = 130
_PANELS: Final = 5
_LINES: Final = {"f1": [1, 0], "precision": [5, 3], "recall": [1, 2]}
"""Each measure with the dashes of its line."""


@dataclass(frozen=True, slots=True)
class Dot:
    """A figure with its interval, beside the figure it is held against."""

    label: str
    value: float
    low: float
    high: float
    reference: float


def dot_chart(dots: Sequence[Dot], title: str) -> str:
    """Return an SVG with one row per dot: a filled dot on its interval, and a hollow diamond for the reference."""
    alt = _altair()
    scale = alt.Scale(zero=False, padding=8)
    base = alt.Chart({"values": [asdict(dot) for dot in dots]}).encode(
        y=alt.Y("label:N", sort=None, title=None, axis=alt.Axis(labelLimit=140, grid=True, ticks=False))
    )
    interval = base.mark_rule(color=_MARK, strokeWidth=2).encode(
        x=alt.X("low:Q", title=title, scale=scale, axis=alt.Axis(tickCount=6, labelFlush=False)), x2="high:Q"
    )
    value = base.mark_point(color=_MARK, filled=True, opacity=1, size=70).encode(x=alt.X("value:Q", scale=scale))
    reference = base.mark_point(color=_REFERENCE, shape="diamond", opacity=1, size=60).encode(
        x=alt.X("reference:Q", scale=scale)
    )
    return _svg((interval + reference + value).properties(width=_WIDTH, height=alt.Step(_STEP)))


@dataclass(frozen=True, slots=True)
class Bar:
    """A figure, and the one it is held against where there is one."""

    label: str
    value: float
    reference: float | None = None


def bar_chart(bars: Sequence[Bar], title: str) -> str:
    """Return an SVG with a filled bar per figure, and a hollow one under it for its reference."""
    alt = _altair()
    rows = [{"label": bar.label, "side": "value", "x": bar.value} for bar in bars]
    rows += [{"label": bar.label, "side": "reference", "x": bar.reference} for bar in bars if bar.reference is not None]
    sides = list(dict.fromkeys(row["side"] for row in rows))
    number = "~s" if max(bar.value for bar in bars) >= _THOUSAND else "~r"
    base = alt.Chart({"values": rows}).encode(
        x=alt.X("x:Q", title=title, axis=alt.Axis(tickCount=5, format=number, labelFlush=False)),
        y=alt.Y("label:N", sort=None, title=None, axis=alt.Axis(labelLimit=140, ticks=False)),
        yOffset=alt.YOffset("side:N", sort=sides),
    )
    filled = base.transform_filter("datum.side == 'value'").mark_bar(color=_MARK)
    hollow = base.transform_filter("datum.side == 'reference'").mark_bar(fill="none", stroke=_INK)
    return _svg((filled + hollow).properties(width=_WIDTH, height=alt.Step(_STEP * 3 / 5 if sides[1:] else _STEP)))


def column_chart(columns: Sequence[tuple[float, float, float]], titles: tuple[str, str]) -> str:
    """Return an SVG of a histogram; a column is where it starts, where it ends and how high it is."""
    alt = _altair()
    chart = alt.Chart({"values": [{"start": start, "end": end, "y": high} for start, end, high in columns]})
    encoded = chart.mark_bar(color=_MARK, binSpacing=1).encode(
        x=alt.X("start:Q", title=titles[0], bin="binned", axis=alt.Axis(tickCount=6, grid=False)),
        x2="end:Q",
        y=alt.Y("y:Q", title=titles[1], axis=alt.Axis(tickCount=4, format="~s")),
    )
    return _svg(encoded.properties(width=_WIDTH, height=_HEIGHT))


def running_best_chart(values: Mapping[int, float], title: str) -> str:
    """Return an SVG of the value of each trial as a dot, under a line of steps for the highest so far."""
    alt = _altair()
    best = np.maximum.accumulate(list(values.values()))
    rows = [{"trial": n, "value": v, "best": b} for (n, v), b in zip(values.items(), best.tolist(), strict=True)]
    trial = alt.X("trial:Q", title="trial", scale=alt.Scale(nice=False, padding=8), axis=alt.Axis(tickMinStep=1))
    base = alt.Chart({"values": rows}).encode(x=trial)
    line = base.mark_line(color=_REFERENCE, interpolate="step-after").encode(y=alt.Y("best:Q", scale=_near(alt)))
    dots = base.mark_point(color=_MARK, filled=True, opacity=1, size=50).encode(
        y=alt.Y("value:Q", title=title, scale=_near(alt))
    )
    return _svg((line + dots).properties(width=2 * _WIDTH, height=_HEIGHT))


def scatter_chart(points: Sequence[tuple[float | str, float]], titles: tuple[str, str], *, log: bool = False) -> str:
    """Return an SVG of values against what they depend on, numbers or names, with a diamond around the highest."""
    alt = _altair()
    highest = max(range(len(points)), key=lambda row: points[row][1])
    rows = [{"x": x, "value": value, "best": row == highest} for row, (x, value) in enumerate(points)]
    kind = "N" if isinstance(points[0][0], str) else "Q"
    scale = (
        alt.Undefined if kind == "N" else alt.Scale(type="log" if log else "linear", zero=False, nice=False, padding=8)
    )
    axis = alt.Axis(labelAngle=0, labelLimit=100) if kind == "N" else alt.Axis(format="~g", tickCount=4)
    base = alt.Chart({"values": rows}).encode(
        x=alt.X(f"x:{kind}", title=titles[0], scale=scale, axis=axis),
        y=alt.Y("value:Q", title=titles[1], scale=_near(alt)),
    )
    dots = base.mark_point(color=_MARK, filled=True, opacity=1, size=50)
    best = base.mark_point(color=_REFERENCE, shape="diamond", opacity=1, size=160).transform_filter("datum.best")
    return _svg((dots + best).properties(width=_WIDTH, height=_HEIGHT))


def reliability_chart(panels: Mapping[str, Sequence[Bin]]) -> str:
    """Return an SVG with a panel per slice: the share of relevant pairs against the probability they were given."""
    alt = _altair()
    rows = [
        {"panel": name, "probability": bin_.probability, "relevant": bin_.relevant, "low": low, "high": high}
        for name, bins in panels.items()
        for bin_ in bins
        for low, high in [bin_.interval]
    ]
    base = alt.Chart().encode(x=_share(alt.X, "probability", "probability"))
    axis = {"grid": True, "values": [0, 0.5, 1]}
    ideal = (
        alt.Chart()
        .transform_aggregate(rows="count()")
        .mark_rule(color=_REFERENCE, strokeDash=[3, 3])
        .encode(x=alt.XDatum(0, axis=axis), y=alt.YDatum(0, axis=axis), x2=alt.datum(1), y2=alt.datum(1))
    )
    interval = base.mark_rule(color=_MARK, strokeWidth=2).encode(y=_share(alt.Y, "low", "relevant"), y2="high:Q")
    value = base.mark_point(color=_MARK, filled=True, opacity=1, size=30).encode(
        y=_share(alt.Y, "relevant", "relevant")
    )
    return _svg(_panels(alt, ideal + interval + value, rows, tuple(panels)))


def threshold_chart(panels: Mapping[str, Reliability]) -> str:
    """Return an SVG with a panel per slice: F1, precision and recall against the threshold, and where it ships."""
    alt = _altair()
    rows = [
        {"panel": name, "ships": each.threshold, "threshold": at, "measure": measure, "value": value}
        for name, each in panels.items()
        for measure in _LINES
        for at, value in zip(each.curve.threshold, getattr(each.curve, measure), strict=True)
    ]
    names = list(_LINES)
    dashes = alt.Scale(domain=names, range=list(_LINES.values()))
    colours = alt.Scale(domain=names, range=[_MARK, _INK, _INK])
    lines = (
        alt.Chart()
        .mark_line()
        .encode(
            x=_share(alt.X, "threshold", "threshold"),
            y=_share(alt.Y, "value", "measure"),
            color=alt.Color("measure:N", scale=colours, legend=None),
            strokeDash=alt.StrokeDash("measure:N", scale=dashes, legend=None),
        )
    )
    ships = alt.Chart().mark_rule(color=_REFERENCE).encode(x=alt.X("max(ships):Q"))
    return _svg(_panels(alt, lines + ships, rows, tuple(panels)))


def _panels(alt: Any, layers: Any, rows: Sequence[Mapping[str, Any]], order: Sequence[str]) -> Any:
    """Return small multiples in rows of five, all on the same scales."""
    facet = alt.Facet("panel:N", sort=list(order), title=None)
    sized = layers.properties(data={"values": list(rows)}, width=_PANEL, height=_PANEL)
    return sized.facet(facet=facet, columns=_PANELS)


def _share(channel: Any, field: str, title: str) -> Any:
    return channel(f"{field}:Q", title=title, scale={"domain": [0, 1]}, axis={"values": [0, 0.5, 1]})


def _altair() -> Any:
    try:
        import altair
    except ImportError as missing:
        raise RecipeError("charts need altair: pip install 'shopglot[train]'") from missing
    return altair


def _near(alt: Any) -> Any:
    """Return a scale over the values alone, which may lie far from zero."""
    return alt.Scale(zero=False, padding=8)


def _svg(chart: Any) -> str:
    """Return the chart in the page's colours, as an SVG without what only a file of its own needs.

    Roles of single marks go too: the element around it names the picture as a whole, and the table has the figures.
    """
    try:
        import vl_convert
    except ImportError as missing:
        raise RecipeError("charts need vl-convert: pip install 'shopglot[train]'") from missing
    styled = (
        chart.properties(background="transparent")
        .configure(font="system-ui, sans-serif", aria=False)
        .configure_view(stroke=None)
        .configure_header(labelColor=_INK, labelFontSize=12)
        .configure_axis(
            labelColor=_INK,
            titleColor=_INK,
            gridColor=_GRID,
            domainColor=_GRID,
            tickColor=_GRID,
            labelFontSize=12,
            titleFontSize=12,
            titleFontWeight="normal",
        )
    )
    svg = vl_convert.vegalite_to_svg(styled.to_dict())
    return re.sub(r' (xmlns(:\w+)?|role|aria-\w+)="[^"]*"', "", svg[svg.index("<svg") :])
