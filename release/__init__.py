"""Verdicts and a model become a published dataset, and a dataset without text gets its text back.

What goes in: a project's `work/` and `labels/` folders, `[publish]` of stance.toml, and the codebook.
What comes out: the `dataset/` folder that `load_dataset` opens, and its copy at a Hub.
Open `publish.py` first: it names every step. `contents/` decides what a release holds, `card/` writes the texts about
it, `hub/` uploads it, `hydrate/` puts the text back into a stand-off release.
"""
