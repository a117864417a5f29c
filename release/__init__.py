"""Turn verdicts and a model into a published dataset, and put the text back into a stand-off release.

What goes in: a project's `work/` and `labels/` folders, `[publish]` of stance.toml, and the codebook.
What comes out: the `dataset/` folder that `load_dataset` opens, and its copy on a Hub.
Open `publish.py` first: it names every step. `contents/` decides what a release holds, `card/` writes the texts about
it, `hub/` uploads it, and `hydrate/` puts the text back into a stand-off release.
"""
