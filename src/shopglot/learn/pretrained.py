"""Where pretrained weights come from: an installed package, a local folder or a model hub, all by one name."""

import logging
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from shopglot.core.errors import BundleError, RecipeError
from shopglot.core.files import cache_folder, whole_folder, write_json
from shopglot.core.pretrained import load_pretrained
from shopglot.learn.e5_small import E5_SMALL, make_e5_small
from shopglot.learn.gguf_models import GEMMA, SMOLLM2, make_gemma, make_smollm2
from shopglot.learn.packaged import PackagedWeights

log = logging.getLogger(__name__)

EMBEDDED: Final = "embedded:"
MODELS: Final[Mapping[str, tuple[PackagedWeights, Callable[[Path, Path], None]]]] = {
    "multilingual-e5-small": (E5_SMALL, make_e5_small),
    "gemma-3-270m": (GEMMA, make_gemma),
    "smollm2-135m": (SMOLLM2, make_smollm2),
}
"""The embedded models: their weights, and what makes of a file of them a folder that transformers can load."""

CHECKED: Final[Mapping[str, bool]] = {"use_safetensors": True, "output_loading_info": True}
"""How weights are read: without pickle, and so that what is missing can be told."""


def resolve(model: str) -> str:
    """Return what `from_pretrained` can load: a folder for an embedded model, else the folder or hub name itself.

    An embedded model, such as `embedded:multilingual-e5-small`, is made once, from the weights in an installed package,
    and kept in the user's cache. Raises RecipeError when the name is unknown or the package is absent, BundleError
    when the package holds other weights than the known ones.
    """
    if not model.startswith(EMBEDDED):
        return model
    name = model.removeprefix(EMBEDDED)
    if name not in MODELS:
        raise RecipeError(f"no embedded model {name!r}; there are {', '.join(MODELS)}, or name a folder or hub model")
    weights, make = MODELS[name]
    folder = cache_folder() / f"{name}-{weights.sha256[:12]}"
    if not folder.is_dir():
        with whole_folder(folder) as part, weights.file(model, part) as source:
            log.info("making %s in the cache, once; its weights are under %s", name, weights.license)
            make(source, part)
            made_from = {"release": weights.release, "sha256": weights.sha256, "license": weights.license}
            write_json(part / "made_from.json", made_from)
    return str(folder)


def read_tokenizer(source: str) -> Any:
    """Return the tokenizer of what `resolve` returned, or of a folder; BundleError where there is none."""
    from transformers import AutoTokenizer

    tokenizer = load_pretrained(AutoTokenizer, source)
    if len(tokenizer) <= len(tokenizer.all_special_tokens):  # what transformers makes up where there are no files
        raise BundleError(f"{source} holds no tokenizer; copy the model's own files beside its weights")
    return tokenizer


def read_classifier(source: str, **load: Any) -> tuple[Any, list[str]]:
    """Return the model with a new head, and the names of its pooler's modules where that has no weights either.

    Raises BundleError where other layers have none.
    """
    from transformers import AutoModelForSequenceClassification

    model, found = load_pretrained(AutoModelForSequenceClassification, source, **CHECKED, **load)
    inside = [key for key in found["missing_keys"] if key.startswith(model.base_model_prefix + ".")]
    check_weights([key for key in inside if ".pooler" not in key], source)
    return model, sorted({key.rpartition(".")[0] for key in inside})


def check_weights(missing: Iterable[str], source: str) -> None:
    """Raise BundleError where weights are missing, in whose place the libraries put random numbers."""
    if lost := sorted(missing):
        raise BundleError(f"{source} lacks {len(lost)} of the weights that its configuration has, such as {lost[0]}")
