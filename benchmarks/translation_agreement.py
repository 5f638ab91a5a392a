"""How well agreement finds wrong translations, on simulated queries: `python -m benchmarks.translation_agreement`.

The simulated machine translation is wrong in the way such translations are; it counts as wrong where it has other words
than the right one, in whatever order.
"""

import json
import tempfile
from pathlib import Path

import polars as pl

from shopglot.core.metrics import roc_auc
from shopglot.demo.simulate import simulate
from shopglot.enrich.quality import agreement
from shopglot.learn.encoders import frozen_encoder
from shopglot.learn.settings import UNIVERSAL

SHARES = (0.01, 0.05, 0.25)
QUERY, RIGHT, MACHINE = "origin_query", "translated_query", "machine_translation"


def main() -> None:
    """Print one JSON line per language and one for each way to rank the translations of all languages."""
    texts = _translations()
    found = agreement(frozen_encoder(UNIVERSAL, ""), texts[QUERY], texts[MACHINE])
    table = texts.with_columns(wrong=_words(MACHINE) != _words(RIGHT), agreement=pl.Series(found))
    for (language,), own in table.group_by("language", maintain_order=True):
        _print(language=language, translations=own.height, roc_auc=round(_auc(own, "agreement"), 3))
    median = pl.col("agreement").median().over("language")
    for name, rank in {"plain": pl.col("agreement"), "below the median": pl.col("agreement") - median}.items():
        ranked = table.with_columns(rank=rank).sort("rank")
        wrong = {
            f"wrong in the lowest {share:.0%}": _wrong(ranked.head(int(share * ranked.height))) for share in SHARES
        }
        _print(ranked_by=name, wrong=_wrong(table), roc_auc=round(_auc(ranked, "rank"), 3), **wrong)


def _translations() -> pl.DataFrame:
    with tempfile.TemporaryDirectory() as folder:
        files = simulate(Path(folder), pairs=20_000, seed=7).files.values()
        parts = [pl.read_ndjson(file).select("language", QUERY, RIGHT, MACHINE) for file in files]
    lower = pl.concat(parts).with_columns(pl.all().str.to_lowercase()).unique().sort(pl.all())
    return lower.filter(pl.col(MACHINE) != pl.col(QUERY))


def _words(column: str) -> pl.Expr:
    return pl.col(column).str.split(" ").list.sort()


def _auc(table: pl.DataFrame, column: str) -> float:
    return roc_auc(table["wrong"].cast(pl.Int8).to_numpy(), -table[column].to_numpy())


def _wrong(table: pl.DataFrame) -> float:
    return round(float(table["wrong"].sum()) / table.height, 3)


def _print(**record: object) -> None:
    print(json.dumps({"benchmark": "translation_agreement"} | record))


if __name__ == "__main__":
    main()
