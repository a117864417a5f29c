"""The way to a Hub: what is there already, and one commit on top of it.

`upload.py` decides which files go; `client.py` is the connection.
"""
