"""Labelled data and its splits: from the project's verdicts, or from other people's files, without leaks."""
