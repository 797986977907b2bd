"""Rules about Python code that comes with a model: what it does before anybody calls it."""
