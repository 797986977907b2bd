"""TensorFlow: graphs that open files, call out or run code, and folders that do not fit together."""
