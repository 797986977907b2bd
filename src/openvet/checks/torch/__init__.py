"""Rules about PyTorch's containers: whether their parts agree with each other."""
