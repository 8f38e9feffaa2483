"""Sparkplug B: edge nodes that report by exception, in protobuf."""
