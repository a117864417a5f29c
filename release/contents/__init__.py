"""What a release holds: its rows, the manifest, and the checks for annotators' addresses and articles' text.

`rows.py` makes the rows of the configs `gold` and `annotations`; to add a column to the dataset, start there.
"""
