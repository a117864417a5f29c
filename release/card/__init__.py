"""The texts about a release: cards, the data statement, the citation, the metadata of a DOI, and the changelog.

`card_facts.py` collects the numbers. The modules named after a file write that file. `managed_markdown.py` keeps what
people wrote between stance's parts of a text, and `yaml_header.py` keeps what they added to the metadata of a card.
"""
