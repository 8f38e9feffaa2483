"""The meters of a site's signal controllers, made from their detector configurations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

from config.site import Site
from config.thresholds.signals import SignalParameters, signal_parameters
from processors.signals import History, Meter, history_of


class SiteMeters:
    """Makes meters by device number."""

    def __init__(self, histories: Mapping[int, History], parameters: SignalParameters) -> None:
        """Make none yet.

        Args:
            histories: Detector configurations by device number.
            parameters: Thresholds of the measures.
        """
        self._histories = histories
        self._parameters = parameters

    @classmethod
    def of(cls, site: Site, numbers: Mapping[str, int]) -> Self:
        """Those of the controllers of a site that have a number, with the thresholds as shipped."""
        named = {controller.id for controller in site.controllers} & numbers.keys()
        return cls({numbers[name]: history_of(site, name) for name in named}, signal_parameters())

    def begin(self, device: int, start_us: int) -> Meter:
        """One that knows of nothing before `start_us`, the begin of a quarter of an hour."""
        return Meter(self._histories[device], self._parameters, start_us)

    def resume(self, device: int, state: bytes) -> Meter:
        """One that knows what another remembered."""
        return Meter.restore(self._histories[device], self._parameters, state)
