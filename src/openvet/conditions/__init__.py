"""Conditions in CEL, the Common Expression Language, behind one class. Nothing else in the house knows which engine computes them."""
