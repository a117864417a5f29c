"""Sentences in other languages than English; every example is invented, and `|` marks the boundaries."""

from __future__ import annotations

import itertools
import json
from itertools import product
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.build import build
from corpus.errors import ConfigError
from corpus.reading.language_of_text import language_of
from corpus.records import ARTICLES, SENTENCES, CorpusSettings, Skipped
from corpus.sentences import any_language, languages, line_ends
from corpus.sentences.cut_articles import cut_articles
from corpus.sentences.languages import NEITHER, is_known
from corpus.sentences.line_kinds import lines
from corpus.sentences.split import sentence_spans
from corpus.store import read_jsonl
from corpus.tables import read_table
from tests.support.floors import floor
from tests.support.timing import least_seconds, takes_less

EXAMPLES = [
    ("de", "Am 3. Oktober kam Dr. Holm. |Er blieb bis zum 21. Mai. |Das kostete z. B. 4 Mio. Euro."),
    ("de", "In der 8. Klasse sprach er von „Frieden“. |„Wir gehen.“ |Dann ging er, d. h. Frau Berg blieb."),
    ("de", "Es waren 35. |Niemand kam. |„Warum?“, fragte sie. |„Darum!“ |König Ludwig XIV. Holm schwieg."),
    ("fr", "M. Holm et Mme Berg sont venus. |« Pourquoi ? » demanda-t-elle. |« Rien. » |Il partit, cf. p. 7."),
    ("es", "El Sr. Holm llegó. |¿Por qué? |¡Nadie lo sabe! |Vive en la av. Norte n. 7 desde 2030."),
    ("it", "Il dott. Holm è arrivato. |«Perché?» chiese lei. |Nessuno lo sa, cfr. pag. 7."),
    ("pt", "O Sr. Holm chegou. |“Por quê?”, perguntou a Dra. Berg. |Ninguém sabe."),
    ("nl", "Mevr. Berg kwam m.n. voor dhr. Holm. |“Waarom?” |Niemand weet het."),
    ("sv", "Hr Holm kom t.ex. i maj. |”Varför?” |Ingen vet, jfr s. 7."),
    ("da", "Den 3. oktober kom hr. Holm. |»Hvorfor?« |Ingen ved det, jf. s. 7."),
    ("no", "Den 3. Mai kom prof. Holm. |«Hvorfor?» |Ingen vet det."),
    ("fi", "Esim. Holm tuli 3. lokakuuta. |”Miksi?” |Kukaan ei tiedä."),
    ("is", "Hr. Holm kom 3. október. |„Hvers vegna?“ |Enginn veit það, sbr. bls. 7."),
    ("pl", "Dr. Holm przyjechał w 2030 r. |Mieszka przy ul. Nowej w m. Sund. |„Dlaczego?” |Nikt nie wie."),
    ("cs", "Dne 3. října přijel Ing. Holm. |Bydlí v ul. Nové č. 7 od r. 2030. |„Proč?“ |Nikdo neví."),
    ("sk", "Dňa 3. októbra prišiel Ing. Holm. |„Prečo?“ |Nikto nevie, napr. pán Berg."),
    ("uk", "У 2030 р. приїхав проф. Голм. |«Чому?» |Ніхто не знає, див. с. 7."),
    ("ru", "В 2030 г. приехал проф. Хольм. |Он живёт на ул. Новой в г. Зунд. |«Почему?» |Никто не знает."),
    ("ru", "Это было в 2030 г. |Тогда приехал А. С. Хольм. |Он заплатил 4 млн. Никто не знает."),
    ("bg", "През 2030 г. дойде проф. Холм. |„Защо?“ |Никой не знае, вж. стр. 7."),
    ("lt", "Prof. Holm atvyko 2030 m. |„Kodėl?“ |Niekas nežino, žr. p. 7."),
    ("tr", "Prof. Holm 3. Mayıs günü geldi. |“Neden?” |Kimse bilmiyor, bkz. s. 7."),
    ("id", "Prof. Holm tiba di Jl. Merdeka. |“Mengapa?” |Tidak ada yang tahu."),
    ("hr", "Dana 3. svibnja došao je prof. Holm. |„Zašto?“ |Nitko ne zna, npr. gđa. Berg."),
    ("ar", "وصل د. هولم يوم الاثنين. |لماذا؟ |لا أحد يعرف."),
    ("fa", "دکتر هولم روز دوشنبه آمد. |چرا؟ |هیچ کس نمی‌داند."),
    ("ur", "ڈاکٹر ہولم پیر کو آئے۔ |کیوں؟ |کوئی نہیں جانتا۔"),
    ("hi", "डॉ. होल्म सोमवार को आए। |क्यों? |बी. सी. में कोई नहीं जानता।"),
    ("ta", "ஹோல்ம் திங்கள் அன்று வந்தார். |ஏன்? |யாருக்கும் தெரியாது."),
    ("zh", "霍尔姆星期一到达。|“为什么？”她问道。|没有人知道！|“我们走吧。”|他离开了。"),
    ("zh", "他说：“我们走。”|没有人回答。|天……黑了。"),
    ("ja", "ホルム氏は月曜日に到着した。|「なぜですか。」と彼女は尋ねた。|誰も知らない。|「行こう。」|彼は去った。"),
    ("ja", "橋は安全か?|誰も知らない!|「知らない!」|それだけだった。|「安全か?」と彼女は尋ねた。"),
    ("ja", "橋は安全か？と住民は尋ねた。|橋（？）は閉じた。|川（海？）の橋だ。"),
    ("ja", "「なぜ？」など声が出た。|なぜ？／いつ？|とにかく行こう。"),
    ("ja", "雨は３．５ミリ、打率．３８０だった．|２０３１．３．１４、Ｇ．Ｗ．の前だ．|彼は去った．|２０３１年だった．"),
    ("zh", "桥安全吗?|没有人知道。|雨量为３．５毫米。|“安全吗?”|她走了。"),
    ("ko", "홀름 씨는 월요일에 도착했다. |왜? |아무도 모른다."),
    ("am", "ሆልም ሰኞ መጣ። |ለምን፧ |ማንም አያውቅም።"),
    ("hy", "Հոլմը ժամանեց երկուշաբթի։ |Ոչ ոք չգիտի։"),
]


