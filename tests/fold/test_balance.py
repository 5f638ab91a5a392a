import warnings

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold

from shopglot.core.folds import TEST, TUNE
from shopglot.core.pairs import Pairs
from shopglot.fold.deal import deal
from shopglot.fold.settings import FoldSettings
from tests.fold.tables import parts, table


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("rows", [1000, 10_000])
def test_parts_are_at_least_as_even_as_those_of_scikit_learn(rows: int, seed: int) -> None:
    pairs = table(rows, seed)
    folds = deal(pairs, FoldSettings(folds=3, tune=0, test=0, qc="query"), seed)
    strata = pairs.frame.select(pl.concat_str("language", "label", "target").rank("dense")).to_series().to_numpy()
    oracle = StratifiedGroupKFold(3, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = [rows for _, rows in oracle.split(strata, strata, folds.groups["query"].to_physical().to_numpy())]
    ours = [np.flatnonzero(folds.judges(pairs, fold)) for fold in folds.names]
    assert unevenness(pairs, ours) <= unevenness(pairs, theirs)


def unevenness(pairs: Pairs, folds: list[NDArray[np.int64]]) -> float:
    """Return the largest deviation over the folds of size, of the share of relevant pairs and of each language."""
    language = pairs["language"].rank("dense").to_numpy()
    facts = np.column_stack([pairs.labels, *(language == code for code in np.unique(language))])
    deviations = [np.abs(facts[fold].mean(axis=0) - facts.mean(axis=0)).max() for fold in folds]
    return float(max(*deviations, *(abs(len(fold) / len(pairs) - 1 / len(folds)) for fold in folds)))


def test_tune_and_test_hold_their_shares() -> None:
    pairs = table(10_000, 0)
    folds = deal(pairs, FoldSettings(tune=0.15, test=0.05, qc="query"), 0)
    shares = [folds.judges(pairs, part).mean() for part in (*folds.names, TUNE, TEST)]
    assert shares == pytest.approx([0.8 / 3] * 3 + [0.15, 0.05], abs=0.001)


def test_without_kept_folds_a_tenth_more_labels_moves_few_pairs() -> None:
    pairs = table(20_000, 0)
    known = np.random.default_rng(0).random(len(pairs)) < 0.9
    fewer = Pairs(pairs.frame.with_columns(label=pl.when(pl.Series(known)).then("label")))
    how = FoldSettings(qc="query")
    before, now = (parts(deal(each, how, 0), pairs["id"])["part by query"] for each in (fewer, pairs))
    assert (before != now).to_numpy().mean() < 0.05
