"""Machine coders: models that answer the annotators' question, kept apart from people and measured against them.

`ask.py` sends the question (`prompt.py`) to a chat server (`server.py`, `client.py`); `predictions_file.py` reads
predictions that were made elsewhere. Both give answers to `answers.py`, which keeps them in `work/machine.jsonl`.
`comparison.py` sets each coder beside the people, and `anchoring.py` measures how far people follow what they are
shown. Open `ask.py` first.
"""
