"""A small stream for tests that need records of a known kind: one sensor, windows of 10 s of event
time, judged as soon as a record of a later window comes. Everything is at a fixed time in the past, so
nothing depends on the clock."""
import datetime
import json
import time

START = 1700000000000  # ms, a multiple of the window
WINDOW = 10_000        # ms
PER_WINDOW = 100


def config(checks, source=None, **more):
    """A configuration with the one stream `plant`; `source` is what stands under `from`, HTTP by
    default; `more` are further sections, or keys of the stream when they start with stream_."""
    stream = {
        "from": source or {"http": {}},
        "decode": {"format": "json", "sensor": "sensor", "time": {"field": "ts", "unit": "ms"}},
        "fields": {"temperature": {"type": "number", "unit": "celsius"}, "status": {"type": "category"}},
        "windows": {"size": "10s", "lateness": "0s", "idle": "1h", "by": ["stream"]},
        "checks": checks,
        **{key.removeprefix("stream_"): value for key, value in more.items() if key.startswith("stream_")}}
    service = {"checkpoint_every": "200ms", **more.pop("service", {})}
    sections = {key: value for key, value in more.items() if not key.startswith("stream_")}
    return {"service": service, **sections, "streams": {"plant": stream}}


def records(first, windows, temperature=20.0, status="on", sensor="p1"):
    """The rows of `windows` windows, from window number `first` on. The values of a window spread
    evenly over one degree around `temperature`."""
    for window in range(first, first + windows):
        for i in range(PER_WINDOW):
            yield {"sensor": sensor, "ts": START + window * WINDOW + i * WINDOW // PER_WINDOW,
                   "temperature": round(temperature - 0.5 + (i + 0.5) / PER_WINDOW, 3), "status": status}


def lines(rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


def post(driftd, rows):
    """Sends rows to the stream over HTTP as JSON lines, again while the stream is not started yet."""
    body, until = lines(rows), time.monotonic() + 15
    while True:
        answer = driftd.post("/api/v1/streams/plant/records", body, headers={"Content-Type": "application/x-ndjson"})
        if answer.status != 503 or time.monotonic() > until:
            break
        time.sleep(0.1)
    assert answer.status == 200, answer


def kafka_records(rows):
    """(key, value, timestamp_ms, headers) as Kafka.produce takes them."""
    for row in rows:
        yield row["sensor"].encode(), json.dumps(row).encode(), row["ts"], None


def window_start(number):
    """Start of a window as findings write it (RFC 3339, UTC)."""
    return rfc3339(START + number * WINDOW)


def rfc3339(milliseconds):
    moment = datetime.datetime.fromtimestamp(milliseconds // 1000, datetime.timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def milliseconds(text):
    """The inverse, for any fraction."""
    return round(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000)
