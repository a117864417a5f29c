"""Decide where an answer comes from and whose it is: numbers of projects, tasks, answers and accounts do not say it.

`answer_sources.py` recognises projects and answers by what identifies them, `account_register.py` is the private file
that says which person is behind which account, and `pseudonyms.py` gives each person a lasting pseudonym.
"""
