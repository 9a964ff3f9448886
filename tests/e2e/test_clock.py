"""A wall clock that is turned, both ways, while driftd runs: windows, checkpoints and deliveries go on."""
import json
import time

import pytest

import plant
import stored
from driftd import read_lines, run_driftd
from servers import TurnedClock

DAY = 86400
CHECKS = [{"check": "count", "min": plant.PER_WINDOW, "max": plant.PER_WINDOW},
          {"check": "in_range", "field": "temperature", "min": 0, "max": 50, "severity": "critical"}]


@pytest.fixture
def clock():
    made = TurnedClock()
    yield made
    made.close()


@pytest.fixture
def config(webhook):
    return plant.config(CHECKS, service={"findings": {"all": True}},
                        alerts={"for": 1, "routes": [{"match": {"severity": "critical"}, "to": ["hook"]}],
                                "notifiers": {"hook": {"type": "webhook", "url": webhook.url}}})


def counted(service):
    return [(f["window"]["start"], f["value"]) for f in read_lines(service.data_dir / "findings.jsonl")
            if f["check"] == "count"]


def whole(windows):
    return [(plant.window_start(n), plant.PER_WINDOW) for n in range(windows)]


@pytest.mark.parametrize("turn", [DAY, -DAY])
def test_windows_checkpoints_and_deliveries_go_on(driftd, webhook, config, clock, turn):
    webhook.default = (503, {"Retry-After": "2"})
    service = driftd(config, env=clock.environment()).wait_ready()
    plant.post(service, plant.records(0, 3, temperature=90))
    first = webhook.wait_count(1)[0]
    assert json.loads(first.body)["time"], first.body
    clock.turn(turn)
    assert service.metrics().get("driftd_checkpoint_age_seconds") < 60, "by no clock that is turned"
    # What waited for its next attempt is not forgotten for a day.
    tried = len(webhook.received())
    webhook.default = (200, {})
    before, again = webhook.wait_count(tried + 1, timeout=90)[tried - 1:tried + 1]
    assert again.headers["webhook-id"] == first.headers["webhook-id"]
    assert int(before.at + turn) <= int(again.headers["webhook-timestamp"]) <= again.at + turn, "the clock was turned"
    plant.post(service, plant.records(3, 3, temperature=90))
    service.wait(lambda: counted(service) == whole(5), lambda: f"five whole windows: {counted(service)}")
    service.wait(lambda: service.metrics().get("driftd_checkpoint_age_seconds") < 5, "checkpoints go on")
    assert service.metrics().get("driftd_checkpoint_failures_total") == 0
    assert service.get("/-/ready").status == 200
    service.kill9()
    clock.turn(-turn)  # and back, while it was away
    service.start().wait_ready()
    plant.post(service, plant.records(6, 2, temperature=90))
    service.wait(lambda: counted(service) == whole(7), lambda: f"seven whole windows, once each: {counted(service)}")
    # One alert all the while: no second message, but for one that says that it is over.
    assert {r.headers["webhook-id"] for r in webhook.received()} == {first.headers["webhook-id"]}
    plant.post(service, plant.records(8, 4))
    service.wait(lambda: len({r.headers["webhook-id"] for r in webhook.received()}) == 2, "the end of the alert")


def test_an_alert_fires_before_it_is_over_when_the_clock_was_turned_back(driftd, webhook, config, clock):
    """Both wait for the receiver; one that was told the end first would show the alert for ever."""
    sensors = 8
    webhook.default = (503, {"Retry-After": "1"})
    config["streams"]["plant"]["windows"]["by"] = ["sensor"]
    config["alerts"]["group_by"] = ["stream", "segment"]
    service = driftd(config, env=clock.environment()).wait_ready()

    def post(first, windows, temperature):
        rows = list(plant.records(first, windows, temperature=temperature))
        plant.post(service, [{**row, "sensor": f"p{n}"} for row in rows for n in range(sensors)])

    post(0, 2, 90)
    service.wait_metric("driftd_outbox_pending", sensors)
    clock.turn(-3600)
    post(2, 3, 20)
    service.wait_metric("driftd_outbox_pending", 2 * sensors)
    webhook.default = (200, {})
    service.wait(lambda: service.metrics().get("driftd_outbox_pending") == 0, "an empty outbox", 90)
    assert list(webhook.taken().values()) == [["alert.firing", "alert.resolved"]] * sensors


def records_of_now(windows):
    """Of the hour that has begun an hour ago."""
    shift = int(time.time() * 1000) // plant.WINDOW * plant.WINDOW - 3600_000 - plant.START
    return [row | {"ts": row["ts"] + shift} for row in plant.records(0, windows)]


def values(service):
    return [value for _, value in counted(service)]


