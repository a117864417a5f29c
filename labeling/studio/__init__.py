"""Label Studio as stance uses it: its API, the two pages that annotators see, and a local server.

`client.py` makes all requests to a server; `interface.xml` is the page on which people label.
"""
