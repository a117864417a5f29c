"""The model as a backend of an existing Label Studio, by Label Studio's own protocol for machine learning.

`server.py` answers the requests, `requests.py` says what they hold, and `question.py` finds in a project's labelling
page the control that asks for the model's labels.
"""
