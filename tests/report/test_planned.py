from rich.console import Console

from shopglot.fold.settings import FoldSettings
from shopglot.learn.gpus import GPUS
from shopglot.learn.llm_settings import LLMSettings
from shopglot.learn.plan import Plan, plan
from shopglot.learn.workload import Workload
from shopglot.report.planned import plan_table

WORK = Workload({"QC": 300_000}, {}, FoldSettings(), tokens=50)


def planned(model: str) -> Plan:
    return plan(LLMSettings(model=model, tasks=("QC",)), WORK, GPUS["a100-80gb"])


def shown(plans: dict[str, Plan]) -> str:
    console = Console(width=80)
    with console.capture() as capture:
        console.print(plan_table(plans, "all plans"))
    return capture.get()


def test_two_plans_can_be_read_on_a_terminal_of_eighty_columns() -> None:
    table = shown({"gemma": planned("google/gemma-2-9b"), "one": planned("Qwen/Qwen3-8B")})
    assert all(len(line) <= 80 for line in table.splitlines())
    assert "…" not in table


def test_a_plan_shows_how_the_memory_adds_up() -> None:
    cells = [
        line.split("│")[1:3] for line in shown({"gemma": planned("google/gemma-2-9b")}).splitlines() if "│" in line
    ]
    figures = {name.strip(): value.strip() for name, value in cells}
    parts = [float(figures[name]) for name in ("weights, GiB per device", "gradients", "optimizer", "activations")]
    assert figures["parameters, competition's limit"] == "9.3 B ≤ 15 B"
    assert abs(sum(parts) - float(figures["together"])) < 0.03
    assert figures["tokens"] == "48 M"
