"""Read documents: files of one article or several in other formats than plain text and HTML.

`kinds.py` lists the formats and the module that reads each; open that module first. Every reader is a function from a
file's bytes to the articles in it.
"""
