"""Verdicts become a model, its scores, predictions for the whole corpus, and the report.

What goes in: `work/verdicts.jsonl` or labelled data of others, and `[train]` of stance.toml.
What comes out: `work/model/`, `work/predictions.parquet`, `work/shares.json` and `work/report.html`.
Open `train_model.py` first: it names the steps of a training. `examples/` gets labelled data and splits, `model/` fits,
`evaluate/` scores, `predict/` judges a corpus, `archive/` judges a large one, and `report/` draws the page.
"""
