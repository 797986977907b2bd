"""ONNX models and those of ONNX Runtime: files that they name, custom operations, Python, and structures that lie."""
