"""A unigram tokenizer without the pieces that nobody uses: most of a small multilingual model is word embeddings."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from shopglot.core.errors import RecipeError

Rows = NDArray[np.int64]
_AT_ONCE: Final = 50_000


@dataclass(frozen=True, eq=False, slots=True)
class Trimmed:
    """A tokenizer as JSON, and the row of the old word embeddings that each of its ids had, shape (pieces,)."""

    tokenizer: str
    rows: Rows


def trimmed(tokenizer: str, texts: Iterable[str], *, spare: int = 0) -> Trimmed:
    """Return a unigram `tokenizer`, given as JSON, with the pieces it uses for `texts`.

    Those texts are cut into the same pieces as before. Special tokens, single characters and bytes stay too, and the
    `spare` most probable other pieces, so that new texts are still read, if in more pieces. The numbers of the pieces
    change; their order does not. Raises RecipeError for a tokenizer of another kind.
    """
    described = json.loads(tokenizer)
    if described["model"]["type"] != "Unigram":
        raise RecipeError(
            f"only unigram tokenizers can be trimmed, and this one is {described['model']['type']}; pack without it"
        )
    vocabulary = described["model"]["vocab"]
    kept = _used(tokenizer, texts) | _needed(described) | _most_probable(vocabulary, spare)
    rows = np.array(sorted(kept), dtype=np.int64)
    number = {int(row): new for new, row in enumerate(rows)}
    described["model"]["vocab"] = [vocabulary[row] for row in rows if row < len(vocabulary)]  # added tokens may follow
    described["model"]["unk_id"] = number.get(described["model"]["unk_id"])
    for token in described["added_tokens"]:
        token["id"] = number[token["id"]]
    for special in _specials(described):
        special["ids"] = [number[token] for token in special["ids"]]
    if described["padding"] is not None:
        described["padding"]["pad_id"] = number[described["padding"]["pad_id"]]
    return Trimmed(json.dumps(described, ensure_ascii=False), rows)


def _used(tokenizer: str, texts: Iterable[str]) -> set[int]:
    from tokenizers import Tokenizer

    reader = Tokenizer.from_str(tokenizer)
    reader.no_truncation()
    reader.no_padding()
    distinct, used = list(dict.fromkeys(texts)), set()
    for start in range(0, len(distinct), _AT_ONCE):
        for encoded in reader.encode_batch_fast(distinct[start : start + _AT_ONCE]):
            used.update(encoded.ids)
    return used


def _needed(described: dict[str, Any]) -> set[int]:
    """Return the pieces without which other texts would not be read, or these texts be cut in another way."""
    vocabulary = described["model"]["vocab"]
    needed = {token["id"] for token in described["added_tokens"]}
    needed |= {token for special in _specials(described) for token in special["ids"]}
    needed |= {number for number, (piece, _) in enumerate(vocabulary) if len(piece) == 1 or _is_byte(piece)}
    if described["model"]["unk_id"] is not None:
        needed.add(described["model"]["unk_id"])
    # What an unknown character costs is reckoned from the least probable piece.
    needed.add(min(range(len(vocabulary)), key=lambda number: vocabulary[number][1]))
    return needed


def _specials(described: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    processor = described["post_processor"] or {}
    for part in processor.get("processors", [processor]):
        found.extend(dict.values(part.get("special_tokens", {})))
    return found


def _is_byte(piece: str) -> bool:
    return len(piece) == len("<0x00>") and piece.startswith("<0x")


def _most_probable(vocabulary: list[tuple[str, float]], count: int) -> set[int]:
    return set(sorted(range(len(vocabulary)), key=lambda number: -vocabulary[number][1])[:count])
