"""A pretrained model gets a head and, where the recipe says so, adapters."""

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from shopglot.core.errors import BundleError, RecipeError
from shopglot.core.pretrained import load_pretrained, named_where_it_fails
from shopglot.learn.llm_settings import LLMSettings, LoraSettings
from shopglot.learn.pretrained import CHECKED, check_weights, read_classifier, read_tokenizer, resolve
from shopglot.learn.targets import output_names

_ATTENTION: Final = re.compile(r"(^|\.)(self_attn|attention|attn)\.")
_TEXT_PART: Final = {r"^language_model\.model\.": "model.", r"^model\.language_model\.": "model."}
"""Where a model that also sees keeps the weights of its text part."""


def load_tokenizer(settings: LLMSettings, source: str) -> Any:
    """Return the tokenizer; raises RecipeError where it has nothing to pad with."""
    tokenizer = read_tokenizer(source)
    if settings.pad_token is not None:
        if settings.pad_token not in tokenizer.get_vocab():
            raise RecipeError(f"pad_token {settings.pad_token!r} is no token of {settings.model}; name one that it has")
        tokenizer.pad_token = settings.pad_token
    if tokenizer.pad_token is None:
        raise RecipeError(
            f"the tokenizer of {settings.model} has no pad token; name a token that no text contains as pad_token, "
            f"such as {tokenizer.eos_token!r}"
        )
    return tokenizer


def new_classifier(settings: LLMSettings, tokenizer: Any) -> Any:
    """Return the recipe's model with a new head and new adapters, ready to be trained."""
    model, heads = _with_head(settings, tokenizer, resolve(settings.model), trained=settings.lora is None)
    if settings.lora is None:
        return model
    return _adapted(with_adapters(model, heads, settings.lora), settings, heads)


def saved_classifier(settings: LLMSettings, tokenizer: Any, folder: Path, *, trained: bool) -> Any:
    """Return the model that `folder` holds, to be trained further or to score."""
    if settings.lora is None:
        pooled = settings.model_copy(update={"head": "pooled"})
        model, heads = _with_head(pooled, tokenizer, str(folder), trained=trained)
        _check_heads(heads, folder, "model*.safetensors")
        return model
    from peft import PeftModel

    model, heads = _with_head(settings, tokenizer, resolve(settings.model), trained=False)
    _check_heads(heads, folder, "adapter_model.safetensors")
    with named_where_it_fails(str(folder)), _peft():
        adapted = PeftModel.from_pretrained(model, str(folder), is_trainable=True)
    return _adapted(adapted, settings, heads)


def with_adapters(model: Any, heads: list[str], lora: LoraSettings) -> Any:
    """Return the model with new adapters; its modules `heads` are trained whole."""
    try:
        from peft import get_peft_model
    except ImportError as missing:
        raise RecipeError("LoRA needs peft: pip install 'shopglot[llm]'") from missing
    with _peft():
        try:
            return get_peft_model(model, _lora_config(model, heads, lora))
        except (NotImplementedError, TypeError, ValueError) as reason:
            first = str(reason).strip().splitlines()[0]
            raise RecipeError(f"`lora.peft` is none that LoraConfig takes: {first}; leave the field out") from reason


def on_top(model: Any) -> list[str]:
    """Return the names of a classifier's modules on top of its base model."""
    return [name for name, each in model.named_children() if name != model.base_model_prefix and _has_weights(each)]


def adapted_layers(model: Any, heads: list[str], targets: str) -> list[str]:
    """Return the names of the linear layers of the base model that get an adapter."""
    from torch.nn import Linear

    linear = [name for name, module in model.named_modules() if isinstance(module, Linear)]
    inside = [name for name in linear if not any(name == head or name.startswith(head + ".") for head in heads)]
    return [name for name in inside if targets == "all-linear" or _ATTENTION.search(name)]