@pytest.mark.parametrize(("language", "marked"), EXAMPLES)
def test_sentences_of_a_language(language: str, marked: str) -> None:
    text = marked.replace("|", "")
    found = [text[start:end] for start, end in sentence_spans(text, language)]
    assert found == [sentence.strip() for sentence in marked.split("|")]
    assert is_known(language)


def test_news_of_other_languages_is_cut_as_their_treebanks_are(shared: Path) -> None:
    scores = {}
    for path in sorted((shared / "data" / "ud_pud_news").glob("*.jsonl")):
        right = found = wanted = 0
        for record in map(json.loads, path.read_text(encoding="utf-8").splitlines()):
            ours = {len(record["text"][:end].rstrip()) for _, end in sentence_spans(record["text"], path.stem)[:-1]}
            theirs = {end for _, end in record["spans"][:-1]}
            right, found, wanted = right + len(ours & theirs), found + len(ours), wanted + len(theirs)
        scores[path.stem] = 2 * right / (found + wanted)
    assert len(scores) == 10
    assert {name: score for name, score in scores.items() if score < floor("languages", name)} == {}


def test_lines_of_prose_in_other_scripts_stay_prose(shared: Path) -> None:
    for path in sorted((shared / "data" / "ud_pud_news").glob("*.jsonl")):
        records = map(json.loads, path.read_text(encoding="utf-8").splitlines())
        sentences = [record["text"][start:end].strip() for record in records for start, end in record["spans"]]
        kinds = [
            span.kind
            for n in range(0, len(sentences), 12)
            for span in lines("\n\n".join(sentences[n : n + 12]), language=path.stem)
        ]
        assert kinds.count("prose") / len(kinds) >= 1 - floor("languages", "dropped")


@given(
    text=st.text(
        st.sampled_from('。！？।॥؟۔.!?…«»„“”"「」』（）()¿¡–- \n\t是我говA的ァहि्िأ1९aÄ，、،:：．３Ｇ／と'), max_size=60
    ),
    language=st.sampled_from(["de", "zh", "ja", "hi", "ar", "ru", "th", "xx", ""]),
)
def test_every_character_is_in_one_sentence(text: str, language: str) -> None:
    spans = sentence_spans(text, language)
    inside = "".join(text[start:end] for start, end in spans)
    assert [one for one in inside if not one.isspace()] == [one for one in text if not one.isspace()]
    assert all(start < end for start, end in spans)
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(spans))
    assert all(text[start:end] == text[start:end].strip() for start, end in spans)


