"""Rules about licences: what is declared against the texts that lie with the model, and texts that are not as published."""
