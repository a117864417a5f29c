"""Libraries that must not be loaded early."""

from __future__ import annotations

HEAVY = {"sklearn", "datasets", "pyarrow", "pandas", "numpy", "label_studio_sdk", "duckdb", "trafilatura", "joblib"}
