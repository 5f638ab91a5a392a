"""Shrunk sequence-to-sequence models with random weights, each with its family's own tokenizer built on the spot."""

import io
from pathlib import Path
from typing import Any, Literal

from shopglot.enrich.translate_settings import Tags

Family = Literal["m2m", "nllb", "madlad"]
TEXTS = ("robe rouge pour femme", "vestido rojo", "rotes kleid", "緑茶 500g", "lampe de table led", "wh-1000xm4")
SPECIAL = ("<s>", "<pad>", "</s>", "<unk>")


def tiny_translator(folder: Path, family: Tags) -> Path:
    """Write a transformers folder with a model of two layers on each side that writes without end more often than not.

    Only its tokens and where its tags stand are those of the real family.
    """
    import torch

    tokenizer = _TOKENIZERS[family](folder)
    with torch.random.fork_rng():
        torch.manual_seed(3)
        model = _t5(tokenizer) if family == "madlad" else _m2m(tokenizer, family)
    for name, value in model.named_parameters():
        if "bias" in name and value.ndim == 1:
            value.data.zero_()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _m2m(tokenizer: Any, family: Tags) -> Any:
    from transformers import M2M100Config, M2M100ForConditionalGeneration

    made_up = tokenizer.num_madeup_words if family == "m2m" else 0
    return M2M100ForConditionalGeneration(
        M2M100Config(
            vocab_size=len(tokenizer) + made_up,
            d_model=32,
            encoder_layers=2,
            decoder_layers=2,
            encoder_attention_heads=2,
            decoder_attention_heads=2,
            encoder_ffn_dim=64,
            decoder_ffn_dim=64,
            max_position_embeddings=200,
            init_std=0.4,
            pad_token_id=1,
            bos_token_id=0,
            eos_token_id=2,
            decoder_start_token_id=2,
        )
    )


def _t5(tokenizer: Any) -> Any:
    from transformers import T5Config, T5ForConditionalGeneration

    return T5ForConditionalGeneration(
        T5Config(
            vocab_size=len(tokenizer),
            d_model=32,
            d_kv=16,
            d_ff=64,
            num_layers=2,
            num_heads=2,
            feed_forward_proj="gated-gelu",
            tie_word_embeddings=False,
            initializer_factor=4.0,
            pad_token_id=tokenizer.pad_token_id,
            eos_token_id=tokenizer.eos_token_id,
            decoder_start_token_id=tokenizer.pad_token_id,
        )
    )


def _m2m_tokenizer(folder: Path) -> Any:
    import json

    import sentencepiece
    from transformers import M2M100Tokenizer
    from transformers.models.m2m_100.tokenization_m2m_100 import FAIRSEQ_LANGUAGE_CODES

    folder.mkdir(parents=True, exist_ok=True)
    written = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TEXTS * 4), model_writer=written, vocab_size=60, hard_vocab_limit=False, minloglevel=2
    )
    (folder / "pieces.model").write_bytes(written.getvalue())
    pieces = sentencepiece.SentencePieceProcessor(model_proto=written.getvalue())
    names = [pieces.id_to_piece(number) for number in range(pieces.get_piece_size())]
    vocabulary = [*SPECIAL, *(name for name in names if name not in SPECIAL)]
    path = folder / "pieces.json"
    path.write_text(json.dumps({name: number for number, name in enumerate(vocabulary)}), encoding="utf-8")
    languages = [f"__{code}__" for code in FAIRSEQ_LANGUAGE_CODES["m2m100"]]  # as the published ones name them
    return M2M100Tokenizer(str(path), str(folder / "pieces.model"), additional_special_tokens=languages)


def _nllb_tokenizer(folder: Path) -> Any:
    from transformers import NllbTokenizer

    return NllbTokenizer(vocab={name: number for number, name in enumerate([*SPECIAL, *_letters()])}, merges=[])


def _madlad_tokenizer(folder: Path) -> Any:
    from transformers import T5Tokenizer

    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), *((letter, -2.0) for letter in _letters())]
    tokenizer = T5Tokenizer(vocab=pieces, extra_ids=0)
    tokenizer.add_tokens(["<2en>", "<2fr>"])
    return tokenizer


def _letters() -> list[str]:
    return ["▁", *sorted({letter for text in TEXTS for letter in text} - {" "})]


_TOKENIZERS = {"m2m": _m2m_tokenizer, "nllb": _nllb_tokenizer, "madlad": _madlad_tokenizer}
