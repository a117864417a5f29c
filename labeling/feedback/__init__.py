"""What annotators learn about their own answers: a page of differences from the verdicts, and the qualification."""
