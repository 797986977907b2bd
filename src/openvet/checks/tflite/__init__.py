"""TensorFlow Lite models: operators that touch more than tensors, custom code, and data elsewhere."""
