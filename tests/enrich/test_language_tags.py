import pytest

from shopglot.core.errors import RecipeError
from shopglot.enrich.language_tags import FLORES, language_tag

MARKETS = ("en", "es", "fr", "pt", "ja", "ko", "th", "ar", "de", "id", "it", "pl", "vi")


def test_nllb_has_the_tag_of_every_language() -> None:
    from transformers.models.nllb.tokenization_nllb import FAIRSEQ_LANGUAGE_CODES

    assert set(FLORES.values()) <= set(FAIRSEQ_LANGUAGE_CODES)
    assert len(FLORES) > 100


def test_m2m_has_every_language_that_gets_a_tag_and_no_other_one() -> None:
    from transformers.models.m2m_100.tokenization_m2m_100 import FAIRSEQ_LANGUAGE_CODES

    own = set(FAIRSEQ_LANGUAGE_CODES["m2m100"])
    for language in FLORES:
        if language in own:
            assert language_tag(language, "m2m") == f"__{language}__"
        else:
            with pytest.raises(RecipeError, match=f"no language '{language}'"):
                language_tag(language, "m2m")


@pytest.mark.parametrize("language", MARKETS)
def test_the_languages_of_the_markets_are_known_to_all(language: str) -> None:
    assert language_tag(language, "madlad") == f"<2{language}>"
    assert language_tag(language, "m2m") == f"__{language}__"
    assert language_tag(language, "none") == language
    assert len(language_tag(language, "nllb")) == len("por_Latn")


def test_madlad_writes_three_languages_otherwise() -> None:
    assert [language_tag(language, "madlad") for language in ("he", "tl", "nb")] == ["<2iw>", "<2fil>", "<2no>"]


@pytest.mark.parametrize(("written", "near"), [("eng", "'eng'.* en"), ("pt-br", "pt"), ("", "af, am")])
def test_an_unknown_language_names_the_near_ones(written: str, near: str) -> None:
    with pytest.raises(RecipeError, match=f"write an ISO 639-1 code, such as|{near}") as refused:
        language_tag(written, "nllb")
    assert near.rpartition(" ")[2] in str(refused.value)
