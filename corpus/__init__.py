"""Articles to sentences: read, clean, segment, cluster, build."""
