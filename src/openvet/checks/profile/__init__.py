"""Rules about what a model says of itself and what its tensors say."""
