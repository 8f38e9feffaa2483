"""Per-vehicle radars of the RTB Topo kind."""
