"""The tests: `unit` runs no server, `integration` real brokers and databases, `acceptance` the whole program."""
