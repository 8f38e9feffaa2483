"""The whole system on embedded parts, on one machine, for one command."""
