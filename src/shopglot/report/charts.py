"""Charts as SVG text that takes its colours from the page, so that it follows light, dark and print."""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Final

from shopglot.core.errors import RecipeError

_WIDTH: Final = 300
_STEP: Final = 22
_INK, _GRID, _MARK, _REFERENCE = "var(--quiet)", "var(--line)", "var(--mark)", "var(--ink)"


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
    try:
        import altair as alt
        import vl_convert
    except ImportError as missing:
        raise RecipeError("charts need altair and vl-convert: pip install 'shopglot[train]'") from missing
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
    chart = (
        (interval + reference + value)
        .properties(width=_WIDTH, height=alt.Step(_STEP), background="transparent")
        .configure(font="system-ui, sans-serif", aria=False)
        .configure_view(stroke=None)
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
    return _for_a_page(vl_convert.vegalite_to_svg(chart.to_dict()))


def _for_a_page(svg: str) -> str:
    """Return the SVG without what only a file of its own needs."""
    return re.sub(r' (xmlns(:\w+)?)="[^"]*"', "", svg[svg.index("<svg") :])
