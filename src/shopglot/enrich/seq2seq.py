"""Sequence-to-sequence models of transformers as translators."""

from collections.abc import Sequence

import numpy as np

from shopglot.core.batches import by_length
from shopglot.enrich.tagged import TaggedTokenizer
from shopglot.enrich.torch_translator import load_torch
from shopglot.enrich.translate_settings import Seq2SeqSettings


class Seq2Seq:
    """A model such as MADLAD-400, NLLB-200, M2M-100 or OPUS-MT, on the GPU if there is one."""

    def __init__(self, name: str, settings: Seq2SeqSettings, source: str) -> None:
        """Load the tokenizer and weights from the folder or hub name `source`."""
        self.name, self._settings = name, settings
        tokenizer, self._model = load_torch("AutoModelForSeq2SeqLM", settings, source)
        self.tagged = TaggedTokenizer(tokenizer, settings)

    def translate(self, texts: Sequence[str], source: str, target: str) -> list[str | None]:
        """Return a translation per text; raises RecipeError for a language that the model does not know."""
        first = self.tagged.first_token(target)
        encoded = self.tagged.encode(texts, source, target)
        written: list[str | None] = [None] * len(texts)
        lengths = np.array([len(ids) for ids in encoded], dtype=np.int64)
        for rows in by_length(lengths, budget=self._settings.batch_tokens):
            batch = [encoded[row] for row in rows]
            for row, text in zip(rows, self.tagged.decode(self._generated(batch, first)), strict=True):
                written[row] = text
        return written

    def _generated(self, batch: list[list[int]], first: str | None) -> list[list[int]]:
        import torch

        settings, tokenizer = self._settings, self.tagged.tokenizer
        padded = tokenizer.pad({"input_ids": batch}, return_tensors="pt").to(self._model.device)
        forced = {} if first is None else {"forced_bos_token_id": tokenizer.convert_tokens_to_ids(first)}
        with torch.inference_mode():
            ids = self._model.generate(
                **padded,
                **forced,
                do_sample=False,
                num_beams=settings.beams,
                max_new_tokens=self.tagged.longest(batch),
                no_repeat_ngram_size=settings.no_repeat or 0,
            )
        rows: list[list[int]] = ids.tolist()
        return rows
