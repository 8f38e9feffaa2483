"""Signal performance from hi-res controller events: the same figures live, resumed and over history."""

from processors.signals.configuration import Configuration, Detector, Function, History, history_of
from processors.signals.events import Events
from processors.signals.measures import UNITS
from processors.signals.meter import BIN_US, Meter
from processors.signals.rows import Cycle, Interval, Measure, Rows

__all__ = [
    "BIN_US",
    "UNITS",
    "Configuration",
    "Cycle",
    "Detector",
    "Events",
    "Function",
    "History",
    "Interval",
    "Measure",
    "Meter",
    "Rows",
    "history_of",
]
