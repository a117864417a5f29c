"""The stance of every sentence of a corpus or of new articles, and the shares that follow from it."""
