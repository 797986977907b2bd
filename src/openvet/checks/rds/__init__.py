"""Rules about R data: promises, functions and the calls in them."""
