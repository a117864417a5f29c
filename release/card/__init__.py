"""The texts about a release: the dataset card, the model card, the data statement, the citation and the changelog.

`card_facts.py` collects the numbers, the other modules write one file each, and `managed_markdown.py` keeps what people
wrote between stance's paragraphs.
"""
