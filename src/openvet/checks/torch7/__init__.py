"""Rules about Torch7 files."""
