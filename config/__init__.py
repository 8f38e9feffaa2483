"""Settings, site inventory, thresholds and norms: typed models and the YAML they read."""
