"""What the translators in torch share: how their tokenizer and weights are loaded."""

from typing import Any

from shopglot.core.errors import RecipeError
from shopglot.core.pretrained import load_pretrained
from shopglot.enrich.translate_settings import FewShotSettings, Seq2SeqSettings


def load_torch(kind: str, settings: FewShotSettings | Seq2SeqSettings, source: str) -> tuple[Any, Any]:
    """Return the tokenizer and the model of the folder or hub name `source`, on the GPU if there is one.

    `kind` is the class of transformers that loads it, such as "AutoModelForCausalLM".
    """
    try:
        import torch
        import transformers
    except ImportError as missing:
        raise RecipeError(
            f"{settings.model} needs torch and transformers: pip install 'shopglot[translate]'"
        ) from missing
    revision = {} if settings.revision is None else {"revision": settings.revision}
    tokenizer = load_pretrained(transformers.AutoTokenizer, source, **revision)
    dtype = getattr(torch, settings.dtype)
    auto = getattr(transformers, kind)
    model = load_pretrained(auto, source, dtype=dtype, use_safetensors=True, **revision)
    return tokenizer, model.to("cuda" if torch.cuda.is_available() else "cpu").eval()
