"""Whoever driftd talks to may be slow, hang, or have no address yet: the others are served, nothing is lost, and it
goes on by itself."""
import contextlib
import json
import os
import socket
import time

import pytest

import plant
import servers

CHECKS = [{"check": "count", "min": plant.PER_WINDOW, "max": plant.PER_WINDOW},
          {"check": "in_range", "field": "temperature", "min": 0, "max": 50, "severity": "critical"}]
READERS = 50


def alerts(**urls):
    return {"for": 1, "routes": [{"match": {"severity": "critical"}, "to": list(urls)}],
            "notifiers": {name: {"type": "webhook", "url": url} for name, url in urls.items()}}


@pytest.fixture
def black_hole():
    """URL of a server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=100) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"


def kafka_source(bootstrap, topic):
    return {"kafka": {"brokers": [bootstrap], "topics": [topic], "group": topic,
                      "options": {"session.timeout.ms": "10000", "socket.timeout.ms": "10000", "fetch.message.max.bytes": "20000"}}}


def accepted(service):
    return service.metrics().get("driftd_records_total", stream="plant", result="accepted")


def test_a_webhook_that_hangs_costs_a_healthy_one_one_timeout_at_most(driftd, webhook, black_hole):
    service = driftd(plant.config(CHECKS, alerts=alerts(hangs=black_hole, healthy=webhook.url))).wait_ready()
    # A source's partitions get 5 s to say something before a window closes without them.
    plant.post(service, plant.records(0, 2))
    service.wait_metric("driftd_windows_total", 1, stream="plant")
    for round_, temperature in enumerate((90, 20, 90), start=1):
        plant.post(service, plant.records(2 * round_, 2, temperature=temperature))
        sent = time.monotonic()
        # The first window of the round is judged when its second begins: one message each.
        webhook.wait_count(round_, timeout=40)
        assert time.monotonic() - sent < 28, "a timeout is 15 s, and this is less than two"
        service.wait(lambda n=round_: accepted(service) == (n + 1) * 2 * plant.PER_WINDOW, "judging waits for no receiver", 10)
    types = [json.loads(r.body)["type"].rsplit(".", 1)[1] for r in webhook.received()]
    assert types == ["firing", "resolved", "firing"], types
    assert service.metrics().get("driftd_notifications_total", notifier="hangs", result="retry") >= 1
    begin = time.monotonic()
    assert service.terminate(within=20) == 0, service.log_tail()
    assert time.monotonic() - begin < 12, "less than the timeout"


@pytest.mark.parametrize("path", ["/metrics", "/api/v1/findings?limit=1000"])
def test_readers_that_never_read_hold_up_nobody_and_are_cut_off(driftd, path):
    levels = {"size": "10s", "lateness": "0s", "idle": "1h", "by": ["stream", "sensor"]}
    service = driftd(plant.config([{"check": "count", "min": 1}], stream_windows=levels,
                                  service={"findings": {"all": True}})).wait_ready()
    for window in range(3):
        plant.post(service, [{"sensor": f"s{n}", "ts": plant.START + window * plant.WINDOW, "temperature": 20.0, "status": "on"}
                             for n in range(1000)])
    service.wait(lambda: len(service.get("/api/v1/findings?limit=1000").json()["findings"]) == 1000, "findings to be shown")
    size = len(service.get(path).text)
    before = service.peak_memory()
    readers = []
    for number in range(READERS):
        reader = socket.socket()
        reader.bind((f"127.0.0.{number + 2}", 0))  # requests a second are bounded by address
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        reader.connect(("127.0.0.1", int(service.url.rsplit(":", 1)[1])))
        # More answers than the buffers of the two systems between us can take.
        reader.sendall(f"GET {path} HTTP/1.1\r\nHost: h\r\n\r\n".encode() * max(50, 20_000_000 // size))
        readers.append(reader)
    plant.post(service, plant.records(10, 1))

    def all_cut_off():
        began = time.monotonic()
        assert service.get("/metrics").status == 200 and service.get("/-/ready").status == 200
        assert time.monotonic() - began < 10, "others are served"
        return all(map(cut_off, readers))
    servers.wait_for(all_cut_off, lambda: f"{sum(map(cut_off, readers))} of {READERS} are cut off", 80, every=0.5)
    assert service.metrics().get("driftd_http_connections_total", result="cut_off") == READERS
    grown = service.peak_memory() - before
    assert grown < READERS * 2 * size + (32 << 20), f"an answer or two a reader: {grown >> 20} MiB"
    assert service.terminate() == 0, service.log_tail()
    for reader in readers:
        reader.close()


def test_a_log_that_nobody_reads_holds_up_nothing(driftd):
    service = driftd(plant.config(CHECKS, service={"checkpoint_every": "300ms", "log_level": "debug"}))
    service.stop()
    unread = service.log_to_a_full_pipe()
    service.start().wait_ready()
    for window in range(12):  # each with new fields, which are logged
        plant.post(service, [{**row, f"field{window}.{n}": 1} for n, row in enumerate(plant.records(window, 1))])
    service.wait_metric("driftd_windows_total", 10, stream="plant")
    service.wait(lambda: service.metrics().get("driftd_checkpoint_age_seconds") < 2, "checkpoints to go on")
    came = b""

    def told():
        nonlocal came
        with contextlib.suppress(BlockingIOError):
            came += os.read(unread, 1 << 20)
        service.post("/-/reload")  # so that there is something to log
        return b" lines of the log are missing here" in came
    service.wait(told, "what was dropped to be said")
    assert service.terminate() == 0
    os.close(unread)
    os.close(service.log_to)


def cut_off(reader):
    """Whether the other side has closed, without reading what came before: the kernel refuses to send."""
    try:
        reader.send(b"x", socket.MSG_DONTWAIT)
        return False
    except BlockingIOError:
        return False
    except OSError:
        return True


def test_a_kafka_behind_a_slow_network_shows_its_lag_and_loses_nothing(driftd, unique):
    port = servers.free_port()
    with servers.Kafka(proxy=port) as kafka, servers.Proxy(kafka.door, port) as proxy:
        kafka.create_topic(unique)
        config = plant.config(CHECKS, source=kafka_source(f"127.0.0.1:{port}", unique), service={"findings": {"all": True}})
        service = driftd(config).wait_ready()
        kafka.produce(unique, plant.kafka_records(plant.records(0, 2)))
        service.wait_metric("driftd_records_total", 200, stream="plant", result="accepted")
        proxy.rate(20_000)
        kafka.produce(unique, plant.kafka_records(plant.records(2, 60)), batch_num_messages=plant.PER_WINDOW)  # small ones
        service.wait_metric("driftd_source_lag", 1000, stream="plant")
        assert service.get("/-/ready").status == 200, "slow is not away"
        slow = accepted(service)
        service.wait(lambda: accepted(service) > slow, "records to come, slowly", 60)
        proxy.rate(0)
        service.wait(lambda: service.get("/-/ready").status == 503, "a network that passes nothing on to be noticed", 90)
        proxy.rate(None)
        service.wait_ready(60)
        service.wait_metric("driftd_records_total", 6200, stream="plant", result="accepted", timeout=120)
        assert accepted(service) == 6200
        service.wait(lambda: service.metrics().get("driftd_source_lag", stream="plant") == 0, "no lag")
        counts = [f["value"] for f in service.findings(check="count")]
        assert counts == [plant.PER_WINDOW] * 61, "each record is in one window, once"
        assert service.terminate() == 0, service.log_tail()


def test_a_broker_and_a_webhook_whose_names_do_not_resolve_yet(driftd, kafka, webhook, names, unique):
    kafka.create_topic(unique)
    kafka.produce(unique, plant.kafka_records(plant.records(0, 2, temperature=90)))
    config = plant.config(CHECKS, source=kafka_source(f"kafka.test:{kafka.port}", unique),
                          alerts=alerts(hook=f"http://hook.test:{webhook.port}/"))
    service = driftd(config, env=names.environment())
    service.wait(lambda: "kafka.test" in service.get("/-/ready").text and service.get("/-/ready").status == 503, "the name to be named")
    names_before = names.asked("kafka.test")
    service.wait(lambda: names.asked("kafka.test") >= names_before + 5, "to be tried again and again", 60)
    assert service.metrics().get("driftd_source_up", stream="plant", source="kafka") == 0
    assert service.log().count("no server answers; trying again") == 1, "once, and not at every attempt:\n" + service.log_tail()
    assert service.cpu_seconds() < 4, "it backs off"
    names.know("kafka.test")
    service.wait_ready(60)
    service.wait_metric("driftd_records_total", 200, stream="plant", result="accepted")
    service.wait_metric("driftd_notifications_total", 1, notifier="hook", result="retry")
    assert webhook.received() == []
    names.know("kafka.test", "hook.test")
    webhook.wait_count(1, timeout=60)
    service.wait_metric("driftd_notifications_total", 1, notifier="hook", result="delivered")
    service.wait(lambda: service.metrics().get("driftd_outbox_pending") == 0, "an empty outbox")


def test_a_mosquitto_whose_name_does_not_resolve_yet(driftd, mosquitto, names, unique):
    source = {"mqtt": {"url": f"mqtt://mqtt.test:{mosquitto.port}", "topics": [f"{unique}/+"], "client_id": unique}}
    service = driftd(plant.config(CHECKS, source=source), env=names.environment())
    service.wait(lambda: "mqtt.test" in service.get("/-/ready").text and service.get("/-/ready").status == 503, "the name to be named")
    service.wait(lambda: names.asked("mqtt.test") >= 4, "to be tried again and again", 60)
    assert service.metrics().get("driftd_source_up", stream="plant", source="mqtt") == 0
    assert service.log().count("no server answers; trying again") == 1, "once, and not at every attempt:\n" + service.log_tail()
    names.know("mqtt.test")
    service.wait_ready(60)
    mosquitto.publish((f"{unique}/p1", json.dumps(row)) for row in plant.records(0, 2))
    service.wait_metric("driftd_records_total", 2 * plant.PER_WINDOW, stream="plant", result="accepted")


def streams_of(config, **sources):
    """The same stream again from other sources."""
    for name, source in sources.items():
        config["streams"][name] = {**config["streams"]["plant"], "from": source}
    return config


def test_a_resolver_that_hangs_holds_up_nobody_who_needs_no_name(driftd, kafka, mosquitto, webhook, names, unique):
    kafka.create_topic(unique)
    hang = ["kafka.test", "mqtt.test", "hook.test"]
    names.know(hangs=hang)

    def told(receiver):
        return [r for r in webhook.received() if r.path.endswith("hangs") == (receiver == "hangs")]

    config = streams_of(plant.config(CHECKS, alerts=alerts(hangs=f"http://hook.test:{webhook.port}/hangs", healthy=webhook.url)),
                        by_kafka=kafka_source(f"kafka.test:{kafka.port}", unique),
                        by_mqtt={"mqtt": {"url": f"mqtt://mqtt.test:{mosquitto.port}", "topics": [f"{unique}/+"], "client_id": unique}})
    service = driftd(config, env=names.environment())
    service.wait(lambda: all(names.asked(name) > 0 for name in hang[:2]), "both to be asked for")
    plant.post(service, plant.records(0, 2))
    service.wait_metric("driftd_windows_total", 1, stream="plant")
    for round_, temperature in enumerate((90, 20, 90), start=1):
        plant.post(service, plant.records(2 * round_, 2, temperature=temperature))
        sent = time.monotonic()
        service.wait(lambda n=round_: len(told("healthy")) == n, "the healthy receiver to be told", 40)
        assert time.monotonic() - sent < 28, "a timeout is 15 s, and this is less than two"
    not_ready = service.get("/-/ready").text
    assert "by_kafka" in not_ready and "by_mqtt" in not_ready and "plant" not in not_ready, not_ready
    for stream in ("kafka", "mqtt"):
        assert service.metrics().get("driftd_source_up", stream=f"by_{stream}", source=stream) == 0
    assert service.metrics().get("driftd_checkpoint_age_seconds") < 5
    names.know(*hang)
    service.wait_ready(60)
    kafka.produce(unique, plant.kafka_records(plant.records(0, 2)))
    mosquitto.publish((f"{unique}/p1", json.dumps(row)) for row in plant.records(0, 2))
    for stream in ("by_kafka", "by_mqtt"):
        service.wait_metric("driftd_records_total", 2 * plant.PER_WINDOW, stream=stream, result="accepted")
    service.wait(lambda: len(told("hangs")) == 3, "what waited to be sent", 60)
    assert service.terminate() == 0, service.log_tail()


def test_the_end_comes_in_time_while_a_kafka_hangs(driftd, unique):
    port = servers.free_port()
    with servers.Kafka(proxy=port) as kafka, servers.Proxy(kafka.door, port) as proxy:
        kafka.create_topic(unique)
        source = kafka_source(f"127.0.0.1:{port}", unique)
        others = {f"other{n}": {"kafka": {**source["kafka"], "group": f"{unique}.{n}"}} for n in range(7)}
        config = streams_of(plant.config(CHECKS, source=source, service={"findings": {"all": True}}), **others)
        service = driftd(config).wait_ready()
        kafka.produce(unique, plant.kafka_records(plant.records(0, 2)))
        for stream in ["plant", *others]:
            service.wait_metric("driftd_records_total", 200, stream=stream, result="accepted")
        proxy.rate(0)
        assert service.get("/-/ready").status == 200, "not noticed yet, so the end asks for answers"
        assert service.terminate(within=30) == 0, service.log_tail()  # service.shutdown_grace, which 5 s a stream would outlast
        assert "the group does not answer" in service.log(), service.log_tail()
        proxy.rate(None)
        service.start().wait_ready(60)
        kafka.produce(unique, plant.kafka_records(plant.records(2, 2)))
        service.wait_metric("driftd_records_total", 200, stream="plant", result="accepted", timeout=60)
        service.wait(lambda: len(service.findings(check="count", stream="plant")) == 3, "the windows of both to be judged", 30)
        assert [f["value"] for f in service.findings(check="count", stream="plant")] == [plant.PER_WINDOW] * 3, "each record is in one window, once"


def test_the_end_comes_in_time_while_a_resolver_hangs(driftd, names):
    names.know(hangs=["kafka.test", "mqtt.test"])
    config = streams_of(plant.config(CHECKS, service={"shutdown_grace": "15s"}), by_kafka=kafka_source("kafka.test:9092", "any"),
                        by_mqtt={"mqtt": {"url": "mqtt://mqtt.test:1883", "topics": ["any/+"], "client_id": "any"}})
    service = driftd(config, env=names.environment())
    service.wait(lambda: names.asked("kafka.test") > 0 and names.asked("mqtt.test") > 0, "both to be asked for")
    plant.post(service, plant.records(0, 2))
    service.wait_metric("driftd_records_total", 2 * plant.PER_WINDOW, stream="plant", result="accepted")
    begin = time.monotonic()
    code = service.terminate(within=20)
    assert code == 0, f"{code} after {time.monotonic() - begin} s: {service.log_tail()}"
