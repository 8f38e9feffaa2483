"""The native dialect: the JSON of `ingest.contract`."""
