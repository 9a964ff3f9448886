"""A Kafka topic that is deleted while it is read, made anew, or not there at the start; records that retention took."""
import plant
import servers
import stored
from kafka_readers import read_all

CHECKS = [{"check": "not_null", "field": "temperature"}]


def config(kafka, topics, group, more=None, **source):
    # Topics are looked for often, so that the tests need not wait.
    options = {"topic.metadata.refresh.interval.ms": "1000", "session.timeout.ms": "6000"}
    return plant.config(CHECKS, source={"kafka": {"brokers": [kafka.bootstrap], "topics": topics, "group": group,
                                                  "options": options, **source}}, **(more or {}))


def send(kafka, topic, first, windows):
    return kafka.produce(topic, plant.kafka_records(plant.records(first, windows)))


def wait_accepted(service, total):
    metrics = service.wait_metric("driftd_records_total", total, stream="plant", result="accepted")
    assert metrics.get("driftd_records_total", stream="plant", result="accepted") == total


def wait_missing(service, topic):
    said = f"topic '{topic}' does not exist (any more); create it, or, if it is the last, take it out of `topics`"
    service.wait(lambda: service.get("/-/ready").status == 503 and said in service.get("/-/ready").text,
                 lambda: f"{said}; it is {service.get('/-/ready')}")
    service.wait(lambda: service.metrics().get("driftd_source_up", stream="plant", source="kafka") == 0, "source_up 0")


def wait_given_up(service):
    # In good order, or as lost when the group notices first.
    service.wait(lambda: any(word in service.log() for word in ("partitions given up in good order", "partitions lost")),
                 "the group to take its partition away")


def read_and_delete(kafka, driftd, topic):
    kafka.create_topic(topic)
    send(kafka, topic, 0, 3)
    service = driftd(config(kafka, [topic], topic)).wait_ready()
    wait_accepted(service, 300)
    kafka.delete_topic(topic)
    wait_missing(service, topic)
    return service


def gaps(service):
    return service.metrics().get("driftd_source_gaps_total", stream="plant")


def test_a_deleted_topic_is_named_the_other_goes_on_and_the_new_one_is_read_from_its_beginning(kafka, driftd, unique):
    old, other = f"{unique}-old", f"{unique}-other"
    for topic in (old, other):
        kafka.create_topic(topic)
        send(kafka, topic, 0, 3)
    service = driftd(config(kafka, [old, other], unique)).wait_ready()
    wait_accepted(service, 600)
    kafka.delete_topic(old)
    wait_missing(service, old)
    send(kafka, other, 3, 2)
    wait_accepted(service, 800)
    wait_given_up(service)
    wait_missing(service, old)
    kafka.create_topic(old)
    # More than were read of the old one: going on at the old position would skip 300 of them in silence.
    send(kafka, old, 3, 7)
    service.wait_ready()
    wait_accepted(service, 1500)
    assert gaps(service) == 1
    assert service.log().count("a topic was deleted and made anew") == 1
    stored.wait_checkpoint(service)
    assert service.terminate() == 0, service.log_tail()
    service.start().wait_ready()
    send(kafka, old, 10, 1)
    wait_accepted(service, 100)
    assert gaps(service) == 0, "the new topic's position was saved"


def test_a_topic_that_is_made_anew_before_anyone_lets_go_of_it_is_read_from_its_beginning(kafka, driftd, unique):
    service = read_and_delete(kafka, driftd, unique)
    kafka.create_topic(unique)
    service.wait_ready()
    # Killed before the first record: the position of the old topic must not come back.
    stored.wait_checkpoint(service)
    service.kill9()
    send(kafka, unique, 3, 7)
    service.start().wait_ready()
    wait_accepted(service, 700)


def test_a_topic_that_is_made_anew_while_driftd_is_down_is_read_from_its_beginning(kafka, driftd, unique):
    kafka.create_topic(unique, partitions=2)
    send(kafka, unique, 0, 3)
    service = driftd(config(kafka, [unique], unique)).wait_ready()
    wait_accepted(service, 300)
    assert service.terminate() == 0, service.log_tail()
    service.start().wait_ready()
    send(kafka, unique, 3, 2)
    wait_accepted(service, 200)
    assert gaps(service) == 0, "it is the same"
    assert service.terminate() == 0, service.log_tail()
    kafka.delete_topic(unique)
    kafka.create_topic(unique, partitions=2)
    send(kafka, unique, 5, 7)
    service.start().wait_ready()
    wait_accepted(service, 700)
    assert gaps(service) == 1
    assert service.log().count("a topic was deleted and made anew") == 1


