"""An HTTP receiver that remembers what it was sent and answers as it is told."""
import collections
import http.server
import json
import ssl
import threading
import time

from .process import wait_for

Received = collections.namedtuple("Received", "at method path headers body status")


class WebhookReceiver:
    """`answers` are (status, headers) for the next requests, in order; later ones get `default`.
    With `certificates` it speaks TLS."""

    def __init__(self, answers=(), default=(200, {}), certificates=None):
        self._lock = threading.Lock()
        self._answers = collections.deque(answers)
        self.default = default
        self._received = []
        self._delay = 0.0
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                receiver._handle(self)

            do_PUT = do_GET = do_OPTIONS = do_POST

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.url = f"{'https' if certificates else 'http'}://127.0.0.1:{self.port}"
        if certificates:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(str(certificates.certificate), str(certificates.key))
            # The handshake is done by the thread that reads the request, so that none blocks the others.
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True,
                                                      do_handshake_on_connect=False)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def _handle(self, handler):
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        with self._lock:
            status, headers = self._answers.popleft() if self._answers else self.default
            self._received.append(Received(time.time(), handler.command, handler.path, handler.headers, body, status))
        if self._delay:
            time.sleep(self._delay)
        try:
            handler.send_response(status)
            for name, value in headers.items():
                handler.send_header(name, str(value))
            handler.send_header("Content-Length", "0")
            handler.end_headers()
        except OSError:
            pass  # the sender did not wait for the answer

    def answer(self, *answers):
        """Adds (status, headers) for the next requests."""
        with self._lock:
            self._answers.extend(answers)

    def slow(self, seconds):
        """Every answer comes this much later."""
        self._delay = seconds

    def received(self):
        with self._lock:
            return list(self._received)

    def wait_count(self, count, timeout=60):
        wait_for(lambda: len(self.received()) >= count,
                 lambda: f"{count} requests at {self.url}, there are {[(r.path, r.status) for r in self.received()]}",
                 timeout)
        return self.received()

    def json(self):
        return [json.loads(r.body) for r in self.received()]

    def taken(self):
        """{subject: types of the events that were answered with 200, in the order in which they came}; each once."""
        types = collections.defaultdict(dict)
        for request in self.received():
            if request.status == 200:
                event = json.loads(request.body)
                types[event["subject"]].setdefault(event["id"], event["type"].removeprefix("driftd."))
        return {subject: list(by_id.values()) for subject, by_id in types.items()}

    def close(self):
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
