"""The API: everything that can be done at the gate, for programs. One schema of every route (``/openvet/v1/openapi.json``)."""