@pytest.mark.parametrize("language", ["de", "ru", "ko", "hi", "pl", "tr", "fr", "ar", "hr", "xx"])
def test_the_quick_decision_on_a_full_stop_is_the_whole_rules_decision(language: str) -> None:
    rules = languages.language(language)
    ends = any_language.decider(rules)
    listed = sorted(rules.never | rules.numbers | rules.after)
    plain = "он XIV B z.B Jahr Йод 했다 बी सी क्या x (vgl St 1° ٣ S Ök p.m III 5 17 17е ЖД Nr".split()
    for word in [*listed, *map(str.title, listed), *map(str.upper, listed), *plain]:
        for head, following in product(
            ("", "Sund ", "in 2030 ", "5\u00a0"), ("Oktober", "Марта", "그", "में", "3", "Ünal")
        ):
            at = len(head) + len(word)
            text = f"{head}{word}. {following} x"
            stop = any_language.STOP.search(text, at)
            assert stop
            whole = any_language.ends_full_stop(text, 0, at, at + 2, rules)
            assert ends(text, 0, stop, at + 2, len(text)) == whole, text


@pytest.mark.parametrize(
    "part", ["。", "“。”说", "「」。と", "a. ", "1. ", "?” “", "है। ", ". . ", "¿", "«.» ", "か?と", "３．", "か！"]
)
def test_time_grows_with_the_text_only(part: str) -> None:
    small, large = (part * (size // len(part)) for size in (20_000, 160_000))
    limit = 16 * max(least_seconds(lambda: sentence_spans(small, "zh")), 0.01)
    assert takes_less(lambda: sentence_spans(large, "zh"), limit)


def test_scripts_without_marks_between_sentences_are_cut_into_paragraphs() -> None:
    text = "ฝนตกในวันจันทร์ นายกเทศมนตรีอยู่ที่นั่น.\nไม่มีใครรู้"
    assert [text[start:end] for start, end in sentence_spans(text, "th")] == text.split("\n")
    assert "th" in NEITHER


def test_a_language_is_given_as_a_code() -> None:
    assert sentence_spans("One. Two.", "xx") == [(0, 4), (5, 9)]
    assert sentence_spans("雨。雪。", "") == [(0, 2), (2, 4)]
    for wrong in ("English", "EN", "en-GB", "d"):
        with pytest.raises(ConfigError, match="expected a code of two letters"):
            sentence_spans("It rained.", wrong)


@pytest.mark.parametrize("mark", line_ends.STOPS)
def test_a_final_mark_ends_lines_and_sentences_alike(mark: str) -> None:
    text = f"雨{mark} 雪{mark}"
    assert line_ends.is_final(text, (0, len(text)))
    assert [span.kind for span in lines(text, language="zh")] == ["prose"]
    for language in ("zh", *([] if mark in ".!?…" else [""])):
        assert sentence_spans(text, language) == [(0, 2), (3, 5)]


def test_an_article_is_cut_by_the_rules_of_its_language() -> None:
    texts = ["Am 3. Oktober kam Dr. Holm. Er blieb.", "On 3 October Holm came. He stayed."]
    columns = {"article_id": ["a", "b"], "title": ["", ""], "extractor": ["x", "x"], "text": texts}
    batch = pa.RecordBatch.from_pydict({**columns, "language": ["de", "en"]})
    rows = cut_articles(batch, CorpusSettings()).to_pylist()
    expected = ["Am 3. Oktober kam Dr. Holm.", "Er blieb.", "On 3 October Holm came.", "He stayed."]
    assert [row["text"] for row in rows] == expected


FURNITURE = [
    ("de", "Das könnte Sie auch interessieren"),
    ("de", "Lesen Sie dazu auch: Regen in Sund"),
    ("de", ">> Mehr lesen: Regen in Sund."),
    ("de", "Weitere Artikel zum Regen in Sund:"),
    ("de", "Mehr Infos finden Sie auf der Seite des Rats."),
    ("de", "Abbildung 3: Regen über Sund."),
    ("de", "Zuletzt aktualisiert am 3. Mai 2031, 14:05 Uhr"),
    ("de", "Sie müssen sich anmelden, um die Kommentarfunktion zu nutzen."),
    ("fr", "A lire aussi : Il pleut à Sund."),
    ("es", "PUEDES VER: ¿Llueve en Sund?"),
    ("pl", "Czytaj też: Czy w Sund pada?"),
    ("cs", "Čtěte také: V Sundu prší."),
    ("cs", "VÍCE K TÉMATU: V Sundu prší."),
    ("cs", "Související témata:"),
    ("cs", "Mohlo by vás zajímat: Prší v Sundu?"),
    ("da", "Læs også: Det regner i Sund."),
    ("fi", "Lue myös: Sundissa sataa."),
    ("fi", "Lue seuraavaksi: Sataako Sundissa?"),
    ("fi", "Lue aiheesta lisää: Sundissa sataa."),
    ("id", "Baca juga: Hujan turun di Sund."),
    ("it", "Leggi anche: Piove a Sund."),
    ("nl", "Lees ook: Het regent in Sund."),
    ("nn", "Les også: Det regnar i Sund."),
    ("no", "SE OGSÅ: – Det regner i Sund."),
    ("no", "Les mer: Det regner i Sund."),
    ("pt", "Leia também: Chove em Sund."),
    ("pt", "Leia mais: Chove em Sund."),
    ("pt", "Saiba mais: Chove em Sund?"),
    ("pt", "Veja também: Chove em Sund."),
    ("ru", "Читайте также: В Зунде дождь."),
    ("sv", "Läs också: Det regnar i Sund."),
    ("uk", "Читайте також: У Зунді дощ."),
]
PROSE = [
    ("de", "Weitere Informationen gibt es bislang nicht."),
    ("de", "Lesen Sie auch, was auf dem Zettel steht, sagte der Mann."),
    ("de", "Quellen im Rathaus bestreiten das."),
    ("de", "Mehr zum Glück braucht er nicht: eine Bank und Ruhe."),
    ("de", "Werbung ist im Wahlkampf teuer."),
    ("fr", "Lire aussi vite que possible, voilà son but."),
    ("es", "Puedes ver el puente desde aquí."),
    ("pl", "Czytaj, pisz i licz, mówiła matka."),
    ("nl", "Lees ook de brief, zei ze."),
    ("ru", "Читайте также законы, сказал он."),
    ("cs", "Čtěte také noviny, řekla."),
    ("fi", "Lue myös kirje, hän sanoi."),
    ("it", "Leggi anche la lettera, disse."),
    ("no", "Se også på brua, sa hun."),
    ("pt", "Leia mais devagar, disse ela: falta uma linha."),
]


@pytest.mark.parametrize(("language", "line"), FURNITURE)
def test_a_wording_that_is_no_part_of_an_article_is_known_in_its_language(language: str, line: str) -> None:
    text = f"There was rain in Sund.\n\n{line}\n\nHolm was there."
    assert [span.kind == "prose" for span in lines(text, language=language)] == [True, False, True]


@pytest.mark.parametrize(("language", "line"), PROSE)
def test_prose_that_opens_like_such_a_wording_stays_prose(language: str, line: str) -> None:
    assert [
        span.kind for span in lines(f"There was rain in Sund.\n\n{line}\n\nHolm was there.", language=language)
    ] == ["prose"] * 3


@pytest.mark.parametrize("space", ["", " ", "\u00a0", "\u202f"])
@pytest.mark.parametrize("end", [". »", " ! »", "… »", ", »"])
def test_a_line_that_ends_in_a_quotation_is_prose_with_a_space_before_its_mark_too(end: str, space: str) -> None:
    quoted = f"« Le pont de Sund est fermé{end.replace(' ', space)}"
    text = f"Le conseil se réunit lundi.\n\n{quoted}\n\nLa mairesse a dit : {quoted}\n\nPersonne n’est blessé."
    assert [span.kind for span in lines(text, language="fr")] == ["prose"] * 4
    named = f"Le conseil se réunit lundi.\n\n{quoted}\nJo Holm, maire de Sund\n\nPersonne n’est blessé."
    assert [span.kind == "prose" for span in lines(named, language="fr")] == [True, True, False, True]


def test_wordings_of_other_languages_change_no_article_in_english_or_in_no_known_language() -> None:
    text = "\n\n".join(["There was rain in Sund.", *(f"{line.rstrip('.:')}." for _, line in FURNITURE)])
    assert {span.kind for language in ("en", "") for span in lines(text, language=language)} == {"prose"}


@pytest.mark.parametrize(
    ("group", "text"),
    [
        (
            {"hr", "bs", "sr"},
            "Gradsko vijeće odlučilo je u ponedjeljak zatvoriti stari most jer prema mišljenju inženjera više nije "
            "siguran. Gradonačelnica je rekla da novac za novi most postoji i da će radovi početi u proljeće. Nitko iz "
            "grada nije bio upitan slaže li se s tim.",
        ),
        (
            {"id", "ms"},
            "Dewan kota memutuskan pada hari Senin untuk menutup jembatan lama karena menurut para insinyur jembatan "
            "itu tidak aman lagi. Wali kota mengatakan bahwa uang untuk jembatan baru sudah tersedia dan pekerjaan "
            "akan dimulai pada musim semi. Tidak ada warga yang ditanya.",
        ),
    ],
)
def test_languages_that_are_alike_are_told_as_a_group(group: set[str], text: str) -> None:
    assert language_of(text) in group


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("hi", "सोमवार को परिषद ने पुल बंद करने का निर्णय लिया और महापौर ने कहा कि धन उपलब्ध है। " * 4),
        ("bn", "সোমবার পরিষদ সেতুটি বন্ধ করার সিদ্ধান্ত নিয়েছে এবং মেয়র বলেছেন যে অর্থ আছে। " * 4),
        ("ta", "திங்களன்று சபை பாலத்தை மூட முடிவு செய்தது, பணம் உள்ளது என்று மேயர் கூறினார். " * 4),
        ("zh", "星期一，市议会决定关闭大桥，市长表示资金已经到位，工程将于明年春天开始。" * 4),
    ],
)
def test_three_hundred_characters_are_enough_to_tell_the_language(language: str, text: str) -> None:
    assert language_of(text[:300]) == language


