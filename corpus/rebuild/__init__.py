"""What a build takes over from the last one: a corpus's shards in, its tables out, and little is done twice.

Open `take_over.py` first; how near-duplicates are brought up to date is in `corpus/duplicates/update_pairs.py`.
"""
