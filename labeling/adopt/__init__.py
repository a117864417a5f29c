"""Read answers that people gave in another project or another tool, so that `stance pull --from` can adopt them.

`read_file.py` recognises which tool wrote a file; one module for each tool turns the file's content into an `Export`
(`exported.py`), whose tasks and answers have the form of Label Studio's exports. `labeling.sync.export_files` matches
them with the sentences of the corpus and merges them with the known answers.
"""
