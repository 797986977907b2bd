"""Rules about NumPy arrays."""
