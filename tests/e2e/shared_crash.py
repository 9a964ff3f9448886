"""Kills two driftd that share a stream (service.store), one or the other, again and again while records come.

    scripts/crash_test shared --kills 100 [--seed 1] [--rate 1500]

Records go to a real Kafka all the while; both have their checkpoints in a real MariaDB. One that was killed, or
ended in good order, comes back soon, or after its partitions have gone to the other, or after its office has too. What both have
found is compared with a third driftd that reads the same undisturbed, and with a replay. Ends with 0 when nothing
is lost, double or different.
"""
import argparse
import collections
import json
import os
import random
import sys
import time

import crash
import plant
import servers
from driftd import Driftd

SESSION = 6     # s: after that the group gives the partitions of a dead member away
LEASE = 5       # s: some more, and another one judges the windows

Counts = collections.namedtuple("Counts", "sent windows kills lost double differing webhooks alerts offices partitions")


def database(mariadb, folder):
    """Sections of the configuration."""
    password = folder / "password"
    password.write_text(mariadb.password + "\n")
    return {"state": {"type": "mysql", "host": "127.0.0.1", "port": mariadb.port, "database": mariadb.database,
                      "user": mariadb.user, "password_file": str(password)}}


def member(config, databases):
    config["service"].update(store="state", store_lease=f"{LEASE}s")
    config["databases"] = databases
    return config


def findings_of(pair):
    """Of all: each window is judged by one of them. What is about a record, which may have been late, stands among
    the findings of the window with which it was told."""
    ends = []
    for service in pair:
        for line in crash.findings_of(service):
            finding = json.loads(line)
            ends.append((crash.end_of(finding) if "window" in finding else ends[-1][0], line))
    return [line for _, line in sorted(ends, key=lambda pair: pair[0])]


def leads(service):
    return service.metrics().get("driftd_stream_leads", stream="plant") == 1


def partitions(service):
    return len(service.metrics().all("driftd_source_lag", stream="plant"))


def disturb(pair, kills, rng):
    for number in range(kills):
        for service in pair:
            if not service.running():
                service.spawn()
        time.sleep(rng.uniform(0, 0.3) if rng.random() < 0.2 else rng.uniform(0.5, 3.0))
        victim = rng.choice(pair)
        assert victim.running(), f"driftd ended by itself\n{victim.log_tail()}"
        if rng.random() < 0.3:
            status = victim.stop(60)
            assert status == 0, f"it ended with {status}\n{victim.log_tail()}"
        else:
            victim.kill()
        other = pair[1 - pair.index(victim)]
        if number % 10 == 4:
            other.wait(lambda o=other: leads(o) and partitions(o) == crash.PARTITIONS, "office and partitions to go over", 90)
        elif rng.random() < 0.2:
            other.wait(lambda o=other: partitions(o) == crash.PARTITIONS, "partitions to go over", 60)


def run(kills, seed=1, rate=1500, say=print):
    rng = random.Random(seed)
    with crash.KafkaBroker() as broker, servers.MariaDB() as mariadb, servers.WebhookReceiver() as receiver:
        calm = Driftd(crash.config(broker.source("calm", False), receiver, "calm"))
        databases = database(mariadb, calm.dir)
        pair = []
        for number in range(2):
            source = broker.source("shared", False)
            source["kafka"]["options"] = {"session.timeout.ms": str(SESSION * 1000)}
            if number == 0:
                source["kafka"]["instance_id"] = "shared"
            else:  # its partitions go over at once when it ends in good order
                del source["kafka"]["instance_id"]
            settings = member(crash.config(source, receiver, "disturbed"), databases)
            settings["service"]["limits"] = {"waiting": crash.WAITING[0]}
            pair.append(Driftd(settings))
        crash.teach(calm, *pair)
        with calm, pair[0], pair[1]:
            for service in (calm, *pair):
                service.wait_ready()
            sender = crash.Sender(broker, rate)
            begin = time.monotonic()
            sender.start()
            disturb(pair, kills, rng)
            for service in pair:
                if not service.running():
                    service.start()
                service.wait_ready(60)
            count = sender.finish()
            say(f"{count} records sent, {kills} kills in {time.monotonic() - begin:.0f} s (seed {seed})")
            crash.wait_until_judged(calm, count, 120)
            expected = len(crash.findings_of(calm))
            pair[0].wait(lambda: len(findings_of(pair)) >= expected, lambda: f"{len(findings_of(pair))} of {expected} findings\n"
                         + pair[1].log_tail(), 120)
            for service in pair:
                service.wait(lambda s=service: s.metrics().get("driftd_outbox_pending") == 0, "an empty outbox", 60)
            crash.wait_until_told(receiver)
            calm.stop()
            logs = [service.log() for service in pair]
            say(f"partitions were held back after {sum(log.count(crash.HELD_BACK) for log in logs)} starts")
            for service in pair:
                service.stop()
            return compare(pair, calm, broker.replay(calm), receiver, count, kills, logs)


def compare(pair, calm, replayed, receiver, count, kills, logs):
    sent = collections.Counter((plant.START + n * crash.STEP) // crash.WINDOW * crash.WINDOW for n in range(count))
    lines, undisturbed = findings_of(pair), crash.findings_of(calm)
    assert crash.rows_a_window(undisturbed) == sent, "the undisturbed driftd counts what was sent"
    counted = crash.rows_a_window(lines)
    told_here, told_there = crash.told(receiver, "disturbed"), crash.told(receiver, "calm")
    # An alert of before the newest checkpoint may be said to fire again for a moment, when another driftd goes on from there.
    here, there = crash.alerts_of(receiver, "disturbed")[0], crash.alerts_of(receiver, "calm")[0]
    assert told_there and there, "something was told"
    return Counts(count, len(sent), kills, sum((sent - counted).values()), sum((counted - sent).values()),
                  crash.differences(lines, undisturbed) + crash.differences(undisturbed, replayed),
                  sum(told_here.get(i) != told_there.get(i) for i in told_here.keys() | told_there.keys()),
                  sum(here.get(i) != there.get(i) for i in here.keys() | there.keys()),
                  sum(log.count("this driftd judges the windows") for log in logs), sum(log.count("partition assigned") for log in logs))


def main():
    parser = argparse.ArgumentParser(prog="scripts/crash_test shared", description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(2), "big"))
    parser.add_argument("--rate", type=int, default=1500, help="records a second")
    counts = run(**vars(parser.parse_args()))
    print(f"{counts.windows} windows; lost {counts.lost}, double {counts.double}, differing findings {counts.differing}, "
          f"wrong webhooks {counts.webhooks}, wrong alerts {counts.alerts}; the office was taken {counts.offices} times, "
          f"partitions {counts.partitions}")
    return 1 if counts.lost or counts.double or counts.differing or counts.webhooks or counts.alerts else 0


if __name__ == "__main__":
    sys.exit(main())
