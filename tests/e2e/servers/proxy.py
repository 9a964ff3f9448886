"""A TCP proxy that can be slow, or take everything and pass nothing on, as a network that is overloaded or broken."""
import socket
import threading
import time

from .process import free_port


class Proxy:
    """Passes connections to `port` on to 127.0.0.1:`target`; rate(bytes a second in each direction), rate(0) hangs,
    rate(None) flows."""

    _CHUNK = 16384

    def __init__(self, target, port=None):
        self.port, self._target = port or free_port(), target
        self._rate = None
        self._passes = threading.Event()
        self._passes.set()
        self._closed = False
        self.passed = 0
        self._server = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, daemon=True).start()

    def rate(self, bytes_a_second):
        self._rate = bytes_a_second
        self._passes.clear() if bytes_a_second == 0 else self._passes.set()

    def _accept(self):
        while not self._closed:
            try:
                client, _ = self._server.accept()
                server = socket.create_connection(("127.0.0.1", self._target), timeout=5)
            except OSError:
                continue
            server.settimeout(None)
            for pair in ((client, server), (server, client)):
                threading.Thread(target=self._pump, args=pair, daemon=True).start()

    def _pump(self, source, sink):
        try:
            while data := source.recv(self._CHUNK):
                while data:
                    self._passes.wait()
                    rate = self._rate
                    part = data if rate is None else data[:max(1, rate // 20)]
                    sink.sendall(part)
                    self.passed += len(part)
                    data = data[len(part):]
                    if rate is not None:
                        time.sleep(0.05)  # the pace
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        self._closed = True
        self._passes.set()
        self._server.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
