"""Put the text back into a stand-off release, from the reader's own copies of the articles.

`hydrate.py` names the steps: read the release, match the articles, find each sentence again, write the folder.
"""
