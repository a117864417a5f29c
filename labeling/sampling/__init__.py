"""Which sentences are labelled, in rounds drawn at random or otherwise, and what the labels say about all of them."""
