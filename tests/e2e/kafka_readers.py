"""What is in a topic for a reader of a given isolation level, and how far a group has committed."""
import time

from confluent_kafka import Consumer, KafkaError, TopicPartition


def read_all(kafka, topic, isolation="read_committed"):
    """All messages that such a reader sees, by partition, until the end is reached."""
    client = Consumer({"bootstrap.servers": kafka.bootstrap, "group.id": "reader", "enable.auto.commit": False,
                       "isolation.level": isolation, "enable.partition.eof": True, "log_level": 0})
    out = []
    try:
        for partition in kafka.watermarks(topic):
            client.assign([TopicPartition(topic, partition, 0)])
            deadline = time.monotonic() + 30
            while time.monotonic() < deadline:
                message = client.poll(1)
                if message is None:
                    continue
                if message.error():
                    if message.error().code() == KafkaError._PARTITION_EOF:
                        break
                    continue  # a broker that restarts
                out.append(message)
            else:
                raise AssertionError(f"{topic}[{partition}] has no end")
    finally:
        client.close()
    return out


def committed_to_the_end(kafka, topic, group):
    committed = kafka.committed(topic, group)
    return all((committed[p] or 0) == end for p, (_, end) in kafka.watermarks(topic).items())
