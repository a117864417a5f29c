"""What English news tells the segmenter by its words: abbreviations by what follows them, and words that start."""

from __future__ import annotations


def _words(table: str) -> frozenset[str]:
    return frozenset(table.split())


# Ranks and forms of address: a name follows, so neither a capital nor a function word ("Mr. So") is a sign.
TITLES = _words(
    "Mr Mrs Ms Mx Dr Drs Prof Profs Sen Sens Rep Reps Gov Govs Lt Lts Gen Gens Col Cols Maj Majs Capt Cmdr "
    "Cdr Cpt Comdr Sgt Sgts Cpl Cpls Pvt Pfc Spc Adm Brig Ens Rev Revs Fr Hon Pres Supt Det Insp Const Amb "
    "Atty Asst Messrs Mme Mmes Mlle Msgr Cllr Ald Sec Comm Dir Dep Ven Ret ret Bp Abp"
)
# A name or a number follows, so only a function word is a sign of an end ("on Wall St. The …").
LEADING = _words("St Ste Mt Ft Pt vs v cf viz eg ie al approx ca Wm Chas Jos Geo Yu Ya Zh Kh Ts Ch Sh Th")
# Not the end before a digit ("Feb. 24", "No. 3"); before a capital it is ("She said no. Voters …").
NUMBERED = _words(
    "Jan Feb Mar Apr Jun Jul Aug Sep Sept Oct Nov Dec Mon Tue Tues Wed Thu Thurs Fri No Nos no nos p pp vol "
    "Vol ch fig Fig figs Art Arts art para est tel Tel ext Ext Rte ft lb oz"
)
# Names end in these, and so do sentences: the next words decide.
SUFFIXES = _words(
    "Inc Corp Co Cos Ltd Bros Jr Sr Assn Assoc Intl Mfg Dept Depts Univ Inst Natl Ave Blvd Rd Sq Ln Pkwy "
    "Hwy Bldg Div Dist Pty Bhd Pte Govt Esq Ed Eds"
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
# Nouns that go on a name after an abbreviated country or company: "the U.S. Senate has", "Acme Inc. Chairman".
CONTINUES = _words(
    "Senate Senator House Congress Congressman Congresswoman Representative Army Navy Marine Marines Air "
    "Coast Force Forces Treasury Capitol Embassy Ambassador Envoy Department State Secretary President Vice "
    "Attorney General Supreme Court Circuit District Federal Fed Constitution Government Administration "
    "Military Command Steel Open Bank Chairman Chairwoman Chief Chair CEO Director Mayor Governor Minister "
    "Prime Police Council Commission Parliament Assembly Mission Agency Service Office Bureau Census "
    "Olympic Women Men Soccer Day Boulevard Avenue Street School University Park Hospital Committee Chamber "
    "Board Group Holdings Ltd Rep Gov Gen Sen Security Charter Institute Center Centre Special High"
)
CALENDAR = _words(
    "Monday Tuesday Wednesday Thursday Friday Saturday Sunday January February March April May June July "
    "August September October November December Jan Feb Mar Apr Jun Jul Aug Sep Sept Oct Nov Dec Mon Tue "
    "Tues Wed Thu Thurs Fri Sat Sun ET EST EDT CT CST CDT MT MST MDT PT PST PDT GMT UTC BST CET CEST EET "
    "EEST IST JST AEST AEDT Eastern Central Mountain Pacific Greenwich"
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
    "urged admitted acknowledged conceded confirmed emphasized emphasised emphasizes stressed stresses "
    "observed responded retorted countered suggested testified complained mused sighed snapped thundered "
    "pleaded promised predicted lamented boasted read reads clarified reiterated protested objected agreed "
    "chanted roared"
)
# These take whom was spoken to ("Holm asked the crowd"); the others take a new statement ("Holm said the …").
ADDRESSING = _words("told tells asked asks shouted shouts yelled cried demanded wondered wonders")
# Verbs that make the capitalised word before them a subject: "in the U.S. Scientists have …".
FINITE = SPEECH | _words(
    "is are was were has have had will would could can may might must should did does do fell rose won lost "
    "made took came went found gave began became got held kept knew left led met paid put ran saw sent set "
    "showed shows sold spent stood want wants seems remains"
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
# A line that ends in one of these goes on with the next: nothing complete ends in them.
NEVER_LAST = _words("the a an and or nor but my your our their whose every than because unless although")
# Few headings end in one of these, and none of the sentences: a wide line that does was wrapped.
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
# What tells that a line which ends in a colon leads in what follows: "They want three things:", "Consider the numbers:".
PRONOUNS = _words("i you he she it we they")
IMPERATIVES = _words("consider imagine take look remember think listen picture recall note suppose")
OPEN_LEADS = _words("said says asked asks according")
VERBS_BEFORE_LISTS = _words(
    "includes include included contains contain follows follow reads lists means meant shows knows know needs need "
    "wrote chose drew heard spoke brought bought taught thought drove rose grew broke fought names named runs"
)
