"""What a network in torch is before it is packed: its tokenizer, and how its module is built for fewer pieces."""

import copy
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Self

from shopglot.core.errors import RecipeError
from shopglot.core.scores import Encoder
from shopglot.learn.encoders import SentenceEncoder
from shopglot.learn.use import UniversalSentenceEncoder
from shopglot.pack.export import classifier, mean_pooled
from shopglot.pack.tokens import INPUTS, Tokens
from shopglot.pack.trim import Rows, trimmed
from shopglot.pack.universal import padded_module, unigram_tokenizer

_LONGEST: Final = 512
"""Tokens of a text that the Universal Sentence Encoder reads when packed; in torch it has no limit."""


@dataclass(frozen=True, eq=False, slots=True)
class Source:
    """A tokenizer, and what `build`s the torch module for some rows of the word embeddings; None: for all.

    `quantizes` says whether the network is worth having in int8.
    """

    tokens: Tokens
    build: Callable[[Rows | None], Any]
    quantizes: bool = True

    @classmethod
    def of_classifier(cls, model: Any, tokenizer: Any, max_tokens: int) -> Self:
        """Return the network of a transformers sequence classifier, which gives its logits."""
        tokens = _tokens(tokenizer, max_tokens)
        return cls(tokens, partial(_transformer, model, classifier, tokens.inputs))

    @classmethod
    def of_encoder(cls, encoder: Encoder) -> Self:
        """Return the network of a sentence encoder; raises RecipeError for one that cannot be packed."""
        if isinstance(encoder, UniversalSentenceEncoder):
            tokens = Tokens(unigram_tokenizer(encoder.pieces), max_tokens=_LONGEST, pad=encoder.pieces.eos_id())
            # In int8 its vectors point elsewhere (mean cosine .70), and it is no faster than in bfloat16.
            return cls(tokens, partial(padded_module, encoder), quantizes=False)
        if not isinstance(encoder, SentenceEncoder):
            raise RecipeError(f"a {type(encoder).__name__} cannot be packed")
        transformer, pooling = encoder.model[0], encoder.model[1]
        if pooling.pooling_mode not in ("mean", ("mean",)):
            raise RecipeError(f"only encoders that pool by the mean are packed, not by {pooling.pooling_mode}")
        tokens = _tokens(transformer.tokenizer, transformer.max_seq_length)
        return cls(tokens, partial(_transformer, transformer.auto_model, mean_pooled, tokens.inputs))

    def whole(self) -> tuple[Tokens, Any]:
        """Return the tokens and the module with all pieces."""
        return self.tokens, self.build(None)

    def trimmed(self, texts: Iterable[str], *, spare: int) -> tuple[Tokens, Any]:
        """Return the tokens and the module without the pieces that `texts` do not use."""
        cut = trimmed(self.tokens.tokenizer, texts, spare=spare)
        pad = int((cut.rows == self.tokens.pad).nonzero()[0][0])
        tokens = Tokens(cut.tokenizer, max_tokens=self.tokens.max_tokens, pad=pad, inputs=self.tokens.inputs)
        return tokens, self.build(cut.rows)

    @property
    def can_be_trimmed(self) -> bool:
        """Whether the tokenizer cuts by unigram pieces."""
        return bool(json.loads(self.tokens.tokenizer)["model"]["type"] == "Unigram")


def _tokens(tokenizer: Any, max_tokens: int) -> Tokens:
    inputs = [name for name in INPUTS if name in tokenizer.model_input_names]
    return Tokens(
        tokenizer.backend_tokenizer.to_str(), max_tokens=max_tokens, pad=tokenizer.pad_token_id, inputs=inputs
    )


def _transformer(model: Any, wrap: Callable[..., Any], inputs: Sequence[str], rows: Rows | None) -> Any:
    import torch

    model = copy.deepcopy(model)  # the original still has to be compared with
    # The other ways to attend are exported with operations for texts without any token, which no text here is.
    model.set_attn_implementation("eager")
    if rows is not None:
        kept = model.get_input_embeddings().weight.detach()[torch.from_numpy(rows)].clone()
        model.set_input_embeddings(torch.nn.Embedding.from_pretrained(kept))
    return wrap(model, inputs)
