"""Rules about credentials that were left in files."""
