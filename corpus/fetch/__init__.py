"""Pages are fetched politely from the web into web archives, which are sources of `stance build`.

What goes in: a table with a column of URLs. What comes out: a folder of `.warc.gz` files, and `failed.jsonl`, which
says of every other URL why it has no page. Open `fetch_pages.py` first.
"""