def test_sigterm_while_a_topic_is_gone_is_good_order(kafka, driftd, unique):
    service = read_and_delete(kafka, driftd, unique)
    wait_given_up(service)
    assert service.terminate(within=20) == 0, service.log_tail()  # one that hangs ends with service.shutdown_grace, 30 s


def test_a_topic_that_never_was_is_named_and_read_once_it_is_made_also_with_latest(kafka, driftd, unique):
    service = driftd(config(kafka, [unique], unique, start="latest"))
    wait_missing(service, unique)
    kafka.create_topic(unique, partitions=2)
    send(kafka, unique, 0, 3)
    service.wait_ready()
    wait_accepted(service, 300)
    assert gaps(service) == 0
    assert service.terminate() == 0, service.log_tail()


def test_records_that_retention_took_are_counted_to_the_last(kafka, driftd, unique):
    kafka.create_topic(unique)
    send(kafka, unique, 0, 3)
    service = driftd(config(kafka, [unique], unique)).wait_ready()
    wait_accepted(service, 300)
    assert service.terminate() == 0
    send(kafka, unique, 3, 5)
    kafka.delete_records(unique, 0, 523)
    service.start().wait_ready()
    wait_accepted(service, 277)
    assert gaps(service) == 1
    assert service.metrics().get("driftd_source_lost_records_total", stream="plant") == 223
    assert "lost=223" in service.log()


def gated(kafka, driftd, topic, **service):
    for name in (topic, f"{topic}-valid", f"{topic}-invalid"):
        kafka.create_topic(name)
    return driftd(config(kafka, [topic], topic, {"stream_gate": {"valid": f"{topic}-valid", "invalid": f"{topic}-invalid"},
                                                 "service": service})).wait_ready()


def wait_forwarded(service, total):
    service.wait_metric("driftd_gate_records_total", total, stream="plant", result="valid")


def check_forwarded(kafka, topic, total):
    forwarded = [message.value() for message in read_all(kafka, f"{topic}-valid")]
    assert (len(forwarded), len(set(forwarded))) == (total, total)


def test_a_gate_forwards_all_of_both_topics(kafka, driftd, unique):
    service = gated(kafka, driftd, unique)
    send(kafka, unique, 0, 3)
    wait_forwarded(service, 300)
    assert service.terminate() == 0, service.log_tail()
    service.start().wait_ready()  # it is told where the group stands in the old one, and forwards more of that
    send(kafka, unique, 3, 2)
    wait_forwarded(service, 200)
    kafka.delete_topic(unique)
    wait_missing(service, unique)
    kafka.create_topic(unique)
    send(kafka, unique, 5, 7)
    service.wait_ready()
    wait_forwarded(service, 900)
    assert service.terminate() == 0, service.log_tail()
    check_forwarded(kafka, unique, 1200)


def test_a_gate_forwards_all_of_a_new_topic_once_also_when_it_is_killed_before_a_checkpoint_knows_of_that(kafka, driftd, unique):
    service = gated(kafka, driftd, unique, checkpoint_every="1h")
    send(kafka, unique, 0, 1)
    wait_forwarded(service, 100)
    assert service.terminate() == 0, service.log_tail()  # the checkpoint of the old topic
    kafka.delete_topic(unique)
    kafka.create_topic(unique)
    send(kafka, unique, 1, 3)
    service.start().wait_ready()
    wait_forwarded(service, 300)
    service.kill9()
    send(kafka, unique, 4, 1)
    service.start().wait_ready()
    wait_forwarded(service, 100)
    assert service.terminate() == 0, service.log_tail()
    check_forwarded(kafka, unique, 500)


def test_a_broker_that_restarts_makes_no_topic_new(unique, driftd):
    with servers.Kafka() as kafka:
        kafka.create_topic(unique)
        send(kafka, unique, 0, 3)
        service = driftd(config(kafka, [unique], unique)).wait_ready()
        wait_accepted(service, 300)
        for end in (kafka.stop, kafka.kill):
            end()
            service.wait(lambda: service.get("/-/ready").status == 503, "not ready while the broker is away", 60)
            service.wait(lambda: service.metrics().get("driftd_source_up", stream="plant", source="kafka") == 0, "source_up 0")
            kafka.start()
            service.wait_ready(60)
        send(kafka, unique, 3, 2)
        wait_accepted(service, 500)
        assert gaps(service) == 0
