"""Errors of storage that a person can act on."""

from __future__ import annotations


class StorageError(Exception):
    """The database cannot be used as it stands."""


class StaleWriterError(StorageError):
    """Another process of the same name has written to the database since our last batch."""


class MigrationError(StorageError):
    """A migration failed, or the schema does not match this program."""
