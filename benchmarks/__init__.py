"""Benchmarks, each with another package or a simple approach in the same run; they print Markdown tables."""
