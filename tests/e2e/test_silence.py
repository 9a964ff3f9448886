"""An alert about a sensor that falls silent is not well again: it lasts until the sensor is heard of."""
import json

import plant
from driftd import run_driftd


def config():
    return plant.config([{"check": "in_range", "field": "temperature", "min": 0, "max": 50, "by": "sensor"}],
                        alerts={"for": 1, "notifiers": {"log": {"type": "log"}}},
                        stream_windows={"size": "10s", "lateness": "0s", "idle": "1h", "by": ["stream", "sensor"]})


def both(first, windows, **fields):
    return sorted([*plant.records(first, windows, sensor="p0"), *plant.records(first, windows, sensor="p1", **fields)],
                  key=lambda row: row["ts"])


def test_a_silent_sensor_keeps_its_alert(driftd, tmp_path):
    # One virtual partition would be enough; sensors of others only need a record of a later window each.
    rows = [*both(0, 2, temperature=90), *plant.records(2, 6, sensor="p0"), *both(8, 3)]
    quiet = [row for row in rows if row["ts"] < plant.START + 8 * plant.WINDOW]
    path = tmp_path / "rows.jsonl"
    source = {"file": {"paths": [str(path)], "format": "json_lines"}}
    live = config()
    live["streams"]["plant"]["from"] = source
    path.write_text(plant.lines(quiet))
    service = driftd(live).wait_ready()
    service.wait(lambda: service.metrics().get("driftd_watermark_seconds", stream="plant") * 1000
                 >= plant.START + 7 * plant.WINDOW, "the silent windows are closed")
    [alert] = service.get("/api/v1/alerts").json()["alerts"]
    assert alert["state"] == "firing" and alert["segment"] == {"by": "sensor", "value": "p1"}, alert
    assert service.terminate() == 0

    def replayed(some):
        path.write_text(plant.lines(some))
        out = tmp_path / "alerts.jsonl"
        done = run_driftd("replay", service.config_path, "--input", path, "--alerts", out)
        assert done.returncode == 0, done
        return [json.loads(line) for line in out.read_text().splitlines()]

    [fired] = replayed(quiet)
    assert fired["starts_at"] == alert["starts_at"] and fired["fingerprint"] == alert["fingerprint"]
    fired, resolved = replayed(rows)
    assert (fired["state"], resolved["state"]) == ("firing", "resolved")
    assert resolved["ends_at"] == plant.window_start(9), "the end of its first good window"
    assert resolved["summary"].endswith("is well again after 2 bad windows")
