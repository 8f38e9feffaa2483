"""MQTT in: wire contract, feeds that decode it, and the collector that acknowledges after commit."""
