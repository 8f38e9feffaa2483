"""The program: command line, wiring of the roles, embedded parts and the simulated street."""
