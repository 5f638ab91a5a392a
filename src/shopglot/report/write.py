"""The files a report is kept in: `report.json` for programs, `report.html` for people."""

from pathlib import Path

from shopglot.core.errors import DataError
from shopglot.core.files import read_json, whole_file, write_json
from shopglot.report.page import page
from shopglot.report.summary import Report


def write_report(report: Report, out: Path) -> None:
    """Write `report.json` and the self-contained page `report.html` into the folder `out`."""
    write_json(out / "report.json", report.to_json())
    with whole_file(out / "report.html") as part:
        part.write_text(page(report), encoding="utf-8")


def read_report(path: Path) -> Report:
    """Return the report in the `report.json` at `path`; raises DataError where there is none or it is not one."""
    if not path.is_file():
        raise DataError(f"no report at {path}; make one with `shopglot run`")
    try:
        return Report.from_json(read_json(path))
    except (ValueError, KeyError, TypeError, AttributeError) as reason:
        raise DataError(
            f"{path} is no report of this version of shopglot; make it again with `shopglot run`"
        ) from reason
