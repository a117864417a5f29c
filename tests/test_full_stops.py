"""Full stops of initials, times, abbreviations, numbers, ellipses: which end a sentence; every example is invented.

In the examples `|` marks where one sentence ends and the next begins, and is no part of the text.
"""

from __future__ import annotations

import pytest

from tests.support.sentences import check, cut


@pytest.mark.parametrize(
    "marked",
    [
        "Officer J. A. Holm said the road was shut. |It rained.",
        "Rep. M. I. Dane (D-Ore.) voted no. |It rained.",
        "The report was signed by C. A. Moss and U. I. Berg. |Nobody read it.",
        "J. R. R. Holm wrote it. |George W. Dane read it.",
        "It was built by I. M. Moss and I. A. Berg. |They ate.",
        "A. A. Holm met A. I. Dane and I. I. Berg. |They ate.",
        "J. A. I. Holm left. |A. Berg stayed.",
        "Wm. A. Holm and Geo. I. Dane met Chas. A. Moss. |They ate.",
        "Mrs. J. A. Holm of É. A. Roux & Sons left. |It rained.",
        "Dr. A. I. Dane, M. A. Holm et al. wrote it. |It rained.",
        "“I know J. A. Holm,” he said. |“A. Berg is gone.”",
        "The paper is by A. Holm, C. A. Moss and I. Berg. |It rained.",
        "J.-A. Holm and K.A. Moss met. |They ate.",
        "“We go,” said I. Holm. |It rained.",
        "The A. I. Act passed. |It rained.",
    ],
)
def test_a_second_initial_is_no_first_word(marked: str) -> None:
    check(marked)


@pytest.mark.parametrize(
    "marked",
    [
        "She takes vitamin A. |It helps.",
        "Vitamin A. |It rained.",
        "He got an A. |I got a B.",
        "They moved to plan A. |A new plan came.",
        "“So do I. |A. Holm does, too,” he said.",
        "He and I. |Nobody else.",
        "He fought in World War I. |A. Holm did not.",
        "It was type I. |Holm said so.",
    ],
)
def test_a_lone_letter_may_end_a_sentence_before_one(marked: str) -> None:
    check(marked)


@pytest.mark.parametrize(
    "marked",
    [
        "Troops of the U. A. E. left on Monday. |The U. S. A. stayed.",
        "He lives in the U. A. E. |He likes it.",
        "A U. S. Senator voted no. |The U. S. Senate rose.",
        "Prices rose in the U. S. |Scientists have an explanation.",
        "He lives in Washington, D. C. |Berg lives in Sund.",
        "At 6 a. m. Mr. Dane opened the shop. |It began at 5 p. m. |Holm was late.",
        "It was founded in 753 B. C. |Augustus came later.",
    ],
)
def test_an_acronym_written_with_spaces_is_the_acronym(marked: str) -> None:
    check(marked)


@pytest.mark.parametrize(
    "marked",
    [
        "At 6 a.m. Mr. Dane opened the shop. |It rained.",
        "By 9:30 p.m. Ruth Holm had lost the race. |She went home.",
        "Around 7 a.m. Gov. Dane left. |It rained.",
        "Shortly after 11 p.m. Moss called. |Nobody answered.",
        "On Monday at 6 a.m. Holm was arrested. |He slept.",
        "On Jan. 5, at 6 a.m. Mr. Dane arrived. |In the morning at 6 a.m. Mr. Moss did.",
        "On Jan. 5; at 6 a.m. Mr. Dane arrived. |It rained.",
        "On the day “they all left” at 6 a.m. Mr. Dane greeted him. |It rained.",
        "On the eve of the vote at 6 a.m. Mr. Dane left. |It rained.",
        "He noted: At 6 a.m. Holm left. |It rained.",
        "At 7 p.m. 24 people came. |It rained.",
        "The next day at about 10:15 a.m. Dr. Berg came home. |She slept.",
        "But by 9 p.m. Holm was gone. |And at 10 p.m. Moss left, too.",
        "From 9 a.m. to 5 p.m. Holm works at the mill. |He sings.",
        "Until 8 P.M. Ruth Holm led. |Then she lost.",
        "By 9 p.m. I was asleep. |It rained.",
        "At 6 a.m. The Sund Times called the race. |It rained.",
        "“At 6 a.m. Mr. Dane opened the shop,” she said. |It rained.",
        "He said that at 6 a.m. Mr. Dane opened the shop. |It rained.",
        "It was dark when at 5 p.m. Holm arrived. |It rained.",
        "It rained all day, but at 6 p.m. Holm gave up. |He left.",
        "The lights went out; by 9 p.m. Holm was home. |He slept.",
        "6 a.m. Mr. Dane opens the shop.",
        "9:30 a.m. The council meets.",
    ],
)
def test_a_time_that_opens_a_clause_goes_on(marked: str) -> None:
    check(marked)


