"""Grafana as code: the dashboards, the check of their queries, and the sync with a Grafana's API."""
