"""A classifier is counted without its weights: built on torch's `meta` device, which holds shapes and no numbers."""

from dataclasses import dataclass
from typing import Any

from shopglot.learn.classifier import adapted_layers, on_top, with_adapters
from shopglot.learn.families import configuration
from shopglot.learn.llm_settings import LLMSettings, LoraSettings
from shopglot.learn.targets import output_names


@dataclass(frozen=True, slots=True)
class Sizes:
    """What a classifier consists of, summed over all its layers."""

    parameters: int
    """All that is loaded: transformer, head and adapters; no tower for pictures, no language model's head."""
    trainable: int
    linear: int
    """Weights of the linear layers inside the transformer and of their adapters: each multiplies every token."""
    trained_linear: int
    """Those of them that are trained."""
    linear_outputs: int
    adapted_inputs: int
    """Inputs and ranks of the layers that have an adapter."""
    rms_norms: int
    layers: int
    hidden: int
    inner: int
    """The width inside a layer's feed-forward part."""
    heads: int
    attention: int
    """The width of a layer's heads together."""
    scores: bool
    """Whether attention writes its scores out, as implementations without a fused kernel do."""
    relative_positions: int
    """Positions that DeBERTa scores every token against, beside the tokens."""


def count(settings: LLMSettings) -> Sizes:
    """Return the sizes of the classifier that `settings` train; nothing is read but its configuration."""
    config = configuration(settings.model)
    model = _on_meta(config, len(output_names(settings)))
    heads = on_top(model)
    linear = [model.get_submodule(name) for name in adapted_layers(model, heads, "all-linear")]
    weights, parameters = sum(layer.weight.numel() for layer in linear), model.num_parameters()
    trainable, trained_linear, adapted_inputs = parameters, weights, 0
    if settings.lora is not None:
        trainable, trained_linear, adapted_inputs = _adapters(model, heads, settings.lora)
        weights, parameters = weights + trained_linear, parameters + trained_linear
    head_size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    return Sizes(
        parameters=parameters,
        trainable=trainable,
        linear=weights,
        trained_linear=trained_linear,
        linear_outputs=sum(layer.out_features for layer in linear),
        adapted_inputs=adapted_inputs,
        rms_norms=sum("RMSNorm" in type(module).__name__ for module in model.modules()),
        layers=config.num_hidden_layers,
        hidden=config.hidden_size,
        inner=config.intermediate_size,
        heads=config.num_attention_heads,
        attention=config.num_attention_heads * head_size,
        scores=model.config._attn_implementation == "eager",
        relative_positions=2 * config.position_buckets if getattr(config, "relative_attention", False) else 0,
    )


def _on_meta(config: Any, outputs: int) -> Any:
    import torch
    from transformers import AutoModelForSequenceClassification

    config.num_labels = outputs
    with torch.device("meta"):
        return AutoModelForSequenceClassification.from_config(config)


def _adapters(model: Any, heads: list[str], lora: LoraSettings) -> tuple[int, int, int]:
    """Return what is trained with adapters: all parameters, the adapters' own, and what these read of a token."""
    import torch

    with torch.device("meta"):
        adapted = with_adapters(model, heads, lora)
    own = {name: weights for name, weights in adapted.named_parameters() if ".lora_" in name}
    read = [weights.shape for name, weights in own.items() if ".lora_A." in name]
    trainable, _ = adapted.get_nb_trainable_parameters()
    return trainable, sum(weights.numel() for weights in own.values()), sum(rank + width for rank, width in read)
