"""An append-only log in a folder: entries, the Merkle tree over them as tiles, and a signed checkpoint. Reading needs no lock."""
