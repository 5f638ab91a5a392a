"""How fast the cross-encoder trains, beside the plain way: `python -m benchmarks.encoder_training [steps]`.

The plain way is float32, every pair padded to the 99th percentile of the lengths, all weights trained. Ours is the
`encoder` learner: bfloat16 where the processor has it, batches padded to their own longest pair, frozen word
embeddings. Both take the same steps of the same size from the same weights on the public Shopify pairs, in one run;
then both score the same held-out pairs. Prints one JSON line.
"""

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from shopglot.core.metrics import average_precision
from shopglot.core.pairs import Pairs
from shopglot.curate.clean import CLEANING_VERSION
from shopglot.curate.prepare import prepare
from shopglot.curate.settings import CurateSettings
from shopglot.format.settings import FormatSettings
from shopglot.format.template import Template
from shopglot.learn.encoder import EncoderLearner, EncoderScorer
from shopglot.learn.pretrained import resolve
from shopglot.learn.settings import EncoderSettings

TRAIN = Path(__file__).parents[2] / "shared" / "data" / "shopify_qc" / "train_QC.txt"
TEMPLATE = Template(FormatSettings(path="leaf-first"), CLEANING_VERSION)
JUDGED = 3_000


def main(steps: int) -> None:
    """Train both and print pairs a second, their ratio, and the PR-AUC of both."""
    with tempfile.TemporaryDirectory() as folder:
        cleaning = CurateSettings(correct_language=False)
        pairs = prepare([TRAIN], cleaning, max_bad_rows=0, labelled_only=True).pairs
        rows = np.random.default_rng(0).permutation(len(pairs))
        judged, train = (Pairs(pairs.frame[part]) for part in (rows[:JUDGED], rows[JUDGED:]))
        settings = EncoderSettings(steps=steps, save_steps=10 * steps, learning_rate=1e-4)
        ours, ours_seconds = timed(lambda: fit_ours(settings, train, Path(folder) / "ours"))
        plain, plain_seconds = timed(lambda: fit_plain(settings, train, Path(folder) / "plain"))
    trained = steps * settings.batch_size
    quality = {
        name: average_precision(judged.labels, each.score(judged)) for name, each in (("ours", ours), ("plain", plain))
    }
    figures = {
        "steps": steps,
        "ours_pairs_per_second": round(trained / ours_seconds, 1),
        "plain_pairs_per_second": round(trained / plain_seconds, 1),
        "ratio": round(plain_seconds / ours_seconds, 2),
        "ours_pr_auc": round(quality["ours"], 4),
        "plain_pr_auc": round(quality["plain"], 4),
        "positive_rate": round(float(judged.labels.mean()), 4),
    }
    print(json.dumps({"benchmark": "encoder_training", **figures}))


def timed(fit: Any) -> tuple[EncoderScorer, float]:
    """Return what `fit` returns and the seconds it took, loading and tokenizing included."""
    start = time.perf_counter()
    fitted: EncoderScorer = fit()
    return fitted, time.perf_counter() - start


def fit_ours(settings: EncoderSettings, train: Pairs, work: Path) -> EncoderScorer:
    """Return the encoder as the learner trains it."""
    work.mkdir()
    return EncoderLearner(settings, TEMPLATE).fit(train, work)


def fit_plain(settings: EncoderSettings, train: Pairs, work: Path) -> EncoderScorer:
    """Return the encoder trained in float32 on pairs that are all padded to one length."""
    from datasets import Dataset
    from transformers import (
        AutoModelForSequenceClassification,
        AutoTokenizer,
        Trainer,
        TrainingArguments,
        default_data_collator,
        set_seed,
    )

    set_seed(settings.seed)
    source = resolve(settings.model)
    tokenizer = AutoTokenizer.from_pretrained(source)
    model = AutoModelForSequenceClassification.from_pretrained(
        source, num_labels=1, problem_type="multi_label_classification"
    )
    scorer = EncoderScorer(model, tokenizer, TEMPLATE, settings.max_tokens)
    texts = scorer.texts(train)
    lengths = [len(ids) for ids in scorer.encode(train)["input_ids"]]
    padded = tokenizer(
        texts["query"].to_list(),
        texts["target"].to_list(),
        padding="max_length",
        truncation="longest_first",
        max_length=int(np.percentile(lengths, 99)),
    )
    rows = Dataset.from_dict({**padded, "labels": train.labels.astype(np.float32)[:, None].tolist()})
    arguments = TrainingArguments(
        output_dir=str(work),
        max_steps=settings.steps,
        per_device_train_batch_size=settings.batch_size,
        learning_rate=settings.learning_rate,
        warmup_steps=int(settings.warmup * settings.steps),
        weight_decay=settings.weight_decay,
        lr_scheduler_type=settings.schedule,
        save_strategy="no",
        report_to="none",
        use_cpu=True,
        bf16=False,
        dataloader_pin_memory=False,
        seed=settings.seed,
    )
    Trainer(model=model, args=arguments, train_dataset=rows, data_collator=default_data_collator).train()
    return scorer


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
