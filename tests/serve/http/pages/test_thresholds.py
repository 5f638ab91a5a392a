import polars as pl
import pytest

from shopglot.core.pairs import Pairs
from shopglot.serve.http.pages.thresholds import why
from shopglot.serve.http.policy import InForce, Policy, Threshold, Version
from shopglot.serve.http.question import Question, Verdict
from tests.serve.http.pages.test_status import DECISION

NONE = InForce.of(Version(version=0, policy=Policy()))
SLICES = [
    ("de", "pet supplies,dogs", 0.75, "chosen for German in pet supplies"),
    ("de", "food", 0.5, "chosen for German"),
    ("en", "food", 0.375, "chosen for all of QC, whatever the language"),
    (None, "food", 0.375, "chosen for all of QC, whatever the language"),
    ("ja", "pet supplies", 0.625, "chosen for languages without labels, such as Japanese"),
]


@pytest.mark.parametrize(("language", "target", "threshold", "words"), SLICES)
def test_the_words_name_the_slice_whose_threshold_the_bundle_takes(
    language: str | None, target: str, threshold: float, words: str
) -> None:
    question = Question("QC", "bett", target, language)
    row: dict[str, list[str | None]] = {"task": ["QC"], "query": ["bett"], "target": [target], "language": [language]}
    assert DECISION.threshold_per_row(Pairs.from_frame(_table(row))).tolist() == [threshold]
    verdict = Verdict(0.5, threshold, language, category=target.partition(",")[0])
    assert why(DECISION, NONE, question, verdict) == words


def test_a_policy_stands_above_the_bundle() -> None:
    policy = InForce.of(Version(version=3, policy=Policy(thresholds=(Threshold(task="QC", threshold=0.5),))))
    said = why(DECISION, policy, Question("QC", "bett", "food"), Verdict(0.5, 0.375, "de"))
    assert said == "set by version 3 of this server's policy"
    assert why(None, NONE, Question("QC", "bett", "food"), Verdict(0.5, 0.375, "de")) == "of the bundle"


def _table(row: dict[str, list[str | None]]) -> pl.DataFrame:
    return pl.DataFrame(row, schema=dict.fromkeys(row, pl.String))
