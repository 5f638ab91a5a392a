"""How fast LoRA trains on Gemma-3 270M, beside the plain way: `python -m benchmarks.llm_training [steps]`.

The plain way is float32, pairs tokenized row by row and padded to the 99th percentile of the lengths. Ours is the `llm`
learner: bfloat16 weights, each text tokenized once, the pairs of a step dealt by length among four passes. Both put the
same adapters on the same weights and take as many steps of the same size on the public Shopify pairs, each in a process
of its own. Prints pairs a second, peak memory and their ratio as one JSON line.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from shopglot.core.pairs import Pairs
from shopglot.curate.clean import CLEANING_VERSION
from shopglot.curate.prepare import prepare
from shopglot.curate.settings import CurateSettings
from shopglot.format.settings import FormatSettings
from shopglot.format.template import Template
from shopglot.learn.classifier import load_tokenizer, new_classifier
from shopglot.learn.llm import LLMLearner
from shopglot.learn.llm_settings import LLMSettings, LoraSettings, StageSettings
from shopglot.learn.pretrained import resolve
from shopglot.learn.reading import Reader
from shopglot.learn.targets import output_names, targets_of

TRAIN = Path(__file__).parents[2] / "shared" / "data" / "shopify_qc" / "train_QC.txt"
TEMPLATE = Template(FormatSettings(path="leaf-first"), CLEANING_VERSION)


def main(steps: int) -> None:
    """Train both ways and print how they compare."""
    figures = {way: _measured(way, steps) for way in ("ours", "plain")}
    rates = {f"{way}_pairs_per_second": each["pairs_per_second"] for way, each in figures.items()}
    memory = {f"{way}_peak_gb": each["peak_gb"] for way, each in figures.items()}
    ratio = round(figures["ours"]["pairs_per_second"] / figures["plain"]["pairs_per_second"], 2)
    print(json.dumps({"benchmark": "llm_training", "steps": steps, **rates, "ratio": ratio, **memory}))


def settings_of(steps: int, dtype: Any = "bfloat16") -> LLMSettings:
    """Return our recipe: 16 pairs a step, in four passes of like length."""
    stage = StageSettings(steps=steps, batch_size=4, accumulation=4, learning_rate=3e-4)
    return LLMSettings(
        model="embedded:gemma-3-270m",
        tasks=("QC",),
        max_tokens=96,
        dtype=dtype,
        lora=LoraSettings(dropout=0.0),  # whose random numbers cost a tenth of a step on a processor, in either way
        stages=(stage,),
    )


def train_ours(pairs: Pairs, steps: int, work: Path) -> None:
    """Train as the learner does."""
    LLMLearner(settings_of(steps), TEMPLATE).fit(pairs, work)


def train_plain(pairs: Pairs, steps: int, work: Path) -> None:
    """Train the same model in float32 on rows tokenized one at a time and padded to one length."""
    from datasets import Dataset
    from transformers import Trainer, TrainingArguments, default_data_collator

    settings = settings_of(steps, "float32")
    tokenizer = load_tokenizer(settings, resolve(settings.model))
    reader = Reader(tokenizer, TEMPLATE, settings)
    texts = ["".join(row) + settings.prompt.answer for row in reader.texts(pairs).iter_rows()]
    longest = int(np.percentile([len(tokenizer(text)["input_ids"]) for text in texts], 99))
    encoded = [tokenizer(text, padding="max_length", truncation=True, max_length=longest) for text in texts]
    labels = targets_of(pairs, output_names(settings)).tolist()
    rows = Dataset.from_list([{**dict(ids), "labels": label} for ids, label in zip(encoded, labels, strict=True)])
    arguments = TrainingArguments(
        output_dir=str(work),
        max_steps=steps,
        per_device_train_batch_size=16,
        learning_rate=3e-4,
        save_strategy="no",
        report_to="none",
        use_cpu=True,
        dataloader_pin_memory=False,
        label_names=["labels"],
    )
    model = new_classifier(settings, tokenizer)
    Trainer(model=model, args=arguments, train_dataset=rows, data_collator=default_data_collator).train()


def _measured(way: str, steps: int) -> dict[str, float]:
    """Return what `_one` prints, run in a process of its own so that its peak of memory is its own."""
    command = [sys.executable, "-m", "benchmarks.llm_training", str(steps), way]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def _one(way: str, steps: int) -> None:
    settings = CurateSettings(correct_language=False)
    pairs = prepare([TRAIN], settings, max_bad_rows=0, labelled_only=True).pairs
    sample = Pairs(pairs.frame.sample(steps * 16, seed=0, shuffle=True))
    resolve("embedded:gemma-3-270m")  # made once, which is no part of training
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        (train_ours if way == "ours" else train_plain)(sample, steps, Path(folder))
        seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(json.dumps({"pairs_per_second": round(len(sample) / seconds, 2), "peak_gb": round(peak, 2)}))


if __name__ == "__main__":
    if len(sys.argv) > 2:
        _one(sys.argv[2], int(sys.argv[1]))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 60)
