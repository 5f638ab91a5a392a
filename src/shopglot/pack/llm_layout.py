"""Language models as servers load them: one transformers folder each, with the adapters merged into the weights."""

from typing import cast

from shopglot.core.scores import SavableScorer, Scorer
from shopglot.learn.llm_scorer import LLMScorer, without_adapters
from shopglot.merge.blend import Blend, Mean


def merged(scorer: SavableScorer) -> SavableScorer:
    """Return the scorer with every language model in it merged, wherever it stands in a blend.

    `save` then writes each of them as `config.json` with the architecture and the names of its outputs, safetensors
    and tokenizer: a folder that transformers loads without peft and without the base model. The adapters of `scorer`
    are used up.
    """
    return cast("SavableScorer", _merged(scorer))


def _merged(scorer: Scorer) -> Scorer:
    match scorer:
        case Blend():
            return Blend({name: _merged(each) for name, each in scorer.scorers.items()}, scorer.weights)
        case Mean():
            return Mean([_merged(each) for each in scorer.scorers])
        case LLMScorer():
            return without_adapters(scorer)
        case _:
            return scorer