@pytest.mark.parametrize(
    "marked",
    [
        "It began at 5 p.m. |Mr. Dane was late.",
        "It began on Monday at 5 p.m. |Holm was late.",
        "Polls close at 8 p.m. |Ruth Holm leads.",
        "She works from 9 a.m. to 5 p.m. |Holm does not.",
        "The meeting starts at 6 p.m. |The public may speak.",
        "at 6 p.m. |The meeting began late.",
        "They met on Friday, at 6 p.m. |Holm was late.",
        "He said “yes, of course” at 6 a.m. |Mr. Dane left.",
        "He arrived, tired and hungry, at 6 a.m. |Mr. Dane greeted him.",
        "7 a.m. is before 7 p.m. |7 a.m. is before dinner.",
        "It began at 7 p.m. |24 people came.",
        "Doors open at 3 p.m. and at 5 p.m. |Holm will speak.",
        "When did it end? |At 6 p.m. |The hall was empty.",
        "Monday to Friday, 9 a.m. to 5 p.m. |Admission is free.",
    ],
)
def test_a_time_at_the_end_of_a_clause_ends_it(marked: str) -> None:
    check(marked)


@pytest.mark.parametrize(
    "marked",
    [
        "It meets at 5 p.m. Mondays and Fridays. |It rained.",
        "It began at 7 p.m. 3 May and ended at 8 p.m. Feb. 4. |It rained.",
        "It opens at 5 p.m. Christmas Eve. |It rained.",
        "THE COUNCIL MEETS AT 5 P.M. MONDAY. |IT WILL VOTE.",
        "THE COUNCIL MEETS AT 5 P.M. ON MONDAY. |IT WILL VOTE.",
        "THE COUNCIL MEETS AT 5 P.M. TODAY. |IT WILL VOTE.",
        "DOORS OPEN AT 7 A.M. EST AND CLOSE AT 5 P.M. IN ALL TOWNS. |HE WEPT.",
        "THE GAME BEGINS AT 8 P.M. LOCAL TIME. |IT WILL RAIN.",
        "THE SHOP IS OPEN UNTIL 5 P.M. DAILY. |IT IS CLOSED ON MAY 1.",
        "AT 6 A.M. MR. DANE OPENED THE SHOP. |IT RAINED.",
        "AT 6 A.M. THE COUNCIL MET. |IT RAINED.",
        "IT BEGAN AT 5 P.M. |HOLM WAS LATE.",
        "IT BEGAN AT 5 P.M. |THE MAYOR WAS LATE.",
        "OFFICER J. A. HOLM MET GEN. MOSS. |IT RAINED.",
        "THE U.S. AND THE U.K. VOTED ON FEB. 3. |THE E.U. DID NOT.",
        "THE VOTE IS ON FRI. MARCH 3. |IT IS CLOSE.",
        "SHE EARNED HER PH.D. |TOM WAS IMPRESSED.",
        "He works for the SEC. |NATO does not.",
        "They called the SEC. |24 banks did.",
    ],
)
def test_capitals_change_no_boundary(marked: str) -> None:
    check(marked)


