"""Real servers for the end-to-end tests, each a context manager on free loopback ports."""
from .alertmanager import Alertmanager
from .clock import TurnedClock
from .disk import Disk
from .kafka import Kafka
from .mariadb import MariaDB
from .mosquitto import Mosquitto
from .names import Names
from .process import Process, ServerError, free_port, wait_for
from .prometheus import Prometheus
from .proxy import Proxy
from .webhook import WebhookReceiver

__all__ = ["Alertmanager", "Disk", "Kafka", "MariaDB", "Mosquitto", "Names", "Process", "Prometheus", "Proxy", "ServerError",
           "TurnedClock", "WebhookReceiver", "free_port", "wait_for"]
