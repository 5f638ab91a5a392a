"""What translation models call languages: ISO 639-1 codes to the tags of NLLB-200, MADLAD-400 and M2M-100."""

from difflib import get_close_matches
from typing import Final

from shopglot.core.errors import RecipeError
from shopglot.enrich.translate_settings import Tags

FLORES: Final = {
    code: tag
    for line in """
    af afr_Latn  am amh_Ethi  ar arb_Arab  az azj_Latn  be bel_Cyrl  bg bul_Cyrl  bn ben_Beng  bs bos_Latn  ca cat_Latn
    cs ces_Latn  cy cym_Latn  da dan_Latn  de deu_Latn  el ell_Grek  en eng_Latn  eo epo_Latn  es spa_Latn  et est_Latn
    eu eus_Latn  fa pes_Arab  fi fin_Latn  fr fra_Latn  ga gle_Latn  gl glg_Latn  gu guj_Gujr  he heb_Hebr  hi hin_Deva
    hr hrv_Latn  hu hun_Latn  hy hye_Armn  id ind_Latn  is isl_Latn  it ita_Latn  ja jpn_Jpan  ka kat_Geor  kk kaz_Cyrl
    km khm_Khmr  kn kan_Knda  ko kor_Hang  ky kir_Cyrl  lo lao_Laoo  lt lit_Latn  lv lvs_Latn  mk mkd_Cyrl  ml mal_Mlym
    mn khk_Cyrl  mr mar_Deva  ms zsm_Latn  mt mlt_Latn  my mya_Mymr  nb nob_Latn  ne npi_Deva  nl nld_Latn  no nob_Latn
    pa pan_Guru  pl pol_Latn  pt por_Latn  ro ron_Latn  ru rus_Cyrl  si sin_Sinh  sk slk_Latn  sl slv_Latn  sq als_Latn
    sr srp_Cyrl  sv swe_Latn  sw swh_Latn  ta tam_Taml  te tel_Telu  th tha_Thai  tl tgl_Latn  tr tur_Latn  uk ukr_Cyrl
    ur urd_Arab  uz uzn_Latn  vi vie_Latn  zh zho_Hans  zu zul_Latn  as asm_Beng  fo fao_Latn  gd gla_Latn  ha hau_Latn
    ht hat_Latn  ig ibo_Latn  jv jav_Latn  ku kmr_Latn  lb ltz_Latn  mg plt_Latn  mi mri_Latn  nn nno_Latn  ny nya_Latn
    oc oci_Latn  or ory_Orya  ps pbt_Arab  rw kin_Latn  sd snd_Arab  sn sna_Latn  so som_Latn  st sot_Latn  su sun_Latn
    tg tgk_Cyrl  tk tuk_Latn  tt tat_Cyrl  ug uig_Arab  xh xho_Latn  yi ydd_Hebr  yo yor_Latn
    """.splitlines()
    for code, tag in zip(line.split()[::2], line.split()[1::2], strict=True)
}
"""The FLORES-200 code of each language, which NLLB-200 has as a token (Costa-jussà et al. 2022)."""

_NOT_IN_M2M: Final = frozenset(
    ("as", "eo", "eu", "fo", "ku", "ky", "mi", "mt", "nb", "nn", "ny", "rw", "sn", "st", "te", "tg", "tk", "tt", "ug")
)
_OF_MADLAD: Final = {"he": "iw", "nb": "no", "tl": "fil"}


def language_tag(language: str, tags: Tags) -> str:
    """Return what models of one kind call a language, without tags its code; raises RecipeError for an unknown one.

    >>> [language_tag("pt", tags) for tags in ("nllb", "madlad", "m2m")]
    ['por_Latn', '<2pt>', '__pt__']
    """
    known = sorted(FLORES.keys() - (_NOT_IN_M2M if tags == "m2m" else ()))
    if language not in known:
        near = get_close_matches(language, known, n=5, cutoff=0.5) or known
        raise RecipeError(f"no language {language!r}; write an ISO 639-1 code, such as {', '.join(near)}")
    match tags:
        case "nllb":
            return FLORES[language]
        case "m2m":
            return f"__{language}__"
        case "madlad":
            return f"<2{_OF_MADLAD.get(language, language)}>"
        case "none":
            return language
