"""Shares of stances, their differences between groups, and regressions, corrected for the errors of a coder.

A coder is the project's model, a machine coder, or any file of predictions. It gives every sentence a stance of the
corpus, and the verdicts on sentences that were drawn with known probabilities say how far it is wrong. What comes out
are estimates with intervals (`estimates.py`) and a plan of how many more labels narrower intervals need (`plan.py`).
Open `formulas.py` first.
"""
