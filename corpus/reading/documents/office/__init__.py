"""Read documents of word processors: Word, OpenDocument and RTF."""
