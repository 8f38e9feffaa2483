"""Broker and database that come inside Python wheels, for the demo and for tests."""
