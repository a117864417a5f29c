"""The model: TF-IDF with logistic regression, the search for its recipe, and its files.

`tfidf_logistic.py` defines the features and the fit.
"""
