"""Rows of `.csv`, `.jsonl` and `.parquet` files, one article each; `data_files.py` is where reading begins."""
