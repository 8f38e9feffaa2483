"""What people look at: Grafana as code and the operators' console."""
