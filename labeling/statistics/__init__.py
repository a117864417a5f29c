"""Statistics of votes: agreement with its intervals, the bootstrap over articles, the model of Dawid and Skene."""
