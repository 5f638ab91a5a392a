"""The main job on the embedded data: its time, its memory, and what each part adds: `python -m benchmarks.demo`.

Prints one JSON line for the run, one per task and slice of seen or unseen product types, one per learner, and one per
difference between the blend and a learner alone. All figures are of simulated pairs.
"""

import argparse
import json
import resource
import time
from pathlib import Path
from typing import Any

from shopglot.config import load_recipe
from shopglot.pipeline import run
from shopglot.report.summary import Report

ROOT = Path(__file__).parents[1]


def main() -> None:
    """Run recipes/demo.yaml from nothing and print its figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "runs" / "demo-benchmark")
    out = parser.parse_args().out
    start = time.perf_counter()
    report = run(load_recipe(ROOT / "recipes" / "demo.yaml"), out)
    gigabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    tell("run", seconds=round(time.perf_counter() - start), peak_gb=round(gigabytes, 2), f1_avg=report.f1_avg)
    tell_quality(report)


def tell_quality(report: Report) -> None:
    """Print what the blend and each of its learners reach."""
    for task, measured in report.tasks.items():
        slices = {"all": measured} | {f"seen type: {name}": each for name, each in measured.slices["seen_type"].items()}
        for name, each in slices.items():
            tell("blend", task=task, slice=name, f1=each.f1, all_positive_f1=each.all_positive_f1, roc_auc=each.roc_auc)
    for name, tasks in report.learners.items():
        tell("alone", learner=name, **{task: each.f1 for task, each in tasks.items()})
        for task, languages in report.differences[name].items():
            for language, found in languages.items():
                figures = {"f1": found.f1, "low": found.interval[0], "high": found.interval[1], "count": found.count}
                tell("blend over learner", learner=name, task=task, language=language, **figures)


def tell(what: str, **figures: Any) -> None:
    """Print one line of figures, rounded to four digits."""
    rounded = {name: round(value, 4) if isinstance(value, float) else value for name, value in figures.items()}
    print(json.dumps({"benchmark": "demo", "what": what, **rounded}), flush=True)


if __name__ == "__main__":
    main()
