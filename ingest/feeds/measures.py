"""Named numbers of a device: one reading a metric."""

from __future__ import annotations

from collections.abc import Mapping

from ingest.feeds import Context, Decoded, Message, Route
from ingest.feeds.problems import Problem, outcome, refused
from ingest.feeds.times import impossible
from ingest.readings import SensorReading
from ingest.reasons import Reason


def measures(
    seq: int,
    time_us: int,
    values: Mapping[str, float | None],
    problems: list[Problem],
    message: Message,
    route: Route,
    context: Context,
) -> Decoded:
    """One reading a metric that can be believed, the others as dead letters.

    Args:
        seq: Of the message; part of the rows' key.
        time_us: When the values were true.
        values: By the names of `config/metrics.yaml`; None is a metric without a valid value.
        problems: What is wrong with the message already.
        message: Where they stand.
        route: Of the device.
        context: Of the door.
    """
    received_us = message.received_us
    wrong = impossible(time_us, received_us)
    if wrong is not None:
        return refused(message, route, wrong, seq, time_us)
    future = time_us - received_us > context.future_tolerance_us
    records = []
    for name, value in values.items():
        metric = route.metrics.get(name)
        if metric is None:
            problems.append((Reason.UNKNOWN_METRIC, f"metric {name!r} is not in config/metrics.yaml for {route.kind}"))
        elif value is not None and not metric.low <= value <= metric.high:
            limits = f"{metric.low:g} to {metric.high:g}"
            problems.append((Reason.OUT_OF_RANGE, f"metric {name!r} is {value:g}; possible are {limits}"))
        else:
            records.append(SensorReading(route.source, time_us, seq, metric.number, value, future, received_us))
    if problems:
        return outcome(message, route, records, problems, seq, time_us)
    return Decoded(records, [], seq, time_us)  # type: ignore[arg-type]
