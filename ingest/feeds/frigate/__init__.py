"""Frigate, the network video recorder with object detection."""
