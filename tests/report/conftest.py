import pytest

from shopglot.merge.chain import CHOICES, UNLABELLED
from shopglot.merge.settings import MergeSettings
from shopglot.report.decisions import CrossFitted, decisions_report
from shopglot.report.settings import ReportSettings
from shopglot.report.summary import Report, summarise
from tests.report.made_up import CHOSEN, both_tasks

FOLDS = {"keys": ["query"], "parts": {"0": {"rows": 1200, "label_rate": 0.61}, "tune": {"rows": 90, "label_rate": 0.7}}}


@pytest.fixture(scope="session")
def report() -> Report:
    evidence = [both_tasks("out-of-fold", folds=3), both_tasks("test", queries=30), both_tasks("dev", skill=1.4)]
    learners = {"lexical": both_tasks("dev", skill=0.7)}
    settings = ReportSettings(slices=("seen_type",), bootstrap=100)
    made = summarise("tiny", evidence, learners, settings, seed=1, thresholds={"QC": 0.412, "QI": 0.525})
    choices = {choice: both_tasks("out-of-fold", skill=1.5 + n / 10) for n, choice in enumerate(CHOICES)}
    unlabelled = {how: both_tasks("out-of-fold", skill=1.2 + n / 10) for n, how in enumerate(UNLABELLED)}
    inside = CrossFitted(choices, unlabelled)
    made = made.with_decisions(decisions_report(evidence[-1], inside, CHOSEN, MergeSettings(), settings, seed=1))
    return made.with_facts(data={"simulated": True, "files": {"train_QC.txt": "9f86d0"}}, folds=FOLDS, seed=17)
