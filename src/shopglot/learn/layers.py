"""The layers of a transformer, whatever its architecture calls them, and fewer of them."""

from typing import Any

import numpy as np

from shopglot.core.errors import RecipeError


def layers_of(model: Any) -> Any:
    """Return the transformer's blocks: the longest list of modules. Raises RecipeError where there is none."""
    from torch.nn import ModuleList

    lists = [module for module in model.modules() if isinstance(module, ModuleList)]
    if not lists:
        raise RecipeError("this encoder has no layers to train or to drop; leave `contrast` and `layers` out")
    return max(lists, key=len)


def keep_layers(model: Any, count: int, name: str) -> None:
    """Leave `count` layers in a transformer, in place: the first, the last and evenly spaced ones between.

    Neighbouring layers of a trained transformer do much the same, so that every other one is the best start for a
    student (Sanh et al., 2019, DistilBERT). `name` is what an error calls the model.
    """
    from torch.nn import ModuleList

    blocks = layers_of(model)
    if count > len(blocks):
        raise RecipeError(f"layers is {count}, and {name} has {len(blocks)}; keep that many or fewer")
    kept = spaced(count, len(blocks))
    parent = next(module for module in model.modules() if any(each is blocks for each in module.children()))
    attribute = next(key for key, each in parent.named_children() if each is blocks)
    setattr(parent, attribute, ModuleList(blocks[number] for number in kept))
    for number, block in enumerate(layers_of(model)):
        for module in block.modules():
            if hasattr(module, "layer_idx"):  # where a decoder's layer finds its own keys and values
                module.layer_idx = number
    _tell_the_configurations(model, kept)


def spaced(count: int, of: int) -> list[int]:
    """Return the numbers of `count` of so many layers, evenly spaced with both ends; of one alone, the first.

    >>> spaced(6, 12), spaced(1, 4)
    ([0, 2, 4, 7, 9, 11], [0])
    """
    return [int(number) for number in np.linspace(0, of - 1, count).round()]


def _tell_the_configurations(model: Any, kept: list[int]) -> None:
    """Write into each configuration in the model how many layers there are, and of which kinds."""
    configurations = {id(each.config): each.config for each in model.modules() if hasattr(each, "config")}
    for config in configurations.values():
        if hasattr(config, "num_hidden_layers"):
            config.num_hidden_layers = len(kept)
        if getattr(config, "layer_types", None):
            config.layer_types = [config.layer_types[number] for number in kept]
