"""Rules about Arrow tables."""
