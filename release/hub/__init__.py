"""Upload to a Hub: look at what is there already, and make one commit on top of it.

`upload.py` decides which files are sent, and `client.py` makes the connection.
"""
