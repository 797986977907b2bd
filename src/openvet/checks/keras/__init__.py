"""Rules about Keras models: what their configuration names, carries and opens."""
