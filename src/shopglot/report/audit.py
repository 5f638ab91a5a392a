"""Which labels are likely to be wrong, by scores of models that never saw them and by the labels of related rows."""

from collections.abc import Collection
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final

import numpy as np
import polars as pl

from shopglot.core.category import levels
from shopglot.core.errors import RecipeError
from shopglot.core.folds import Mask
from shopglot.core.judged import Judged
from shopglot.core.log_odds import logit, sigmoid
from shopglot.core.metrics import Floats
from shopglot.core.pairs import Pairs
from shopglot.core.scores import Scores
from shopglot.merge.logistic import fit_logistic
from shopglot.report.contradictions import votes

REVIEW: Final = (
    "id", "task", "language", "query", "english", "target", "label", "suggested", "probability", "reasons",
    "annotator", "action",
)  # fmt: skip
"""The columns of a review file; `probability` is that of the label being right, `action` is left to a person."""

SLICES: Final = ("language", "category", "annotator")
_FEWEST_OF_A_CLASS: Final = 20
_REASONS: Final = {
    "twin": "{} has the same query and target and the other label",
    "child": "{} is relevant in a category below: {}",
    "parent": "{} is irrelevant in a category above: {}",
}


@dataclass(frozen=True, eq=False, slots=True)
class LabelAudit:
    """What was found out about the labels of some pairs.

    `suspects` has the columns of `REVIEW`, the likeliest to be wrong first. It holds every pair with an out-of-fold
    score, and of those without one, of which there are `unscored`, the ones whose label is contradicted: by more
    related labels than confirm it. Pairs that were reviewed before are left out. `noise` says per task and value of a
    slice how many `pairs` have a score, and which share of them is `suspected` by confident learning and
    `contradicted`.
    """

    suspects: pl.DataFrame
    noise: pl.DataFrame
    unscored: int

    def within(self, budget: float) -> pl.DataFrame:
        """Return the first suspects, as many as the share `budget` of them says."""
        return self.suspects.head(round(budget * self.suspects.height))


@dataclass(frozen=True, slots=True)
class Known:
    """How a review list does where the truth is known: it finds `found` of `flipped` wrong labels in `listed` rows.

    `flipped` counts those among the audited rows, `everywhere` those among all rows.
    """

    listed: int
    found: int
    flipped: int
    everywhere: int

    @property
    def precision(self) -> float:
        """The share of the listed labels that are wrong."""
        return self.found / self.listed if self.listed else 0.0

    @property
    def recall(self) -> float:
        """The share of the wrong labels among the audited rows that are listed."""
        return self.found / self.flipped if self.flipped else 0.0


def audit_labels(pairs: Pairs, judged: Judged, reviewed: Collection[str] = ()) -> LabelAudit:
    """Rank labelled pairs by how likely their labels are wrong, and say where such labels gather.

    `judged` are those of the pairs that have an out-of-fold score, with the cross-fitted probabilities of the blend.
    Both they and the votes of related rows are evidence; how much a vote counts is learned from the other folds, so
    that where related rows do not agree more often than chance would have it, they count for nothing. Tasks of which no
    pair was judged are left out.

    The rank is cleanlab's self-confidence (Kuan and Mueller 2022). What is suspected is what confident learning
    (Northcutt et al. 2021) finds with thresholds per class and language. A model's own mistakes are among it, so the
    shares compare slices and are no rates of noise.
    """
    rows = _rows(pairs.labelled.of_tasks(judged.pairs.tasks), judged)
    relevant = _believed(rows)
    both = np.column_stack([1 - relevant, relevant])
    right = _cleanlab("rank").get_label_quality_scores(rows["label"].to_numpy(), both, method="self_confidence")
    scored = rows["fold"].is_not_null()
    rows = rows.with_columns(probability=pl.Series(right), suspected=pl.Series(_suspected(rows, both)))
    audited = rows.filter((scored | rows["contradicted"]) & ~rows["id"].is_in(list(reviewed)))
    return LabelAudit(_review(audited, pairs), _noise(rows.filter(scored)), rows.height - int(scored.sum()))


def known(audit: LabelAudit, listed: pl.DataFrame, pairs: Pairs, truth: pl.DataFrame) -> Known:
    """Return how many wrong labels `listed` holds, where `truth` gives the right `label` of each `id`."""
    wrong = pairs.frame.select("id", "label").join(truth, on="id").filter(pl.col("label") != pl.col("label_right"))
    found, flipped = (table.join(wrong, on="id", how="semi").height for table in (listed, audit.suspects))
    return Known(listed.height, found, flipped, wrong.height)


