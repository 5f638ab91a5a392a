"""Students of the blend on the public Shopify pairs: what each keeps of its teacher's MCC, and what it learned from.

    python -m benchmarks.distill_shopify [--run runs/shopify-qc] [--out runs/students] [STUDENT …]

Teaches the students that are not in `--out` yet. Prints one JSON line per student with its lessons and the seconds of
every stage, and one line per evidence and slice with teacher and student side by side. Dev has 7,837 pairs, most of
them on branches that training does not show; the headline are the 7,216 that are not English.
"""

import argparse
import json
from pathlib import Path

from shopglot.config import load_distill_settings
from shopglot.core.files import read_json
from shopglot.distill import distill
from shopglot.report.distilled import Beside, Distilled
from shopglot.report.write import read_report

ROOT = Path(__file__).parents[1]
STUDENTS = ROOT / "recipes" / "students"


def main() -> None:
    """Teach each student, or take those that are finished, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("students", nargs="*", default=sorted(path.stem for path in STUDENTS.glob("*.yaml")))
    parser.add_argument("--run", type=Path, default=ROOT / "runs" / "shopify-qc")
    parser.add_argument("--out", type=Path, default=ROOT / "runs" / "students")
    given = parser.parse_args()
    for name in given.students:
        found = _taught(name, given.run, given.out / name)
        stages = read_report(given.out / name / "report.json").facts["stages"]
        print(json.dumps({"student": name, "lessons": found.lessons, "seconds": stages}))
        for evidence, tasks in found.evidence.items():
            for part, each in tasks["QC"].items():
                print(json.dumps({"student": name, "evidence": evidence, "slice": part, **_figures(each)}))


def _taught(name: str, run: Path, out: Path) -> Distilled:
    if (out / "report.json").is_file():  # which is written last
        return Distilled.model_validate(read_json(out / "distill.json"))
    return distill(run, load_distill_settings(STUDENTS / f"{name}.yaml"), out)


def _figures(each: Beside) -> dict[str, object]:
    sides = {
        f"{side} {name}": _rounded(getattr(measures, name))
        for name in ("f1", "mcc", "pr_auc", "roc_auc")
        for side, measures in (("teacher", each.teacher), ("student", each.student))
    }
    changes = {
        name: [_rounded(change.value), *map(_rounded, change.interval)]
        for name, change in (("f1 change", each.f1), ("mcc change", each.mcc), ("pr_auc change", each.pr_auc))
        if change is not None
    }
    kept = None if each.mcc_kept_interval is None else [_rounded(bound) for bound in each.mcc_kept_interval]
    return {
        "count": each.student.count,
        "all_positive_f1": _rounded(each.student.all_positive_f1),
        **sides,
        **changes,
        "mcc kept": _rounded(each.mcc_kept),
        "mcc kept interval": kept,
        "flips": _rounded(each.flips),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


if __name__ == "__main__":
    main()
