"""Sentences become verdicts: what people answered, how far they agree, and how disagreements are settled.

What goes in: the tables of `corpus`, the codebook, `[labeling]` of stance.toml, and a Label Studio server.
What comes out: `labels/annotations.jsonl` with its history, `labels/sample.parquet`, and `work/verdicts.jsonl`.
Open `adjudicate.py` to see how votes become a verdict, and `agreement.py` for the measures of agreement. `studio/`
talks to Label Studio, `sync/` keeps the server and the project alike, `sampling/` draws the sentences that are
labelled.
"""
