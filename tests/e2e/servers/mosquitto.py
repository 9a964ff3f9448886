"""Eclipse Mosquitto, open or with TLS and a password or clients' certificates, with or without persistence."""
import signal
import subprocess
import threading
import time

import paho.mqtt.client as paho

from . import certificates
from .process import Process, ServerError, free_port, port_open, wait_for


# Messages on their way at once; paho numbers them with 16 bits and does not look whether one is taken.
_UNACKNOWLEDGED = 2000


class Mosquitto(Process):
    name = "mosquitto"
    start_timeout = 30.0

    def __init__(self, persistence=True, tls=False, user=None, password=None, clients=None, settings=()):
        """`clients`: with tls, certificates of whose authority every client must have one."""
        super().__init__()
        self.port = free_port()
        self.user, self.password, self.clients = user, password, clients
        self.ca = None
        lines = [
            f"listener {self.port} 127.0.0.1",
            "user root",  # stay who we are: the folder is ours
            f"allow_anonymous {'false' if user else 'true'}",
            f"persistence {'true' if persistence else 'false'}",
            f"persistence_location {self.dir}/",
            # The broker's default drops what a subscriber has not fetched after 1000 messages.
            "max_queued_messages 0", "log_type error", "log_type warning", "log_type notice",
            "log_type information", *settings]
        if user:
            passwords = self.dir / "passwords"
            subprocess.run(["mosquitto_passwd", "-b", "-c", str(passwords), user, password], check=True,
                           capture_output=True)
            passwords.chmod(0o644)
            lines.append(f"password_file {passwords}")
        if tls:
            made = certificates.make(self.dir)
            self.ca = made.ca
            lines += [f"cafile {(clients or made).ca}", f"certfile {made.certificate}", f"keyfile {made.key}",
                      f"require_certificate {'true' if clients else 'false'}"]
        self._config = self.dir / "mosquitto.conf"
        self._config.write_text("\n".join(lines) + "\n")

    @property
    def url(self):
        return f"{'mqtts' if self.ca else 'mqtt'}://127.0.0.1:{self.port}"

    def argv(self):
        return ["mosquitto", "-c", self._config]

    def ready(self):
        return port_open(self.port)

    def save(self):
        """Has the sessions and queued messages written to disk now, as the broker does by itself
        only at long intervals and at stop(): before a kill() that must lose nothing."""
        database = self.dir / "mosquitto.db"
        before = database.stat().st_mtime_ns if database.exists() else 0
        self.child.send_signal(signal.SIGUSR1)
        wait_for(lambda: database.exists() and database.stat().st_mtime_ns != before, "the broker has saved its sessions", 30, every=0.01)

    def client(self, client_id="", **options):
        """A paho client with this broker's credentials, not yet connected."""
        client = paho.Client(client_id=client_id, **options)
        if self.user:
            client.username_pw_set(self.user, self.password)
        if self.ca:
            client.tls_set(str(self.ca), *(map(str, self.clients[1:]) if self.clients else ()))
        return client

    def publish(self, messages, qos=1, timeout=120):
        """Sends (topic, payload) in order and waits until the broker has acknowledged every one."""
        client = self.client()
        client.max_inflight_messages_set(_UNACKNOWLEDGED)
        # paho sends an acknowledgement as on_publish; with QoS 0 it means "written to the socket".
        acknowledged, connected, count = [0], threading.Event(), 0

        def on_publish(*_):
            acknowledged[0] += 1

        def on_connect(_client, _data, _flags, code):
            if code == 0:
                connected.set()

        def await_acknowledged(wanted):
            wait_for(lambda: acknowledged[0] >= wanted,
                     lambda: f"{acknowledged[0]} of {wanted} messages acknowledged\n{self.log_tail()}", timeout, 0.001)

        client.on_publish, client.on_connect = on_publish, on_connect
        client.connect("127.0.0.1", self.port, keepalive=60)
        client.loop_start()
        try:
            if not connected.wait(10):
                raise ServerError(f"the broker did not accept the publisher\n{self.log_tail()}")
            for topic, payload in messages:
                if count - acknowledged[0] >= _UNACKNOWLEDGED:
                    await_acknowledged(count - _UNACKNOWLEDGED // 2)
                client.publish(topic, payload, qos=qos)
                count += 1
            await_acknowledged(count)
        finally:
            client.disconnect()
            client.loop_stop()
        return count
