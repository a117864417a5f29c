"""The stance of every sentence of a large archive, shard by shard, on one machine or on a cluster."""
