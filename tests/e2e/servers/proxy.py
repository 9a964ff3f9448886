"""A TCP proxy that can be slow, take everything and pass nothing on, or break off at a certain request, as a network that is overloaded
or broken."""
import socket
import threading
import time

from .process import free_port


class Proxy:
    """Passes connections to `port` on to 127.0.0.1:`target`; rate(bytes a second in each direction), rate(0) hangs,
    rate(None) flows. `requests()` makes what tells the requests of a connection's client: called with bytes, it returns their names;
    before a request of the name cut_at(name) is passed on, all connections end, and none is taken until mend()."""

    _CHUNK = 16384

    def __init__(self, target, port=None, requests=None):
        self.port, self._target, self._requests = port or free_port(), target, requests
        self._cut_at, self._open = None, []
        self.is_cut = threading.Event()
        self._rate = None
        self._passes = threading.Event()
        self._passes.set()
        self._closed = False
        self.passed = 0
        self.mend()

    def rate(self, bytes_a_second):
        self._rate = bytes_a_second
        self._passes.clear() if bytes_a_second == 0 else self._passes.set()

    def cut_at(self, name):
        self._cut_at = name

    def mend(self):
        self.is_cut.clear()
        self._cut_at = None
        self._server = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, args=(self._server,), daemon=True).start()

    def _cut(self):
        self.is_cut.set()
        self._server.shutdown(socket.SHUT_RDWR)  # a blocked accept() would keep the port open
        self._server.close()
        for end in self._open:
            self._end(end)

    def _accept(self, listener):
        while not self._closed and not self.is_cut.is_set():
            try:
                client, _ = listener.accept()
                server = socket.create_connection(("127.0.0.1", self._target), timeout=5)
            except OSError:
                continue
            server.settimeout(None)
            self._open += [client, server]
            requests = self._requests() if self._requests else None
            for pair in ((client, server, requests), (server, client, None)):
                threading.Thread(target=self._pump, args=pair, daemon=True).start()

    def _pump(self, source, sink, requests):
        try:
            while data := source.recv(self._CHUNK):
                if requests and self._cut_at in requests(data):
                    return self._cut()
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
        self._end(source)
        self._end(sink)

    @staticmethod
    def _end(end):
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
