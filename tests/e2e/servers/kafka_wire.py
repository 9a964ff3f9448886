"""What Debian's Python client for Kafka does not have: the DeleteRecords request, and a look at what other clients ask."""
import socket
import struct

from .process import ServerError


def _string(text):
    data = text.encode()
    return struct.pack(">h", len(data)) + data


def delete_records(port, topic, partition, before):
    """Version 1 of the request; the layout is the protocol guide's (API key 21)."""
    body = struct.pack(">i", 1) + _string(topic) + struct.pack(">iiqi", 1, partition, before, 10000)
    request = struct.pack(">hhi", 21, 1, 1) + _string("driftd-tests") + body
    with socket.create_connection(("127.0.0.1", port), timeout=15) as connection:
        connection.sendall(struct.pack(">i", len(request)) + request)
        answer = connection.makefile("rb")
        (size,) = struct.unpack(">i", answer.read(4))
        payload = answer.read(size)
    # The answer ends with: partition, low watermark, error code.
    low, error = struct.unpack(">qh", payload[-10:])
    if error != 0 or low != before:
        raise ServerError(f"DeleteRecords {topic}[{partition}] before {before}: error {error}, first offset {low}")


class Requests:
    """The API keys of a client's requests; called with its bytes as they come."""

    TXN_OFFSET_COMMIT = 28

    def __init__(self):
        self._rest = b""
        self._skip = 0  # bytes of the request whose key is known

    def __call__(self, data):
        keys = []
        self._rest += data
        while True:
            passed = min(self._skip, len(self._rest))
            self._skip -= passed
            self._rest = self._rest[passed:]
            if len(self._rest) < 6:
                return keys
            size, key = struct.unpack(">ih", self._rest[:6])
            keys.append(key)
            self._skip = 4 + size
