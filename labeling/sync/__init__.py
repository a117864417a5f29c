"""Keep the server and the project in step: tasks are sent once, and no answer is lost or counted twice.

`push_plan.py` says what a push will do, and `push.py` does it. `pull.py` fetches answers, `merge_answers.py` merges
them with the known ones, and `pseudonyms.py` decides which person gave them.
"""
