"""The control words of RTF that the text depends on, and the groups that hold text or none."""

from __future__ import annotations

CHARACTERS = {
    "emdash": "—",
    "endash": "–",
    "lquote": "‘",
    "rquote": "’",
    "ldblquote": "“",
    "rdblquote": "”",
    "bullet": "•",
    "emspace": "\u2003",
    "enspace": "\u2002",
    "qmspace": "\u2005",
    "tab": " ",
    "line": "\n",
    "lbr": "\n",
    "softline": "",
}
ENDS = set("par sect page column cell row nestcell nestrow".split())
PASSED = {"pict": "pictures", "object": "embedded objects", "annotation": "comments", "atnid": "", "atnauthor": ""}
NOTHING = set(
    "nonesttables colortbl fldinst filetbl listtable listoverridetable revtbl rsidtbl generator themedata datastore "
    "latentstyles xmlnstbl mmathPr bkmkstart bkmkend nonshppict ftnsep ftnsepc aftnsep aftnsepc pntxta pntxtb "
    "keywords comment operator company author subject doccomm category manager tc xe rxe passwordhash".split()
)
HEADS = {"header": "header", "headerl": "header", "headerr": "header", "headerf": "header"}
FEET = {"footer": "footer", "footerl": "footer", "footerr": "footer", "footerf": "footer"}
READ_THOUGH_OPTIONAL = {"shptxt", "listtext"}
"""Groups that begin with the sign that older programs may leave them out, and that hold text."""
CHARSETS = {
    77: "mac-roman",
    128: "cp932",
    129: "cp949",
    134: "gbk",
    136: "big5",
    161: "cp1253",
    162: "cp1254",
    163: "cp1258",
    177: "cp1255",
    178: "cp1256",
    186: "cp1257",
    204: "cp1251",
    222: "cp874",
    238: "cp1250",
}