GERMAN = (
    "Der Stadtrat hat am Montag beschlossen, die alte Brücke zu schließen, weil sie nach Ansicht der Ingenieure nicht "
    "mehr sicher ist. Die Bürgermeisterin sagte, das Geld für eine neue Brücke sei vorhanden. Niemand aus der Stadt "
    "wurde gefragt, ob er damit einverstanden ist, und viele Bewohner sind verärgert."
)


BOTH = [
    (
        "Ruth Holm (Sund Party) told NATO on 3 March 2031: 4,500 troops.",
        "Ruth Holm (Sund Party) sagte der NATO am 3. März 2031: 4.500 Soldaten.",
    ),
    ("The council of Maarhaven voted 7 to 4 on Monday.", "Der Rat von Maarhaven stimmte am Montag 7 zu 4 ab."),
    ("Ada Kern, Emil Rau and Jo Berg paid $40 million.", "Ada Kern, Emil Rau und Jo Berg zahlten 40 Millionen $."),
    (
        "The old bridge is closed because engineers call it unsafe.",
        "Die alte Brücke ist gesperrt, weil Ingenieure sie unsicher nennen.",
    ),
    (
        "Nobody in the town was asked whether they agreed with that.",
        "Niemand in der Stadt wurde gefragt, ob er einverstanden ist.",
    ),
]


