"""A disk that is full or read-only for a while: driftd goes on, says so, loses nothing that it acknowledged,
and needs nobody when there is room again."""
import concurrent.futures
import errno
import json
import os
import threading
import time

import pytest

import plant
from driftd import Driftd, read_lines
from servers import Disk, free_port

CHECKS = [{"check": "count", "min": plant.PER_WINDOW, "max": plant.PER_WINDOW}]
NDJSON = {"Content-Type": "application/x-ndjson"}


@pytest.fixture
def disk():
    made = Disk()
    yield made
    made.close()


def config(disk, source=None):
    return plant.config(CHECKS, source=source, service={"data_dir": str(disk.folder), "findings": {"all": True}})


def counted(disk):
    """(start, rows) of each judged window, in the order of the log."""
    return [(f["window"]["start"], f["value"]) for f in read_lines(disk.folder / "findings.jsonl") if f["check"] == "count"]


def whole(windows):
    return [(plant.window_start(n), plant.PER_WINDOW) for n in range(windows)]


@pytest.mark.parametrize("fault", ["ENOSPC", "EROFS"])
def test_http_is_told_and_nothing_acknowledged_is_lost(driftd, disk, fault):
    service = driftd(config(disk), env=disk.environment()).wait_ready()
    plant.post(service, plant.records(0, 3))
    service.wait_metric("driftd_records_total", 3 * plant.PER_WINDOW, stream="plant", result="accepted")
    service.wait(lambda: service.metrics().get("driftd_checkpoint_age_seconds") < 1, "a checkpoint")
    before = service.metrics()
    disk.breaks(fault)
    refused = service.post("/api/v1/streams/plant/records", plant.lines(plant.records(3, 1)), headers=NDJSON)
    assert refused.status == 503 and refused.headers["Retry-After"], refused
    service.wait_metric("driftd_checkpoint_failures_total", before.get("driftd_checkpoint_failures_total") + 2)
    assert service.get("/-/healthy").status == 200
    assert service.get("/-/ready").status == 503, "whoever balances the load is told too"
    assert service.metrics().get("driftd_checkpoint_age_seconds") > 0.2
    disk.heals()
    plant.post(service, plant.records(3, 3))
    service.wait_ready()
    service.wait(lambda: counted(disk) == whole(5), lambda: f"five whole windows, once each: {counted(disk)}")
    service.wait(lambda: service.metrics().get("driftd_checkpoint_age_seconds") < 1, "checkpoints again")
    service.kill9()
    service.start().wait_ready()
    plant.post(service, plant.records(6, 1))
    service.wait(lambda: counted(disk) == whole(6), lambda: f"six whole windows, once each: {counted(disk)}")


def test_mqtt_stays_unacknowledged(driftd, disk, mosquitto, unique):
    source = {"mqtt": {"url": mosquitto.url, "topics": [f"{unique}/+"], "client_id": unique}}
    service = driftd(config(disk, source), env=disk.environment()).wait_ready()

    def publish(first, windows):
        mosquitto.publish((f"{unique}/{row['sensor']}", json.dumps(row)) for row in plant.records(first, windows))

    publish(0, 2)
    service.wait_metric("driftd_records_total", 2 * plant.PER_WINDOW, stream="plant", result="accepted")
    disk.breaks()
    sender = threading.Thread(target=publish, args=(2, 4))
    sender.start()
    service.wait(lambda: service.get("/-/ready").status == 503, "not ready while the journal takes nothing")
    assert service.metrics().get("driftd_records_total", result="accepted") == 2 * plant.PER_WINDOW
    disk.heals()
    sender.join()
    service.wait_ready(60)
    service.wait(lambda: counted(disk) == whole(5), lambda: f"five whole windows, once each: {counted(disk)}", 60)


def test_kafka_findings_and_quarantine(driftd, disk, kafka, unique):
    """A Kafka stream needs no disk to judge: findings and alerts go on, and what was not written is written
    or counted."""
    kafka.create_topic(unique)
    source = {"kafka": {"brokers": [kafka.bootstrap], "topics": [unique], "group": unique}}
    service = driftd(config(disk, source), env=disk.environment()).wait_ready()
    kafka.produce(unique, plant.kafka_records(plant.records(0, 2)))
    service.wait_metric("driftd_records_total", 2 * plant.PER_WINDOW, stream="plant", result="accepted")
    service.wait(lambda: counted(disk) == whole(1), "the first window")
    disk.breaks()
    kafka.produce(unique, plant.kafka_records(plant.records(2, 2)) )
    kafka.produce(unique, [(b"p1", b'{"broken":', plant.START, None)] * 7)
    kafka.produce(unique, plant.kafka_records(plant.records(4, 1)))
    service.wait_metric("driftd_records_total", 5 * plant.PER_WINDOW, stream="plant", result="accepted")
    service.wait_metric("driftd_findings_log_failures_total", 1)
    service.wait_metric("driftd_quarantine_dropped_total", 7, stream="plant")
    answer = service.get("/api/v1/findings?limit=100")
    assert len({f["window"]["end"] for f in answer.json()["findings"] if f["check"] == "count"}) == 4, "they are still shown"
    assert counted(disk) == whole(1)
    disk.heals()
    kafka.produce(unique, plant.kafka_records(plant.records(5, 2)))
    service.wait(lambda: counted(disk) == whole(6), lambda: f"six whole windows, once each: {counted(disk)}")
    kafka.produce(unique, [(b"p1", b'{"broken":', plant.START, None)])
    service.wait_metric("driftd_quarantine_bytes", 1, stream="plant")
    service.wait(lambda: service.metrics().get("driftd_checkpoint_age_seconds") < 1, "checkpoints again")


