"""Bring the answers that a Label Studio server holds to the labels of the present codebook.

`plan.py` says which answers are rewritten and which are asked for again; nothing is done that was not shown first, and
every answer is kept as it was given in `labels/migrated.jsonl`.
"""
