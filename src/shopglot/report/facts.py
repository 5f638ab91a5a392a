"""Facts of the data and the run, whatever their shape, as tables."""

from collections.abc import Mapping
from typing import Final

from pydantic import JsonValue

from shopglot.report.figures import DASH, count, spaced
from shopglot.report.sections import Row, Table

_NESTED: Final = (dict, list)


def fact_tables(name: str, value: JsonValue) -> list[Table]:
    """Return the tables that show `value`: its plain facts first, then one table for each part that has parts.

    >>> [table.caption for table in fact_tables("folds", {"count": 5, "parts": {"0": {"rows": 3}}})]
    ['folds', 'folds: parts']
    """
    tree = _by_name(value)
    if _is_grid(tree):
        return [_grid(name, tree)]
    plain = {key: inner for key, inner in tree.items() if not _has_parts(inner)}
    tables = [_list(name, plain)] if plain else []
    for key, inner in tree.items():
        if _has_parts(inner):
            tables += fact_tables(f"{name}: {spaced(key)}", inner)
    return tables


def _by_name(value: JsonValue) -> Mapping[str, JsonValue]:
    if isinstance(value, dict):
        return value
    if isinstance(value, list):
        return {str(number): inner for number, inner in enumerate(value)}
    return {"value": value}


def _has_parts(value: JsonValue) -> bool:
    """Return whether a value needs a table of its own; a list of plain values is written in one cell."""
    if isinstance(value, list):
        return any(isinstance(inner, _NESTED) for inner in value)
    return isinstance(value, dict) and bool(value)


def _is_grid(tree: Mapping[str, JsonValue]) -> bool:
    """Return whether all values are themselves maps of plain values, so that they can share their columns."""
    return bool(tree) and all(
        isinstance(inner, dict) and inner and not any(map(_has_parts, inner.values())) for inner in tree.values()
    )


def _grid(name: str, tree: Mapping[str, JsonValue]) -> Table:
    maps = {key: inner for key, inner in tree.items() if isinstance(inner, dict)}
    columns = tuple(dict.fromkeys(column for inner in maps.values() for column in inner))
    rows = [Row(key, tuple(_text(inner.get(column)) for column in columns)) for key, inner in maps.items()]
    return Table(name, ("name", *map(spaced, columns)), tuple(rows))


def _list(name: str, plain: Mapping[str, JsonValue]) -> Table:
    return Table(name, ("name", "value"), tuple(Row(spaced(key), (_text(v),)) for key, v in plain.items()))


def _text(value: JsonValue) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case int():
            return count(value)
        case float():
            return f"{value:.4g}"
        case str():
            return value
        case [_, *_]:
            return "; ".join(map(_text, value))
    return DASH
