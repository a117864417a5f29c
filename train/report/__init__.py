"""Write the report: one page that shows the whole project.

`page.py` fills in `page.html.j2`; the colours are in `page.css`. To add a section, start in `project_snapshot.py`,
which reads what the page shows, and put its sentences into `sentences.py`.
"""
