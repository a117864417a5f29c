"""The names of languages, as databases write them, and their two-letter codes."""

from __future__ import annotations

import unicodedata

_NAMES = """
    ar arabic arabisch arabe árabe arabo
    bg bulgarian bulgarisch bulgare
    ca catalan katalanisch català
    cs czech tschechisch tchèque checo ceco tsjechisch čeština
    da danish dänisch danois danés danese deens dansk
    de german deutsch allemand alemán tedesco duits
    el greek griechisch grec griego greco grieks
    en english englisch anglais inglés inglese engels
    es spanish spanisch espagnol español spagnolo spaans castellano
    et estonian estnisch estonien
    fi finnish finnisch finnois finlandés finlandese fins suomi
    fr french französisch français francés francese frans
    he hebrew hebräisch hébreu hebreo
    hr croatian kroatisch croate
    hu hungarian ungarisch hongrois húngaro ungherese hongaars
    id indonesian indonesisch indonésien
    it italian italienisch italien italiano italiaans
    ja japanese japanisch japonais japonés giapponese japans
    ko korean koreanisch coréen coreano
    lt lithuanian litauisch lituanien
    lv latvian lettisch letton
    nl dutch niederländisch néerlandais neerlandés olandese nederlands
    no norwegian norwegisch norvégien noruego norvegese noors norsk
    pl polish polnisch polonais polaco polacco pools polski
    pt portuguese portugiesisch portugais portugués portoghese portugees português
    ro romanian rumänisch roumain rumano rumeno roemeens
    ru russian russisch russe ruso russo
    sk slovak slowakisch slovaque
    sl slovenian slowenisch slovène
    sr serbian serbisch serbe
    sv swedish schwedisch suédois sueco svedese zweeds svenska
    tr turkish türkisch turc turco turks türkçe
    uk ukrainian ukrainisch ukrainien
    vi vietnamese vietnamesisch vietnamien
    zh chinese chinesisch chinois chino cinese chinees
"""
_CODES = {name: line.split()[0] for line in _NAMES.strip().splitlines() for name in line.split()[1:]}
_KNOWN = frozenset(_CODES.values())


def language_code(name: str) -> str:
    """The two-letter code of a language; empty where the name is not known, or names several.

    Args:
        name: the language's name in English, German, French, Spanish, Italian or Dutch, or its code.

    >>> language_code("ENGLISH"), language_code("fr"), language_code("Français"), language_code("English; Spanish")
    ('en', 'fr', 'fr', '')
    """
    folded = unicodedata.normalize("NFC", name).strip(" .;").casefold()
    first = folded.partition("-")[0] if len(folded) == 5 else folded
    return first if first in _KNOWN else _CODES.get(folded, "")
