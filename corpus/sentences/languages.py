"""What each language other than English tells about its sentences: abbreviations, initials, ordinals, months.

A language is a row of `_TABLES`. Everything that holds for a script (its final marks, its quotation marks, whether it
has capitals or spaces) is in `any_language`, so a language without a row is cut by these rules alone.

The lists were written for stance, from general knowledge of the languages' newspapers; no list was copied.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import msgspec


class Language(msgspec.Struct, frozen=True):
    """The words of one language that a full stop may follow within a sentence, in lower case and without the stop.

    Attributes:
        never: abbreviations that never end a sentence: forms of address, "e.g.", "million"; in Hindi also the names of
            Latin letters, which initials are written with ("बी. सी.").
        numbers: abbreviations that do not end a sentence before a number: "p. 7", "no. 3".
        after: abbreviations that may end a sentence after a number ("2017 r."), and never do elsewhere ("r. Nowak").
        ordinals: whether a number with a full stop is an ordinal number ("3. Oktober").
        before: words that an ordinal number follows: articles and prepositions.
        months: beginnings of the months' names.
    """

    never: frozenset[str] = frozenset()
    numbers: frozenset[str] = frozenset()
    after: frozenset[str] = frozenset()
    ordinals: bool = False
    before: frozenset[str] = frozenset()
    months: tuple[str, ...] = ()


class _Row(NamedTuple):
    """A row of the table: words separated by spaces."""

    never: str
    numbers: str = ""
    after: str = ""
    ordinals: bool = False
    before: str = ""
    months: str = ""


_ANYWHERE = frozenset("mr mrs ms dr prof st vs".split())
"""Abbreviations that newspapers of all languages use before names."""

_TABLES = {
    "de": _Row(
        never=(
            "dr prof hr hrn fr frl st sr jr dipl ing mag med phil jur rer nat hc bzw vgl usf sog evtl ggf inkl exkl "
            "zzgl abzgl mio mrd tsd geb gest verh gen ca etwa max min z d u i b o v z.b d.h u.a i.d.r o.ä u.ä s.o "
            "s.u v.a z.t z.zt u.u d.i i.a i.v m.e p.a v.chr n.chr a.d a.m o.g bes insb insbes ehem bspw resp rd hl "
            "hll präs min.präs abg univ österr dt engl frz bayer wg lt gem betr einschl zw entspr allg offiz staatl"
        ),
        numbers="nr nrn s art abs bd tel ziff kap abb tab anm aufl jg jh §",
        ordinals=True,
        before=(
            "am vom zum beim im ins der die das dem den des ein eine einem einen eines einer ab bis zur zu seit und "
            "oder mit seinem seinen seine seiner ihrem ihren ihre ihrer unser unsere meinem meinen platz jeder jede "
            "jedem jeden dieser dieses diesem diesen montag dienstag mittwoch donnerstag freitag samstag sonntag "
            "ludwig friedrich wilhelm karl heinrich johannes paul pius benedikt elisabeth katharina georg otto franz "
            "zwischen nach vor um gegen auf kaum über sowie"
        ),
        months="jan feb mär apr mai jun jul aug sep okt nov dez",
    ),
    "fr": _Row(
        never=(
            "m mm mme mmes mlle mlles mgr dr pr me st ste cf av boul env vs ex adj art cap capt col cdt gén lt sgt jr"
        ),
        numbers="p pp n no art chap fig vol t ch al env",
    ),
    "es": _Row(
        never=(
            "sr sra srta sres sras dr dra dres d dña da prof profa lic ing arq gral cnel tte cap sto sta fr mons "
            "rvdo excmo ilmo ud uds vd vds av avda avd pza pl aprox cf vs p.ej ee j.c depto admón"
        ),
        numbers="p pp pág págs núm núms art arts cap vol fig tel n nº no",
    ),
    "it": _Row(
        never=(
            "sig sigg sig.ra dott dott.ssa dr prof prof.ssa avv ing arch geom rag on sen cav comm gen col cap ten "
            "mar mons don s ss v.le p.za c.so cfr es p.es vs ecc.mo sig.na spett egr gent f.lli"
        ),
        numbers="p pp pag pagg n nn art artt cap vol fig tel sez",
    ),
    "pt": _Row(
        never=(
            "sr sra srs sras srta dr dra drs profª prof profa eng arq adv gen cel cap ten sgt d dom exmo exma ilmo "
            "v.exa av r pça trav aprox cf vs p.ex j.c dep sen gov pe sto sta"
        ),
        numbers="p pp pág págs n nº núm art arts cap vol fig tel",
    ),
    "nl": _Row(
        never=(
            "dhr mevr mw mej dr drs mr ir ing prof ds st jhr kol gen kap lt sgt bijv bv nl d.w.z o.a m.b.t m.n t.a.v "
            "t.o.v i.v.m z.g zgn ca evt incl excl resp vs jr sr min burg"
        ),
        numbers="nr nrs p pp blz art hfst fig tel",
    ),
    "sv": _Row(
        never=(
            "hr fr dr prof doc civ.ing s:t st t.ex t ex bl.a bl a d.v.s dvs f.d fd ca t.o.m tom fr.o.m from m.fl "
            "t.v.å s.k sk resp ev inkl exkl ang jfr kl milj tkr f.n p.g.a pga m.a.o o.s.v e.d"
        ),
        numbers="nr s sid kap art fig tel st kl",
    ),
    "da": _Row(
        never=(
            "hr fr frk dr prof lic mag cand ing dir ca f.eks bl.a d.v.s dvs m.v m.m o.l o.lign t.o.m tlf pga p.g.a "
            "m.h.t vedr inkl ekskl mio mia kgl ang jf kl evt bl feks skt"
        ),
        numbers="nr s pkt stk art kap fig tlf kl",
        ordinals=True,
        before=(
            "d den det de en et til fra og i på af for mellem ca hver sin sit sine hans hendes deres dens mandag "
            "tirsdag onsdag torsdag fredag lørdag søndag christian frederik margrethe"
        ),
        months="jan feb mar apr maj jun jul aug sep okt nov dec",
    ),
    "no": _Row(
        never=(
            "hr fr frk dr prof mag cand ing dir ca f.eks bl.a d.v.s dvs m.m t.o.m tlf pga p.g.a mht vedr inkl ekskl "
            "mill mrd kgl jf kl evt st bl feks"
        ),
        numbers="nr s pkt kap art fig tlf kl",
        ordinals=True,
        before=(
            "den det de en ei et til fra og i på av for mellom ca hver sin sitt sine hans hennes deres mandag "
            "tirsdag onsdag torsdag fredag lørdag søndag haakon harald olav"
        ),
        months="jan feb mar apr mai jun jul aug sep okt nov des",
    ),
    "fi": _Row(
        never=(
            "hra rva nti tri prof dos maist lis esim ts ym mm mn ns nk ks vrt ent eaa evl kaup puh os n noin mrd "
            "milj dipl.ins toim joht pj"
        ),
        numbers="nro n s ss art luku kuva puh os klo",
        ordinals=True,
        before="joka vuoden ja sekä kuningas paavi",
        months="tammi helmi maalis huhti touko kesä heinä elo syys loka marras joulu",
    ),
    "is": _Row(
        never=(
            "hr frú dr prof sr séra t.d þ.e þ.e.a.s m.a o.s.frv s.s sbr skv u.þ.b f.h u.m.þ kl nr þús m.kr bls f.kr "
            "e.kr"
        ),
        numbers="nr bls gr mgr kl kafli",
        ordinals=True,
        before="hinn hinum þann þeim til frá og í á um",
        months="jan feb mar apr maí jún júl ágú sep okt nóv des",
    ),
    "pl": _Row(
        never=(
            "dr prof mgr inż hab lek red ks o bp abp kard św gen płk ppłk mjr kpt por ppor sierż plut kpr adm im ul "
            "al pl os pn tzn tzw np m.in min itp.d ds dot ws wg zob tj wł ur zm śp ok godz tel płn płd wsch zach mln "
            "mld tys pt nt jw dyr kier zast sp woj pow gm arch hr ob ang niem fr łac ros"
        ),
        numbers="nr s str art ust pkt poz rozdz t tab rys tel godz",
        after="r w gr zł proc m km kg cm ha",
        ordinals=True,
        before="do od w na z ze i po przed oraz dnia ten tego tej",
        months="sty lut mar kwi maj czerw lip sierp wrz paź list grud",
    ),
    "cs": _Row(
        never=(
            "dr prof doc mgr ing bc mudr judr phdr rndr mvdr paeddr thdr phmr arch akad sv p pí sl pan gen plk pplk "
            "mjr kpt por npor např tj tzn tzv mj atd.p cca ca resp popř příp event vč vs čs srov viz ul nám tř aj ap "
            "odd roč zvl mil mld tis kol min nar zem"
        ),
        numbers="č čl odst str s sb kap obr tab tel písm §",
        after="r hod st stol l",
        ordinals=True,
        before="dne od do ve v na k ke z ze po před a i mezi ten toho ta té",
        months="led ún bře dub květ čer červ srp zář říj list pros",
    ),
    "sk": _Row(
        never=(
            "dr prof doc mgr ing bc mudr judr phdr rndr mvdr thdr arch sv p pani pán gen plk pplk mjr kpt por npr "
            "napr tj tzn t.j t.z tzv mj cca ca resp popr príp vrát vs porov ul nám al odd roč zvl mil mld tis min "
            "nar zom"
        ),
        numbers="č čl ods str s zb kap obr tab tel písm §",
        after="r hod st stor l",
        ordinals=True,
        before="dňa od do vo v na k ku z zo po pred a i medzi ten toho tá tej",
        months="jan feb mar apr máj jún júl aug sep okt nov dec",
    ),
    "uk": _Row(
        never=(
            "п пан пані проф акад доц канд ген полк підполк майор кап св о ім вул просп пл бул м смт с обл р-н буд "
            "кв тел напр т.зв т.з т.д т.ін ін млн млрд тис див пор англ нім рос лат зокр бл"
        ),
        numbers="№ с ст ч п розд рис табл тел",
        after="р рр ст грн коп год хв км кг см га",
    ),
    "ru": _Row(
        never=(
            "г-н г-жа гр тов проф акад доц канд ген полк подполк кап св о им ул просп пр пл бул пер наб обл р-н пос "
            "дер д кв стр тел напр т.н т.е т.к т.о т.п т.наз млн млрд тыс см ср англ нем фр лат сокр ок исп"
        ),
        numbers="№ с ст ч п гл рис табл тел стр",
        after="г гг в вв руб коп ч час мин сек км кг м га чел",
    ),
    "bg": _Row(
        never=(
            "г-н г-жа г-ца проф доц д-р инж арх ген полк подп кап св о им ул бул пл ж.к бл обл общ тел напр т.нар "
            "т.е т.к т.г млн млрд хил вж ср англ нем рус лат ок гр с"
        ),
        numbers="№ с стр чл ал т гл рис табл тел",
        after="г гг в вв лв ст ч мин км кг м ха",
    ),
    "lt": _Row(
        never=(
            "dr prof doc hab p ponas ponia kun vysk kard šv gen plk mjr kpt ltn vyr pvz t.y t.t kt kt.p pan tt vad "
            "lot angl vok rus lenk liet mln mlrd tūkst apie žr plg red sud min dir pirm pav g pr al a k raj sav "
            "apskr m.e vid"
        ),
        numbers="nr p psl str d sk pav lent tel g",
        after="m d val min h a km kg ha eur lt proc",
        ordinals=True,
        before="nuo iki ir per po už apie",
        months="sau vas kov bal geg bir lie rugp rugs spa lap gru",
    ),
    "tr": _Row(
        never=(
            "dr prof doç yrd av uzm öğr gör arş müh mim gen alb yb bnb yzb org korg tüm tuğ sn hz st bkz örn vb.g "
            "vs.g yy mad cad sok mah apt blv no tel m.ö m.s çev haz yay ed"
        ),
        numbers="no s sf md mad böl bkz tel",
        ordinals=True,
        before="ve ile papa sultan kral",
        months="ocak şubat mart nisan mayıs haziran temmuz ağustos eylül ekim kasım aralık yüzyıl yıldönüm",
    ),
    "id": _Row(
        never=(
            "dr drs dra prof ir hj h k.h kh tn ny nn sdr bpk tgk tsb dll.m dsb dst spt yth yts a.n u.p d.a s.d jl "
            "jln gg kec kab kel prov jend letjen mayjen brigjen kol letkol kapt pt cv tbk no m.s s.h s.pd s.e s.sos "
            "m.si m.hum ph.d vs"
        ),
        numbers="no hlm hal ps pasal tel telp jl",
    ),
    "hr": _Row(
        never=(
            "dr prof doc mr mag ing dipl sv vlč fra mons don gđa g gosp gen puk boj sat npr tj tzv odn sl.p itd.p "
            "cca oko usp vidi ul tr br mil mlrd tis min ak akad ur"
        ),
        numbers="br str čl st toč pogl sl tab tel",
        after="g god st kn eur km kg ha",
        ordinals=True,
        before="od do u na za po i ili dana prije nakon oko",
        months="sij velj ožu tra svi lip srp kol ruj lis stu pro jan feb mar apr maj jun jul avg sep okt nov dec",
    ),
    "sl": _Row(
        never=(
            "ga g gdč prof doc mag inž dipl sv gen polk maj stot npr tj t.i itd.p oz ipd.p cca ok prib ul št tel mio "
            "mrd tis min"
        ),
        numbers="št str čl odst pogl sl tab tel",
        ordinals=True,
        before="od do v na za po in ali dne pred okoli med",
        months="jan feb mar apr maj jun jul avg sep okt nov dec",
    ),
    "hu": _Row(
        never=(
            "ifj id özv prof dr sz st ker u krt hrsz pl ún ui ti vö kb max min stb.p okl vezérőrgy alez ezr mlrd mio"
        ),
        numbers="sz o old fej tel kb",
        ordinals=True,
        before="a az és vagy ii",
        months="jan feb márc ápr máj jún júl aug szept okt nov dec század kerület évforduló helyez",
    ),
    "ro": _Row(
        never=(
            "dl dna dnei dra domnul prof ing av arh gen col lt cpt sf st str bd bdul jud com nr tel ex etc.p cca "
            "aprox mld mil î.hr d.hr"
        ),
        numbers="nr p pag art alin lit cap vol fig tel",
    ),
    "et": _Row(
        never=(
            "hr pr prf dots knd st s.o sh n.ö nö nt näit u ca tk lk mnt tn pst jr sr mln mld tuh kpt kol kin min maj"
        ),
        numbers="nr lk ptk joon tab tel kell",
        ordinals=True,
        before="ja kuni alates",
        months="jaan veebr märts apr mai juun juul aug sept okt nov dets sajand klass koht",
    ),
    "lv": _Row(
        never=(
            "prof doc mag habil sv kungs kdze ģen plkv kpt lpp tālr ap piem t.i t.s u.c.p u.tml.p milj mljrd tūkst apm"
        ),
        numbers="nr lpp p pants pk att tab tālr",
        ordinals=True,
        before="no līdz un ap gada",
        months="jan feb mar apr mai jūn jūl aug sep okt nov dec gada gadsimt klas viet",
    ),
    "ca": _Row(
        never="sr sra srs sres dr dra prof av avda c pl st sta mn gral cap p.ex cf vs aprox",
        numbers="p pàg pàgs núm art cap vol fig tel",
    ),
    "el": _Row(
        never="κ κα κ.κ δρ καθ αν αρ λεωφ πλ τηλ π.χ δηλ βλ πρβλ εκ δισ χιλ περ αγ στρ υπ",
        numbers="αρ σελ άρθ κεφ τόμ εικ τηλ",
    ),
    "he": _Row(never="פרופ ד״ר עו״ד רח שד"),
    "ar": _Row(
        never="د أ م ص ت ش",
    ),
    "hi": _Row(
        never="ए बी सी डी ई एफ एच आई जे के एल एम एन ओ पी क्यू आर एस टी यू वी डब्ल्यू एक्स वाई "
        "डॉ प्रो श्री श्रीमती सुश्री पं स्व सं कु एड ले कर्नल जन मे",
        numbers="सं पृ क्र नं",
    ),
}
SAME = {"bs": "hr", "sr": "hr", "sh": "hr", "ms": "id", "nb": "no", "nn": "no"}
"""Languages that are told apart poorly, or that write the same abbreviations."""

BY_SCRIPT = frozenset("zh ja ko fa ur ps bn ta te kn ml mr gu pa ne si hy ka am".split())
"""Languages that need no table: the marks of their script, or the lack of capitals, leave little to decide."""
NEITHER = frozenset({"th", "km", "my", "lo", "bo", "dz"})
"""Languages of which only paragraphs are found: they have no marks between sentences, or none that is certain."""


def is_known(code: str) -> bool:
    """Whether sentences of a language are found by rules that were made for it or for its script."""
    return code == "en" or SAME.get(code, code) in _TABLES or code in BY_SCRIPT


@cache
def language(code: str) -> Language:
    """What is known about a language; nothing for a language without a row.

    Args:
        code: code of the language, of two letters.
    """
    row = _TABLES.get(SAME.get(code, code))
    if row is None:
        return Language(never=_ANYWHERE)
    return Language(
        never=_ANYWHERE.union(row.never.split()),
        numbers=frozenset(row.numbers.split()),
        after=frozenset(row.after.split()),
        ordinals=row.ordinals,
        before=frozenset(row.before.split()),
        months=tuple(row.months.split()),
    )
