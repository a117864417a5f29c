"""Measurements, each beside the peer or the naive way in the same run; they print Markdown tables."""
