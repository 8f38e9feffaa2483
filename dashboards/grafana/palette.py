"""One palette for all boards: Okabe and Ito's colours, which people with any kind of colour vision tell apart.

Good and bad differ in lightness and are told by words or figures too; green against red is never the only sign.
"""

from __future__ import annotations

from typing import Final

SKY: Final = "#56B4E9"
ORANGE: Final = "#E69F00"
GREEN: Final = "#009E73"
YELLOW: Final = "#F0E442"
BLUE: Final = "#0072B2"
VERMILION: Final = "#D55E00"
PURPLE: Final = "#CC79A7"
GREY: Final = "#8A98A3"
WHITE: Final = "#F2F6F8"

# PKJI vehicle classes, as in the console.
CLASSES: Final = {"sm": SKY, "mp": ORANGE, "ks": GREEN, "bb": PURPLE, "tb": VERMILION, "ktb": YELLOW}
QUALITY: Final = {"good": GREEN, "partial": YELLOW, "imputed": PURPLE, "suspect": ORANGE, "missing": GREY}

Steps = tuple[tuple[float | None, str], ...]
"""Colour from a value on; the first has none."""

# Share of the speed limit (%), HCM 7 exhibit 18-1 as in config/thresholds/console.yaml.
SPEED_SHARE: Final[Steps] = ((None, VERMILION), (30, ORANGE), (50, YELLOW), (67, BLUE))
# The same on a map, where -1 stands for no valid data.
SPEED_SHARE_OR_NONE: Final[Steps] = ((None, GREY), (0, VERMILION), (30, ORANGE), (50, YELLOW), (67, BLUE))
SPEED: Final[Steps] = ((None, VERMILION), (12, ORANGE), (20, YELLOW), (30, BLUE))
GOOD_SHARE: Final[Steps] = ((None, VERMILION), (80, ORANGE), (95, GREEN))
AGE: Final[Steps] = ((None, GREEN), (120, ORANGE), (300, VERMILION))
FAILURE_SHARE: Final[Steps] = ((None, GREEN), (10, ORANGE), (30, VERMILION))
GEH: Final[Steps] = ((None, GREEN), (5, ORANGE), (10, VERMILION))
# Messages of an hour or a range: some are nothing to drive out for.
FEW: Final[Steps] = ((None, "transparent"), (1, YELLOW), (100, VERMILION))
NONE_IS_BEST: Final[Steps] = ((None, GREEN), (1, VERMILION))
CALM: Final[Steps] = ((None, SKY),)
