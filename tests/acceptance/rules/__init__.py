"""Every alert rule fires and clears, each by a cause of its own: `python -m tests.acceptance.rules`.

Two streets with broker, pipeline and database of their own, both with real MQTT clients:

* *the peak*: a simulated Monday from 17:00, as fast as it goes, with troubles to order. The rules are asked afterwards, with the
  thresholds as shipped, at the simulated times at which Grafana would have asked them.
* *live*: in real time, because these rules look at arrival, which a fast street has none of. They are asked every 2 s with thresholds of
  seconds (`LIVE`), since the shipped ones are minutes.

What cannot be seen in the streets is made, and the table says so: the usual speeds are those of the calm first quarter of an hour of the
same run, and the ledger is put out of balance by the superuser of the run's own database.
"""
