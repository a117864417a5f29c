"""Words of scripts without spaces and of scripts with vowel signs, wherever words are compared or counted."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus import words
from corpus.errors import ConfigError
from corpus.near_duplicates import near_duplicates, normalise
from labeling.records import LabelingSettings
from labeling.sampling.sample import _having as having
from labeling.sampling.sample import keywords
from release.contents.five_word_runs import Names, runs, unnamed_runs
from release.contents.text_free import public_id
from tests.support.corpora import unit
from train.evaluate.leak_audit import audit
from train.model.mask import masked
from train.model.tfidf_logistic import parts
from train.records import Example

CHINESE = [
    "市议会星期一决定关闭旧桥，因为工程师发现桥墩上有许多裂缝。",
    "市长在记者会上说，新桥的资金已经到位，明年春天就可以动工。",
    "许多居民担心没有桥的时候，孩子们上学要绕很远的路。",
    "反对党要求公布检查报告，并且对所有桥梁重新进行评估。",
    "渡轮公司表示愿意在施工期间增加班次，但是票价可能会上涨。",
]
HINDI = "महापौर ने सोमवार को कहा कि पुल के लिए धन उपलब्ध है और काम जल्द शुरू होगा।"
THAI = "นายกเทศมนตรีกล่าวในวันจันทร์ว่ามีเงินสำหรับสะพานใหม่แล้ว"


@given(st.text(st.characters(max_codepoint=0x2FF, exclude_categories=["Cs"])))
def test_words_of_latin_text_are_what_white_space_separates(text: str) -> None:
    assert words.pieces(text) == words.units(text) == text.split()
    assert words.count(text) == len(text.split())
    assert words.in_text(text) == re.findall(r"[^\W_]+", text)


@given(st.text(st.sampled_from("我们ไทยကあア한हिन्दीab1 .-\n")))
def test_no_letter_is_lost_in_any_script(text: str) -> None:
    assert "".join(words.units(text)) == "".join(text.split())
    assert all(words.pieces(text))
    joined = "".join(words.in_text(text))
    assert [one for one in joined if one.isalnum()] == [one for one in text if one.isalnum()]


def test_vowel_signs_belong_to_their_word() -> None:
    assert words.in_text("हिन्दी में") == ["हिन्दी", "में"]
    assert re.findall(words.PATTERN, "हिन्दी में, don't_1") == ["हिन्दी", "में", "don", "t_1"]
    counter = parts("word")[0][1]
    assert "हिन्दी" in counter.fit([HINDI, "हिन्दी में"]).vocabulary_


@pytest.mark.parametrize("text", [*CHINESE, HINDI, THAI])
def test_a_whole_sentence_of_any_script_cannot_hide_from_the_proof(text: str) -> None:
    assert runs(text) & runs(f"— {text} —")
    assert runs(text) == runs(text.replace("，", "").replace("。", ""))


def test_names_of_outlets_and_targets_are_no_quotations_in_chinese() -> None:
    names = Names(outlets=["北京晚间新闻报道"], targets=["派遣西方军队前往乌克兰"])
    assert unnamed_runs("北京晚间新闻报道", names) == set()
    assert unnamed_runs("派遣西方军队前往乌克兰", names) == set()
    assert unnamed_runs(f"北京晚间新闻报道{CHINESE[0]}", names)


def test_an_id_that_may_be_a_chinese_headline_becomes_a_digest() -> None:
    assert public_id("gazette/2031-03-14-桥梁") == "gazette/2031-03-14-桥梁"
    assert public_id("gazette/市议会星期一决定关闭旧桥").startswith("id-")


@pytest.mark.parametrize("edits", [1, 2])
def test_edited_chinese_sentences_are_found_again(edits: int) -> None:
    chance = random.Random(edits)
    pool = list("".join(CHINESE))
    for n, text in enumerate(CHINESE):
        letters = list(text)
        for _ in range(edits):
            at = chance.randrange(len(letters) - 2)
            letters[at : at + 2] = chance.sample(pool, 2)
        assert near_duplicates([*CHINESE, "".join(letters)]) == [*range(5), n]


def test_short_chinese_sentences_join_only_their_equals() -> None:
    assert near_duplicates(["他没有回答。", "她没有回答。", "他没有回答！"]) == [0, 1, 0]


def test_the_leak_audit_sees_chinese_sentences() -> None:
    edited = CHINESE[0].replace("星期一", "星期二")
    training = [Example(sentence_id="a", text=CHINESE[0], label="favor")]
    testing = [
        Example(sentence_id="b", text=edited, label="favor"),
        Example(sentence_id="c", text="好。", label="none"),
    ]
    assert [pair.test_id for pair in audit(training, testing).pairs] == ["b"]
    long = [Example(sentence_id="a", text="".join(CHINESE) * 6, label="favor")]
    assert audit(long, [Example(sentence_id="b", text="".join(CHINESE) * 6 + "。好", label="favor")]).found == 1


def test_keywords_in_other_scripts() -> None:
    texts = [HINDI, CHINESE[0], "Die Brücken sind alt."]
    units = [unit(n, text=text) for n, text in enumerate(texts)]
    assert having(units, ["महापौर"]) == [True, False, False]
    assert having(units, ["हापौर"]) == [False, False, False]
    assert having(units, ["旧桥"]) == [False, True, False]
    assert keywords(LabelingSettings(), "यूक्रेन में सैनिक भेजना") == ["यूक्रेन", "सैनिक", "भेजना"]
    with pytest.raises(ConfigError, match="without spaces between words"):
        keywords(LabelingSettings(), "派遣西方军队前往乌克兰")


@pytest.mark.parametrize(
    ("keyword", "text", "found"),
    [
        ("أوكرانيا", "وأوكرانيا ترحب بالقرار.", True),  # "and Ukraine"
        ("قوات", "للقوات الغربية دور.", True),  # "for the forces"
        ("قوات", "والقوّاتُ الغربيّة", True),  # with vowel signs and doubling
        ("قُوّات", "القوات الغربية", True),
        ("وات", "القوات الغربية", False),
        ("אוקראינה", "שלאוקראינה יש צבא", True),  # "that Ukraine has"
        ("צבא", "הַצָּבָא נסוג", True),
        ("קראינה", "לאוקראינה יש צבא", False),
        ("सैनिक", "असैनिक लोग", False),
        ("украин", "Войска в Украине", True),
    ],
)
def test_a_keyword_is_found_after_particles_that_are_written_in_its_word(keyword: str, text: str, found: bool) -> None:
    assert having([unit(1, text=text)], keywords(LabelingSettings(keywords=[keyword]), "")) == [found]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("彼らは[T]マクロン[/T]を拒否", "彼らは targetmention を拒否 彼ら_l らは_l を拒_r 拒否_r"),
        ("वे [T]मैक्रों[/T] की मदद करते", "वे targetmention की मदद करते वे_l की_r मदद_r करते_r"),
        ("رفضوا [T]ماكرون[/T] أمس", "رفضوا targetmention أمس رفضوا_l أمس_r"),
        (
            "[T]Macron[/T]’s EU_plan, [T]he[/T] said",
            "targetmention’s EU_plan, targetmention said s_r eu_plan_r targetmention_r",
        ),
    ],
)
def test_a_mention_is_masked_and_its_neighbours_are_words_in_any_script(text: str, shown: str) -> None:
    assert masked(text) == shown


def test_lengths_are_counted_alike() -> None:
    assert [words.count(normalise(text)) for text in CHINESE] == [14, 13, 12, 12, 13]
    assert words.count("महापौर ने कहा") == 3
