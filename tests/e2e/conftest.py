"""Fixtures. Servers that are slow to start live as long as the session; tests keep apart by using
their own topics, tables and client ids (the fixture `unique`)."""
import itertools
import os

import pytest

import servers
from driftd import Driftd

SECURE_USER = ("driftd", "s3cret-of-kafka")
_numbers = itertools.count(1)


@pytest.fixture
def unique():
    """A name that no other test of this run uses."""
    return f"t{os.getpid()}-{next(_numbers)}"


@pytest.fixture(scope="session")
def kafka():
    with servers.Kafka() as server:
        yield server


@pytest.fixture(scope="session")
def secure_kafka():
    """With a listener that wants TLS and the password of SECURE_USER."""
    with servers.Kafka(secure_user=SECURE_USER) as server:
        yield server


@pytest.fixture(scope="session")
def mosquitto():
    with servers.Mosquitto(persistence=True) as server:
        yield server


@pytest.fixture(scope="session")
def mariadb():
    with servers.MariaDB() as server:
        yield server


@pytest.fixture
def alertmanager(webhook):
    """Tells `webhook` what it notifies about."""
    with servers.Alertmanager(webhook_url=webhook.url) as server:
        yield server


@pytest.fixture
def names():
    """Names of servers that resolve or not."""
    made = servers.Names()
    yield made
    made.close()


@pytest.fixture
def webhook():
    with servers.WebhookReceiver() as server:
        yield server


@pytest.fixture
def prometheus():
    """Starts servers: prometheus(targets, rule_files=...)."""
    started = []

    def start(targets, **options):
        started.append(servers.Prometheus(targets, **options))
        return started[-1].start()

    yield start
    for server in started:
        server.close()


@pytest.fixture
def driftd():
    """Starts the service: driftd(config, env=...) waits until it answers HTTP."""
    started = []

    def start(config, **options):
        started.append(Driftd(config, **options))
        return started[-1].start()

    yield start
    for service in started:
        service.close()
