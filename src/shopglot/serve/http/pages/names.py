"""How languages are called."""

from typing import Final

NAMES: Final = {
    code: name
    for line in """
    ar Arabic  bg Bulgarian  bn Bengali  ca Catalan  cs Czech  da Danish  de German  el Greek  en English  es Spanish
    et Estonian  fa Persian  fi Finnish  fr French  he Hebrew  hi Hindi  hr Croatian  hu Hungarian  id Indonesian
    it Italian  ja Japanese  ko Korean  lt Lithuanian  lv Latvian  ms Malay  nb Norwegian  nl Dutch  no Norwegian
    pl Polish  pt Portuguese  ro Romanian  ru Russian  sk Slovak  sl Slovene  sr Serbian  sv Swedish  ta Tamil
    th Thai  tl Tagalog  tr Turkish  uk Ukrainian  ur Urdu  vi Vietnamese  zh Chinese
    """.splitlines()
    for code, name in zip(line.split()[::2], line.split()[1::2], strict=True)
}


def language_name(code: str | None) -> str:
    """Return the name of a language in English; of one without a name here its code.

    >>> language_name("ja"), language_name("qu"), language_name(None)
    ('Japanese', 'qu', 'an unknown language')
    """
    return "an unknown language" if code is None else NAMES.get(code, code)
