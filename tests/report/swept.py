"""A sweep of a few trials, with values of every kind."""

from shopglot.learn.search import Measured, Trial, Values
from shopglot.learn.sweep_settings import Choices, Domain, Range
from shopglot.report.sweep import Sweep

NASTY = "<script>alert(1)</script>"
SPACE: dict[str, Domain] = {
    "learn.1.contrast.learning_rate": Range(low=1e-5, high=1e-3, log=True),
    "learn.1.hidden": Choices(choices=([64, 32], [128], None)),
    "learn.0.name": Choices(choices=(NASTY, "[red]")),
    "learn.1.name": Choices(choices=("e5",)),
}


def trial(number: int, qc: float, rate: float = 1e-4, name: str = "[red]") -> Trial:
    values: Values = dict(zip(SPACE, (rate, [64, 32] if number % 2 else None, name, "e5"), strict=True))
    return Trial(number, values, Measured({"QC": qc, "QI": 0.8}, {"QC": 0.871, "QI": 0.702}, 12.34))


def sweep() -> Sweep:
    trials = (trial(1, 0.7), trial(2, 0.9, rate=0.000123456), trial(4, 0.6, name=NASTY), trial(5, 0.9))
    return Sweep("tiny", SPACE, trials, simulated=False)
