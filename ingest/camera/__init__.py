"""Cameras as detectors: video in, counts and conditions out; pictures and tracks stay inside."""
