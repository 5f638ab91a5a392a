"""Small files of every kind, written on the spot."""

import gzip
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

Row = Mapping[str, Any]


def category_row(number: int = 1, **changes: Any) -> dict[str, Any]:
    """Return a good row of task QC as the competition writes it."""
    row = {"id": number, "task": "QC", "language": "en", "origin_query": "Tea", "category_path": "food,tea", "label": 1}
    return row | changes


def item_row(number: int = 1, **changes: Any) -> dict[str, Any]:
    """Return a good row of task QI as the competition writes it."""
    row = {"id": number, "task": "QI", "language": "en", "origin_query": "Tea", "item_title": "Green Tea", "label": 0}
    return row | changes


def json_lines(path: Path, rows: Iterable[Row | str | bytes]) -> Path:
    """Write rows as JSON, and texts and bytes as lines of their own; a name in .gz is packed."""
    data = b"".join(_line(row) + b"\n" for row in rows)
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def text_file(path: Path, *lines: str) -> Path:
    """Write lines of text."""
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def _line(row: Row | str | bytes) -> bytes:
    if isinstance(row, bytes):
        return row
    return row.encode() if isinstance(row, str) else json.dumps(row, ensure_ascii=False).encode()
