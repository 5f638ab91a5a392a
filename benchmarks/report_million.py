"""How long the full report of a million scored pairs takes with 1,000 bootstrap repetitions, and how much memory.

The report has slices with intervals, a learner beside the blend, the worst mistakes with their neighbours among half a
million training pairs, and decisions by four choices of thresholds and with each language left out. The scores are
drawn from the truth with noise; no model is asked, and no threshold is fitted. Prints one JSON line: seconds by the
clock and of the processor per step, the peak memory in GB before and after, and the number of slices. Run it with
`python -m benchmarks.report_million [pairs]`.
"""

import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shopglot.core.judged import Judged
from shopglot.core.pair import TASKS
from shopglot.core.pairs import Pairs
from shopglot.merge.calibrate import Calibration
from shopglot.merge.chain import CHOICES, UNLABELLED
from shopglot.merge.decide import Decision, TaskDecision
from shopglot.merge.settings import MergeSettings
from shopglot.report.decisions import CrossFitted, decisions_report
from shopglot.report.mistakes import worst_mistakes
from shopglot.report.settings import ReportSettings
from shopglot.report.summary import summarise
from shopglot.report.write import write_report

REPETITIONS: Final = 1_000
PAIRS_PER_QUERY: Final = 5
TOP_LEVELS: Final = 35
SEED: Final = 7
SETTINGS: Final = ReportSettings(bootstrap=REPETITIONS)
DECISION: Final = Decision(
    tasks={task: TaskDecision(calibration=Calibration(kind="none"), threshold=0.5, prior=0.65) for task in TASKS}
)
LETTERS: Final = {
    "en": "abcdefghijklmnoprstuw",
    "es": "aábcdeéfghiíjlmnñoóprstuúvz",
    "fr": "aàbcçdeéèfghijlmnoprstuv",
    "de": "aäbcdefghiklmnoöprstuüwz",
    "pl": "aąbcćdeęfghijklłmnoóprsśtuwzż",
    "vi": "aăâbcdđeêghiklmnoôơpqrstuưvxy",
    "ja": "アイウエオカキクケコサシスセソタチテトナニ靴子供赤青水",
    "ko": "가나다라마바사아자차카타파하신발가방의자",
    "th": "กขคงจชซดตถทนบปพฟมยรลวสหอาเแโไ",
    "ar": "ابتثجحخدذرزسشصضطظعغفقكلمنهوي",
}


