"""The search for near-duplicates in a database: the queries of a full search, and the update after a few changes.

`corpus.near_duplicates` has the functions that compare texts, and runs a full search.
"""
