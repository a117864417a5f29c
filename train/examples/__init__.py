"""Read labelled data, from the project's verdicts or from other people's files, and split it without leaks."""
