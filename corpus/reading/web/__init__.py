"""Web pages and web archives: the article on a page, the prose that was not read, and the records of WARC files.

`html_page.py` gets the article out of a page; `warc.py` reads archives of pages.
"""
