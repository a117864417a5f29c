"""Quotations: what is a sentence in them, who said which, and which marks open and close them; all is invented.

In the examples `|` marks where one sentence ends and the next begins, and is no part of the text.
"""

from __future__ import annotations

import pytest

from tests.support.sentences import check, cut


@pytest.mark.parametrize(
    "marked",
    [
        "“Who would go?” she asked. |“Not us!” shouted the crowd.",
        "“Who would go?” Ann Crale asked. |“Now!” Mr. Holm, 43, called from his seat.",
        "“Why?” President Lund of Merrow asked reporters on Monday.",
        "“‘Why?’ I asked. |‘Because,’ he said.” |“You?” |I told him no.",
        "“Who would go?” |Lund said that he would not.",
        "“Who would go?” |The hall was silent. |“You?” |“Me.”",
        "Would he go? |Perhaps! |Or not?! |Nobody knew.",
        "It is over (at last!) for Holm. |He (who else?) Monday resigned.",
    ],
)
def test_a_question_or_shout_keeps_its_attribution(marked: str) -> None:
    check(marked)


@pytest.mark.parametrize(
    "marked",
    [
        "She asked, “Why?” |Berg answered: “Nobody told us.” |He left.",
        "“It is too big.” |Moss replied, “We know.” |He left.",
        "“Go home!” |Moss shouted: “We are closed.” |It rained.",
        "“Where are you?” |Holm said: “Here, by the boats.” |The line went dead.",
        '"Why?" |Berg answered: "Nobody told us." |He left.',
        "«Why?» |Berg answered: «Nobody told us.» |He left.",
        "»Why?« |Berg answered: »Nobody told us.« |He left.",
        "‘Why?’ |Berg answered: ‘Nobody told us.’ |He left.",
        "“Why?” |Ruth Berg, the mayor, answered: “Nobody told us.” |He left.",
        "“Why?” |Mayor Berg told reporters on Monday: “Nobody told us.” |He left.",
        "“Why?” |Berg told Gov. Holm: “Nobody told us.” |He left.",
        "“Who pays?” |Holm responded, “Not us.” |He left.",
        "“Why?” |I answered, “Nobody told us.” |He left.",
        "“Stop!” |Berg said, “It is too late.” |He left.",
        "“Why?” |Berg asked: “Who told you?” |He left.",
        "“It is too big.”\n|Moss replied, “We know.” |He left.",
    ],
)
def test_who_introduces_the_next_quotation_has_not_said_the_one_before(marked: str) -> None:
    check(marked)


@pytest.mark.parametrize(
    "marked",
    [
        "“Why?” Berg asked. |“Nobody told us.”",
        "“Why?” Berg asked, “and who told you?” |He left.",
        "“Why?” Berg asked, “Who told you?” |He left.",
        "“Stop!” Berg shouted, “I can’t swim!” |He left.",
        "“Why?” Berg asked, pointing at the clock. |He left.",
        "“Why?” Berg said, adding: “Nobody told us.” |He left.",
        "“Well…” Berg said, “I can’t swim.” |He left.",
        "“We go,” Berg said, “and nobody else.” |It rained.",
        "“Why?” said Berg. |“Nobody told us.”",
        "“Stop!” Berg said. |“It is over.” Moss said. |“We know.”",
        "“Why?” Berg said in a statement. |“Nobody told us.”",
        "“Why?” |Berg answered that nobody had told him.",
    ],
)
def test_who_speaks_on_keeps_the_quotation_before(marked: str) -> None:
    check(marked)


@pytest.mark.parametrize(
    "marked",
    [
        '"We go. |Nobody else will," she said. |"Who?" he asked. |"You."',
        "“Yes. |It is time,” he said. |“We know.” |“So do I.”",
        "“He called it ‘a war.’” |She called it ‘peace’. |“He said ‘no.’ ” |Then he left.",
        "He called it “a war”. |She called it “peace.” |Both lied.",
        '“Mixed quotes are common." |"So be it.” |Next came Holm.',
        'He said: “Go. |Now.” |She wrote: "No."',
        "“It is over.” Lund said.",
        "“It is over.” |Lund said the war was won.",
        '"We go. " |The hall rose. |" So be it," he said.',
        "„No.” |«Yes.» |”Yes.” |The end.",
    ],
)
def test_a_sentence_in_a_quotation_is_its_own(marked: str) -> None:
    check(marked)


@pytest.mark.parametrize(
    "marked",
    [
        "He called it “a lost cause.“ |The council met on Monday.",
        "»The world is not pretty. |I am glad of you.« |That is what Holm wrote.",
        "„We know.“ |Holm left.",
        "„Why?“ Berg asked. |„Nobody told us,“ he said.",
        "›We know.‹ |Holm left.",
        "‚We know.‘ |Holm left.",
        "He called it ‘a lost cause.‘ |The council met.",
        "He called it „a lost cause.„ |The council met.",
        "“We know!“ |Holm left.",
        "»Why?« Berg asked. |»We go,« he said.",
        "»Dr. Holm left. |It rained.« |She wept.",
        "(He called it “a lost cause.“) |The council met.",
        "He said: “This is the end.“ |“So be it.“ |The end.",
        "He called it “a lost cause“. |The council met.",
        'He called it a "lost cause.“ |However, the council met.',
        "He called it a „lost cause.“ |However, the council met.",
        "»We go tomorrow,«\nHolm added. |„We stay,“\n\nsaid Moss.",
    ],
)
def test_an_opening_mark_before_a_gap_closes(marked: str) -> None:
    check(marked)


@pytest.mark.parametrize(
    "marked", ["It is over.|“Good,” he said.", "It fell. |“ We go,” he said.", "No. |«Yes.» |»Yes.«"]
)
def test_an_opening_mark_before_a_word_opens(marked: str) -> None:
    check(marked)


@pytest.mark.parametrize("brk", ["\n", "\r\n", "\r", "\n\n", "\r\n\r\n"])
@pytest.mark.parametrize("second", ["Lund added.", "said Lund.", "The minister told reporters."])
def test_an_attribution_joins_over_a_line_break_and_a_blank_line(brk: str, second: str) -> None:
    text = f"First one. “We go. We stay,”{brk}{second}{brk}“So be it.”"
    assert cut(text) == ["First one.", "“We go.", f"We stay,”{brk}{second}", "“So be it.”"]
