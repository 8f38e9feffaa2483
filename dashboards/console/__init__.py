"""The operators' live web console."""
