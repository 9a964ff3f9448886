"""What a gate costs: records a second of the driftd binary draining a topic of a real Apache Kafka with a
gate and without one, in turn; and how much later a reader of committed records sees a record behind the gate
than a reader of the topic itself.

    /usr/bin/python3 bench/kafka_gate.py [records] [rounds] [partitions]

Needs what kafka_end_to_end.py needs. Producer, broker, driftd and readers share the machine's cores. Without
a gate the time ends with the last record accepted, with one when the last is committed to its output topic.
Before its time counts, the gate must have committed every record, valid and invalid as many as the records
were made with, and none aborted.
"""
import os
import statistics
import sys
import threading
import time
import uuid

import kafka_end_to_end as plain
from confluent_kafka import Consumer, Producer

from driftd import Driftd

LATENCY_RATE, LATENCY_SECONDS = 1000, 15


def config(kafka, topic, gate):
    made = plain.config(kafka, topic, {})
    if gate is not None:
        made["streams"]["pumps"]["gate"] = {"valid": f"{topic}.valid", "invalid": f"{topic}.invalid", **gate}
    return made


def counted(service, gate):
    if gate is not None:
        return service.metrics().get("driftd_gate_records_total", stream="pumps")
    return service.metrics().get("driftd_records_total", stream="pumps", result="accepted")


def drain(kafka, count, invalid, gate):
    with Driftd(config(kafka, "pumps", gate)) as service:
        first, begin, cpu = 0, 0.0, 0.0
        while True:
            done, now = counted(service, gate), time.perf_counter()
            if done and not first:
                first, begin, cpu = done, now, service.cpu_seconds()
            if done >= count:
                break
            assert service.running(), service.log_tail()
            time.sleep(0.1)
        cpu, peak = service.cpu_seconds() - cpu, service.peak_memory()
        metrics = service.metrics()
        if gate is not None:
            def results(name):
                return {labels["result"]: n for labels, n in metrics.all(name, stream="pumps") if n}
            assert results("driftd_gate_records_total") == {"valid": count - invalid, "invalid": invalid}
            assert results("driftd_gate_transactions_total").keys() == {"committed"}
    return (count - first) / (now - begin), cpu / (count - first), peak


def reader(kafka, topics, arrived, ready, stop):
    client = Consumer({"bootstrap.servers": kafka.bootstrap, "group.id": str(uuid.uuid4()),
                       "isolation.level": "read_committed", "auto.offset.reset": "earliest", "fetch.wait.max.ms": 10})
    client.subscribe(topics, on_assign=lambda *_: ready.set())
    while not stop.is_set():
        message = client.poll(0.05)
        if message is not None and not message.error():
            arrived[message.key()] = time.monotonic()
    client.close()


def latency(kafka, partitions, gate):
    """Seconds between a reader of the input and one of the outputs, of each record."""
    topic = f"latency-{uuid.uuid4().hex[:8]}"
    outputs = [f"{topic}.valid", f"{topic}.invalid"]
    for name in (topic, *outputs):
        kafka.create_topic(name, partitions=partitions)
    at_input, at_output, stop = {}, {}, threading.Event()
    threads = []
    for topics, arrived in (([topic], at_input), (outputs, at_output)):
        ready = threading.Event()
        threads.append(threading.Thread(target=reader, args=(kafka, topics, arrived, ready, stop)))
        threads[-1].start()
        assert ready.wait(30)
    with Driftd(config(kafka, topic, gate)) as service:
        service.wait_ready()
        producer = Producer({"bootstrap.servers": kafka.bootstrap, "linger.ms": 1})
        begin, count = time.monotonic(), LATENCY_RATE * LATENCY_SECONDS
        for i, (partition, value) in enumerate(plain.records(count, partitions)):
            time.sleep(max(0.0, begin + i / LATENCY_RATE - time.monotonic()))
            producer.produce(topic, value, str(i).encode(), partition=partition)
            producer.poll(0)
        assert producer.flush(30) == 0
        deadline = time.monotonic() + 30
        while len(at_output) < count and time.monotonic() < deadline:
            time.sleep(0.1)
    stop.set()
    for thread in threads:
        thread.join()
    assert at_output.keys() == at_input.keys() and len(at_output) == count
    return sorted(at_output[key] - at_input[key] for key in at_input)


def main(count, rounds, partitions):
    contenders = {"off": None, "100ms": {}, "20ms": {"commit_every": "20ms"}}
    with plain.FullSpeedKafka() as kafka:
        size, _ = plain.fill(kafka, "pumps", count, partitions)
        for kind in ("valid", "invalid"):
            kafka.create_topic(f"pumps.{kind}", partitions=partitions)
        invalid = (count + 5002) // 5003
        print(f"{count} records of {size / count:.0f} bytes in {partitions} partitions, {os.cpu_count()} cores", flush=True)
        speeds = {name: [] for name in contenders}
        for number in range(rounds + 1):
            line = []
            for name, gate in contenders.items():
                speed, cpu, peak = drain(kafka, count, invalid, gate)
                line.append(f"gate {name}: {speed / 1e3:.0f} k/s, {cpu * 1e9:.0f} ns CPU, {peak >> 20} MiB")
                if number > 0:  # the first round warms up the broker
                    speeds[name].append(speed)
            print(" | ".join(line), flush=True)
        for name, all_of_it in speeds.items():
            ratio = statistics.median(a / b for a, b in zip(all_of_it, speeds["off"]))
            print(f"gate {name}: best {max(all_of_it) / 1e3:.0f} k/s, median of off {ratio:.3f}")
        for name in ("100ms", "20ms"):
            late = latency(kafka, partitions, contenders[name])
            shown = ", ".join(f"p{share} {late[len(late) * share // 100] * 1e3:.0f} ms" for share in (50, 95, 99))
            print(f"gate {name}: {LATENCY_RATE} records/s are seen later by {shown}, at most {late[-1] * 1e3:.0f} ms", flush=True)


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:]]
    main(*(numbers + [1_000_000, 3, 4][len(numbers):]))
