"""Damaged messages of every dialect at the door: `make fuzz`, and a short part of it among the unit tests."""
