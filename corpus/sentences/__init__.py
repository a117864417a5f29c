"""The text of an article becomes sentences, and spans that are not prose.

`line_kinds.py` decides which lines are prose (captions, bylines and adverts are not), `split.py` where sentences end.
The tables of words are in `english_words.py`; to add an abbreviation, start there. `cut_articles.py` does both for a
batch of articles.
"""
