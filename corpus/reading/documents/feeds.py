"""Read feeds (RSS, Atom) and the export of a WordPress site, which is an RSS feed with all that the site holds."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from corpus.reading.article_in_file import ArticleInFile
from corpus.reading.documents.lines import article_of, clean
from corpus.reading.documents.markup import html_of, markup_lines
from corpus.reading.documents.office.packages import attribute, inner_text, local
from corpus.reading.text_encoding import NotTextError
from corpus.reading.web.html_in_text import plain

FEED = "stance feed 1"
SUMMARY = "only the feed's summary of the article"
_SHORTCODE = re.compile(r"\[/?(?:caption|gallery|embed|audio|video|playlist|vc_\w+|et_pb_\w+)\b[^\]\n]{0,1000}\]")


def of_rss(root: Any) -> list[ArticleInFile]:
    """The items of a feed in RSS, of any version, or of a WordPress export, of which only posts and pages are read."""
    channel = next((one for one in root.iter() if local(one) == "channel"), root)
    about = _children(channel)
    passed: Counter[str] = Counter()
    articles: list[ArticleInFile] = []
    for item in (one for one in root.iter() if local(one) == "item"):
        inner = _children(item)
        kind = inner.get("post_type", "")
        if kind not in ("", "post", "page"):
            passed[kind] += 1
            continue
        body = inner.get("encoded", "")
        notes = []
        if not body:
            body = inner.get("description", "")
            notes.append(SUMMARY)
        if (status := inner.get("status", "publish")) not in ("publish", "inherit"):
            notes.append(f"not published: its status is {clean(status)[:50]}")
        fields = {
            "title": _plain(inner.get("title", "")),
            "published": inner.get("pubDate") or inner.get("date") or inner.get("post_date", ""),
            "url": inner.get("link", ""),
            "outlet": _plain(about.get("title", "")),
            "language": inner.get("language") or about.get("language", ""),
        }
        # A draft has no date in the form of mail, but this.
        if "-0001" in fields["published"]:
            fields["published"] = inner.get("post_date", "")
        articles.append(_article(body, fields, notes))
    if passed:
        said = ", ".join(f"{clean(kind)[:50]} ({count})" for kind, count in sorted(passed.items()))
        articles.append(ArticleInFile(fault=f"no articles, and not read: {said}"))
    return articles


def of_atom(root: Any) -> list[ArticleInFile]:
    """The entries of a feed in Atom."""
    outlet = next((_plain(inner_text(one)) for one in root if local(one) == "title"), "")
    articles = []
    for entry in (one for one in root if local(one) == "entry"):
        inner = _children(entry)
        links = [one for one in entry if local(one) == "link" and attribute(one, "rel") in ("", "alternate")]
        content = next((one for one in entry if local(one) == "content"), None)
        notes = []
        if content is None or not (inner_text(content).strip()):
            content = next((one for one in entry if local(one) == "summary"), None)
            notes.append(SUMMARY)
        fields = {
            "title": _plain(inner.get("title", "")),
            "published": inner.get("published") or inner.get("issued") or inner.get("updated", ""),
            "url": attribute(links[0], "href") if links else "",
            "outlet": outlet,
            "language": attribute(entry, "lang") or attribute(root, "lang"),
        }
        if content is not None and len(content):
            articles.append(article_of(markup_lines(content), FEED, fields, notes))
        else:
            articles.append(_article("" if content is None else inner_text(content), fields, notes))
    return articles


def _children(element: Any) -> dict[str, str]:
    """The texts of an element's children by name; of several with one name, the first that is not in another's place.

    `content:encoded` is the article, `excerpt:encoded` its excerpt.
    """
    texts: dict[str, str] = {}
    for one in element:
        name = local(one)
        if name == "encoded" and "excerpt" in one.tag:
            name = "excerpt"
        elif name == "title" and "media" in one.tag:  # Media RSS: a picture's title
            continue
        if not texts.get(name):
            texts[name] = inner_text(one).strip()
    return texts


def _plain(text: str) -> str:
    try:
        return clean(plain(text)[0])
    except NotTextError:
        return clean(text)


def _article(body: str, fields: dict[str, str], notes: list[str]) -> ArticleInFile:
    body = _SHORTCODE.sub("", body)
    try:
        lines = markup_lines(html_of(body), blank_lines=True) if body.strip() else []
    except NotTextError as error:
        return ArticleInFile(fault=str(error), fields={"url": fields["url"]} if fields["url"] else {})
    return article_of(lines, FEED, fields, notes)
