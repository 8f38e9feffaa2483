"""Pure stream processors: records in, records out; state that merges and can be rebuilt from raw rows; no I/O."""
