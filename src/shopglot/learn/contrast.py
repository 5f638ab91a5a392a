"""Contrastive fine-tuning: queries move towards their relevant targets and away from all others of the batch.

The loss is InfoNCE in both directions over in-batch and labelled negatives (van den Oord et al., 2018), trained by
sentence-transformers. A batch never holds a text twice, so a shared target is not its own negative.
"""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from shopglot.core.category import levels
from shopglot.core.errors import DataError
from shopglot.core.pairs import Pairs
from shopglot.format.template import Template
from shopglot.learn.layers import layers_of
from shopglot.learn.settings import ContrastSettings
from shopglot.learn.torch_runs import train, training_arguments


def fine_tune(
    model: Any, pairs: Pairs, template: Template, prefix: str, settings: ContrastSettings, work: Path
) -> None:
    """Train the upper layers of a sentence-transformers model on the relevant pairs, in place.

    A killed run goes on from its last checkpoint in `work`.
    """
    from datasets import Dataset
    from sentence_transformers import SentenceTransformerTrainer, SentenceTransformerTrainingArguments
    from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

    freeze_below(model, settings.layers)
    texts = contrasts(pairs, template, settings.seed).select((pl.lit(prefix) + pl.all()).name.keep())
    arguments = training_arguments(
        work,
        bf16=settings.bf16,
        max_steps=settings.steps,
        per_device_train_batch_size=settings.batch_size,
        learning_rate=settings.learning_rate,
        warmup_steps=settings.steps // 10,
        save_steps=settings.save_steps,
        seed=settings.seed,
        batch_sampler="no_duplicates",
    )
    loss = MultipleNegativesRankingLoss(
        model,
        scale=1 / settings.temperature,
        directions=("query_to_doc", "doc_to_query"),
        partition_mode="per_direction",
    )
    train(
        SentenceTransformerTrainer(
            model=model,
            args=SentenceTransformerTrainingArguments(**arguments),
            train_dataset=Dataset.from_dict(texts.to_dict(as_series=False)),
            loss=loss,
        ),
        work,
    )


def freeze_below(model: Any, layers: int) -> None:
    """Leave only the last `layers` of a sentence-transformers model to be trained."""
    model.requires_grad_(False)
    for layer in layers_of(model)[-layers:]:
        layer.requires_grad_(True)


def contrasts(pairs: Pairs, template: Template, seed: int) -> pl.DataFrame:
    """Return the columns `anchor`, `positive` and `negative`: one row per relevant pair.

    A path is written in one of four views, from the leaf alone to the whole path, for queries name a product and not
    its branch. The negative is a target labelled irrelevant to the same query, or to another query where it has none.
    """
    texts = pairs.frame.select("query", "label", "task", target=_views(pairs, template, seed))
    texts = texts.with_columns(query=template.queries(pairs))
    relevant, irrelevant = (texts.filter(pl.col("label") == label) for label in (1, 0))
    if not relevant.height or not irrelevant.height:
        raise DataError("contrastive training needs relevant and irrelevant pairs; label some of both")
    own = irrelevant.sample(fraction=1, shuffle=True, seed=seed).unique(["task", "query"], keep="first")
    joined = relevant.join(own, on=["task", "query"], how="left", suffix=" against", maintain_order="left")
    spare = irrelevant["target"].sample(joined.height, with_replacement=True, seed=seed)
    return joined.select(anchor="query", positive="target", negative=pl.col("target against").fill_null(spare))


def _views(pairs: Pairs, template: Template, seed: int) -> pl.Series:
    leaf_first = levels(pl.col("target")).list.reverse()
    drawn = pl.Series(
        "view", np.random.default_rng(seed).choice([1, 2, 3, 16], size=len(pairs), p=[0.45, 0.3, 0.15, 0.1])
    )
    path = leaf_first.list.head(pl.lit(drawn)).list.join(", ")
    item = pl.lit(template.targets(pairs))
    return pairs.frame.select(target=pl.when(pl.col("task") == "QC").then(path).otherwise(item)).to_series()
