"""Rules about files as a whole, whatever their format."""
