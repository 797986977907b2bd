"""Rules about what serving frameworks run and install before they load a model."""
