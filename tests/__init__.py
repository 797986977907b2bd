"""Tests. Only the folders whose helpers other tests import are packages."""
