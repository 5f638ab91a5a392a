"""The same models in CTranslate2, several times as fast on a CPU in eight bits."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from shopglot.core.errors import BundleError, RecipeError
from shopglot.core.files import require_own_folder, undamaged, whole_folder
from shopglot.core.pretrained import load_pretrained, named_where_it_fails
from shopglot.enrich.tagged import TaggedTokenizer
from shopglot.enrich.translate_settings import CTranslate2Settings, Quantization

_WEIGHTS: Final = "model.bin"
_TOKENIZER: Final = "tokenizer"
_REMEDY: Final = "pip install 'shopglot[translate]'"


class FastSeq2Seq:
    """A converted model, on the GPU if there is one."""

    def __init__(self, name: str, settings: CTranslate2Settings) -> None:
        """Load the tokenizer and weights that `convert` wrote."""
        try:
            import ctranslate2
            from transformers import AutoTokenizer
        except ImportError as missing:
            raise RecipeError(f"{settings.model} needs ctranslate2 and transformers: {_REMEDY}") from missing
        folder = converted(settings.model)
        self.name, self._settings = name, settings
        self.tagged = TaggedTokenizer(load_pretrained(AutoTokenizer, str(folder / _TOKENIZER)), settings)
        with undamaged(folder, "convert the model again"):
            compute_type = settings.compute_type or "default"
            self._model: Any = ctranslate2.Translator(str(folder), device="auto", compute_type=compute_type)

    def translate(self, texts: Sequence[str], source: str, target: str) -> list[str | None]:
        """Return a translation per text; raises RecipeError for a language that the model does not know."""
        settings, tokenizer = self._settings, self.tagged.tokenizer
        first = self.tagged.first_token(target)
        encoded = self.tagged.encode(texts, source, target)
        results = self._model.translate_batch(
            [tokenizer.convert_ids_to_tokens(ids) for ids in encoded],
            None if first is None else [[first]] * len(encoded),
            max_batch_size=settings.batch_tokens,
            batch_type="tokens",
            beam_size=settings.beams,
            min_decoding_length=0,  # a model that has nothing to say is not made to say something
            max_decoding_length=self.tagged.longest(encoded),
            no_repeat_ngram_size=settings.no_repeat or 0,
        )
        written = [tokenizer.convert_tokens_to_ids(result.hypotheses[0]) for result in results]
        return [*self.tagged.decode(written)]


def converted(folder: Path) -> Path:
    """Return the folder of a converted model; raises BundleError where it is none."""
    if missing := [name for name in (_WEIGHTS, _TOKENIZER) if not (folder / name).exists()]:
        raise BundleError(
            f"{folder} is no converted model, for it has no {missing[0]}; write one with shopglot convert-translator"
        )
    return folder


def convert(model: str, out: Path, quantization: Quantization = "int8") -> None:
    """Write a sequence-to-sequence model, from a folder or hub name, as CTranslate2 reads it, with its tokenizer.

    Raises RecipeError where the model cannot be loaded without pickle, or is of a kind that CTranslate2 has not.
    """
    try:
        from ctranslate2.converters import TransformersConverter
        from transformers import AutoTokenizer
    except ImportError as missing:
        raise RecipeError(f"to convert {model} takes ctranslate2, torch and transformers: {_REMEDY}") from missing

    class SafeConverter(TransformersConverter):  # type: ignore[misc]  # the way it offers to say how weights are read
        def load_model(self, model_class: Any, model_name_or_path: str, **kwargs: Any) -> Any:
            return super().load_model(model_class, model_name_or_path, use_safetensors=True, **kwargs)

    require_own_folder(out, _WEIGHTS)
    with named_where_it_fails(model), whole_folder(out) as part:
        SafeConverter(model).convert(str(part), quantization=quantization, force=True)
        load_pretrained(AutoTokenizer, model).save_pretrained(part / _TOKENIZER)
