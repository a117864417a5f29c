"""Predict the stance of every sentence of a large archive, shard by shard, on one computer or on a cluster."""
