"""Text in a code page that nothing declares: the letters of its language tell which one it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from corpus.reading.articles import read
from corpus.reading.code_pages import closest
from corpus.reading.text_encoding import decode
from corpus.records import CorpusSettings, Noted, Unit

TEXTS = {
    "hu": (
        "cp1250",
        "A városi tanács hétfőn úgy döntött, hogy lezárja az öreg hidat, mert a mérnökök szerint düledező.",
    ),
    "pl": (
        "cp1250",
        "Rada miejska zdecydowała w poniedziałek, że stary most zostanie zamknięty, bo grozi zawaleniem się.",
    ),
    "cs": ("cp1250", "Městská rada v pondělí rozhodla, že uzavře starý most, protože podle inženýrů už není bezpečný."),
    "hr": (
        "cp1250",
        "Gradsko vijeće odlučilo je u ponedjeljak zatvoriti stari most jer više nije siguran, kaže inženjer Ćosić.",
    ),
    "tr": (
        "cp1254",
        "Belediye meclisi pazartesi günü eski köprünün kapatılmasına karar verdi, çünkü artık güvenli değil.",
    ),
    "lv": (
        "cp1257",
        "Pilsētas dome pirmdienas vakarā nolēma slēgt veco tiltu, jo ūdens līmenis ir augsts un tas nav drošs.",
    ),
    "lv, with letters that are French in cp1252": (
        "cp1257",
        "Mērs sacīja, ka vecais tilts ir slēgts, un prāmji otrdien atkal kursēs; par jauno tiltu lems padome.",
    ),
    "lt": (
        "cp1257",
        "Miesto taryba pirmadienį nusprendė uždaryti senąjį tiltą, nes inžinieriai sako, kad jis nebėra saugus.",
    ),
    "de": (
        "cp1252",
        "Der Stadtrat beschloss am Montag, die alte Brücke zu schließen, weil sie für Fußgänger gefährlich ist.",
    ),
    "fr": (
        "cp1252",
        "Le conseil a décidé lundi de fermer le vieux pont à la circulation, où l’œil voit déjà des fissures.",
    ),
    "fi": (
        "cp1252",
        "Kaupunginvaltuusto päätti maanantaina sulkea vanhan sillan, koska se ei enää ole turvallinen kävellä.",
    ),
    "is": ("cp1252", "Bæjarráð ákvað á mánudag að loka gömlu brúnni því að verkfræðingar segja að hún sé ekki örugg."),
    "en": (
        "cp1252",
        "The council of São Tomé voted on Monday to close “Café Müller”, as Mr. Núñez and Ms. Peña had asked.",
    ),
}


@pytest.mark.parametrize("language", TEXTS)
def test_the_letters_of_a_language_tell_its_code_page(language: str) -> None:
    name, text = TEXTS[language]
    found, encoding = decode((text * 3).encode(name))
    assert (found, encoding) == (text * 3, name)


def test_few_foreign_names_do_not_move_an_english_text() -> None:
    text = "The council met on Monday, and nobody from the town was asked what he or she thought of it. " * 9
    assert closest(f"{text} Ms. Peña, Mr. Muñoz and Mr. Ibáñez agreed.".encode("cp1252"))[0] == "cp1252"


def test_a_guessed_encoding_is_noted(tmp_path: Path) -> None:
    name, text = TEXTS["hu"]
    (tmp_path / "a.txt").write_bytes(text.encode(name))
    unit = Unit(path=str(tmp_path / "a.txt"), kind="txt", article_id="a", source="a.txt", size=1)
    found = list(read(unit, CorpusSettings()))
    assert found[1:] == [Noted(article_id="a", source="a.txt", note="the file's encoding was guessed: cp1250")]
    (tmp_path / "a.txt").write_text(text, "utf-8")
    assert len(list(read(unit, CorpusSettings()))) == 1
