"""Tapes: a broker's stream recorded to a file, and published again."""