@pytest.mark.parametrize("fault", ["ENOSPC", "EROFS"])
def test_messages_wait_in_memory_and_go_out_in_their_order(driftd, disk, webhook, fault):
    """Only the outbox is refused: what it could not take is told in its order when it can."""
    sensors = 8
    settings = config(disk)
    settings["streams"]["plant"]["windows"]["by"] = ["sensor"]
    settings["streams"]["plant"]["checks"] = [{"check": "in_range", "field": "temperature", "min": 0, "max": 50}]
    settings["alerts"] = {"for": 1, "group_by": ["stream", "segment"], "notifiers": {"hook": {"type": "webhook", "url": webhook.url}}}
    service = driftd(settings, env=disk.environment() | {"BROKEN_DISK": str(disk.folder / "outbox.db")}).wait_ready()

    def post(first, windows, temperature):
        rows = list(plant.records(first, windows, temperature=temperature))
        plant.post(service, [{**row, "sensor": f"p{n}"} for row in rows for n in range(sensors)])

    disk.breaks(fault)
    post(0, 2, 90)
    post(2, 3, 20)
    service.wait(lambda: len(read_lines(disk.folder / "findings.jsonl")) == 4 * sensors, "four windows that were judged")
    failures = service.metrics().get("driftd_checkpoint_failures_total")
    service.wait_metric("driftd_checkpoint_failures_total", failures + 3)
    assert service.log().count("messages cannot be put into the outbox") == 1, f"said once: {service.log_tail()}"
    assert not webhook.received()
    disk.heals()
    webhook.wait_count(2 * sensors, timeout=60)
    service.wait(lambda: service.metrics().get("driftd_checkpoint_age_seconds") < 1, "checkpoints again")
    assert list(webhook.taken().values()) == [["alert.firing", "alert.resolved"]] * sensors
    assert service.log().count("messages are put into the outbox again") == 1, service.log_tail()


@pytest.mark.parametrize("used", [False, True], ids=["new", "used"])
@pytest.mark.parametrize("fault", ["ENOSPC", "EROFS"])
def test_a_disk_that_refuses_at_the_start_is_said_and_a_later_start_goes_on(disk, fault, used):
    """driftd ends with status 3, so that systemd (Restart=on-failure) tries again until there is room."""
    service = Driftd(config(disk), env=disk.environment())
    try:
        if used:
            service.start().wait_ready()
            plant.post(service, plant.records(0, 3))
            service.wait(lambda: counted(disk) == whole(2), "two windows")
            assert service.terminate() == 0
        disk.breaks(fault)
        for _ in range(2):
            before = len(service.log())
            service.spawn()
            assert service.child.wait(20) == 3, service.log_tail()
            said = service.log()[before:]
            assert os.strerror(getattr(errno, fault)) in said and "driftd must be able to write in its data_dir" in said, said
            assert str(disk.folder) in said and said.count("\n") == 1, f"one line that names the folder: {said}"
        disk.heals()
        service.start().wait_ready()
        plant.post(service, plant.records(3, 3) if used else plant.records(0, 6))
        service.wait(lambda: counted(disk) == whole(5), lambda: f"five whole windows, once each: {counted(disk)}")
    finally:
        service.close()


def test_a_disk_that_is_full_at_the_first_start_leaves_no_half_instance_id(disk):
    """Of a shared store: later starts would refuse it for ever. So did an empty file of older versions."""
    settings = config(disk)
    settings["databases"] = {"shared": {"host": "127.0.0.1", "port": free_port(), "database": "d", "user": "u"}}
    settings["service"]["store"] = "shared"
    instance = disk.folder / "instance"
    service = Driftd(settings, env={**disk.environment(), "BROKEN_DISK": str(instance)})

    def refused():
        before = len(service.log())
        service.spawn()
        assert service.child.wait(30) == 3, service.log_tail()
        return service.log()[before:]

    try:
        disk.breaks()
        said = refused()
        assert os.strerror(errno.ENOSPC) in said and str(instance) in said, said
        disk.heals()
        assert "cannot connect" in refused(), "it goes on to the database, which is not there"
        made = instance.read_text()
        assert len(made) == 16
        assert "cannot connect" in refused() and instance.read_text() == made, "the same one from then on"
        instance.write_text("")
        assert "cannot connect" in refused() and len(instance.read_text()) == 16
        instance.write_text("half")
        assert "must have 16 hex digits" in refused()
    finally:
        service.close()


