"""How a model is asked: one module for each kind of runtime, behind the protocol in ``_backend.py``. Nothing else names a framework."""
