from typing import Any

import pytest
import yaml

from shopglot.merge.calibrate import Calibration
from shopglot.merge.decide import Decision, TaskDecision
from shopglot.report.card import Shipped, model_card
from shopglot.report.figures import percent, percent_interval
from shopglot.report.summary import Report
from tests.report.made_up import small_report

LANGUAGES = {"QC": ["en", "fr"], "QI": ["en", "fr", "ja"]}


def shipped(**changes: Any) -> Shipped:
    own = TaskDecision(calibration=Calibration(kind="temperature", slope=0.8), threshold=0.412, prior=0.65)
    plain: dict[str, Any] = {
        "recipe": "name: tiny\n",
        "license": "other",
        "languages": LANGUAGES,
        "decision": Decision(tasks={"QC": own, "QI": own}),
    }
    return Shipped(**plain | changes)


@pytest.fixture(scope="module")
def card(report: Report) -> str:
    return model_card(report, shipped())


def metadata(card: str) -> dict[str, Any]:
    before, block, _ = card.split("---\n", 2)
    assert before == ""
    found: dict[str, Any] = yaml.safe_load(block)
    return found


def section(card: str, name: str) -> str:
    return card.partition(f"\n## {name}\n")[2].partition("\n## ")[0]


def test_the_hub_reads_the_metadata_and_every_figure(report: Report, card: str) -> None:
    hub = pytest.importorskip("huggingface_hub")
    read = hub.ModelCard(card)
    assert read.data.license == "other"
    assert read.data.language == ["en", "fr", "ja"]
    assert read.data.model_name == "tiny"
    values = {(each.dataset_config, each.metric_name): each.metric_value for each in read.data.eval_results}
    for task, measures in report.tasks.items():
        assert values[task, "F1 of the relevant class"] == pytest.approx(measures.f1, abs=1e-4)
        assert values[task, "F1 of calling every pair relevant"] == pytest.approx(measures.all_positive_f1, abs=1e-4)
        assert values[task, "PR-AUC"] == pytest.approx(measures.pr_auc, abs=1e-4)
    assert {each.dataset_split for each in read.data.eval_results} == {"dev"}
    assert hub.ModelCard(str(read)).data.to_dict() == read.data.to_dict()


def test_every_language_stands_beside_its_interval_and_the_all_positive_f1(report: Report, card: str) -> None:
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in section(card, "Evaluation").splitlines()]
    for task, measures in report.tasks.items():
        for language, each in measures.slices["language"].items():
            cells = [percent(each.f1), percent_interval(each.f1_interval), percent(each.all_positive_f1)]
            assert any(row[0] == f"{task}, {language}" and row[1:4] == cells for row in rows)


def test_the_card_says_what_a_reader_has_to_know(card: str) -> None:
    for words in ("Intended use", "How to load it", "Training data", "Thresholds and calibration", "Limits", "Recipe"):
        assert section(card, words).strip()
    assert "| Query–category (QC) | 0.412 | temperature | 0.650 |" in section(card, "Thresholds and calibration")
    assert "| train_QC.txt | `9f86d0` |" in section(card, "Training data")
    assert "simulated pairs" in card
    assert "no labels in ja" in section(card, "Limits")
    assert "fewer than 100 pairs" not in section(card, "Limits")


def test_the_example_of_the_card_is_python_for_the_models_first_task(card: str) -> None:
    code = section(card, "How to load it").partition("```python\n")[2].partition("```")[0]
    compile(code, "card", "exec")
    assert 'task="QC"' in code


def test_real_data_small_slices_and_a_licence_are_said() -> None:
    real = small_report(languages=("en", "fr")).with_facts(data={"simulated": False, "train": {"kept": 1200}})
    text = model_card(real, shipped(license="apache-2.0"))
    assert metadata(text)["license"] == "apache-2.0"
    assert "imulated" not in text
    assert "1,200 labelled pairs after cleaning." in text
    assert "fewer than 100 pairs were judged in en, fr." in section(text, "Limits")


def test_words_of_the_files_stay_inside_their_cells_and_the_metadata_stays_yaml() -> None:
    nasty = small_report(languages=("en", "a|b"), name="tiny: [x]\n---").with_facts(data={"files": {"a|b.txt": "1"}})
    text = model_card(nasty, shipped())
    assert metadata(text)["model-index"][0]["name"] == "tiny: [x]\n---"
    assert r"| QC, a\|b |" in text
    assert r"| a\|b.txt |" in text
