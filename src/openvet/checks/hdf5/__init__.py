"""Rules about HDF5 files: what leads out of them, and what contradicts itself."""
