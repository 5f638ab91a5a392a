"""How figures are written: the same way in the page and in the terminal."""

from collections.abc import Mapping
from typing import Final

from shopglot.core.pair import Task
from shopglot.merge.intervals import Interval
from shopglot.report.measure import Difference

DASH: Final = "–"
_MINUS: Final = "−"
_TASKS: Final[Mapping[Task, str]] = {"QC": "Query–category", "QI": "Query–item"}


def task_name(task: Task) -> str:
    """Return a task as a person would say it.

    >>> task_name("QC")
    'Query–category (QC)'
    """
    return f"{_TASKS[task]} ({task})"


def spaced(name: str) -> str:
    """Return a key as words; what is no key of ours, such as the name of a file, stays as it is.

    >>> spaced("top_category"), spaced("train_QC.txt")
    ('top category', 'train_QC.txt')
    """
    return name.replace("_", " ") if name.isidentifier() else name


def percent(share: float) -> str:
    """Return a share in per cent, without the sign.

    >>> percent(0.81649)
    '81.6'
    """
    return f"{100 * share:.1f}"


def decimal(value: float | None) -> str:
    """Return a figure with three decimals, or a dash for one that is undefined."""
    return DASH if value is None else f"{value:.3f}".replace("-", _MINUS)


def points(change: float) -> str:
    """Return a change in percentage points with its sign.

    >>> points(0.0123), points(-0.2), points(-0.0001)
    ('+1.2', '−20.0', '0.0')
    """
    rounded = round(100 * change, 1)
    return "0.0" if rounded == 0 else f"{rounded:+.1f}".replace("-", _MINUS)


def percent_interval(interval: Interval) -> str:
    """Return an interval of shares in per cent."""
    low, high = interval
    return f"{percent(low)}–{percent(high)}"


def points_interval(interval: Interval) -> str:
    """Return an interval of changes in percentage points."""
    low, high = interval
    return f"{points(low)} to {points(high)}"


def count(number: int) -> str:
    """Return a count with its thousands apart.

    >>> count(12000)
    '12,000'
    """
    return f"{number:,}"


def short(number: float) -> str:
    """Return a large number with three figures and its unit.

    >>> short(11_831_508_480), short(65_474_304), short(999_999), short(640)
    ('11.8 B', '65.5 M', '1 M', '640')
    """
    for unit, name in ((1e12, " T"), (1e9, " B"), (1e6, " M"), (1e3, " K")):
        if number >= 0.9995 * unit:  # what is rounded up to a unit is one
            return f"{number / unit:.3g}{name}"
    return f"{number:.0f}"


def duration(seconds: float) -> str:
    """Return a stretch of time in the unit that a person would take.

    >>> duration(40), duration(600), duration(14_400), duration(400_000)
    ('40 s', '10 min', '4.0 h', '4.6 days')
    """
    minute, hour, day = 60, 3_600, 86_400
    if seconds < 2 * minute:
        return f"{seconds:.0f} s"
    if seconds < 2 * hour:
        return f"{seconds / minute:.0f} min"
    return f"{seconds / hour:.1f} h" if seconds < 2 * day else f"{seconds / day:.1f} days"


def verdict(difference: Difference) -> str:
    """Return what the interval says: "better" needs its lower bound above zero."""
    low, high = difference.interval
    if low > 0:
        return "better"
    if high < 0:
        return "worse"
    return "the same" if low == high == 0 else "unclear"


def change(difference: Difference) -> str:
    """Return a difference in points with its interval and what that says."""
    return f"{points(difference.f1)} ({points_interval(difference.interval)}): {verdict(difference)}"
