"""One folder per dialect: decoder, README and golden cases."""
