"""The operator's background work: which kinds there are, and how it is done."""
