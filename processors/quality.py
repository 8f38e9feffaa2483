"""The one quality that travels with every number."""

from __future__ import annotations

GOOD = "good"
PARTIAL = "partial"


def suspect(test: str) -> str:
    """Values exist but failed a named test."""
    return f"suspect({test})"


def imputed(method: str) -> str:
    """Values were not observed as such but made by a named method; never an input of incident, queue or sign logic."""
    return f"imputed({method})"


def missing(element: str) -> str:
    """No valid observation, on account of a named element."""
    return f"missing({element})"
