"""ONNX Runtime models: custom operations and compiled contexts."""
