"""Rules about published problems of packages that a model names."""
