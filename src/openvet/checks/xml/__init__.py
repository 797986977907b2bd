"""Rules about XML texts: what leads out of the file, blows it up or runs."""
