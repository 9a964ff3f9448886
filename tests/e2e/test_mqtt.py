"""SKAB's valve1 experiments through a real Mosquitto, one topic a sensor, judged with configs/skab.yaml;
and what a broken connection must not cost."""
import contextlib
import json
import select
import signal
import socket
import ssl
import threading
import time

import pytest

import data
import plant
import servers
from driftd import CONFIGS
from plant import milliseconds
from servers import certificates

MINUTE = 60_000


@pytest.fixture(scope="module")
def rows():
    return list(data.skab_valve1())


def test_skab_valve1(driftd, mosquitto, rows):
    service = driftd(CONFIGS / "skab.yaml", env={"MQTT_URL": mosquitto.url, "MQTT_CLIENT_ID": "skab"})
    service.wait_ready()
    sent = mosquitto.publish(data.skab_messages(rows))
    text = data.README.read_text()
    assert f"({len(rows):,} seconds of" in text and f"{sent:,} messages)" in text
    metrics = service.wait_metric("driftd_records_total", sent, stream="skab", result="accepted")
    assert metrics.get("driftd_records_total", stream="skab", result="accepted") == sent
    assert metrics.get("driftd_records_total", stream="skab", result="rejected") == 0
    assert metrics.get("driftd_records_total", stream="skab", result="late") == 0

    until = rows[-1][0] - 5000
    flow = data.SKAB_SENSORS.index("flow")
    closed_valve = {time // MINUTE * MINUTE for time, values in rows if not 30 <= values[flow] <= 34}
    expected = {start for start in closed_valve if start + MINUTE <= until}
    assert len(expected) > 10
    service.wait_findings(lambda found: {milliseconds(f["window"]["start"]) for f in found} == expected,
                          f"the {len(expected)} minutes with a flow out of range",
                          check="in_range", field="flow", verdict="fail")
    readme = data.readme("SKAB, the stream")
    service.wait(lambda: data.failed(service.findings(), "stream") == readme,
                 lambda: f"what README.md says, {readme}; found {data.failed(service.findings(), 'stream')}")

    times = [time for time, _ in rows]
    for before, after in zip(times, times[1:]):
        if after - before > 10_000:
            assert any(before < milliseconds(f["window"]["end"]) and milliseconds(f["window"]["start"]) <= after
                       for f in service.findings(check="gap", verdict="fail")), f"the gap after {before}"


def in_large_records(plain, broker, made):
    """Serves a client with TLS: what the broker sends within half a second goes out as one record, as far as that goes."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.certificate, made.key)
    with contextlib.suppress(OSError), context.wrap_socket(plain, server_side=True) as client, \
            socket.create_connection(("127.0.0.1", broker.port)) as server:
        client.settimeout(0.01)
        answers, since = b"", time.monotonic()
        while True:
            with contextlib.suppress(TimeoutError):
                asked = client.recv(16384)
                if not asked:
                    return
                server.sendall(asked)
            if select.select([server], [], [], 0)[0]:
                answers += server.recv(1 << 20)
            if answers and time.monotonic() - since > 0.5:
                client.sendall(answers)
                answers, since = b"", time.monotonic()


def test_all_of_a_tls_record_is_read_when_it_comes(driftd, mosquitto, unique, tmp_path):
    """libmosquitto reads it to its end only while errno is not EAGAIN, which is so until some hundred messages were acknowledged."""
    made = certificates.make(tmp_path / "tls")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        def serve():
            with contextlib.suppress(OSError):
                while True:
                    threading.Thread(target=in_large_records, args=(listener.accept()[0], mosquitto, made), daemon=True).start()
        threading.Thread(target=serve, daemon=True).start()
        service = driftd(plant.config([{"check": "count", "min": 1}], source={"mqtt": {
            "url": f"mqtts://127.0.0.1:{listener.getsockname()[1]}", "topics": [f"{unique}/+"], "client_id": unique, "keep_alive": "600s",
            "tls": {"ca_file": str(made.ca)}}})).wait_ready()
        for first in range(12):
            mosquitto.publish(messages(unique, plant.records(first, 1)))
            service.wait_metric("driftd_records_total", (first + 1) * plant.PER_WINDOW, timeout=30, stream="plant", result="accepted")


def source(broker, client_id, **more):
    return {"mqtt": {"url": broker.url, "topics": [f"{client_id}/+"], "client_id": client_id, **more}}


def messages(client_id, rows):
    return [(f"{client_id}/{row['sensor']}", json.dumps(row)) for row in rows]


def counted(service):
    """Rows of each judged window, by its start."""
    return {f["window"]["start"]: f["value"] for f in service.findings(check="count")}


def count_config(broker, client_id):
    return plant.config([{"check": "count", "min": plant.PER_WINDOW, "max": plant.PER_WINDOW}],
                        source=source(broker, client_id), service={"findings": {"all": True}})


@pytest.mark.parametrize("end,version", [("terminate", "5"), ("kill9", "5"), ("kill9", "3.1.1")])
def test_every_message_is_in_exactly_one_window(driftd, mosquitto, unique, end, version):
    """driftd is ended and started again while messages come; the broker keeps them meanwhile."""
    config = count_config(mosquitto, unique)
    config["streams"]["plant"]["from"]["mqtt"]["version"] = version
    service = driftd(config).wait_ready()
    windows = 200
    sender = threading.Thread(target=mosquitto.publish, args=(messages(unique, plant.records(0, windows)),))
    sender.start()
    for wanted in (3000, 2000):
        service.wait_metric("driftd_records_total", wanted, stream="plant", result="accepted")
        getattr(service, end)()
        service.start()
    sender.join()
    service.wait_ready()
    expected = {plant.window_start(n): plant.PER_WINDOW for n in range(windows - 1)}
    service.wait_findings(lambda _: len(counted(service)) >= len(expected), f"{len(expected)} windows", check="count")
    wrong = {start: n for start, n in counted(service).items() if n != expected.get(start)}
    assert not wrong, f"windows with rows lost or counted twice: {wrong}"


def test_a_broker_that_is_restarted_costs_nothing(driftd, unique):
    with servers.Mosquitto(persistence=True) as broker:
        service = driftd(count_config(broker, unique)).wait_ready()
        broker.publish(messages(unique, plant.records(0, 3)))
        service.wait_metric("driftd_records_total", 3 * plant.PER_WINDOW, stream="plant", result="accepted")
        broker.stop()
        servers.wait_for(lambda: service.get("/-/ready").status == 503, "not ready while the broker is away")
        assert service.get("/-/healthy").status == 200
        broker.start()
        service.wait_ready()
        broker.publish(messages(unique, plant.records(3, 3)))
        service.wait_findings(lambda _: len(counted(service)) == 5, "five whole windows", check="count")
        assert set(counted(service).values()) == {plant.PER_WINDOW}


def test_a_broker_that_was_away_is_no_silence(driftd, unique):
    """It was for longer than `idle`; publishers that could not send meanwhile send the rest of an open window when it is back."""
    rows = list(plant.records(0, 4))
    half, idle = 3 * plant.PER_WINDOW // 2, 10
    with servers.Mosquitto(persistence=True) as broker:
        config = count_config(broker, unique)
        config["streams"]["plant"]["windows"]["idle"] = f"{idle}s"
        service = driftd(config).wait_ready()
        broker.publish(messages(unique, rows[:half]))
        service.wait_metric("driftd_records_total", half, stream="plant", result="accepted")
        broker.stop()
        service.wait(lambda: service.metrics().get("driftd_source_up", stream="plant", source="mqtt") == 0, "the outage to be seen")
        away = time.monotonic()
        servers.wait_for(lambda: time.monotonic() - away > idle, "an outage longer than idle")
        broker.start()
        # It is told where silence is looked for, so that has been done when it shows.
        service.wait_metric("driftd_source_up", 1, stream="plant", source="mqtt", timeout=60)
        broker.publish(messages(unique, rows[half:]))
        service.wait_findings(lambda _: len(counted(service)) >= 3, "three windows", check="count")
        assert set(counted(service).values()) == {plant.PER_WINDOW}
        assert service.metrics().get("driftd_late_records_total", stream="plant") == 0


def test_a_broker_that_lost_the_session_is_told_of_and_subscribed_again(driftd, unique):
    with servers.Mosquitto(persistence=False) as broker:
        service = driftd(count_config(broker, unique)).wait_ready()
        broker.stop()
        broker.start()
        service.wait_metric("driftd_mqtt_session_lost_total", 1, stream="plant")
        assert "lost our session" in service.log()
        service.wait_ready()
        broker.publish(messages(unique, plant.records(0, 3)))
        service.wait_metric("driftd_records_total", 3 * plant.PER_WINDOW, stream="plant", result="accepted")
        assert service.metrics().get("driftd_mqtt_session_lost_total", stream="plant") == 1


@pytest.mark.parametrize("version", ["5", "3.1.1"])
def test_a_retained_message_counts_once(driftd, mosquitto, unique, version):
    """Each connection subscribes; what is retained must not come again with it, and must with a new session."""
    config = count_config(mosquitto, unique)
    config["streams"]["plant"]["from"]["mqtt"].update(version=version, retained=True)
    client = mosquitto.client()
    client.connect("127.0.0.1", mosquitto.port)
    client.loop_start()
    (topic, payload), *others = messages(unique, plant.records(0, 3))
    client.publish(topic, payload, qos=1, retain=True).wait_for_publish(10)
    client.disconnect()
    client.loop_stop()
    service = driftd(config).wait_ready()
    service.wait_metric("driftd_records_total", 1, stream="plant", result="accepted")
    mosquitto.publish(others[:9])
    service.wait_metric("driftd_records_total", 10, stream="plant", result="accepted")
    service.kill9()
    service.start()
    service.wait_ready()
    mosquitto.publish(others[9:])  # behind what subscribing brings
    service.wait_findings(lambda _: len(counted(service)) >= 2, "two windows", check="count")
    assert set(counted(service).values()) == {plant.PER_WINDOW}


def test_a_broker_that_freezes_is_noticed_and_costs_nothing(driftd, unique):
    """Its connections stay open and nothing comes: the pings that it does not answer tell."""
    with servers.Mosquitto(persistence=True) as broker:
        config = count_config(broker, unique)
        config["streams"]["plant"]["from"]["mqtt"]["keep_alive"] = "5s"
        service = driftd(config).wait_ready()
        broker.publish(messages(unique, plant.records(0, 3)))
        service.wait_metric("driftd_records_total", 3 * plant.PER_WINDOW, stream="plant", result="accepted")
        broker.child.send_signal(signal.SIGSTOP)
        try:
            service.wait(lambda: service.get("/-/ready").status == 503, "not ready while the broker is frozen", 30)
            service.wait(lambda: service.metrics().get("driftd_source_up", stream="plant", source="mqtt") == 0, "source_up 0")
        finally:
            broker.child.send_signal(signal.SIGCONT)
        service.wait_ready(60)
        broker.publish(messages(unique, plant.records(3, 3)))
        service.wait_findings(lambda _: len(counted(service)) == 5, "five whole windows", check="count")
        assert set(counted(service).values()) == {plant.PER_WINDOW}


def test_tls_with_user_and_password(driftd, unique, tmp_path):
    password = tmp_path / "password"
    password.write_text("s3cret-mqtt\n")
    with servers.Mosquitto(tls=True, user="driftd", password="s3cret-mqtt") as broker:
        config = plant.config([], source=source(broker, unique, username="driftd", password_file=str(password),
                                                tls={"ca_file": str(broker.ca)}))
        service = driftd(config).wait_ready()
        broker.publish(messages(unique, plant.records(0, 2)))
        service.wait_metric("driftd_records_total", 2 * plant.PER_WINDOW, stream="plant", result="accepted")
        assert "s3cret-mqtt" not in service.log()


@pytest.mark.parametrize("way", ["path", "topic_fields"])
def test_levels_of_the_topic_are_sensor_and_segment(driftd, mosquitto, unique, way):
    site = {"type": "category", "role": "segment", **({"path": "@topic/2"} if way == "path" else {})}
    mqtt = {"url": mosquitto.url, "topics": [f"{unique}/+/+"], "client_id": unique, **({"topic_fields": "_/site/_"} if way != "path" else {})}
    config = plant.config(
        [{"check": "count", "min": plant.PER_WINDOW, "max": plant.PER_WINDOW}],
        source={"mqtt": mqtt},
        service={"findings": {"all": True}},
        stream_decode={"format": "json", "sensor": "@topic/3", "time": {"field": "ts", "unit": "ms"}},
        stream_fields={"temperature": "number", "site": site},
        stream_windows={"size": "10s", "lateness": "0s", "idle": "1h", "by": ["site", "sensor"]})
    service = driftd(config).wait_ready()
    mosquitto.publish((f"{unique}/hall-{row['ts'] // plant.WINDOW % 2}/pump-7", json.dumps(row))
                      for row in plant.records(0, 3))
    wanted = {("site", f"hall-{(plant.START // plant.WINDOW + n) % 2}") for n in range(2)} | {("sensor", "pump-7")}

    def segments():
        return {(f["segment"]["by"], f["segment"]["value"])
                for f in service.findings(check="count", verdict="ok")}
    service.wait(lambda: segments() == wanted, lambda: f"{wanted}; found {segments()}")
