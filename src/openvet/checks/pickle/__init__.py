"""Rules about pickles: what runs when one is loaded."""
