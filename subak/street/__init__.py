"""The simulated street: traffic, devices that publish it over MQTT, faults, and the truth."""
