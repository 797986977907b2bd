"""Rules about the documents of a model or data set: its card, its results, its citation file."""
