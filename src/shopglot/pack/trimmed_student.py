"""A cross-encoder that is taught without the pieces of words that nobody uses, so that it is small while it learns."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any, Final

import polars as pl

from shopglot.core.files import whole_folder
from shopglot.core.pairs import Pairs
from shopglot.core.pretrained import load_pretrained
from shopglot.core.scores import Scores
from shopglot.learn.encoder import EncoderLearner, EncoderScorer
from shopglot.learn.pretrained import read_tokenizer, resolve
from shopglot.pack.trim import Rows, trimmed

_FOLDER: Final = "trimmed"
_SPECIAL: Final = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")


@dataclass(frozen=True, eq=False, slots=True)
class TrimmedEncoderLearner:
    """Fits a cross-encoder whose word embeddings hold only the pieces that distinct `texts` use, and `spare` others."""

    learner: EncoderLearner
    texts: pl.Series
    spare: int

    def fit_to(self, train: Pairs, wanted: Scores, work: Path) -> EncoderScorer:
        """Return the scorer trained to say what is `wanted` of each pair; the trimmed model stands in `work`."""
        folder = work / _FOLDER
        if not folder.is_dir():
            write_trimmed(self.learner.settings.model, self.texts, folder, spare=self.spare)
        settings = self.learner.settings.model_copy(update={"model": str(folder)})
        return replace(self.learner, settings=settings).fit_to(train, wanted, work)


def write_trimmed(model: str, texts: Iterable[str], folder: Path, *, spare: int = 0) -> None:
    """Write the transformer `model`, whole or not at all, with the pieces that its tokenizer uses for `texts`.

    It says of those texts, alone or in pairs, what the whole one does. New texts lose no character: what is left of a
    piece that is gone are smaller ones. Raises RecipeError where the tokenizer has no unigram pieces.
    """
    from transformers import AutoModel

    source = resolve(model)
    tokenizer = read_tokenizer(source)
    cut = trimmed(tokenizer.backend_tokenizer.to_str(), texts, spare=spare)
    network, found = load_pretrained(AutoModel, source, use_safetensors=True, output_loading_info=True)
    _cut_embeddings(network, cut.rows, tokenizer.pad_token_id)
    drawn = set(found["missing_keys"])  # such as a pooler, which the model does not have: it is not to look trained
    weights = {name: value for name, value in network.state_dict().items() if name not in drawn}
    with whole_folder(folder) as part:
        network.save_pretrained(part, state_dict=weights)
        _with_pieces(tokenizer, cut.tokenizer).save_pretrained(part)


def texts_of(pairs: Iterable[Pairs], learner: EncoderLearner) -> pl.Series:
    """Return the distinct texts that the learner's model reads of `pairs`."""
    read = (EncoderScorer(None, None, learner.template, 0).texts(each) for each in pairs)
    return pl.concat(chain.from_iterable(table.get_columns() for table in read)).unique(maintain_order=True)


def _cut_embeddings(network: Any, rows: Rows, pad: int) -> None:
    import torch

    kept = network.get_input_embeddings().weight.detach()[torch.from_numpy(rows)].clone()
    network.set_input_embeddings(torch.nn.Embedding.from_pretrained(kept, freeze=False))
    network.config.vocab_size = len(rows)
    network.config.pad_token_id = int((rows == pad).nonzero()[0][0])


def _with_pieces(tokenizer: Any, pieces: str) -> Any:
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

    special = {name: value for name in _SPECIAL if (value := getattr(tokenizer, name)) is not None}
    return PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(pieces),
        model_input_names=tokenizer.model_input_names,
        model_max_length=tokenizer.model_max_length,
        padding_side=tokenizer.padding_side,
        **special,
    )
