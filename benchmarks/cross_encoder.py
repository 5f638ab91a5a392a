"""The embedded cross-encoder that other benchmarks pack and time: `python -m benchmarks.cross_encoder [steps]`.

multilingual-e5-small, 12 layers, trained on the public Shopify pairs but for 6,000 of them, which stay apart: half to
decide by, half to judge by together with the pairs of `dev_QC.txt`. It is trained once and kept in
`runs/cross-encoder`. Prints one JSON line.
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from shopglot.core.metrics import Confusion, average_precision
from shopglot.core.pair import Task
from shopglot.core.pairs import Pairs
from shopglot.curate.clean import CLEANING_VERSION
from shopglot.curate.prepare import prepare
from shopglot.curate.settings import CurateSettings
from shopglot.format.settings import FormatSettings
from shopglot.format.template import Template
from shopglot.learn.encoder import EncoderLearner
from shopglot.learn.settings import EncoderSettings
from shopglot.merge.chain import redecide
from shopglot.merge.settings import MergeSettings
from shopglot.pack.bundle import Bundle

ROOT = Path(__file__).parents[1]
DATA = ROOT.parent / "shared" / "data" / "shopify_qc"
KEPT = ROOT / "runs" / "cross-encoder"
CURATE = CurateSettings(correct_language=False)
FORMAT = FormatSettings(path="leaf-first")
APART = 6_000
STEPS = 350


@dataclass(frozen=True, eq=False, slots=True)
class Parts:
    """Pairs to learn from, to decide by, and to judge by; the last are distinct."""

    train: Pairs
    tune: Pairs
    judged: Pairs


def parts() -> Parts:
    """Return the public Shopify pairs as this benchmark deals them."""
    train = prepare([DATA / "train_QC.txt"], CURATE, max_bad_rows=0, labelled_only=True).pairs
    dev = prepare([DATA / "dev_QC.txt"], CURATE, max_bad_rows=0, labelled_only=True).pairs
    rows = np.random.default_rng(0).permutation(len(train))
    tune, judged, rest = np.split(rows, [APART // 2, APART])
    judge = Pairs.concat([Pairs(train.frame[judged]), dev])
    distinct = Pairs(judge.frame.unique(["query", "target"], maintain_order=True))
    return Parts(Pairs(train.frame[rest]), Pairs(train.frame[tune]), distinct)


def cross_encoder(steps: int = STEPS) -> Bundle:
    """Return the trained cross-encoder with its decision, from `runs/cross-encoder` where it was made before."""
    if not (KEPT / "manifest.json").is_file():
        dealt = parts()
        settings = EncoderSettings(steps=steps, learning_rate=1e-4, tasks=("QC",), save_steps=100)
        work = KEPT.with_name("cross-encoder.work")
        scorer = EncoderLearner(settings, Template(FORMAT, CLEANING_VERSION)).fit(dealt.train, work)
        rates: dict[Task, float] = {"QC": float(dealt.train.labels.mean())}
        decision = redecide(dealt.tune, scorer.score(dealt.tune), MergeSettings(), rates)
        Bundle(scorer, decision, CURATE, {"name": "cross-encoder", "steps": steps}, {"QC": FORMAT}).save(KEPT)
    return Bundle.load(KEPT)


def main(steps: int) -> None:
    """Train where that was not done, and print how well it judges."""
    bundle, judged = cross_encoder(steps), parts().judged
    decided = bundle.score_clean(judged)
    figures = {
        "pairs": len(judged),
        "f1": round(Confusion.of(judged.labels, decided.decision).f1, 4),
        "pr_auc": round(average_precision(judged.labels, decided.probability), 4),
        "positive_rate": round(float(judged.labels.mean()), 4),
    }
    print(json.dumps({"benchmark": "cross_encoder", **bundle.facts, **figures}))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else STEPS)
