"""FIWARE TrafficFlowObserved, as a context broker notifies it."""
