"""A Kafka consumer that another one has pushed out: its stream is started anew, nobody has to come."""
import plant


def test_a_fenced_member_comes_back_when_it_can(kafka, driftd, unique):
    kafka.create_topic(unique, partitions=2)
    config = plant.config(
        [{"check": "count", "min": 0, "max": 1000000}],
        source={"kafka": {"brokers": [kafka.bootstrap], "topics": [unique], "group": unique, "instance_id": "one",
                          "options": {"session.timeout.ms": 6000}}})
    first = driftd(config).wait_ready()
    second = driftd(config)
    first.wait(lambda: "as instance_id 'one': give each replica its own" in first.log(), "the first one fenced", 60)
    first.wait(lambda: first.get("/-/ready").status == 503, "not ready")
    assert second.terminate() == 0
    rows = list(plant.records(0, 20))
    kafka.produce(unique, list(plant.kafka_records(rows)))
    metrics = first.wait_metric("driftd_records_total", len(rows), stream="plant", result="accepted", timeout=60)
    assert metrics.get("driftd_stream_restarts_total", stream="plant") >= 1
    first.wait_ready()
    # Held back more and more: two that push each other out may not keep a broker busy.
    assert first.log().count("a stream will be started anew") <= 3, first.log_tail()
