"""How many tokens a model reads of a text."""

import polars as pl

from shopglot.core.errors import RecipeError
from shopglot.core.progress import tracked
from shopglot.learn.pretrained import read_tokenizer, resolve

_BATCH = 10_000


def token_counts(texts: pl.Series, model: str) -> pl.DataFrame:
    """Return `text` and `tokens`: how many tokens, special ones apart, the tokenizer of `model` makes of each text.

    `model` is an embedded model, a folder or a hub name. Raises RecipeError or BundleError when it cannot be loaded.
    """
    try:
        tokenizer = read_tokenizer(resolve(model))
    except ImportError as missing:
        raise RecipeError("counting tokens needs transformers: pip install 'shopglot[train]'") from missing
    tokens: list[int] = []
    for start in tracked(range(0, len(texts), _BATCH), "counting tokens", size=len(texts), long=100_000):
        batch = texts.slice(start, _BATCH).to_list()
        encoded = tokenizer(batch, add_special_tokens=False, return_attention_mask=False, verbose=False)
        tokens += [len(ids) for ids in encoded["input_ids"]]
    return pl.DataFrame({"text": texts, "tokens": pl.Series(tokens, dtype=pl.Int64)})
