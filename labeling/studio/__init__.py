"""Label Studio as we use it: its API, the two pages that annotators see, and a local server of one's own.

`client.py` is all that is said to a server; `interface.xml` is the page on which people label.
"""
