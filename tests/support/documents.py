"""Documents in every format that is read, made from their specifications and not with the code that reads them."""

from __future__ import annotations

import io
import plistlib
import tarfile
import zipfile
from collections.abc import Mapping, Sequence

RAIN = "The ferry left Ostrel on Monday with two aides on board. It rained all day, and nobody spoke."
PORT = "The minister of Brennia visited the port. “We will stay,” she said to the dockers on the pier."
_WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_RELATED = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OPEN = "urn:oasis:names:tc:opendocument:xmlns"


def zipped(files: Mapping[str, str | bytes]) -> bytes:
    """A zip archive with these files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def tarred(files: Mapping[str, bytes], mode: str = "w:gz") -> bytes:
    """A tar archive with these files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:  # type: ignore[call-overload]
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def word(body: str, notes: str = "", header: str = "", footer: str = "", prefix: str = "") -> bytes:
    """A Word document, from what stands in the elements of its parts."""
    spaces = (
        f'xmlns:w="{_WORD}" xmlns:r="{_RELATED}" xmlns:v="urn:schemas-microsoft-com:vml" '
        'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" '
        'xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape"'
    )
    styles = "".join(
        f'<w:style w:type="paragraph" w:styleId="{key}"><w:name w:val="{name}"/>{based}</w:style>'
        for key, name, based in (
            ("Titel", "Title", ""),
            ("berschrift1", "heading 1", ""),
            ("Meine", "My own", '<w:basedOn w:val="berschrift1"/>'),
            ("Beschriftung", "caption", ""),
        )
    )
    relation = '<Relationship Id="{0}" Type="' + _RELATED + '/{1}" Target="{2}"/>'
    parts: dict[str, str | bytes] = {
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
        + relation.format("a", "officeDocument", "word/document.xml")
        + f'<Relationship Id="b" Type="{_PACKAGE}/relationships/metadata/core-properties" Target="docProps/core.xml"/>'
        + "</Relationships>",
        "word/document.xml": f"{prefix}<w:document {spaces}><w:body>{body}</w:body></w:document>",
        "word/styles.xml": f"<w:styles {spaces}>{styles}</w:styles>",
        "word/footnotes.xml": f'<w:footnotes {spaces}><w:footnote w:type="separator" w:id="0"><w:p><w:r><w:t>---</w:t>'
        f"</w:r></w:p></w:footnote>{notes}</w:footnotes>",
        "word/header1.xml": f"<w:hdr {spaces}>{header}</w:hdr>",
        "word/footer1.xml": f"<w:ftr {spaces}>{footer}</w:ftr>",
        "word/vbaProject.bin": b"a macro",
        "word/_rels/document.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
        + relation.format("c", "styles", "styles.xml")
        + relation.format("d", "footnotes", "footnotes.xml")
        + relation.format("e", "header", "header1.xml")
        + relation.format("f", "footer", "/word/footer1.xml")
        + f'<Relationship Id="g" Type="{_RELATED}/header" Target="file:///etc/passwd" TargetMode="External"/>'
        + "</Relationships>",
        "docProps/core.xml": f'<cp:coreProperties xmlns:cp="{_PACKAGE}/metadata/core-properties" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/">'
        "<dc:title>Rain in Ostrel</dc:title><dc:creator>Ann Lee</dc:creator>"
        "<dcterms:created>2031-03-04T10:00:00Z</dcterms:created></cp:coreProperties>",
    }
    return zipped(parts)


def paragraph(text: str, style: str = "") -> str:
    """A paragraph of a Word document."""
    properties = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
    return f'<w:p>{properties}<w:r><w:t xml:space="preserve">{text}</w:t></w:r></w:p>'


