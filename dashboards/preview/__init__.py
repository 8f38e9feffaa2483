"""The committed boards, shown with live data where there is no Grafana: a viewer for these boards and nothing else."""
