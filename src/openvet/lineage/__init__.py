"""What a model was made of: as it is declared, and as its weights show it beside another model or that one's fingerprint."""
