"""A causal language model as a translator: it continues a list of queries with their English."""

import copy
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from shopglot.core.batches import by_length
from shopglot.core.errors import RecipeError
from shopglot.enrich.torch_translator import load_torch
from shopglot.enrich.translate_settings import FewShotSettings

TARGET: Final = "en"
"""The only language that the list translates into."""

PROMPT: Final = "Search queries of an online shop, and the same in English.\n\n" + "".join(
    f"{query} = {english}\n"
    for query, english in (
        ("zapatos de mujer talla 38", "women's shoes size 38"),
        ("housse de couette 220x240", "duvet cover 220x240"),
        ("ワイヤレス イヤホン", "wireless earphones"),
        ("kopfhörer kabellos", "wireless headphones"),
        ("남자 겨울 장갑", "men's winter gloves"),
        ("tênis nike air max 90", "nike air max 90 sneakers"),
        ("ساعة يد رجالية", "men's wrist watch"),
        ("กระเป๋าเป้นักเรียน", "school backpack"),
        ("lampada da tavolo led", "led table lamp"),
        ("ốp lưng iphone 13", "iphone 13 case"),
        ("kurtka zimowa damska", "women's winter jacket"),
        ("tas ransel laptop 15 inch", "laptop backpack 15 inch"),
        ("детская коляска", "baby stroller"),
    )
)
"""Languages and scripts of many markets in one fixed list, so that the model's work on it is done once."""

_BETWEEN: Final = " ="
_LEAST_GROWTH: Final = (8, 3)
_MOST_TOKENS: Final = 256


class FewShot:
    """A language model on the GPU if there is one; whatever the source language, it reads the same list."""

    def __init__(self, name: str, settings: FewShotSettings, source: str) -> None:
        """Load the tokenizer and weights from the folder or hub name `source`."""
        self.name, self._settings = name, settings
        self._tokenizer, self._model = load_torch("AutoModelForCausalLM", settings, source)
        self._stops = _ids_with_a_line_break(self._tokenizer)
        self._prompt: list[int] = self._tokenizer(PROMPT)["input_ids"]
        self._read = self._read_once()

    def translate(self, texts: Sequence[str], source: str, target: str) -> list[str | None]:
        """Return the rest of the line that the model writes after each text; raises RecipeError for another target."""
        if target != TARGET:
            raise RecipeError(f"few-shot translates into {TARGET!r}, not {target!r}; choose another translator")
        lines = [text + _BETWEEN for text in texts]
        encoded = self._tokenizer(lines, add_special_tokens=False, truncation=True, max_length=_MOST_TOKENS)
        read: list[list[int]] = encoded["input_ids"]
        written: list[str | None] = [None] * len(texts)
        lengths = np.array([len(ids) for ids in read], dtype=np.int64)
        for length in np.unique(lengths):  # texts of one length need no padding, which some kinds of attention feel
            own = np.flatnonzero(lengths == length)
            for batch in by_length(lengths[own] + len(self._prompt), budget=self._settings.batch_tokens):
                rows = own[batch]
                for row, text in zip(rows, self._continued([read[row] for row in rows]), strict=True):
                    written[row] = text.partition("\n")[0]
        return written

    def _read_once(self) -> Any:
        """Return the model's keys and values of the prompt, which every batch goes on from."""
        import torch
        from transformers import DynamicCache

        with torch.inference_mode():
            ids = torch.tensor([self._prompt], device=self._model.device)
            return self._model(ids, past_key_values=DynamicCache(config=self._model.config)).past_key_values

    def _continued(self, batch: list[list[int]]) -> list[str]:
        """Return what the model writes after texts of as many tokens each."""
        import torch

        base, growth = _LEAST_GROWTH
        ids = torch.tensor([self._prompt + ids for ids in batch], device=self._model.device)
        read = copy.deepcopy(self._read)
        read.batch_repeat_interleave(len(batch))
        with torch.inference_mode():
            written = self._model.generate(
                ids,
                attention_mask=torch.ones_like(ids),
                past_key_values=read,
                do_sample=False,
                max_new_tokens=min(self._settings.max_new_tokens, base + growth * len(batch[0])),
                eos_token_id=self._stops,
                pad_token_id=self._stops[0],
            )
        texts: list[str] = self._tokenizer.batch_decode(written[:, ids.shape[1] :], skip_special_tokens=True)
        return texts


def _ids_with_a_line_break(tokenizer: Any) -> list[int]:
    """Return the tokens at which a line ends, first the one that ends a text, if the tokenizer has it."""
    vocabulary = range(len(tokenizer))
    texts = tokenizer.batch_decode([[number] for number in vocabulary])
    ends = [] if tokenizer.eos_token_id is None else [tokenizer.eos_token_id]
    return [*ends, *(number for number, text in zip(vocabulary, texts, strict=True) if "\n" in text)]
