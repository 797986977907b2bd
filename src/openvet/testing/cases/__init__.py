"""Cases, one module a family; :mod:`openvet.testing.case` is their contract."""
