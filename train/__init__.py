"""Verdicts to a model, its evaluation, and a published dataset."""
