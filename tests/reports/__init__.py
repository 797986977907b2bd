"""Tests of the reports, and the reports that they share."""