def _rows(pairs: Pairs, judged: Judged) -> pl.DataFrame:
    """Return the pairs with their votes and, where they were judged, their `score` and `fold`."""
    scores = judged.pairs.frame.select("id", score=pl.Series(judged.probability), fold=judged.fold)
    lead = (pl.col("for_relevant") - pl.col("for_irrelevant")) * (2 * pl.col("label") - 1)
    frame = pairs.frame.with_columns(votes(pairs)).with_columns(
        category=pl.when(pl.col("task") == "QC").then(levels(pl.col("target")).list.first()), contradicted=lead < 0
    )
    return frame.join(scores, on="id", how="left", maintain_order="left")


def _believed(rows: pl.DataFrame) -> Scores:
    """Return P(relevant) by the model and the votes; their weights are fitted on the scored rows of other folds.

    A row without a score is believed to be relevant as often as those with one are.
    """
    label, fold = rows["label"].to_numpy(), rows["fold"].fill_null("").to_numpy()
    believed = np.empty(rows.height)
    for task in rows["task"].unique():
        own = (rows["task"] == task).to_numpy()
        scored = own & (fold != "")
        evidence = _evidence(rows, float(label[scored].mean()))
        for name in np.unique(fold[own]):
            learned, inside = scored & (fold != name), own & (fold == name)
            slopes, intercept = fit_logistic(evidence[learned], label[learned])
            believed[inside] = sigmoid(evidence[inside] @ slopes + intercept)
    return believed


def _evidence(rows: pl.DataFrame, prior: float) -> Floats:
    """Return the log odds of relevant by the model and by the votes, shape (rows, 2)."""
    score = rows["score"].fill_null(prior).to_numpy()
    odds = rows.select((pl.col("for_relevant") + 0.5) / (pl.col("for_irrelevant") + 0.5)).to_series().to_numpy()
    return np.column_stack([logit(score), np.log(odds)])


def _suspected(rows: pl.DataFrame, both: Floats) -> Mask:
    """Return the rows that confident learning finds; languages with too few rows of a class are taken together."""
    scored = pl.col("fold").is_not_null()
    counts = [(scored & (pl.col("label") == label)).sum().over("task", "language") for label in (0, 1)]
    enough = pl.min_horizontal(counts) >= _FEWEST_OF_A_CLASS
    kinds = rows.with_row_index("row").select(
        "row", "task", "label", scored.alias("scored"), kind=pl.when(enough).then("language")
    )
    found = np.zeros(rows.height, dtype=np.bool_)
    for _, kind in kinds.filter("scored").group_by("task", "kind"):
        at, labels = kind["row"].to_numpy(), kind["label"].to_numpy()
        if np.bincount(labels, minlength=2).min() >= _FEWEST_OF_A_CLASS:
            issues = _cleanlab("filter").find_label_issues
            found[at] = issues(labels, both[at], filter_by="confident_learning", n_jobs=1)
    return found


def _review(audited: pl.DataFrame, pairs: Pairs) -> pl.DataFrame:
    """Return the rows as a review file has them, the likeliest to be wrong first."""
    places = pairs.frame.select("id", place="target")
    for kind in ("child", "parent"):
        audited = audited.join(places.rename({"place": f"{kind}_place"}), left_on=kind, right_on="id", how="left")
    given = pl.when(pl.col("label") == 1).then("score").otherwise(1 - pl.col("score"))
    said = pl.format("the models give label {} a probability of {}", "label", given.round(2))
    related = [pl.format(text, *(kind, f"{kind}_place")[: text.count("{}")]) for kind, text in _REASONS.items()]
    wrong = pl.col("probability") < 0.5  # noqa: PLR2004
    columns = {
        "suggested": pl.when(wrong).then(1 - pl.col("label")).otherwise("label"),
        "probability": pl.col("probability").round(4),
        "reasons": pl.concat_str(said, *related, separator="; ", ignore_nulls=True),
        "action": pl.lit(None, dtype=pl.String),
    }
    return audited.sort("probability", "id").with_columns(**columns).select(REVIEW)


def _noise(scored: pl.DataFrame) -> pl.DataFrame:
    """Return how much is suspected and contradicted, per task and then per value of each slice, the worst first."""
    shares = {"pairs": pl.len(), "suspected": pl.col("suspected").mean(), "contradicted": pl.col("contradicted").mean()}
    tables = [
        scored.with_columns(slice=pl.lit("all"), value=pl.lit("all")).group_by("task", "slice", "value").agg(**shares)
    ]
    for name in SLICES:
        named = scored.drop_nulls(name).with_columns(slice=pl.lit(name))
        tables.append(named.group_by("task", "slice", value=name).agg(**shares))
    noise = pl.concat(tables).cast({"slice": pl.Enum(["all", *SLICES])})
    return noise.sort("task", "slice", "suspected", "value", descending=[False, False, True, False])


def _cleanlab(module: str) -> Any:
    try:
        return import_module(f"cleanlab.{module}")
    except ImportError as missing:
        raise RecipeError("auditing labels needs cleanlab: pip install 'shopglot[train]'") from missing
