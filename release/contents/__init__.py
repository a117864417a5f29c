"""What a release holds: its rows, the manifest, and the proofs that no annotator and no article text is in it.

`rows.py` makes the rows of the configs `gold` and `annotations`; to add a column to the dataset, start there.
"""
