"""Shrunk models of true architectures, with tokenizers built on the spot and random weights."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

from shopglot.learn.families import configuration

Architecture = Literal["bert", "xlm-roberta"]
SPECIAL = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
GEMMA = {"bos_token": "<bos>", "eos_token": "<eos>", "pad_token": "<pad>", "unk_token": "<unk>"}
QWEN = {"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>", "unk_token": "<unk>"}
SMALL: dict[str, Any] = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_attention_heads": 4,
    "head_dim": 16,
    "query_pre_attn_scalar": 16,
    "sliding_window": 8,
    "local_attention": 8,
    "position_buckets": 8,
    "pooler_hidden_size": 32,
    "max_position_embeddings": 130,
    "initializer_range": 0.3,
}


def tiny_encoder(folder: Path, texts: Sequence[str], architecture: Architecture = "bert") -> Path:
    """Write a transformers folder with an encoder of two layers and a unigram tokenizer of the letters in `texts`."""
    import torch

    tokenizer = unigram(texts)
    sizes = {
        "vocab_size": tokenizer.vocab_size,
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 64,
        "max_position_embeddings": 130,
        "pad_token_id": tokenizer.pad_token_id,
    }
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = _model(architecture, sizes)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def tiny_model(folder: Path, hub_name: str, texts: Sequence[str], **fields: Any) -> Path:
    """Write a transformers folder of a real model's own configuration class, with a tokenizer of its family's marks.

    `fields` of the configuration are set as given, everything else is as `shrunk` has it.
    """
    import torch
    from transformers import MODEL_FOR_MASKED_LM_MAPPING, AutoModelForCausalLM, AutoModelForMaskedLM

    config = configuration(hub_name)
    masked = type(config) in MODEL_FOR_MASKED_LM_MAPPING
    tokenizer = unigram(texts) if masked else unigram_decoder(texts, QWEN if "Qwen" in hub_name else GEMMA)
    names = ("bos", "eos", "pad", "cls", "sep")
    ids = {f"{name}_token_id": getattr(tokenizer, f"{name}_token_id") for name in names}
    own = {name: number for name, number in ids.items() if getattr(config, name, None) is not None}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        auto = AutoModelForMaskedLM if masked else AutoModelForCausalLM
        model = auto.from_config(shrunk(config, **{"vocab_size": tokenizer.vocab_size, **own, **fields}))
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def shrunk(config: Any, **fields: Any) -> Any:
    """Return a configuration with small sizes and everything else as it is, `fields` apart.

    Heads that share keys still do, and each kind of attention keeps a layer.
    """
    kinds = list(dict.fromkeys(getattr(config, "layer_types", None) or ()))
    small = {name: value for name, value in SMALL.items() if getattr(config, name, None) is not None}
    small["num_hidden_layers"] = max(2, len(kinds))
    if kinds:
        small["layer_types"] = kinds if len(kinds) > 1 else kinds * 2
    if hasattr(config, "num_key_value_heads"):
        small["num_key_value_heads"] = min(config.num_key_value_heads, 2)
    return type(config)(**{**config.to_dict(), **small, **fields})


def unigram(texts: Sequence[str]) -> Any:
    """Return a tokenizer like XLM-R's: unigram pieces, `<s> query </s></s> target </s>`."""
    from transformers import PreTrainedTokenizerFast

    tokenizer = _pieces(texts, SPECIAL)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[(name, tokenizer.token_to_id(name)) for name in ("<s>", "</s>")],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
        cls_token="<s>",
        sep_token="</s>",
        mask_token="<mask>",
        model_max_length=128,
    )


def unigram_decoder(texts: Sequence[str], special: dict[str, str]) -> Any:
    """Return a tokenizer of unigram pieces that puts the bos token, if it has one, before a text and nothing behind."""
    from transformers import PreTrainedTokenizerFast

    tokenizer = _pieces(texts, tuple(special.values()))
    if bos := special.get("bos_token"):
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"{bos} $A", pair=f"{bos} $A $B", special_tokens=[(bos, tokenizer.token_to_id(bos))]
        )
    side = "left" if bos else "right"
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, padding_side=side, model_max_length=128, **special)


def _pieces(texts: Sequence[str], special: Sequence[str]) -> Tokenizer:
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=300, special_tokens=list(special), unk_token="<unk>", show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def _model(architecture: Architecture, sizes: dict[str, int]) -> Any:
    from transformers import BertConfig, BertModel, XLMRobertaConfig, XLMRobertaModel

    if architecture == "bert":
        return BertModel(BertConfig(**sizes, initializer_range=0.3), add_pooling_layer=False)
    return XLMRobertaModel(XLMRobertaConfig(**sizes, initializer_range=0.3), add_pooling_layer=False)
