"""Apache Kafka, one KRaft node that is broker and controller."""
import base64
import os
import subprocess
import time
import uuid

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewPartitions, NewTopic

from . import certificates, kafka_jars, kafka_wire
from .process import Process, ServerError, free_port

# The short session lets the broker come back soon after a kill: the controller refuses a broker whose
# dead predecessor it still believes alive. Old timestamps are what we test with, so nothing expires
# unless a topic says so.
_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs={dir}/data
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=3000
log.retention.ms=-1
log.retention.check.interval.ms=1000
"""

# A second door: TLS and SASL. PLAIN, because the brokers of today refuse SCRAM as Debian 12's librdkafka speaks
# it. A third: TLS and a client's certificate. The tests' own clients keep using the first.
_SECURE = """\
listeners=PLAINTEXT://127.0.0.1:{port},SASL_SSL://127.0.0.1:{secure},MUTUAL://127.0.0.1:{mutual},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port},SASL_SSL://127.0.0.1:{secure},MUTUAL://127.0.0.1:{mutual}
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL,MUTUAL:SSL
sasl.enabled.mechanisms=PLAIN
listener.name.sasl_ssl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \
  user_{user}="{password}";
ssl.keystore.type=PEM
ssl.keystore.location={dir}/keystore.pem
ssl.truststore.type=PEM
ssl.truststore.location={dir}/ca.pem
listener.name.mutual.ssl.client.auth=required
listener.name.mutual.ssl.truststore.type=PEM
listener.name.mutual.ssl.truststore.location={dir}/clients/ca.pem
"""

# A second door that sends its clients on to another port, that of a proxy.
_PROXIED = """\
listeners=PLAINTEXT://127.0.0.1:{port},PROXIED://127.0.0.1:{door},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port},PROXIED://127.0.0.1:{proxy}
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT
"""


_NOT_YET = (KafkaError._TIMED_OUT, KafkaError._TRANSPORT, KafkaError.REQUEST_TIMED_OUT, KafkaError.NOT_CONTROLLER,
            KafkaError.BROKER_NOT_AVAILABLE)


class Kafka(Process):
    name = "kafka"
    start_timeout = 90.0

    def __init__(self, secure_user=None, proxy=None):
        """`secure_user`: (name, password) of a second listener with TLS and SASL at `secure_bootstrap`,
        whose authority is `ca`, and of a third one at `mutual_bootstrap`, which wants a certificate of the authority
        of `client`. `proxy`: port that clients of a second listener, at port `door`, are sent to."""
        super().__init__()
        self.port, self._controller = free_port(), free_port()
        self.bootstrap = f"127.0.0.1:{self.port}"
        self._jars = kafka_jars.jars()
        self._properties = self.dir / "server.properties"
        properties = _PROPERTIES.format(port=self.port, controller=self._controller, dir=self.dir)
        if secure_user:
            (secure, mutual), (user, password) = (free_port(), free_port()), secure_user
            self.secure_bootstrap, self.mutual_bootstrap = f"localhost:{secure}", f"localhost:{mutual}"
            made = certificates.make(self.dir)
            self.ca, self.client = made.ca, certificates.make(self.dir / "clients")
            (self.dir / "keystore.pem").write_text(made.key.read_text() + made.certificate.read_text())
            properties += _SECURE.format(port=self.port, secure=secure, mutual=mutual, controller=self._controller,
                                         dir=self.dir, user=user, password=password)
        if proxy:
            self.door = free_port()
            properties += _PROXIED.format(port=self.port, door=self.door, proxy=proxy, controller=self._controller)
        self._properties.write_text(properties)
        self._format()

    def _java(self, heap):
        # One small broker on a busy machine: a quick start matters more than peak speed.
        return ["java", f"-Xmx{heap}", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto", "-cp",
                f"{self._jars}/*"]

    def _format(self):
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "A")
        done = subprocess.run(
            [*self._java("256m"), "kafka.tools.StorageTool", "format", "-t", cluster, "-c", str(self._properties)],
            capture_output=True, text=True, timeout=60, check=False)
        if done.returncode != 0:
            raise ServerError(f"Kafka's storage could not be formatted:\n{done.stdout}{done.stderr}")

    def argv(self):
        return [*self._java("1g"), "kafka.Kafka", self._properties]

    def environment(self):
        return {**os.environ, "KAFKA_OPTS": ""}

    def _admin(self):
        # Clients are quiet: what they would say about a broker that is away is expected in tests.
        return AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0, "socket.timeout.ms": 5000})

    def ready(self):
        return self._admin().list_topics(timeout=1).brokers

    def create_topic(self, name, partitions=1, config=None, patience=60):
        admin = self._admin()  # must live until the answer is there
        deadline = time.monotonic() + patience
        again = False
        while True:
            try:
                admin.create_topics([NewTopic(name, partitions, 1, config=config or {})])[name].result(timeout=20)
                return name
            except KafkaException as error:
                code = error.args[0].code()
                if again and code == KafkaError.TOPIC_ALREADY_EXISTS:  # it was heard, its answer was not
                    return name
                # One that has just come back, on a busy machine, has no controller for a while.
                if code not in _NOT_YET or time.monotonic() > deadline:
                    raise
                again = True
                time.sleep(0.5)

    def delete_topic(self, name):
        admin = self._admin()
        admin.delete_topics([name])[name].result(timeout=20)

    def add_partitions(self, name, total):
        admin = self._admin()
        admin.create_partitions([NewPartitions(name, total)])[name].result(timeout=20)

    def configure_topic(self, name, **config):
        """Sets topic settings, with _ for . in their names: configure_topic("t", retention_ms=1)."""
        resource = ConfigResource("topic", name, {k.replace("_", "."): str(v) for k, v in config.items()})
        admin = self._admin()
        admin.alter_configs([resource])[resource].result(timeout=20)

    def produce(self, topic, records, partition=None, **settings):
        """Sends (key, value, timestamp_ms, headers) and waits until all are stored; every part but
        the value may be None. Records of one partition keep their order. Settings are those of the producer, with _ for . in their
        names. Returns how many."""
        errors = []
        producer = Producer({
            "bootstrap.servers": self.bootstrap, "enable.idempotence": True, "linger.ms": 20, "batch.size": 262144,
            "queue.buffering.max.messages": 500000, "log_level": 0, "delivery.report.only.error": True,
            "on_delivery": lambda error, _: errors.append(error),
            **{name.replace("_", "."): value for name, value in settings.items()}})
        count = 0
        for key, value, timestamp, headers in records:
            options = {"partition": partition} if partition is not None else {}
            if timestamp is not None:
                options["timestamp"] = int(timestamp)
            if headers:
                options["headers"] = headers
            while True:
                try:
                    producer.produce(topic, value=value, key=key, **options)
                    break
                except BufferError:
                    producer.poll(0.1)
            count += 1
        left = producer.flush(60)
        if left or errors:
            raise ServerError(f"{left} of {count} records not sent, {len(errors)} refused: {errors[:1]}")
        return count

    def watermarks(self, topic, isolation="read_committed"):
        """{partition: (first offset, offset after the last that such a reader sees)}"""
        client = self._consumer(isolation=isolation)
        try:
            return {p: self._watermark(client, TopicPartition(topic, p)) for p in self._partitions(client, topic)}
        finally:
            client.close()

    @staticmethod
    def _partitions(client, topic, patience=20):
        # A broker that has just come back, or a topic that was just made, has its partitions a moment later.
        deadline = time.monotonic() + patience
        while True:
            partitions = sorted(client.list_topics(topic, timeout=10).topics[topic].partitions)
            if partitions or time.monotonic() > deadline:
                return partitions
            time.sleep(0.1)

    @staticmethod
    def _watermark(client, partition):
        # A broker that has just come back leads its partitions a moment later.
        return _patiently(lambda: client.get_watermark_offsets(partition, timeout=10))

    def consume(self, topic, timeout=30):
        """All messages that are in the topic now, partition by partition, in order."""
        marks = {p: m for p, m in self.watermarks(topic).items() if m[1] > m[0]}
        client, messages = self._consumer(), []
        try:
            for partition, (low, high) in marks.items():
                client.assign([TopicPartition(topic, partition, low)])
                at, deadline = low, time.monotonic() + timeout
                while at < high:
                    batch = client.consume(min(10000, high - at), timeout=1)
                    if not batch and time.monotonic() > deadline:
                        raise ServerError(f"{topic}[{partition}] stopped at {at} of {high}\n{self.log_tail()}")
                    for message in batch:
                        if message.error() and message.error().code() != KafkaError._PARTITION_EOF:
                            raise ServerError(str(message.error()))
                        messages.append(message)
                        at = message.offset() + 1
        finally:
            client.close()
        return messages

    def committed(self, topic, group):
        """{partition: offset the group committed, or None}"""
        client = self._consumer(group)
        try:
            asked = [TopicPartition(topic, p) for p in self.watermarks(topic)]
            # The first group that a broker hears of has a coordinator, which loads its groups a moment later.
            told = _patiently(lambda: client.committed(asked, timeout=10))
            return {c.partition: c.offset if c.offset >= 0 else None for c in told}
        finally:
            client.close()

    def delete_records(self, topic, partition, before):
        """Makes `before` the first offset of the partition, as retention would."""
        kafka_wire.delete_records(self.port, topic, partition, before)

    def _consumer(self, group="driftd-tests", isolation="read_committed"):
        return Consumer({"bootstrap.servers": self.bootstrap, "group.id": group, "enable.auto.commit": False,
                         "isolation.level": isolation, "log_level": 0})


def _patiently(ask, patience=20):
    """What the client answers once the broker can tell."""
    deadline = time.monotonic() + patience
    while True:
        try:
            return ask()
        except KafkaException:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
