"""Files of every kind become articles: their text and metadata, or the reason why they are not read.

`source_files.py` finds what is to be read, and `articles.py` makes an article of each text. To read one more file
format, start in `documents/kinds.py`; tables are read in `tables/`, web pages and web archives in `web/`, and what
newspaper databases export is split in `exports/`.
"""
