"""Read the files in which newspaper databases and reference managers export several articles.

`split.py` tells which family of formats a text belongs to and calls its module; each module takes the text of a file
and gives its articles. `pages.py` does so for HTML files.
"""
