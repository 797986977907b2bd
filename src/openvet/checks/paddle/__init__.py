"""Rules about PaddlePaddle models."""
