"""Errors of configuration, worded for the person who edits the file."""

from __future__ import annotations

from pathlib import Path


class ConfigError(Exception):
    """The configuration cannot be used as it stands."""


class ConfigFileError(ConfigError):
    """One configuration file cannot be used; names the file, the keys and what is allowed.

    Attributes:
        path: The file at fault.
        problems: One sentence per problem: key, value and what is allowed.
    """

    def __init__(self, path: Path, problems: list[str]) -> None:
        self.path = path
        self.problems = problems
        super().__init__("\n".join(f"{path}: {problem}" for problem in problems))

    def __reduce__(self) -> tuple[type[ConfigFileError], tuple[Path, list[str]]]:
        """It may cross from one process to another."""
        return ConfigFileError, (self.path, self.problems)