def open_document(body: str, manifest: str = "") -> bytes:
    """An OpenDocument text, from what stands in its element `office:text`."""
    spaces = " ".join(
        f'xmlns:{name}="{_OPEN}:{name}:1.0"' for name in ("office", "text", "style", "table", "draw", "meta")
    )
    spaces += ' xmlns:dc="http://purl.org/dc/elements/1.1/"'
    return zipped(
        {
            "mimetype": "application/vnd.oasis.opendocument.text",
            "META-INF/manifest.xml": f"<manifest>{manifest}</manifest>",
            "content.xml": f"<office:document-content {spaces}><office:automatic-styles>"
            '<style:style style:name="P1" style:parent-style-name="Title"/></office:automatic-styles>'
            f"<office:body><office:text>{body}</office:text></office:body></office:document-content>",
            "styles.xml": f"<office:document-styles {spaces}><office:master-styles><style:master-page>"
            "<style:header><text:p>The Sund Post</text:p></style:header>"
            "<style:footer><text:p>Page <text:page-number>1</text:page-number></text:p></style:footer>"
            "</style:master-page></office:master-styles></office:document-styles>",
            "meta.xml": f"<office:document-meta {spaces}><office:meta><dc:title>Rain in Ostrel</dc:title>"
            "<meta:creation-date>2031-03-04T10:00:00</meta:creation-date></office:meta></office:document-meta>",
        }
    )


def pdf(pages: Sequence[str | None], info: str = "", trailer: str = "") -> bytes:
    """A PDF file, from the drawing operations of its pages; a page of None shows a picture and no text.

    Written as ISO 32000 describes it, with the font F1 (Helvetica) in WinAnsiEncoding.
    """
    objects: list[bytes] = [b"<< /Type /Catalog /Pages 2 0 R >>", b""]
    objects.append(b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>")
    objects.append(
        b"<< /Type /XObject /Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceGray /BitsPerComponent 8 "
        b"/Length 1 >>\nstream\n\x00\nendstream"
    )
    kids = []
    for page in pages:
        content = ("q 500 0 0 700 50 50 cm /Im1 Do Q" if page is None else page).encode("cp1252")
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content))
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents %d 0 R "
            b"/Resources << /Font << /F1 3 0 R >> /XObject << /Im1 4 0 R >> >> >>" % len(objects)
        )
        kids.append(f"{len(objects)} 0 R")
    objects[1] = f"<< /Type /Pages /Count {len(kids)} /Kids [{' '.join(kids)}] >>".encode()
    objects.append(f"<< {info} >>".encode("cp1252"))
    data, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    start = len(data)
    data += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}".encode()
    data += f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R /Info {len(objects)} 0 R {trailer} >>\n".encode()
    return data + f"startxref\n{start}\n%%EOF\n".encode()


def shown(lines: Sequence[str], left: float = 72, top: float = 700, size: float = 11, step: float = 13) -> str:
    """Drawing operations that show these lines below each other."""
    escaped = [line.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)") for line in lines]
    return "\n".join(
        f"BT /F1 {size} Tf {left} {top - step * number} Td ({line}) Tj ET" for number, line in enumerate(escaped)
    )


def book(chapters: Mapping[str, str], files: Mapping[str, str] | None = None) -> bytes:
    """A book in EPUB, from the bodies of its chapters by file name."""
    items = "".join(f'<item id="{name}" href="{name}" media-type="application/xhtml+xml"/>' for name in chapters)
    order = "".join(f'<itemref idref="{name}"/>' for name in chapters)
    page = '<?xml version="1.0" encoding="utf-8"?>\n<html xmlns="http://www.w3.org/1999/xhtml"><head><title>T</title>'
    return zipped(
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
            '<rootfile full-path="OPS/book.opf"/></rootfiles></container>',
            "OPS/book.opf": '<package xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/">'
            "<metadata><dc:title>The Book of Ostrel</dc:title><dc:language>en</dc:language><dc:date>2031</dc:date>"
            f"</metadata><manifest>{items}</manifest><spine>{order}</spine></package>",
            **{f"OPS/{name}": f"{page}</head><body>{body}</body></html>" for name, body in chapters.items()},
            **(files or {}),
        }
    )