def main(pairs: int) -> None:
    """Report on simulated pairs once and print the figures."""
    texts = _queries(pairs // PAIRS_PER_QUERY)
    judged, learned = simulated("dev", texts, pairs, SEED), simulated("train", texts, pairs // 2, SEED + 1).pairs
    before, figures = _peak_gigabytes(), dict[str, dict[str, float]]()
    with tempfile.TemporaryDirectory() as folder:
        with _timed("measure", figures):
            report = summarise(
                "million",
                [judged],
                {"noisier": _with_noise(judged, 2.0)},
                SETTINGS,
                seed=SEED,
                thresholds=DECISION.thresholds,
                learned=learned,
            )
        with _timed("mistakes", figures):
            report = report.with_mistakes(worst_mistakes(judged, learned, SETTINGS, DECISION))
        with _timed("decisions", figures):
            inside = CrossFitted(
                {choice: _with_noise(judged, 1.2 + n / 10) for n, choice in enumerate(CHOICES)},
                {how: _with_noise(judged, 1.7 + n / 10) for n, how in enumerate(UNLABELLED)},
            )
            report = report.with_decisions(
                decisions_report(judged, inside, DECISION, MergeSettings(), SETTINGS, seed=SEED)
            )
        with _timed("write", figures):
            write_report(report, Path(folder))
    slices = [each for task in report.tasks.values() for column in task.slices.values() for each in column.values()]
    found = {
        "benchmark": "report_million",
        "pairs": pairs,
        "queries": judged.pairs["query"].n_unique(),
        "repetitions": REPETITIONS,
        "slices": len(slices),
        "small_slices": sum(each.small for each in slices),
        **figures,
        "peak_gb": _peak_gigabytes(),
        "peak_gb_before_reporting": before,
        "cores": os.cpu_count(),
        "load_average": round(os.getloadavg()[0], 1),
    }
    print(json.dumps(found))


def simulated(name: str, texts: pl.DataFrame, pairs: int, seed: int) -> Judged:
    """Return pairs of both tasks, half each, whose queries, `texts`, are asked the more often the higher they stand."""
    rng = np.random.default_rng(seed)
    query = (len(texts) * rng.random(pairs) ** 2).astype(np.int64)
    paths = pl.Series([f"top {number % TOP_LEVELS},branch {number % 400},leaf {number}" for number in range(3_000)])
    of_category = np.arange(pairs) < pairs // 2
    frame = texts[query].with_columns(
        task=pl.when(pl.Series(of_category)).then(pl.lit("QC")).otherwise(pl.lit("QI")),
        target=pl.when(pl.Series(of_category))
        .then(paths.gather(rng.integers(len(paths), size=pairs)))
        .otherwise(pl.format("Product no. {}", pl.Series(rng.integers(pairs // 4, size=pairs)))),
        label=pl.Series(rng.random(pairs) < 0.65).cast(pl.Int8),
        weight=pl.Series(rng.pareto(2.0, pairs) + 1),
    )
    table = Pairs.from_frame(frame)
    return _with_noise(Judged(name, table, np.zeros(pairs), np.zeros(pairs, dtype=np.bool_)), 1.2)


def _queries(count: int) -> pl.DataFrame:
    """Return queries of one to four words and every tenth with a model number, with their language and English."""
    rng = np.random.default_rng(SEED)
    languages = list(LETTERS)
    language = rng.integers(len(languages), size=count)
    words = [
        "".join(rng.choice(list(LETTERS[languages[number % len(languages)]]), rng.integers(3, 9)))
        for number in range(400 * len(languages))
    ]
    of_language = pl.Series(words)
    drawn = [of_language.gather(len(languages) * rng.integers(400, size=count) + language) for _ in range(4)]
    length, code = pl.Series(rng.integers(1, 5, count)), pl.Series(rng.random(count) < 0.1)
    text = [pl.when(length > place).then(word) for place, word in enumerate(drawn)]
    model = pl.when(code).then(pl.format("mx{}", pl.Series(rng.integers(1_000, size=count))))
    return pl.select(
        query=pl.concat_str(*text, model, separator=" ", ignore_nulls=True),
        language=pl.Series(languages).gather(language),
        english=_english(of_language.gather_every(len(languages)), rng.integers(count, size=count)),
    )


def _english(words: pl.Series, meaning: NDArray[np.int64]) -> pl.Series:
    """Return the English text of each meaning: three words, as many texts as meanings."""
    places = (meaning, meaning // 7, meaning // len(words))
    return pl.select(pl.concat_str([words.gather(place % len(words)) for place in places], separator=" ")).to_series()


def _with_noise(judged: Judged, noise: float) -> Judged:
    """Return the pairs with probabilities drawn from their labels, the further off the more noise there is."""
    drawn = np.random.default_rng(int(10 * noise)).normal(size=len(judged.pairs))
    probability = 1 / (1 + np.exp(-(2.0 * judged.pairs.labels - 1.0 + noise * drawn)))
    return Judged(judged.name, judged.pairs, probability, probability >= 0.5)


@contextmanager
def _timed(step: str, figures: dict[str, dict[str, float]]) -> Iterator[None]:
    clock, processor = time.perf_counter(), time.process_time()
    yield
    figures[step] = {
        "seconds": round(time.perf_counter() - clock, 1),
        "processor_seconds": round(time.process_time() - processor, 1),
    }


def _peak_gigabytes() -> float:
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, 2)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
