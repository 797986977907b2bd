"""Rules about YAML texts as such."""