@pytest.mark.parametrize(
    "marked",
    [
        "The phone (Orig. $1,599) is sold again. |It rained.",
        "The set (Reg. $40, now $20) is sold. |It rained.",
        "The tales of the North, S. Dane, ed. (2009), sold well. |It rained.",
        "Holm, trans. (1998), is good. |It rained.",
        "Dane, prod. (2009), won. |S. Dane, dir. (2009). |It rained.",
        "The book (Vol. 2) sold for (Est. $40). |It rained.",
        "Ca. 40 people came. |Max. 40 a day did. |The most (max. 40) left.",
        "The book (ed. Ruth Holm, 2009) sold. |It rained.",
        "He walked back to Com. & Adm. through the dark. |It rained.",
        "Moss Bros. & Co. and Dane Inc. & Sons met on Sat. & Sun. alone. |It rained.",
        "Approx. 40 people came to the pier. |It rained.",
        "It weighs approx. £40. |It rained.",
        "As sec. [2.1] shows, and eq. (7), it fell. |It rained.",
        "See Eqs. (7) and Sec. (2) and Fig. (B.3) and vol. (IV). |It rained.",
        "The town (pop. 5,000) is old. |It rained.",
        "The town (2031 pop. 5,000) is old. |It rained.",
        "The hill (elev. 2,300 ft.) is steep. |It rained.",
        "Ann Holm (b. 1950; div. 1984) left. |It rained.",
        "The price (incl. 20% tax) fell. |It rained.",
        "It is 6 ft. (1.8 m) tall. |It rained.",
        "He bought 5 ft. 3 in. 2 lb. of rope. |It rained.",
        "It is at N°. 1026.253.553. |That is where it is.",
        "The proof is in eq. (7) and ex. IV. |It rained.",
        "The hits Viva Sund! (1965), and Who? (1970) sold. |It rained.",
    ],
)
def test_an_abbreviation_goes_with_its_number_bracket_or_sign(marked: str) -> None:
    check(marked)


@pytest.mark.parametrize(
    "marked",
    [
        "She said no. |(Nobody heard.)",
        "It starts in Dec. |(Tickets cost $5.)",
        "It fell. |(2) It broke. |3) It burned.",
        "“It was bad. |(Holm) told us to leave. |[Moss] told us to stay,” he said.",
        "It was 1,599. |24 people paid.",
        "She weighed 5 lb. |Tom was impressed.",
        "The rules are in the app. |24 people obeyed.",
        "They met in Sund (in May). |24 people came.",
        "(ps. |I left early.)",
        "It is there. |(Holm is not.) |It rained.",
    ],
)
def test_a_bracket_or_number_may_open_a_sentence(marked: str) -> None:
    check(marked)


@pytest.mark.parametrize(
    "marked",
    [
        "She earned her Ph.D. |Tom was impressed.",
        "She earned a Ph.D. |Tom Berg, her friend, was impressed.",
        "He has an M.B.A. |Holm has none.",
        "She holds an M.A. |Berg holds a B.A. |Moss does not.",
        "Ann Holm, M.D. |Ruth Berg was there.",
        "The town was founded in 753 B.C. |Augustus came later.",
        "It fell in 410 A.D. |Rome was weak.",
        "It was built in the fifth century B.C. |Athens was rich.",
        "He lives in Washington, D.C. |Berg lives in Sund.",
        "He lives in Washington, D.C. |The vote was close.",
        "She moved to D.C. |Berg stayed behind.",
        "He lives in Vancouver, B.C. |Holm does not. |She moved to B.C. |Berg stayed behind.",
        "He is an M.P. |Tom was there. |He became a C.E.O. |Holm said so.",
        "She moved to L.A. |Tom never left.",
        "The temple dates to 200 B.C. and was rebuilt in 50 A.D. |Augustus dedicated it.",
        "They live in the U.A.E. |Ministers met in Sund.",
        "Something like U. A. E. |Start of another sentence.",
    ],
)
def test_a_degree_an_era_or_a_place_ends_a_sentence_before_a_name(marked: str) -> None:
    check(marked)


