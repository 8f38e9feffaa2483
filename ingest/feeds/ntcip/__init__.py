"""NTCIP 1202 signal controllers behind a gateway that polls them."""
