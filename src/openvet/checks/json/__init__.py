"""Rules about JSON texts as such."""
