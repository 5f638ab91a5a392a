"""What a network in torch is before it is packed: its tokenizer, its module, and the texts it is trimmed for."""

import copy
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from shopglot.core.errors import RecipeError
from shopglot.learn.encoder import EncoderScorer
from shopglot.learn.encoders import SentenceEncoder
from shopglot.pack.export import classifier, mean_pooled
from shopglot.pack.tokens import INPUTS, Tokens
from shopglot.pack.trim import trimmed


@dataclass(frozen=True, eq=False, slots=True)
class Source:
    """A transformers model with its tokenizer; `wrap` makes the module of it that is exported."""

    model: Any
    wrap: Callable[[Any, Sequence[str]], Any]
    tokens: Tokens

    @classmethod
    def of_classifier(cls, scorer: EncoderScorer) -> Self:
        """Return the network of a cross-encoder."""
        return cls(scorer.model, classifier, _tokens(scorer.tokenizer, scorer.max_tokens))

    @classmethod
    def of_sentences(cls, encoder: SentenceEncoder) -> Self:
        """Return the network of a sentence encoder; raises RecipeError where it does not pool by the mean."""
        transformer, pooling = encoder.model[0], encoder.model[1]
        modes = pooling.pooling_mode
        if modes != "mean" and tuple(modes) != ("mean",):
            raise RecipeError(f"only encoders that pool by the mean can be packed, and this one pools by {modes}")
        tokenizer = transformer.tokenizer
        return cls(transformer.auto_model, mean_pooled, _tokens(tokenizer, transformer.max_seq_length))

    @property
    def module(self) -> Any:
        """The torch module of token inputs with one output."""
        return self.wrap(self.model, self.tokens.inputs)

    def trimmed(self, texts: Iterable[str], *, spare: int) -> Self:
        """Return the same network without the word pieces that `texts` do not use; this one stays as it is."""
        import torch

        cut = trimmed(self.tokens.tokenizer, texts, spare=spare)
        model = copy.deepcopy(self.model)
        rows = model.get_input_embeddings().weight.detach()[torch.from_numpy(cut.rows)].clone()
        model.set_input_embeddings(torch.nn.Embedding.from_pretrained(rows))
        pad = int((cut.rows == self.tokens.pad).nonzero()[0][0])
        tokens = Tokens(cut.tokenizer, max_tokens=self.tokens.max_tokens, pad=pad, inputs=self.tokens.inputs)
        return replace(self, model=model, tokens=tokens)

    @property
    def can_be_trimmed(self) -> bool:
        """Whether the tokenizer cuts by unigram pieces."""
        return bool(json.loads(self.tokens.tokenizer)["model"]["type"] == "Unigram")


def _tokens(tokenizer: Any, max_tokens: int) -> Tokens:
    inputs = [name for name in INPUTS if name in tokenizer.model_input_names]
    return Tokens(
        tokenizer.backend_tokenizer.to_str(), max_tokens=max_tokens, pad=tokenizer.pad_token_id, inputs=inputs
    )
