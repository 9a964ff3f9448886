"""The one request that Debian's Python client for Kafka does not have: DeleteRecords."""
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