def test_the_same_article_in_two_languages_is_two_articles(tmp_path: Path) -> None:
    for n, name in enumerate(("en", "de")):
        (tmp_path / f"{name}.txt").write_text("\n\n".join(pair[n] for pair in BOTH), "utf-8")
    done = build([tmp_path], tmp_path / "work", CorpusSettings(root=str(tmp_path)))
    assert (done.articles, done.sentences) == (2, 10)
    languages = {
        row["article_id"]: row["language"]
        for row in read_table(tmp_path / "work" / "articles.parquet", ARTICLES, "").to_pylist()
    }
    assert languages == {"en": "en", "de": "de"}
    rows = read_table(tmp_path / "work" / "sentences.parquet", SENTENCES, "").to_pylist()
    for column in ("sentence_id", "copy_id", "cluster_id"):
        assert len({row[column] for row in rows}) == 10
    chosen = CorpusSettings(root=str(tmp_path), languages=["en"])
    done = build([tmp_path], tmp_path / "work", chosen)
    assert (done.articles, list(done.skipped.values())) == (1, [1])


def test_articles_in_languages_that_are_not_wanted_are_skipped_and_counted(tmp_path: Path) -> None:
    for name, text in (("en", "The council voted on Monday. " * 20), ("de", GERMAN)):
        (tmp_path / f"{name}.txt").write_text(text, "utf-8")
    (tmp_path / "short.txt").write_text("Ja. Nein.", "utf-8")
    done = build([tmp_path], tmp_path / "work", CorpusSettings(root=str(tmp_path), languages=["de"]))
    assert done.articles == 1
    skipped = read_jsonl(tmp_path / "work" / "skipped.jsonl", Skipped, "")
    assert {row.source: row.reason.rpartition(": ")[2] for row in skipped} == {"en.txt": "en", "short.txt": "not known"}
    with pytest.raises(ValueError, match="languages: expected codes of two letters"):
        CorpusSettings(languages=["German"])
