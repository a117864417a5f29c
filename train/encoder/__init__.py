"""Sentence vectors of a frozen encoder, which a model may read beside n-grams.

`find_encoder.py` finds the encoder's files in a folder or at the Hub, `encode.py` runs it on texts, `vector_cache.py`
keeps the vectors, and `vectors.py`, which the model uses, joins the three.
"""
