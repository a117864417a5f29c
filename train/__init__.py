"""Train and score a model on the verdicts, predict the whole corpus with it, and write the report.

What goes in: `work/verdicts.jsonl` or other people's labelled data, and `[train]` of stance.toml.
What comes out: `work/model/`, `work/predictions.parquet`, `work/shares.json` and `work/report.html`.
Open `train_model.py` first: it names the steps of a training. `examples/` reads and splits labelled data, `model/` fits
the model, `evaluate/` scores it, `predict/` predicts a corpus, `archive/` predicts a large one, and `report/` writes
the page.
"""