@pytest.mark.parametrize(
    "marked",
    [
        "In 44 B.C. Caesar was killed. |It rained.",
        "In the fifth century B.C. Athens was rich. |It rained.",
        "By about 300 B.C. Rome ruled. |It rained.",
        "He noted: In 44 B.C. Caesar died. |It rained.",
        "The 490 B.C. Battle of Sund was short. |It rained.",
        "A Ph.D. Candidate spoke. |She is a Ph.D. student.",
        "J.D. Holm said no. |M.A. Berg was there. |They met J.D. Holm in D.C. on Monday.",
        "He is a J.D. Holm fan. |It rained.",
        "The former minister, M.S. Al-Holm, in his speech, said so. |It rained.",
        "He read B.C. Holm and A.D. Berg. |It rained.",
        "In Washington, D.C. Berg met Holm. |It rained.",
        "In Salem, Ore. Holm voted. |It rained.",
        "In B.C. Premier Holm won. |Ask the D.A. in Sund. |In 70 A.D. Sund fell.",
        "The D.C. Council voted. |They sued in D.C. Superior Court on Monday.",
        "She works for the L.A. Times. |It rained.",
    ],
)
def test_a_degree_an_era_or_a_place_goes_with_its_noun(marked: str) -> None:
    check(marked)


@pytest.mark.parametrize(
    "marked",
    [
        "• 9. The first item. |• 10. The second item.",
        "### 1. The first point is this. |It rained.",
        "* 1. The first. |* 2. The second.",
        "- 3. The third is this. |It rained.",
        "– a. The first is this. |It rained.",
        "• iv. Holm left. |• v. Moss stayed.",
        "• 100. The last item. |It rained.",
        "1.1. The first point. |1.2. The second.",
        "▪ 2.1.3. The rule is this. |It rained.",
        "(1.) The first. |[2.] The second.",
        "**1.** The first point is this. |It rained.",
        "→ 4. Go home. |It rained.",
        "§ 2. The rule is this. |It rained.",
        "#1. The first one is this. |It rained.",
        "He works at Acme Inc. |• 10. The second.",
        "10.The first point. |11.The second point.",
        "• 9. The first item |• 10. The second item",
        "⁃9. The first item |⁃10. The second item",
        "Chapter 1. The Beginning. |It was dark.",
        "Section 3.1. Scope of Work. |It was dark.",
        "Step 2. Go home. |It is in Chapter 1. |The rest is not.",
        "He won 21. |The rest lost.",
        "The answer is 42. |• Go home.",
    ],
)
def test_the_number_of_an_item_is_no_sentence(marked: str) -> None:
    check(marked)


@pytest.mark.parametrize(
    "marked",
    [
        "We wait… and wait ... and then go. |It is late… |Nobody came.",
        "“Well… I don't know,” he said. |“It was... I mean, it is over.”",
        "He left.... |The door closed.",
        "The plan . . . was dropped. |Good.",
        "“The countries [...] Holm named are few.”",
        "He stopped. |“… and then we left.”",
    ],
)
def test_an_ellipsis_ends_a_sentence_only_before_a_new_one(marked: str) -> None:
    check(marked)


@pytest.mark.parametrize(
    "marked",
    [
        "The plan is old. |... The next day it rained.",
        "“He lied to us. |… The next thing we knew, it was over,” she said.",
        "The plan is old. |[...] The next day it rained.",
        "The plan is old. |[…] Holm left.",
        "The plan is old. |(...) Holm left.",
        "The plan is old! |(…). The next day it rained.",
        "The plan is old. |.... The next day it rained.",
        "The plan is old. . . . |The next day it rained.",
        "The plan is old. . . . |Holm left.",
        "It ended here . . . . |Next came Holm.",
        "Happy! . . . |Holm came.",
        "Happy! ...  no one came.",
        "The plan is old. |— ... — Holm left.",
        "The plan is old. ...",
        "The plan is old. […]",
        "“The plan is old. …” |She left.",
        "“The plan is old. …” she said. |She left.",
        '"The plan is old. ..." |She left.',
        '"The plan is old. ..." she said. |She left.',
        "“The plan is old. |[…] We know.” |She left.",
        "The plan is old.\n...\n|The next day it rained.",
        "The plan is old.\r\n[...]\r\n|Holm left.",
        "... The next day it rained. |It fell.",
        "Really? ?! |Yes.",
        "It ended. ***",
        "It ended. |* * * The next day it rained.",
        "It ended. [19]",
    ],
)
def test_marks_alone_are_no_sentence(marked: str) -> None:
    check(marked)


def test_a_text_of_marks_alone_stays_covered() -> None:
    assert cut("...") == ["..."]
    assert cut("…\n\n[...]") == ["…\n\n[...]"]
