"""Small HTTP client calls: status, headers and body, never an exception for a status."""
import base64
import contextlib
import http.client
import json
import urllib.parse


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def text(self):
        return self.body.decode(errors="replace")

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"HTTP {self.status}: {self.text[:300]}"


def request(method, url, body=None, headers=None, timeout=30, context=None, user=None):
    """`context` is an ssl.SSLContext, `user` a pair (name, password)."""
    if user:
        headers = {"Authorization": "Basic " + base64.b64encode(":".join(user).encode()).decode(), **(headers or {})}
    if body is not None and not isinstance(body, (bytes, str)):
        body = json.dumps(body)
        headers = {"Content-Type": "application/json", **(headers or {})}
    data = body.encode() if isinstance(body, str) else body
    form = {"Content-Type": "application/x-www-form-urlencoded"} if data is not None else {}  # what nobody has said a type of
    where = urllib.parse.urlsplit(url)
    if where.scheme == "https":
        connection = http.client.HTTPSConnection(where.hostname, where.port, timeout=timeout, context=context)
    else:
        connection = http.client.HTTPConnection(where.hostname, where.port, timeout=timeout)
    target = (where.path or "/") + (f"?{where.query}" if where.query else "")
    broke_off = None
    with contextlib.closing(connection):
        try:
            connection.request(method, target, body=data, headers={"Connection": "close", **form, **(headers or {})})
        except (BrokenPipeError, ConnectionResetError) as error:
            broke_off = error  # a server need not take all of a body that it refuses: its answer may be there
            if connection.sock is None:
                raise
        try:
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        except (OSError, http.client.HTTPException) as error:
            raise broke_off or error


def get(url, **options):
    return request("GET", url, **options)


def post(url, body=None, **options):
    return request("POST", url, body=body, **options)
