"""What a run says of translations, on simulated data."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shopglot.config import Recipe
from shopglot.pipeline import run
from shopglot.report.translation import TranslationReport
from tests.learn.doubles import ByLetters


def measured(folder: Path, pairs: int, query: str, **parts: Any) -> TranslationReport:
    recipe = {
        "name": "translated",
        "data": {"simulate": {"pairs": pairs, "seed": 7}},
        "curate": {"correct_language": False},
        "fold": {"folds": 2, "tune": 0.2, "qc": "query", "near_duplicate_limit": 1},
        "format": {"query": query},
        "report": {"bootstrap": 100, "translation": True},
        "learn": [{"learner": "lexical"}],
    }
    found = run(Recipe.model_validate(recipe | parts), folder).translation
    assert found is not None
    return found


@pytest.fixture
def drawn_vectors() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("shopglot.pipeline.frozen_encoder", lambda model, prefix: ByLetters())
        yield


@pytest.mark.usefixtures("drawn_vectors")
def test_a_model_that_reads_both_texts_ranks_clearly_worse_by_the_translation_of_another_query(tmp_path: Path) -> None:
    read = measured(tmp_path, 3000, "both").tasks["QC"].languages["all"].readings
    pr_auc = {reading: own.pr_auc or 0 for reading, own in read.items()}
    assert pr_auc["both"] > pr_auc["other"] + 0.05
    assert pr_auc["both"] > pr_auc["original"] + 0.05


@pytest.mark.usefixtures("drawn_vectors")
def test_a_model_that_reads_no_translation_owes_nothing_to_any(tmp_path: Path) -> None:
    read = measured(tmp_path, 1500, "original").tasks["QC"].languages["all"].readings
    assert read["original"] == read["both"] == read["other"]
    assert read["english"].pr_auc != read["both"].pr_auc


@pytest.mark.slow
def test_sentence_vectors_of_both_texts_lose_much_by_the_translation_of_another_query(tmp_path: Path) -> None:
    learn = [{"learner": "embedding", "queries": ["original", "english"], "windows": [4]}]
    found = measured(tmp_path, 4000, "both", learn=learn)
    for task in found.tasks.values():
        whole, vietnamese = task.languages["all"].readings["other"], found.quality["vi"]
        assert whole.gain.interval[0] > 0.05
        assert vietnamese.told_apart < 0.8 < found.quality["fr"].told_apart
