"""Sentences to verdicts: sample, sync with Label Studio, agreement, adjudication."""
