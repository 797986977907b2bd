"""The arithmetic of a model: parameters, memory, compute, energy, cost, and whether published figures agree with each other."""
