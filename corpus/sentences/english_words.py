"""Tables of English: abbreviations by what may follow them, words that begin sentences, and marks."""

from __future__ import annotations

#: Characters that a rule may look back or ahead: longer than any attribution seen.
REACH = 160
OPENING = "“‘\"'«‹„‚»›”([*_"
QUOTES = frozenset("“”„‘’‚\"'«»‹›")
#: Marks of a list or a heading that stand before a number; the first six never stand within a sentence.
BULLETS = "•⁃▪●‣◦■□○◆►▶▸➤✓✔·∙→❖*#>–—-"


def _words(table: str) -> frozenset[str]:
    return frozenset(table.split())


# Ranks and forms of address: a name follows, so neither a capital nor a function word ("Mr. So") is a sign.
TITLES = _words(
    "Mr Mrs Ms Mx Dr Drs Prof Profs Sen Sens Rep Reps Gov Govs Lt Lts Gen Gens Col Cols Maj Majs Capt Cmdr "
    "Cdr Cpt Comdr Sgt Sgts Cpl Cpls Pvt Pfc Spc Adm Brig Ens Rev Revs Fr Hon Pres Supt Det Insp Const Amb "
    "Atty Asst Messrs Mme Mmes Mlle Msgr Cllr Ald Sec Comm Dir Dep Ven Ret ret Bp Abp"
)
# A name or a number follows, so only a function word is a sign of an end ("on Wall St. The …").
LEADING = _words(
    "St Ste Mt Ft Pt vs v cf viz eg ie al ca Ca approx Approx appr orig Orig incl Incl excl Wm Chas Jos Geo Benj Edw "
    "Robt Thos Yu Ya Zh Kh Ts Ch Sh Th"
)
# The number that they cite follows, maybe in a bracket: "eq. (7)", "sec. [2.1]", "S. Dane, ed. (2009)".
CITING = _words(
    "Nos nos p pp vol vols Vol Vols ch chs chap Chap fig figs Fig Figs sec secs Secs eq eqs Eq Eqs ref refs Ref Refs "
    "ed eds trans para paras Para Paras suppl Suppl nr Nr ibid Ibid cit seq ver Ver Op"
)
# Before a digit these do not end the sentence ("Feb. 24", "No. 3"); before a capital they do ("She said no. Voters …").
NUMBERED = CITING | _words(
    "Jan Feb Mar Apr Jun Jul Aug Sep Sept Oct Nov Dec Mon Tue Tues Wed Thu Thurs Fri No no Art Arts art Est est tel "
    "Tel ext Ext Rte ft lb oz div avg Avg ex Ex Min Max Pop elev Elev qty Qty Cat apt Apt Reg Temp"
)
# Between two numbers these do not end the sentence ("3 in. 2 lb."); elsewhere some of them are words.
UNITS = _words("in hr hrs min mins yd yds mi lbs gal kg km cm mm")
# Names end in these, and so do sentences: the next words decide.
SUFFIXES = _words(
    "Inc Corp Co Cos Ltd Bros Jr Sr Assn Assoc Intl Mfg Dept Depts Univ Inst Natl Ave Blvd Rd Sq Ln Pkwy "
    "Hwy Bldg Div Dist Pty Bhd Pte Govt Esq Ed Eds Com"
)
# Abbreviations only after a comma ("Salem, Ore.") or a party ("D-Conn."): "Wash." and "Miss." are words too.
STATES = _words(
    "Ala Ariz Ark Calif Colo Conn Del Fla Ga Ill Ind Kan Ky La Mass Md Mich Minn Miss Mo Mont Neb Nev Okla "
    "Ore Pa Penn Tenn Tex Va Vt Wash Wis Wyo Alta Ont Que Sask Man"
)
ABBREVIATIONS = TITLES | LEADING | NUMBERED | SUFFIXES | STATES
# Brands that carry their own exclamation mark.
SHOUTING = _words("Yahoo Jeopardy Yum Joomla E")
# Function words: in running text their capital means that a sentence starts.
STARTERS = _words(
    "The This These Those That There Then They Their Them Thus Though Through To He She It Its His Her Hers "
    "We Our Us You Your I My Me But And Or Nor So Yet In Into On Onto At By For From With Within Without Of "
    "Off Over Under Up Upon Until Unless Unlike After Against Along Although Among Amid An A All Another "
    "Any Anyone As Because Before Behind Below Beneath Beside Besides Between Beyond Both During Despite "
    "Each Either Every Everyone Everything Few Given Had Has Have Here How However If Indeed Instead Is Isn "
    "Last Later Earlier Let Like Many Meanwhile More Moreover Most Much Neither Nevertheless Nobody None "
    "Nonetheless Not Nothing Now Often Once Only Other Others Otherwise Perhaps Rather Several Shortly "
    "Since Some Someone Sometimes Soon Still Such Than Therefore Today Together Tomorrow Too Toward Towards "
    "Was Were What Whatever When Whenever Where Whereas Whether Which While Who Whoever Whom Whose Why Yes "
    "Yesterday According Already Also Additionally Are Be Being Can Could Did Do Does Don Even Ever Finally "
    "Furthermore Nearly About Almost Around Should Would Might Must Just Maybe Recently Following Two Three "
    "Four Five Six Seven Eight Nine Ten"
)
# Nouns that continue a name after an abbreviated country or company: "the U.S. Senate has", "Acme Inc. Chairman".
CONTINUES = _words(
    "Senate Senator House Congress Congressman Congresswoman Representative Army Navy Marine Marines Air Coast Force "
    "Forces Treasury Capitol Embassy Ambassador Envoy Department State Secretary President Vice Attorney General "
    "Supreme Court Circuit District Federal Fed Constitution Government Administration Military Command Steel Open "
    "Bank Chairman Chairwoman Chief Chair CEO Director Mayor Governor Minister Prime Police Council Commission "
    "Parliament Assembly Mission Agency Service Office Bureau Census Olympic Women Men Soccer Day Boulevard Avenue "
    "Street School University Park Hospital Committee Chamber Board Group Holdings Ltd Rep Gov Gen Sen Security "
    "Charter Institute Center Centre Special High County Metro Public National Superior United Fire Times City "
    "Unified Area Metropolitan Premier Ferries Hydro Ministry Minister"
)
CALENDAR = _words(
    "Monday Tuesday Wednesday Thursday Friday Saturday Sunday Mondays Tuesdays Wednesdays Thursdays Fridays Saturdays "
    "Sundays Christmas Easter Thanksgiving Halloween January February March April May June July "
    "August September October November December Jan Feb Mar Apr Jun Jul Aug Sep Sept Oct Nov Dec Mon Tue "
    "Tues Wed Thu Thurs Fri Sat Sun ET EST EDT CT CST CDT MT MST MDT PT PST PDT GMT UTC BST CET CEST EET "
    "EEST IST JST AEST AEDT Eastern Central Mountain Pacific Greenwich"
)
# In a text in capitals these show nothing, as they also stand within a sentence ("5 P.M. IN THE HALL").
RUNNING = _words(
    "And Or Nor In Into On Onto At By For From With Within Without Of Off Over Under Up Upon Until Against Along Among "
    "Amid Because Before Behind Below Beneath Beside Between Beyond During Despite Than Since Toward Towards After "
    "Around About Almost While Which Who Whom Whose Is Was Were Are Be Being Has Had Have Can Could Did Do Does Should "
    "Would Might Must Not Only Also Following Today Tonight Tomorrow Yesterday Sharp Daily Nightly Weekdays Weekends"
)
# "vitamin C. Doctors": after these a lone letter is a label, not an initial.
LABELS = _words(
    "plan vitamin hepatitis influenza group grade type section category class schedule appendix exhibit "
    "series serie part level unit block figure team point option company battery camp gate pool letter "
    "article annex platform terminal zone"
)
SPEECH = _words(
    "said says say told tells asked asks added adds replied replies answered answers wrote writes tweeted "
    "posted explained explains insisted insists noted notes warned warns argued argues continued concluded "
    "stated claimed claims declared announced recalled recalls remarked commented shouted yelled cried "
    "called exclaimed joked quipped whispered murmured muttered wondered wonders inquired enquired demanded "
    "demands urged admitted acknowledged conceded confirmed emphasized emphasised emphasizes stressed stresses "
    "observed responded retorted countered suggested testified complained mused sighed snapped thundered "
    "pleaded promised predicted lamented boasted read reads clarified reiterated protested objected agreed "
    "chanted roared"
)
# Verbs whose object is the person spoken to ("Holm asked the crowd"); after the others a statement follows ("Holm said
# the …").
ADDRESSING = _words("told tells asked asks shouted shouts yelled cried demanded wondered wonders")
# Verbs that belong to the question or the shout before them, whatever follows: "“Why?” Berg asked, “Who says so?”".
ASKING = _words("asked asks wondered wonders inquired enquired demanded demands mused")
SHOUTED = _words("shouted shouts yelled cried called urged demanded chanted roared exclaimed thundered pleaded snapped")
# Verbs that make the capitalised word before them a subject: "in the U.S. Scientists have …". All verbs in -ed do.
FINITE = SPEECH | _words(
    "is are was were isn aren wasn weren has have had hasn hadn will would won can could couldn wouldn may might must "
    "should do does did don doesn didn ate beat became began bought broke brought built came caught chose cut drank "
    "drew drove fell felt flew forgot fought found froze gave got grew heard held hit kept knew laid lay led left "
    "lent lost made meant met overcame overtook paid put quit ran rang rode rose sang sank sat saw sent set shook "
    "shot showed shows slept sold sought spent spoke spread stayed stole stood struck swam swept swore taught thought "
    "threw took understood undertook went withdrew woke wore want wants seem seems remain remains becomes begins "
    "believes brings comes gets gives goes holds keeps knows leads lives lies loves makes owns plays runs sees sells "
    "sits stands stays takes teaches thinks tries wins works writes"
)
PREPOSITIONS = _words("in to of from by with for against across within outside into toward towards at than over")
PARTICLES = _words("of the de von van der den bin al el la le di da du dos and for to a an")
# What may follow the verb of an attribution, and what shows that it opened a new statement instead.
ADVERBIAL = CALENDAR | _words(
    "in on at during to of from after before as with when while aloud again rhetorically last this "
    "yesterday earlier later today by via through late early back"
)
STATEMENT = _words("that he she it they would will was is")
QUESTION = _words("for that whether if why how what who when where")
# A line that ends in one of these goes on in the next: nothing complete ends in them.
NEVER_LAST = _words("the a an and or nor but my your our their whose every than because unless although")
# A wide line that ends in one of these goes on too: headings that end so are short ("Where we come from").
ASK_FOR_MORE = PREPOSITIONS | _words(
    "on about since until during between among despite including regarding through throughout under behind beyond "
    "along via if which while when where that"
)
# Few headings and no sentences end in one of these: a wide line that does was wrapped.
SELDOM_LAST = PREPOSITIONS | _words(
    "his her its this these those on as about after before during since until through throughout towards upon "
    "under between among behind beyond beneath beside besides near along around amid despite except including "
    "concerning regarding per via if that which who whom where when while whether how why what is are was were be "
    "been being am has have had do does did will would can could may might must shall should not no some any all "
    "both either neither each another other such so most more very too also only even just "
    "mayor president governor senator congressman congresswoman representative minister chancellor secretary "
    "general colonel captain lieutenant sergeant admiral chief chairman chairwoman director judge justice "
    "professor doctor ambassador spokesman spokeswoman king queen prince princess pope saint new"
)
# Words which show that a line that ends in a colon introduces what follows:
# "They want three things:", "Consider the numbers:".
PRONOUNS = _words("i you he she it we they")
IMPERATIVES = _words("consider imagine take look remember think listen picture recall note suppose")
OPEN_LEADS = _words("said says asked asks according")
VERBS_BEFORE_LISTS = _words(
    "includes include included contains contain follows follow reads lists means meant shows knows know needs need "
    "wrote chose drew heard spoke brought bought taught thought drove rose grew broke fought names named runs"
)
# What may stand before a time or a year that opens a sentence: "By about 9:30 p.m. Ruth Holm had lost."
OPENERS = frozenset(word.lower() for word in CALENDAR) | _words(
    "at by around about before after until till from since shortly just soon early late on in exactly precisely "
    "nearly almost only between through and to toward towards past roughly approximately circa but so then yet as of "
    "the this that next same last following previous first second third fourth fifth sixth seventh eighth ninth tenth "
    "day days morning evening afternoon night noon midnight week weekend month year years century centuries "
    "millennium yesterday today tonight tomorrow again later earlier meanwhile finally already midway halfway well "
    "not spring summer autumn fall winter mid beginning starting some a an few minutes hours minute hour"
)
# After these a time opens a clause, whose subject is still to come: "He said that at 6 a.m. Mr. Dane …".
SUBORDINATING = _words("that when where because while if although though whether whereas until since once")
DETERMINERS = _words("a an the this that these those her his its their my your our whose each every another")
# Degrees and offices that are written like initials.
DEGREES = _words(
    "ph.d m.d b.a m.a b.s m.s b.sc m.sc m.b.a ll.b ll.m ll.d j.d ed.d ed.m m.ed d.d.s d.v.m d.m.d m.p.h m.p.a m.f.a "
    "b.f.a b.ed d.sc sc.d th.d th.m r.n c.p.a a.b m.p m.e.p v.p c.e.o c.f.o d.a g.p"
)
# Nouns that continue a title after a degree: "a Ph.D. Candidate".
GRADUATES = _words("Candidate Candidates Student Students Program Programs Programme Thesis Degree Dissertation Level")
ERAS = _words("B.C A.D B.C.E C.E A.H")
# Acronyms of places that seldom stand before a noun: "moved to D.C. Berg stayed".
PLACES = _words("D.C L.A N.Y.C B.C P.E.I N.S.W U.S.A U.S.S.R U.A.E")
NATIONS = PLACES | _words("U.S U.K U.N E.U")
# The words of a title that stay in lower case even where all others have capitals.
SMALL = (
    PREPOSITIONS
    | NEVER_LAST
    | _words("on off up out as is if vs via per over under about after before near amid not who how it its are was")
)
