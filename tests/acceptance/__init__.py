"""Tests of the whole program as its users start it."""
