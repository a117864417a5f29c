"""Tell the code pages of European languages apart by the letters of the languages that are written in each.

A byte above 127 is a letter in each of these code pages, but seldom a letter of one language in each of them: the
Hungarian ő (cp1250) reads as õ in cp1252, and no language has õ together with á and ö.
"""

from __future__ import annotations

FRENCH = "àâæçéèêëîïôœùûüÿ"
"""Most letters of Latvian read as these in cp1252, but not as é, which is every second one of them in French."""
LETTERS = {
    "cp1252": (
        "äöüß",
        FRENCH,
        "áéíñóúüºª",
        "áâãàçéêíóôõúü",
        "àèéìíîòóùú",
        "ëïéèêöüóáí",
        "åäöé",
        "æøåéöòóô",
        "áðéíóúýþæö",
        "àçéèíïóòúü",
        "äöõüšž",
        "çë",
    ),
    "cp1250": (
        "ąćęłńóśźż",
        "áčďéěíňóřšťúůýž",
        "áäčďéíĺľňóôŕšťúýž",
        "áéíóöőúüű",
        "ăâîşţ",
        "čćđšž",
    ),
    "cp1254": ("çğıi\u0307öşü",),
    "cp1257": ("āčēģīķļņšūž", "ąčęėįšųūž", "äöõüšž"),
}
"""For each code page the letters beyond ASCII of each language that is written in it."""

CLEARLY = 0.02
"""By how much more of the text's letters another code page must explain than cp1252 does."""
DIFFERING = 0.9
"""Share that it must explain of the letters that are others in cp1252; é and ö are the same in most code pages."""
FITS = 0.95
"""Share from which on a text is left in cp1252."""
DENSE = 0.015
"""Least share of letters beyond ASCII in a language of another code page; English with some foreign names has fewer."""
LATIN = 0.8
"""Share of the letters that one of these code pages must explain, to be preferred to a rarer one (Macintosh, ISO)."""
FEWEST = 3
"""Fewest characters beyond ASCII that tell anything."""
MANY = 10
"""Number of letters beyond ASCII from which on a French text has an é."""

_TYPOGRAPHY = frozenset("\xa0§«»°·–—‘’‚“”„…€™†‡•‹›©®\xad")


def closest(sample: bytes) -> tuple[str, float]:
    """The code page of Western, Central European, Turkish or Baltic text; cp1252 where several fit equally well.

    Args:
        sample: bytes of the text.

    Returns:
        The code page, and the share of the characters beyond ASCII that the letters of one language explain.

    >>> closest("Az erdőben őzek élnek, és a fűben ülő öregek.".encode("cp1250"))[0]
    'cp1250'
    >>> closest("Le café était à la fenêtre, où l’œil voyait Žižek.".encode("cp1252"))[0]
    'cp1252'
    """
    western = sample.decode("cp1252", "replace")
    best, (share, _) = "cp1252", _share(western, western, LETTERS["cp1252"])
    found = share
    letters = sum(map(str.isalpha, western)) or 1
    if share >= FITS or sum(one > "\x7f" and one not in _TYPOGRAPHY for one in western) < DENSE * letters:
        return best, share
    for name, alphabets in LETTERS.items():
        here, differing = _share(sample.decode(name, "replace"), western, alphabets)
        if here > max(share + CLEARLY, found) and differing >= DIFFERING:
            best, found = name, here
    return best, found


def _share(text: str, western: str, alphabets: tuple[str, ...]) -> tuple[float, float]:
    """How much the letters of one language explain: of the characters beyond ASCII, and of those not as in cp1252."""
    pairs = [(one, one != other) for one, other in zip(text, western, strict=True) if one > "\x7f"]
    rest = [(one.lower(), differs) for one, differs in pairs if one not in _TYPOGRAPHY]
    if len(rest) < FEWEST:
        return 0.0, 0.0
    shares = []
    without = len(rest) >= MANY and not any(one == "é" for one, _ in rest)
    for alphabet in alphabets:
        if alphabet is FRENCH and without:
            continue
        known = [(one in alphabet, differs) for one, differs in rest]
        others = [one for one, differs in known if differs]
        shares.append((sum(one for one, _ in known) / len(rest), sum(others) / len(others) if others else 0.0))
    return max(shares)
