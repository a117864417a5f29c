"""The server and the project kept alike: tasks go there once, and no answer is lost or counted twice.

`push_plan.py` says what a push will do and `push.py` does it; `pull.py` brings answers home, `merge_answers.py` joins
them with those that are known, and `pseudonyms.py` decides which person gave them.
"""
