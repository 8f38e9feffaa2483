"""RSMP 4 (draft): signal controllers over MQTT 5, in CBOR."""