PAGE = (
    f"<html><head><title>Rain in Ostrel</title></head><body><article><h1>Rain in Ostrel</h1><p>{RAIN}</p>"
    f"<p>{PORT}</p></article></body></html>"
)
MAIL = (
    "From: Ann Lee <ann@example.org>\r\nSubject: =?utf-8?q?Rain_in_Ostr=C3=ABl?=\r\n"
    "Date: Tue, 04 Mar 2031 10:00:00 +0100\r\nMIME-Version: 1.0\r\n"
    "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    f"{RAIN}\r\n\r\n{PORT}\r\n"
)
MHTML = (
    "From: <Saved by Blink>\r\nSnapshot-Content-Location: https://example.org/rain\r\nSubject: Rain\r\n"
    'MIME-Version: 1.0\r\nContent-Type: multipart/related; type="text/html"; boundary="b"\r\n\r\n'
    "--b\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n"
    f"Content-Location: https://example.org/rain\r\n\r\n{PAGE}\r\n--b\r\nContent-Type: image/png\r\n\r\nx\r\n--b--\r\n"
)
FEED = (
    '<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel><title>The Sund Post</title>'
    "<language>en</language><item><title>Rain &amp; wind</title><link>https://example.org/1</link>"
    f"<pubDate>Tue, 04 Mar 2031 10:00:00 GMT</pubDate><description>Short.</description><content:encoded><![CDATA["
    f"<p>{RAIN}</p><h2>The port</h2><p>{PORT}</p>]]></content:encoded></item><item><title>Wind</title>"
    f"<description>&lt;p&gt;{PORT}&lt;/p&gt;</description></item></channel></rss>"
)
RTF = (
    r"{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0\fswiss Arial;}{\f1\fcharset204 Arial;}}"
    r"{\stylesheet{\s0 Normal;}{\s1 heading 1;}{\s2 Title;}}{\info{\title Rain in Ostrel}{\creatim\yr2031\mo3\dy4}}"
    r"{\header The Sund Post\par}\pard\s2 Rain in Ostrel\par\pard\s1 The port\par\pard "
    + RAIN.replace(",", r"\'2c")
    + "\\par "
    + PORT.replace("“", r"\ldblquote ").replace("”", r"\u8221?")
    + r"{\footnote\pard A note on the port.}\par}"
)
MARKDOWN = f"---\ntitle: Rain in Ostrel\ndate: 2031-03-04\n---\n# Rain\n\n{RAIN}\n\n## The port\n\n{PORT}\n"

SAMPLES: dict[str, bytes] = {
    "docx": word(paragraph("Rain in Ostrel", "Titel") + paragraph(RAIN) + paragraph(PORT), header=paragraph("Post")),
    "odt": open_document(f'<text:h text:outline-level="1">Rain</text:h><text:p>{RAIN}</text:p><text:p>{PORT}</text:p>'),
    "rtf": RTF.encode("cp1252"),
    "pdf": pdf([shown(["The Sund Post"], top=800) + "\n" + shown([text]) for text in (RAIN, PORT)]),
    "md": MARKDOWN.encode(),
    "eml": MAIL.encode(),
    "mbox": f"From ann Tue Mar  4 10:00:00 2031\n{MAIL}\n\nFrom ann Tue Mar  4 10:00:00 2031\n{MAIL}".encode(),
    "epub": book({"a.xhtml": f"<h1>One</h1><p>{RAIN}</p>", "b.xhtml": f"<h1>Two</h1><p>{PORT}</p>"}),
    "mhtml": MHTML.encode(),
    "webarchive": plistlib.dumps(
        {"WebMainResource": {"WebResourceData": PAGE.encode(), "WebResourceURL": "https://example.org/rain"}},
        fmt=plistlib.FMT_BINARY,
    ),
    "xml": FEED.encode(),
}
"""A document of each kind, in which RAIN and PORT stand."""
SAMPLES["zip"] = zipped({"a.txt": RAIN, "in/b.docx": SAMPLES["docx"], "in/c.html": PAGE, "d.jpg": b"x"})
SAMPLES["tar"] = tarred({"a.txt": RAIN.encode(), "in/b.eml": SAMPLES["eml"]})