def test_a_disk_that_hangs_holds_up_records_only(driftd, disk):
    """More requests than there are handlers wait for the journal; health and metrics are answered meanwhile, and
    what waited is answered when the disk is back."""
    settings = config(disk)
    settings["service"]["checkpoint_every"] = "1h"
    service = driftd(settings, env=disk.environment()).wait_ready()
    disk.hangs()
    row = plant.lines(list(plant.records(0, 1))[:1])
    with concurrent.futures.ThreadPoolExecutor(20) as clients:
        waiting = [clients.submit(service.post, "/api/v1/streams/plant/records", row, headers=NDJSON, timeout=60) for _ in range(20)]
        try:
            time.sleep(1)
            assert not any(request.done() for request in waiting)
            for path in ["/-/healthy", "/metrics"]:
                assert service.get(path, timeout=5).status == 200, path
        finally:
            disk.heals()
        assert [request.result().status for request in waiting] == [200] * 20
    service.wait_metric("driftd_records_total", 20, stream="plant", result="accepted")


def test_a_disk_that_hangs_is_seen_by_the_age_of_the_newest_checkpoint(driftd, disk):
    service = driftd(config(disk), env=disk.environment()).wait_ready()
    service.wait(lambda: service.metrics().get("driftd_checkpoint_age_seconds") < 1, "a checkpoint")
    disk.hangs()
    service.wait_metric("driftd_checkpoint_age_seconds", 3, timeout=20)
    disk.heals()
    service.wait(lambda: service.metrics().get("driftd_checkpoint_age_seconds") < 1, "checkpoints go on")


@pytest.mark.parametrize("amid", ["nothing", "a reload", "a log that nobody reads"])
def test_a_disk_that_hangs_does_not_hold_a_stop_for_longer_than_its_grace(driftd, disk, amid):
    """The last checkpoint does not come to its end: driftd says so, ends with status 3 after shutdown_grace, and
    what was acknowledged counts once after the next start. Nor does a reload that does not."""
    settings = config(disk)
    settings["service"] |= {"shutdown_grace": "2s", "checkpoint_every": "1h"}
    settings["streams"]["other"] = settings["streams"]["plant"]
    service = driftd(settings, env=disk.environment())
    unread = None
    if amid == "a log that nobody reads":
        service.stop()
        unread = service.log_to_a_full_pipe()
        service.start()
    service.wait_ready()
    plant.post(service, plant.records(0, 3))
    service.wait(lambda: counted(disk) == whole(2), "two windows")
    disk.hangs()
    if amid == "a reload":
        del settings["streams"]["other"]  # which writes a checkpoint
        service.write_config(settings)
        service.reload()
    began = time.monotonic()
    assert service.terminate(within=20) == 3, service.log_tail()
    assert 2 <= time.monotonic() - began < 10, "not before the grace period, and soon after it"
    if unread is None:
        assert "service.shutdown_grace" in service.log(), service.log_tail()
    else:
        os.close(unread)
        os.close(service.log_to)
        service.log_to = None
    disk.heals()
    service.start().wait_ready()
    plant.post(service, plant.records(3, 3))
    service.wait(lambda: counted(disk) == whole(5), lambda: f"five whole windows, once each: {counted(disk)}")


def test_checks_do_not_change_while_what_they_judged_cannot_be_saved(driftd, disk):
    """Else windows since the newest checkpoint would be judged by both configurations."""
    settings = config(disk)
    service = driftd(settings, env={**disk.environment(), "BROKEN_DISK": str(disk.folder / "state.db")}).wait_ready()
    plant.post(service, plant.records(0, 3))
    service.wait(lambda: counted(disk) == whole(2), "two windows")
    service.wait(lambda: service.metrics().get("driftd_checkpoint_age_seconds") < 0.5, "a checkpoint")
    disk.breaks()
    plant.post(service, plant.records(3, 3))
    service.wait(lambda: counted(disk) == whole(5), "windows that are in no checkpoint")
    changed = json.loads(json.dumps(settings))
    changed["streams"]["plant"]["checks"][0]["max"] = plant.PER_WINDOW + 1
    service.write_config(changed)
    answer = service.post("/-/reload", timeout=60)
    assert answer.status >= 400 and "stream plant cannot change now" in answer.text and "disk" in answer.text, answer
    plant.post(service, plant.records(6, 2))
    service.wait(lambda: counted(disk) == whole(7), lambda: f"it goes on as before: {counted(disk)}")
    disk.heals()
    service.wait(lambda: service.metrics().get("driftd_checkpoint_age_seconds") < 0.5, "checkpoints again")
    assert service.post("/-/reload", timeout=60).status == 200, service.log_tail()
    plant.post(service, plant.records(8, 3))
    # The window that was open when it changed ends without a verdict.
    service.wait(lambda: counted(disk) == whole(7) + whole(10)[8:], lambda: f"no window twice: {counted(disk)}")
