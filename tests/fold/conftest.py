from pathlib import Path

import polars as pl
import pytest

from shopglot.core.pairs import Pairs

SHARED = Path(__file__).parents[2] / ".." / "shared" / "data" / "shopify_qc" / "train_QC.txt"


@pytest.fixture(scope="session")
def shopify() -> Pairs:
    """Real pairs: localised category names and category paths."""
    if not SHARED.exists():
        pytest.skip("the real pairs are not here")
    raw = pl.read_ndjson(SHARED)
    return Pairs.from_frame(raw.rename({"origin_query": "query", "category_path": "target"}))
