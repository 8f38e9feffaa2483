"""`subak contract`: the wire contract as AsyncAPI 3, JSON Schema and tables, generated from its types."""

from subak.contract.command import contract

__all__ = ["contract"]
