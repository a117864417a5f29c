"""Large libraries that must not be imported before they are needed."""

from __future__ import annotations

HEAVY = {"sklearn", "datasets", "pyarrow", "pandas", "numpy", "label_studio_sdk", "duckdb", "trafilatura", "joblib"}
