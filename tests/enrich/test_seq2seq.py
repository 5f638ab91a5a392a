from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from shopglot.core.errors import BundleError, RecipeError
from shopglot.enrich.seq2seq import Seq2Seq
from shopglot.enrich.translate_settings import Seq2SeqSettings, Tags
from tests.enrich.conftest import FAMILIES
from tests.enrich.tiny_translators import TEXTS

Models = dict[Tags, Path]


def loaded(models: Models, family: Tags, **changes: Any) -> Seq2Seq:
    folder = str(models[family])
    return Seq2Seq(
        "tiny", Seq2SeqSettings(**{"model": folder, "tags": family, "max_new_tokens": 12, **changes}), folder
    )


def tokens(translator: Seq2Seq, source: str, target: str) -> list[str]:
    (ids,) = translator.tagged.encode(["robe"], source, target)
    names: list[str] = translator.tagged.tokenizer.convert_ids_to_tokens(ids)
    return names


@pytest.mark.parametrize(
    ("family", "first", "written_first"),
    [("m2m", "__pt__", "__en__"), ("nllb", "por_Latn", "eng_Latn"), ("madlad", "<2en>", None)],
)
def test_the_languages_stand_where_the_family_expects_them(
    tiny_models: Models, family: Tags, first: str, written_first: str | None
) -> None:
    translator = loaded(tiny_models, family)
    for source in ("fr", "pt"):
        found = tokens(translator, source, "en")
    assert (found[0], found[-1]) == (first, "</s>")
    assert translator.tagged.first_token("en") == written_first


def test_without_tags_a_text_is_read_as_it_is(tiny_models: Models) -> None:
    translator = loaded(tiny_models, "madlad", tags="none", sources=("fr",))
    assert "".join(tokens(translator, "fr", "en")) == "▁robe</s>"
    with pytest.raises(RecipeError, match="translates from fr, not from 'ja'"):
        translator.translate(["robe"], "ja", "en")


@pytest.mark.parametrize("family", FAMILIES)
def test_a_translation_does_not_depend_on_its_neighbours(tiny_models: Models, family: Tags) -> None:
    translator = loaded(tiny_models, family, batch_tokens=60)
    together = translator.translate(TEXTS, "fr", "en")
    assert together == [translator.translate([text], "fr", "en")[0] for text in TEXTS]
    assert len(set(together)) > 1


@pytest.mark.parametrize("family", FAMILIES)
def test_greedy_tokens_are_those_of_generate_alone(tiny_models: Models, family: Tags) -> None:
    import torch

    translator = loaded(tiny_models, family, no_repeat=None)
    tokenizer, model = translator.tagged.tokenizer, translator._model
    for text in TEXTS:
        (read,) = translator.tagged.encode([text], "fr", "en")
        first = translator.tagged.first_token("en")
        written = [
            model.config.decoder_start_token_id,
            *([] if first is None else [tokenizer.convert_tokens_to_ids(first)]),
        ]
        while len(written) < 13 and written[-1] != tokenizer.eos_token_id:
            with torch.inference_mode():
                logits = model(input_ids=torch.tensor([read]), decoder_input_ids=torch.tensor([written])).logits
            written.append(int(logits[0, -1].argmax()))
        assert translator.translate([text], "fr", "en") == [tokenizer.decode(written, skip_special_tokens=True)]


def test_no_run_of_tokens_is_written_twice_unless_it_may_be(tiny_models: Models) -> None:
    free, bound = (loaded(tiny_models, "madlad", no_repeat=no_repeat, max_new_tokens=40) for no_repeat in (None, 2))
    read = free.tagged.encode(["robe rouge"], "fr", "en")
    for translator, is_bound in ((free, False), (bound, True)):
        (ids,) = translator._generated(read, None)
        assert (len(set(pairwise(ids))) == len(ids) - 1) == is_bound


def test_a_translation_is_bounded_by_its_text(tiny_models: Models) -> None:
    tagged = loaded(tiny_models, "madlad", max_new_tokens=100).tagged
    assert [tagged.longest([[1] * length]) for length in (1, 10, 90)] == [19, 46, 100]


def test_a_language_without_a_token_is_refused(tiny_models: Models) -> None:
    translator = loaded(tiny_models, "madlad")
    with pytest.raises(RecipeError, match="has no token '<2de>' for 'de'; are its tags 'madlad'"):
        translator.translate(["robe"], "fr", "de")
    with pytest.raises(RecipeError, match="no language 'xx'"):
        loaded(tiny_models, "nllb").translate(["robe"], "xx", "en")
    with pytest.raises(RecipeError, match="are its tags 'nllb'"):
        loaded(tiny_models, "madlad", tags="nllb").tagged.check("en")


def test_a_folder_without_a_model_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="cannot be loaded without pickle"):
        Seq2Seq("x", Seq2SeqSettings(model=str(tmp_path), tags="nllb"), str(tmp_path))
