"""The threshold of languages without labels, from scores of languages that were each left out in turn."""

from typing import Final

import numpy as np
import polars as pl

from shopglot.core.metrics import Floats
from shopglot.core.pairs import Pairs
from shopglot.core.scores import Scores
from shopglot.merge.calibrate import fit_calibration
from shopglot.merge.settings import MergeSettings
from shopglot.merge.threshold import steady_threshold

_FEWEST: Final = 2


def labelled_languages(pairs: Pairs) -> tuple[str, ...]:
    """Return the languages that have relevant and irrelevant ones among the labelled pairs of a task, sorted."""
    counts = pairs.frame.drop_nulls("language").group_by("language").agg(pl.col("label").n_unique())
    return tuple(counts.filter(pl.col("label") > 1)["language"].sort())


def left_out_threshold(pairs: Pairs, raw_scores: Scores, weights: Floats, settings: MergeSettings) -> float | None:
    """Return the threshold for a language without labels, or None where there are fewer than two languages with.

    Each language in turn is calibrated by the pairs of the others, as a language without labels is. The threshold is
    chosen on these probabilities of all languages. The next language is one more of them and not one more pair, so a
    language counts as one, shrunk to n / (n + shrinkage) by the number n of its relevant pairs. `raw_scores` and
    `weights` have shape (rows,); all pairs are labelled and of one task.
    """
    languages = labelled_languages(pairs)
    if len(languages) < _FEWEST:
        return None
    probability, counts = np.full(len(pairs), np.nan), np.zeros(len(pairs))
    labels = pairs.labels
    for language in languages:
        own = pairs["language"].eq_missing(pl.Series([language])).to_numpy()
        calibration = fit_calibration(labels[~own], raw_scores[~own], settings.calibration, weights[~own])
        probability[own] = calibration(raw_scores[own])
        relevant = int(labels[own].sum())
        counts[own] = weights[own] / weights[own].sum() * relevant / (relevant + settings.shrinkage)
    judged = ~np.isnan(probability)
    counts *= weights[judged].sum() / counts.sum()
    return steady_threshold(labels[judged], probability[judged], counts[judged], settings.threshold)
