"""Reading YAML into typed models, with errors that name file, line, key, value and what is allowed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import pydantic
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError

from config.errors import ConfigFileError

Model = TypeVar("Model", bound=pydantic.BaseModel)
Location = tuple[int | str, ...]

_USER_PART = re.compile(r"//[^/\s]*@")
"""User and password of an address, which no error may repeat."""


class Strict(pydantic.BaseModel):
    """Base of every configuration model: unknown keys are errors, values do not change."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)


def load(path: Path, model: type[Model]) -> Model:
    """Read one YAML file as `model`.

    Raises:
        ConfigFileError: The file is missing, is not YAML, repeats a key or does not fit the model.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigFileError(path, [f"cannot be read: {error.strerror}"]) from error
    try:
        content = YAML(typ="safe").load(text)
    except MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise ConfigFileError(path, [f"{line}{error.problem or error.context}"]) from error
    try:
        return model.model_validate({} if content is None else content)
    except pydantic.ValidationError as error:
        # Read again by the slow loader that remembers lines; a large inventory without errors need not pay for them.
        marked = YAML(typ="rt").load(text)
        problems = [_problem(item["loc"], item["msg"], item["input"], marked) for item in error.errors()]
        raise ConfigFileError(path, problems) from error


def _problem(location: Location, message: str, value: object, content: object) -> str:
    line = _line(location, content)
    key = ".".join(str(part) for part in location) or "(file)"
    shown = "" if isinstance(value, (Mapping, Sequence)) and not isinstance(value, str) else f", got {value!r}"
    return f"{f'line {line}: ' if line else ''}{key}: {message}{_USER_PART.sub('//…@', shown)}"


def _line(location: Location, content: object) -> int | None:
    """The line of the deepest part of `location` that the file really has."""
    line: int | None = None
    here = content
    for part in location:
        if isinstance(here, CommentedMap) and part in here:
            line = here.lc.key(part)[0] + 1
            here = here[part]
        elif isinstance(here, CommentedSeq) and isinstance(part, int) and part < len(here):
            line = here.lc.item(part)[0] + 1
            here = here[part]
        else:
            break
    return line