def test_records_of_now_are_judged_under_a_clock_that_was_set_back(driftd, config, clock):
    """To it they come from the future. It is wrong, as driftd saw that it was set, and it stays so behind a kill."""
    config["service"]["checkpoint_every"] = "1s"  # each says what time it is
    service = driftd(config, env=clock.environment()).wait_ready()
    service.wait(lambda: service.metrics().get("driftd_checkpoint_bytes") > 0, "a checkpoint")
    assert service.metrics().get("driftd_clock_behind_seconds") == 0
    clock.turn(-DAY)
    rows = records_of_now(6)
    a_window = len(rows) // 6
    plant.post(service, rows[:2 * a_window])
    service.wait_metric("driftd_records_total", 2 * a_window, stream="plant", result="accepted")
    assert service.metrics().get("driftd_clock_behind_seconds") == pytest.approx(DAY, abs=2)
    service.kill9()
    service.start().wait_ready()
    assert service.metrics().get("driftd_clock_behind_seconds") == pytest.approx(DAY, abs=60)
    plant.post(service, rows[2 * a_window:4 * a_window])
    service.wait(lambda: values(service) == [plant.PER_WINDOW] * 3, lambda: f"three whole windows: {counted(service)}")
    clock.turn(0)
    service.wait(lambda: service.metrics().get("driftd_clock_behind_seconds") == 0, "the clock is believed again")
    plant.post(service, rows[4 * a_window:])
    service.wait(lambda: values(service) == [plant.PER_WINDOW] * 5, lambda: f"five whole windows: {counted(service)}")
    assert not service.metrics().get("driftd_rejects_total", stream="plant", reason="future_time")


def test_times_of_arrival_go_on_when_the_clock_is_set_back(driftd, config, clock):
    """By the clock as it is now all that comes would be late."""
    config["streams"]["plant"]["decode"]["time"] = "@arrival"
    config["streams"]["plant"]["windows"]["size"] = "1s"
    service = driftd(config, env=clock.environment()).wait_ready()
    bodies = 0

    def send_until_three_more_windows():
        had = len(counted(service))

        def one_more_body():
            nonlocal bodies
            plant.post(service, plant.records(0, 1))
            bodies += 1
            return len(counted(service)) >= had + 3
        service.wait(one_more_body, "three more windows")

    send_until_three_more_windows()
    for turned in (-DAY, 0):
        clock.turn(turned)
        send_until_three_more_windows()
    service.wait_metric("driftd_records_total", bodies * plant.PER_WINDOW, stream="plant", result="accepted")
    assert not service.metrics().get("driftd_late_records_total", stream="plant")


def test_records_of_now_under_a_clock_that_never_was_right_are_kept_until_it_is(driftd, config, clock):
    """Nobody can know which is wrong: nothing of them is judged, and nothing is lost."""
    clock.turn(-DAY)
    service = driftd(config, env=clock.environment()).wait_ready()
    rows = records_of_now(3)
    plant.post(service, rows)
    service.wait_metric("driftd_rejects_total", len(rows), stream="plant", reason="future_time")
    assert service.metrics().get("driftd_records_total", stream="plant", result="accepted") == 0
    stored.wait_checkpoint(service)  # behind it the quarantine has all of them on the disk
    clock.turn(0)
    done = run_driftd("quarantine", "replay", service.config_path, "--to", service.url, "--reason", "future_time")
    assert done.returncode == 0 and f"{len(rows)} sent to" in done.stdout, done
    service.wait_metric("driftd_records_total", len(rows), stream="plant", result="accepted")
    service.wait(lambda: values(service) == [plant.PER_WINDOW] * 2, lambda: f"two whole windows: {counted(service)}")


@pytest.mark.parametrize("off", [False, True], ids=["running", "off"])
def test_messages_that_wait_outlast_a_month(driftd, webhook, config, clock, off):
    """Their attempts bound them, not their age: by a jump of the clock, or while driftd is off, none is made."""
    webhook.default = (503, {})
    config["streams"]["plant"]["windows"]["by"] = ["stream", "sensor"]
    config["alerts"]["group_by"] = ["stream", "segment"]
    service = driftd(config, env=clock.environment()).wait_ready()
    rows = list(plant.records(0, 2, temperature=90))
    plant.post(service, [{**row, "sensor": f"p{n}"} for row in rows for n in range(4)])
    service.wait_metric("driftd_outbox_pending", 5)
    if off:
        assert service.terminate() == 0
    tried = len(webhook.received())
    clock.turn(30 * DAY)
    if off:
        service.start().wait_ready()
    webhook.wait_count(tried + 2, timeout=60)
    service.wait_metric("driftd_outbox_pending", 5)
    webhook.default = (200, {})
    service.wait(lambda: service.metrics().get("driftd_outbox_pending") == 0, "an empty outbox", 90)
    assert len({r.headers["webhook-id"] for r in webhook.received()}) == 5
    assert not any(n for _, n in service.metrics().all("driftd_outbox_dropped_total"))
