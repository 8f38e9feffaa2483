"""dmsMessageCRC of NTCIP 1203: which message a sign really shows, in two octets.

CRC-16 of ISO/IEC 3309 (x^16 + x^12 + x^5 + 1, low bit first, begins with and is turned over by FFFF hex) over the MULTI
string, the beacon octet and the pixel service octet; the low octet is sent first, so that the number reads swapped.
A blank message has CRC 0.
"""

from __future__ import annotations

POLYNOMIAL = 0x8408
"""x^16 + x^12 + x^5 + 1, low bit first."""


def crc16(data: bytes) -> int:
    """CRC-16 of ISO/IEC 3309 (the HDLC frame check); `b"123456789"` gives 906E hex."""
    value = 0xFFFF
    for octet in data:
        value ^= octet
        for _ in range(8):
            value = value >> 1 ^ POLYNOMIAL if value & 1 else value >> 1
    return value ^ 0xFFFF


def message_crc(multi: str, *, beacon: bool = False, pixel_service: bool = False) -> int:
    """dmsMessageCRC of a MULTI message, 0 to 65535."""
    if not multi:
        return 0
    value = crc16(multi.encode() + bytes([beacon, pixel_service]))
    return (value & 0xFF) << 8 | value >> 8
