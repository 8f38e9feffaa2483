"""A thin asyncio MQTT 5 receiver over a codec without I/O."""
