"""Students of the blend on the public Shopify pairs: what each keeps of its teacher's MCC, and what it learned from.

    python -m benchmarks.distill_shopify [--run runs/shopify-qc] [--out runs/students] [STUDENT …]

Prints one JSON line per student with its seconds and lessons and its quality on the tune part, by which settings are
chosen; then one line per evidence and slice with teacher and student side by side. Dev has 7,837 pairs, of which
the headline is those that are not English; most are on branches that training does not show.
"""

import argparse
import json
import time
from pathlib import Path

from shopglot.config import load_distill_settings, load_recipe
from shopglot.core.folds import TUNE
from shopglot.core.judged import Judged
from shopglot.fold.store import load_folds
from shopglot.pack.bundle import Bundle
from shopglot.pipeline import distill, gather
from shopglot.report.distilled import Beside
from shopglot.report.measure import Measures

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
        start = time.perf_counter()
        found = distill(given.run, load_distill_settings(STUDENTS / f"{name}.yaml"), given.out / name)
        seconds = round(time.perf_counter() - start)
        tune = _on_tune(given.run, given.out / name)
        print(json.dumps({"student": name, "seconds": seconds, "lessons": found.lessons, "tune": tune}))
        for evidence, tasks in found.evidence.items():
            for part, each in tasks["QC"].items():
                print(json.dumps({"student": name, "evidence": evidence, "slice": part, **_figures(each)}))


def _on_tune(run: Path, out: Path) -> dict[str, float | int | None]:
    """Return how the student's bundle does on the pairs that chose its threshold, without English."""
    train = gather(load_recipe(run / "recipe.yaml"), out).train
    tune = train.filter(load_folds(run / "folds").judges(train, TUNE))
    others = tune.filter((tune["language"] != "en").to_numpy())
    decided = Bundle.load(out / "bundle").score_clean(others)
    measures = Measures.of(Judged("tune", others, decided.probability, decided.decision))
    return {"count": measures.count, "pr_auc": _rounded(measures.pr_auc), "mcc": _rounded(measures.mcc)}


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
