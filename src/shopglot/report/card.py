"""The card that travels with a model, in the form of the Hugging Face Hub."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import yaml
from pydantic import JsonValue

from shopglot.core.pair import Task
from shopglot.merge.decide import Decision
from shopglot.report.figures import count, decimal, percent, percent_interval, task_name
from shopglot.report.measure import SliceReport
from shopglot.report.render import render
from shopglot.report.sections import SMALL
from shopglot.report.slices import ENGLISH, OTHERS
from shopglot.report.summary import OUT_OF_FOLD, Report

_UNKNOWN: Final = "unknown"
_TARGETS: Final[Mapping[Task, str]] = {"QC": "a category path", "QI": "a product"}
_EXAMPLES: Final[Mapping[Task, dict[str, str]]] = {
    "QC": {"query": "écouteurs", "target": "consumer electronics,audio,headphones"},
    "QI": {"query": "écouteurs", "target": "Wireless Headphones with Microphone"},
}
_EVIDENCE: Final = {
    "dev": "files of their own, on which nothing was fitted.",
    "test": "a part of the training files on which nothing was fitted.",
    OUT_OF_FOLD: "each fold is judged by models, calibration and threshold that were fitted on the others.",
}


@dataclass(frozen=True, slots=True)
class Shipped:
    """What the card says of a model beside its report: `languages` are those with labelled training pairs."""

    recipe: str
    license: str
    languages: Mapping[Task, Sequence[str]]
    decision: Decision


def model_card(report: Report, shipped: Shipped) -> str:
    """Return the `README.md` of the model that `report` is about: YAML metadata, then Markdown.

    The report's facts say what the training data was, as `pipeline.run` leaves them.
    """
    data = _mapping(report.facts.get("data"))
    files = [(name, f"`{checksum}`") for name, checksum in _mapping(data.get("files")).items()]
    first = next(iter(report.tasks))
    view = {
        "metadata": yaml.safe_dump(_metadata(report, shipped), sort_keys=False, allow_unicode=True),
        "name": report.name,
        "simulated": data.get("simulated") is True,
        "targets": " or ".join(f"{_TARGETS[task]} ({task})" for task in report.tasks),
        "example": _EXAMPLES[first] | {"task": first},
        "training": _training(shipped, data),
        "files": _table(("file", "SHA-256"), files),
        "measured_on": report.measured_on,
        "evidence": _EVIDENCE[report.measured_on],
        "f1_avg": percent(report.f1_avg),
        "evaluation": _evaluation(report),
        "decisions": _decisions(report, shipped.decision),
        "limits": _limits(report, shipped),
        "recipe": shipped.recipe,
    }
    return render("card.md.j2", view)


def _metadata(report: Report, shipped: Shipped) -> dict[str, Any]:
    """Return the card's YAML as https://github.com/huggingface/hub-docs/blob/main/modelcard.md describes it."""
    trained = {language for languages in shipped.languages.values() for language in languages}
    judged = {language for measures in report.tasks.values() for language in measures.slices["language"]}
    simulated = _mapping(report.facts.get("data")).get("simulated") is True
    dataset: dict[str, str] = {
        "type": "simulated" if simulated else "private",
        "name": "simulated marketplace" if simulated else "labelled search pairs",
        "split": report.measured_on,
    }
    results = [
        {
            "task": {"type": "text-classification", "name": task_name(task)},
            "dataset": dataset | {"config": task},
            "metrics": _metrics(measures),
        }
        for task, measures in report.tasks.items()
    ]
    return {
        "language": sorted((trained | judged) - {_UNKNOWN}),
        "license": shipped.license,
        "library_name": "shopglot",
        "pipeline_tag": "text-classification",
        "tags": ["search-relevance", "e-commerce", "multilingual"],
        "metrics": ["f1", "average_precision", "matthews_correlation", "brier_score"],
        "model-index": [{"name": report.name, "results": results}],
    }


def _metrics(measures: SliceReport) -> list[dict[str, Any]]:
    values = {
        ("f1", "F1 of the relevant class"): measures.f1,
        ("f1", "F1 of calling every pair relevant"): measures.all_positive_f1,
        ("average_precision", "PR-AUC"): measures.pr_auc,
        ("matthews_correlation", "MCC"): measures.mcc,
        ("brier_score", "Brier"): measures.brier,
    }
    return [
        {"type": kind, "name": name, "value": round(value, 4)}
        for (kind, name), value in values.items()
        if value is not None
    ]


def _training(shipped: Shipped, data: Mapping[str, JsonValue]) -> str:
    kept = _mapping(data.get("train")).get("kept")
    said = [f"{count(kept)} labelled pairs after cleaning."] if isinstance(kept, int) else []
    languages = [f"{task_name(task)}: {', '.join(codes) or _UNKNOWN}." for task, codes in shipped.languages.items()]
    return " ".join([*said, "Languages with labels:", *languages])


def _evaluation(report: Report) -> str:
    head = ("task, language", "F1 %", "95 % interval", "all-positive F1 %", "PR-AUC", "MCC", "pairs")
    rows = []
    for task, measures in report.tasks.items():
        others = measures.slices.get(ENGLISH, {}).get(OTHERS)
        named = {task_name(task): measures} | ({f"{task}, {OTHERS}": others} if others else {})
        named |= {f"{task}, {language}": each for language, each in measures.slices["language"].items()}
        rows += [
            (
                name,
                percent(each.f1),
                percent_interval(each.f1_interval),
                percent(each.all_positive_f1),
                decimal(each.pr_auc),
                decimal(each.mcc),
                count(each.count),
            )
            for name, each in named.items()
        ]
    return _table(head, rows)


def _decisions(report: Report, decision: Decision) -> str:
    rows = [
        (
            task_name(task),
            decimal(decision.tasks[task].threshold),
            decision.tasks[task].calibration.kind,
            decimal(decision.tasks[task].prior),
            decimal(measures.brier),
        )
        for task, measures in report.tasks.items()
    ]
    return _table(("task", "threshold", "calibration", "prior", "Brier score"), rows)


def _limits(report: Report, shipped: Shipped) -> list[str]:
    """Return what the figures do not show, one sentence each."""
    limits = ["Languages that are not in the tables were neither trained nor judged."]
    for task, measures in report.tasks.items():
        languages = measures.slices["language"]
        new = [language for language in languages if language not in (*shipped.languages[task], _UNKNOWN)]
        few = [language for language, each in languages.items() if each.count < SMALL]
        if new:
            limits.append(
                f"{task_name(task)}: no labels in {', '.join(new)}; the threshold was chosen on other languages."
            )
        if few:
            limits.append(f"{task_name(task)}: fewer than {SMALL} pairs were judged in {', '.join(few)}.")
    if report.measured_on != "dev":
        limits.append("It was judged on the files it was trained from; other files may be harder.")
    if _mapping(report.facts.get("data")).get("simulated") is True:
        limits.append("The data is simulated: no figure here says how it would do in a real shop.")
    return limits


def _mapping(value: JsonValue) -> Mapping[str, JsonValue]:
    return value if isinstance(value, dict) else {}


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table; what would end a cell is written so that it does not."""
    lines = [head, ["---"] * len(head), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
