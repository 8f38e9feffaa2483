"""PostgreSQL and TimescaleDB: migrations, the one transaction, readers, retention, verification."""
