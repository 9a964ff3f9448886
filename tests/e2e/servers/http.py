"""Small HTTP client calls: status, headers and body, never an exception for a status."""
import base64
import json
import urllib.error
import urllib.request


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


def request(method, url, body=None, headers=None, timeout=10, context=None, user=None):
    """`context` is an ssl.SSLContext, `user` a pair (name, password)."""
    if user:
        headers = {"Authorization": "Basic " + base64.b64encode(":".join(user).encode()).decode(), **(headers or {})}
    if body is not None and not isinstance(body, (bytes, str)):
        body = json.dumps(body)
        headers = {"Content-Type": "application/json", **(headers or {})}
    data = body.encode() if isinstance(body, str) else body
    asked = urllib.request.Request(url, data=data, headers=headers or {}, method=method)
    # No proxy of the machine may stand between two ends of the loopback.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
    try:
        with opener.open(asked, timeout=timeout) as answer:
            return Answer(answer.status, answer.headers, answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, error.headers, error.read())


def get(url, **options):
    return request("GET", url, **options)


def post(url, body=None, **options):
    return request("POST", url, body=body, **options)