def _with_head(settings: LLMSettings, tokenizer: Any, source: str, *, trained: bool) -> tuple[Any, list[str]]:
    """Return the model in the recipe's type, and the names of its new modules, which compute in float32."""
    import torch

    # What is trained whole is kept in float32 and computed in the recipe's type: small steps are lost in 8 bits.
    dtype = torch.float32 if trained and settings.launch.deepspeed is None else getattr(torch, settings.dtype)
    config = _text_config(source)
    config.id2label = dict(enumerate(output_names(settings)))  # which servers show; their number is that of the outputs
    config.label2id = {name: number for number, name in config.id2label.items()}
    config.problem_type = "multi_label_classification"
    config.pad_token_id = tokenizer.pad_token_id
    load = {"config": config, "dtype": dtype, "key_mapping": _TEXT_PART}
    if settings.quantization is not None:
        load["quantization_config"] = _quantized(settings)
    if settings.head == "yes-no":
        model, heads = _yes_no(settings, tokenizer, source, load), ["score"]
    else:
        model, poolers = read_classifier(source, **load)
        heads = [*on_top(model), *poolers]
    model.config.use_cache = False
    for name in heads:
        model.get_submodule(name).float().register_forward_pre_hook(_as_the_weights)
    return model, heads


def _has_weights(module: Any) -> bool:
    return next(module.parameters(), None) is not None


def _yes_no(settings: LLMSettings, tokenizer: Any, source: str, load: dict[str, Any]) -> Any:
    """Return a classifier whose one logit is that of the first word less that of the second.

    The softmax over the two words' logits is the sigmoid of their difference, so a linear head with the difference
    of their rows in the output layer says what the language model says, and can be trained like any other head.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification

    words = [tokenizer(word, add_special_tokens=False)["input_ids"] for word in settings.words]
    if any(len(ids) != 1 for ids in words):
        raise RecipeError(f"the words {settings.words} of the yes-no head must each be one token of {settings.model}")
    language_model, found = load_pretrained(AutoModelForCausalLM, source, **CHECKED, **load)
    check_weights(found["missing_keys"], source)
    yes, no = (language_model.get_output_embeddings().weight[ids[0]].detach() for ids in words)
    with torch.device("meta"):
        model = AutoModelForSequenceClassification.from_config(language_model.config)
    setattr(model, model.base_model_prefix, language_model.base_model)
    model.score = torch.nn.Linear(len(yes), 1, bias=False)
    model.score.weight.data = (yes.float() - no.float())[None]
    return model


def _text_config(source: str) -> Any:
    from transformers import AutoConfig

    config = load_pretrained(AutoConfig, source)
    return config.get_text_config()


def _quantized(settings: LLMSettings) -> Any:
    import torch
    from transformers import BitsAndBytesConfig

    if not torch.cuda.is_available():
        raise RecipeError(f"quantization of {settings.model} needs a GPU, and there is none; leave quantization out")
    return BitsAndBytesConfig(**settings.quantization or {})


def _lora_config(model: Any, heads: list[str], lora: LoraSettings) -> Any:
    from peft import LoraConfig

    return LoraConfig(
        task_type="SEQ_CLS",
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=adapted_layers(model, heads, lora.targets),
        modules_to_save=heads,
        **lora.peft,
    )


@contextmanager
def _peft() -> Iterator[None]:
    """Keep to ourselves that peft asks transformers for a property under its old name."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*is_gradient_checkpointing", FutureWarning)
        yield


def _adapted(model: Any, settings: LLMSettings, heads: list[str]) -> Any:
    """Return the model with what it trains in float32, and with a configuration that stays as it is."""
    model.active_peft_config.base_model_name_or_path = resolve(settings.model)  # where peft looks up the vocabulary
    model.active_peft_config.modules_to_save = heads  # to which peft adds names at each load
    if settings.launch.deepspeed is None:  # which keeps its own copy of the weights in float32
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.data = parameter.data.float()
    return model


def _as_the_weights(head: Any, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """Hand a head its inputs in the type of its weights: a logit of eight bits would tie what the model tells apart."""
    dtype = next(head.parameters()).dtype
    return tuple(each.to(dtype) if each.is_floating_point() else each for each in inputs)


def _check_heads(heads: list[str], folder: Path, files: str) -> None:
    """Refuse weights without the head, in whose place the libraries would put random numbers."""
    from safetensors import safe_open

    names: list[str] = []
    for path in folder.glob(files):
        with safe_open(path, "numpy") as weights:
            names += weights.keys()
    if not names:
        raise BundleError(f"{folder} holds no weights: {files} is missing; train the model again")
    missing = [head for head in heads if not any(f".{head}." in f".{name}" for name in names)]
    if missing:
        raise BundleError(
            f"{folder / files} lacks the weights of the head ({', '.join(missing)}); train the model again"
        )
