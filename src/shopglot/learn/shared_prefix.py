"""Pairs of one query share what a causal model computes of the query.

Each token of a causal model reads only the tokens before it. The keys and values of a query's tokens are therefore the
same for all of its targets: they are computed once, and each target's tokens go on from a copy of them. Where targets
begin alike, as the paths of one shelf do, their first tokens are shared too.
"""

import copy
from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
import polars as pl

from shopglot.core.batches import Rows, by_length
from shopglot.core.metrics import Floats
from shopglot.core.progress import tracked
from shopglot.learn.torch_runs import logits, on_the_gpu

START_BUDGET: Final = 1024
"""Tokens of shared starts whose keys and values are kept at a time, padding included."""

REST_BUDGET: Final = 2048
"""Tokens per batch of what follows the starts, padding included."""

WORTH: Final = 0.1
"""The share of a query's tokens that must be saved for its rows to leave the plain batches."""

_CACHED: Final = {"full_attention", "sliding_attention"}
"""The kinds of layers whose past is nothing but keys and values per token."""

Ids = Sequence[list[int]]


def is_causal(model: Any) -> bool:
    """Return whether no token of `model` reads a later one, and its past can be kept as keys and values."""
    attention = [module.is_causal for module in model.modules() if hasattr(module, "is_causal")]
    kinds = set(getattr(model.config, "layer_types", None) or ())
    return bool(attention) and all(attention) and kinds <= _CACHED


def logits_by_query(model: Any, tokenizer: Any, ids: Ids, queries: pl.Series) -> Floats:
    """Return what a causal `model` says of each row of token ids, shape (rows, outputs).

    Rows of one query must begin with the same tokens to gain by it; `queries` has one text per row. The answers are
    those of `torch_runs.logits` but for the rounding of the model's type.
    """
    groups, shared = shared_starts(ids, queries)
    said = np.empty((len(ids), model.config.num_labels))
    alone = np.flatnonzero(shared == 0)
    said[alone] = logits(model, tokenizer, {"input_ids": [ids[row] for row in alone.tolist()]}, autocast=False)
    for rows, answers in _continued(model, ids, shared, groups):
        said[rows] = answers
    return said


def shared_starts(ids: Ids, queries: pl.Series) -> tuple[list[Rows], Rows]:
    """Return groups of rows that share their first tokens, and how many each row shares; 0 where a row is in no group.

    A query's rows are one group, or several whose targets begin alike, whichever leaves fewer tokens to compute.

    >>> groups, shared = shared_starts([[1, 2, 3], [1, 2, 4], [1, 5]], pl.Series(["tea", "tea", "wok"]))
    >>> [rows.tolist() for rows in groups], shared.tolist()
    ([[0, 1]], [2, 2, 0])
    """
    shared, groups = np.zeros(len(ids), dtype=np.int64), []
    rows = (
        pl.DataFrame({"row": np.arange(len(ids)), "query": queries}).group_by("query", maintain_order=True).agg("row")
    )
    for together in rows["row"].to_list():
        saved, starts = _fewest_tokens(ids, together)
        if saved >= WORTH * sum(len(ids[row]) for row in together):
            for members, common in starts:
                shared[members] = common
                groups.append(np.array(members))
    return groups, shared


def _fewest_tokens(ids: Ids, rows: list[int]) -> tuple[int, list[tuple[list[int], int]]]:
    """Return how many tokens sharing saves at most, and the groups that save them with the tokens each shares."""
    common = _common_start([ids[row] for row in rows])
    together = (len(rows) - 1) * common
    by_next: dict[int, list[int]] = {}
    for row in rows:
        by_next.setdefault(ids[row][common], []).append(row)
    if len(by_next) > 1:
        parts = [_fewest_tokens(ids, each) for each in by_next.values() if len(each) > 1]
        if (apart := sum(saved for saved, _ in parts)) > together:
            return apart, [start for _, starts in parts for start in starts]
    return together, [(rows, common)] if together else []


def _common_start(texts: Ids) -> int:
    """Return how many first tokens all `texts` have in common; each keeps one of its own, at which it is read."""
    first, last = min(texts), max(texts)  # between which the others lie, in alphabetical order
    longest = min(map(len, texts)) - 1
    return next((place for place in range(longest) if first[place] != last[place]), longest)


def _continued(model: Any, ids: Ids, shared: Rows, groups: list[Rows]) -> Iterator[tuple[Rows, Floats]]:
    """Yield rows and what the model says of them, for groups of rows that share their first tokens."""
    import torch

    model.eval()
    starts = [ids[rows[0]][: shared[rows[0]]] for rows in groups]
    parts = list(by_length(np.array([len(start) for start in starts], dtype=np.int64), budget=START_BUDGET))
    with on_the_gpu(model), torch.inference_mode():
        for part in tracked(parts, "scoring pairs", size=sum(map(len, groups))):
            past, mask = _past(model, [starts[group] for group in part])
            rows = np.concatenate([groups[group] for group in part])
            owner = np.repeat(np.arange(len(part)), [len(groups[group]) for group in part])
            rests = [ids[row][shared[row] :] for row in rows]
            for batch in by_length(np.array([len(rest) for rest in rests]), budget=REST_BUDGET):
                yield rows[batch], _answers(model, past, mask, owner[batch], [rests[each] for each in batch])


def _past(model: Any, starts: Ids) -> tuple[Any, Any]:
    """Return the keys and values of each start, and the mask of its tokens.

    They are padded at the left, so that what follows stands beside them: sliding windows count places, not positions.
    """
    from transformers import DynamicCache

    ids, mask = _padded(model, starts, "left")
    past = DynamicCache(config=model.config)
    positions = (mask.cumsum(-1) - 1).clamp(min=0)
    model(input_ids=ids, attention_mask=mask, position_ids=positions, past_key_values=past, use_cache=True)
    return past, mask


def _answers(model: Any, past: Any, mask: Any, owner: Rows, rests: Ids) -> Floats:
    """Return what the model says at the end of `rests`, each of which goes on from the start of its `owner`."""
    import torch

    ids, own_mask = _padded(model, rests, "right")
    chosen = torch.from_numpy(owner).to(model.device)
    before = mask[chosen]
    answer = model(
        input_ids=ids,
        attention_mask=torch.cat([before, own_mask], dim=1),
        position_ids=before.sum(-1, keepdim=True) + torch.arange(ids.shape[1], device=model.device),
        past_key_values=_of_owners(past, chosen),
        use_cache=True,
    )
    said: Floats = answer.logits.float().cpu().numpy()
    return said


def _of_owners(past: Any, chosen: Any) -> Any:
    """Return a cache of its own with the rows `chosen`; `past` stays as it is."""
    copied = copy.copy(past)
    copied.layers = [copy.copy(layer) for layer in past.layers]
    copied.batch_select_indices(chosen)
    return copied


def _padded(model: Any, texts: Ids, side: str) -> tuple[Any, Any]:
    """Return token ids and their mask as rows of one length."""
    import torch
    from torch.nn.utils.rnn import pad_sequence

    rows, pad = [torch.tensor(text) for text in texts], model.config.pad_token_id
    ids = pad_sequence(rows, batch_first=True, padding_value=pad, padding_side=side)
    mask = pad_sequence([torch.ones_like(row) for row in rows], batch_first=True, padding_side=side)
    return ids.to(model.device), mask.to(model.device)
