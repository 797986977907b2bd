"""Rules about MXNet models."""
