"""One flat table of the project for colleagues, spreadsheets and R: a row for each sentence, or for each answer.

`export.py` names the steps. `sentence_rows.py` and `answer_rows.py` make the rows of the two forms, batch by batch,
from the corpus and from the labels that `project_labels.py` reads; `table_files.py` writes them.
"""
