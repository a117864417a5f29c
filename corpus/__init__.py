"""Articles become sentences, each of which maps back to its article, to the character.

What goes in: files, folders, web archives or standard input with news articles, and `[corpus]` of stance.toml.
What comes out: `work/articles.parquet`, `sentences.parquet`, `spans.parquet`, and what was left out, with the reason.
Open `build.py` first: it names every step. `reading/` gets articles out of files, `sentences/` cuts them, `ids/` keeps
their ids when files move, `near_duplicates.py` finds copies, and `fetch/` fetches pages from the web.
"""

import os

# Set before the first import of pyarrow, which reads it once: see `corpus.tables`.
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
