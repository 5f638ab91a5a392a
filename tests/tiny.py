"""Shrunk models of true architectures, with tokenizers built on the spot and random weights."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

Architecture = Literal["bert", "xlm-roberta"]
SPECIAL = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")


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


def unigram(texts: Sequence[str]) -> Any:
    """Return a tokenizer like XLM-R's: unigram pieces, `<s> query </s></s> target </s>`."""
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=300, special_tokens=list(SPECIAL), unk_token="<unk>", show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
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


def _model(architecture: Architecture, sizes: dict[str, int]) -> Any:
    from transformers import BertConfig, BertModel, XLMRobertaConfig, XLMRobertaModel

    if architecture == "bert":
        return BertModel(BertConfig(**sizes, initializer_range=0.3), add_pooling_layer=False)
    return XLMRobertaModel(XLMRobertaConfig(**sizes, initializer_range=0.3), add_pooling_layer=False)
