"""Texts that begin alike share what a causal model computes of their first tokens.

Each token of a causal model reads only the tokens before it, so what it computes of a query is the same for all of the
query's targets. Texts are therefore laid out as trees in which every shared start stands once. A tree is one sequence
to the model: each token reads its ancestors alone, and its depth is its position. Models that check several drafts of a
text at once do the same (Miao et al. 2024, SpecInfer).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from shopglot.core.batches import Rows, by_length
from shopglot.core.folds import Mask
from shopglot.core.metrics import Floats
from shopglot.core.progress import tracked
from shopglot.learn.torch_runs import on_the_gpu

TREE_TOKENS: Final = 128
"""Tokens of a tree: attention costs their square, and each tree computes its first start anew."""

TOKEN_BUDGET: Final = 1024
"""Tokens per batch of trees, padding included."""

_KINDS: Final = {"full_attention", "sliding_attention"}
"""The kinds of layers that read what a mask lets them read."""

Ids = Sequence[list[int]]


@dataclass(frozen=True, eq=False, slots=True)
class Tree:
    """Texts that share their starts.

    `ids` and `depths` are those of its tokens, shape (tokens,); `reads[i, j]` says whether token i reads token j. Row
    `rows[k]` ends at token `ends[k]`.
    """

    rows: Rows
    ends: Rows
    ids: Rows
    depths: Rows
    reads: Mask


def is_causal(model: Any) -> bool:
    """Return whether no token of a classifier reads a later one, and a mask can say which of the earlier ones."""
    attention = [module.is_causal for module in model.modules() if hasattr(module, "is_causal")]
    return bool(attention) and all(attention) and set(_layer_kinds(model.config)) <= _KINDS


def logits_by_tree(model: Any, ids: Ids) -> Floats:
    """Return what a causal `model` says of each row of token ids, shape (rows, outputs).

    The answers are those of `torch_runs.logits` but for the rounding of the model's type.
    """
    import torch

    said = np.empty((len(ids), model.config.num_labels))
    grown = list(trees(ids))
    sizes = np.array([len(tree.ids) for tree in grown], dtype=np.int64)
    model.eval()
    with on_the_gpu(model), torch.inference_mode():
        for batch in tracked(list(by_length(sizes, budget=TOKEN_BUDGET)), "scoring pairs", size=len(ids)):
            together = [grown[tree] for tree in batch]
            said[np.concatenate([tree.rows for tree in together])] = _answers(model, together)
    return said


def trees(ids: Ids, *, tokens: int = TREE_TOKENS) -> Iterator[Tree]:
    """Yield trees of at most `tokens` tokens that hold each row once; a longer row is a tree alone.

    >>> [tree] = trees([[1, 2, 3], [1, 5], [1, 2, 4]])
    >>> tree.ids.tolist(), tree.depths.tolist(), tree.rows.tolist(), tree.ends.tolist()
    ([1, 2, 3, 4, 5], [0, 1, 2, 2, 1], [0, 2, 1], [2, 3, 4])
    """
    rows: list[int] = []
    common: list[int] = []
    size = 0
    for row in sorted(range(len(ids)), key=ids.__getitem__):
        start = _common_start(ids[rows[-1]], ids[row]) if rows else 0
        if rows and size + len(ids[row]) - start > tokens:
            yield _tree(ids, rows, common, size)
            rows, common, size, start = [], [], 0, 0
        rows.append(row)
        common.append(start)
        size += len(ids[row]) - start
    if rows:
        yield _tree(ids, rows, common, size)


def _common_start(one: list[int], other: list[int]) -> int:
    both = enumerate(zip(one, other, strict=False))
    return next((place for place, (left, right) in both if left != right), min(len(one), len(other)))


def _tree(ids: Ids, rows: list[int], common: list[int], size: int) -> Tree:
    """Return the tree of sorted `rows`, each of which has its first `common` tokens together with the row before."""
    tokens, depths, reads = np.empty(size, np.int64), np.empty(size, np.int64), np.zeros((size, size), np.bool_)
    ends, path, count = np.empty(len(rows), np.int64), np.empty(0, np.int64), 0
    for place, (row, start) in enumerate(zip(rows, common, strict=True)):
        own = np.arange(count, count + len(ids[row]) - start)
        path = np.concatenate([path[:start], own])
        tokens[own], depths[own] = ids[row][start:], np.arange(start, len(path))
        reads[np.ix_(own, path)] = np.tri(len(own), len(path), start, dtype=np.bool_)
        ends[place] = path[-1]
        count += len(own)
    return Tree(np.array(rows), ends, tokens, depths, reads)


def _answers(model: Any, together: Sequence[Tree]) -> Floats:
    """Return what the model says at the end of each row of some trees, in their order."""
    import torch

    classifier = model.get_base_model() if hasattr(model, "get_base_model") else model
    ids, depths = (_padded(model, [getattr(tree, name) for tree in together]) for name in ("ids", "depths"))
    hidden = classifier.base_model(
        input_ids=ids, position_ids=depths, attention_mask=_masks(model, together), use_cache=False
    ).last_hidden_state
    owners = np.repeat(np.arange(len(together)), [len(tree.ends) for tree in together])
    ends = np.concatenate([tree.ends for tree in together])
    said: Floats = classifier.score(hidden[torch.from_numpy(owners), torch.from_numpy(ends)]).float().cpu().numpy()
    return said


def _masks(model: Any, together: Sequence[Tree]) -> Any:
    """Return what is added to the attention of each kind of layer, shape (trees, 1, tokens, tokens)."""
    kinds = _layer_kinds(model.config)
    far = {"full_attention": np.inf, "sliding_attention": getattr(model.config, "sliding_window", None) or np.inf}
    masks = {kind: _added(model, _reads(together, far[kind])) for kind in set(kinds)}
    return masks if getattr(model.config, "layer_types", None) else masks[kinds[0]]


def _reads(together: Sequence[Tree], window: float) -> Mask:
    """Return which token reads which, no more than `window` tokens of its own text; padding reads itself."""
    longest = len(together[0].ids)
    reads = np.tile(np.eye(longest, dtype=np.bool_), (len(together), 1, 1))
    for place, tree in enumerate(together):
        size = len(tree.ids)
        reads[place, :size, :size] = tree.reads & (tree.depths[:, None] - tree.depths < window)
    return reads


def _added(model: Any, reads: Mask) -> Any:
    import torch

    lowest = torch.finfo(model.dtype).min
    forbidden = torch.from_numpy(~reads)[:, None].to(model.device)
    return torch.zeros(forbidden.shape, dtype=model.dtype, device=model.device).masked_fill_(forbidden, lowest)


def _layer_kinds(config: Any) -> list[str]:
    """Return the kind of each layer; a model that tells none has one kind."""
    one = "sliding_attention" if getattr(config, "sliding_window", None) else "full_attention"
    return list(getattr(config, "layer_types", None) or [one])


def _padded(model: Any, columns: Sequence[NDArray[np.int64]]) -> Any:
    """Return rows of one length, filled with zeros at their ends."""
    import torch
    from torch.nn.utils.rnn import pad_sequence

    return pad_sequence([torch.from_numpy(column) for column in columns], batch_first=True).to(model.device)
