"""Which article is which: ids that last when files are edited, renamed or moved, and the labels that depend on them.

`article_ids.py` gives every article its id; `changes.py` says which labelled sentences a build would lose.
"""
