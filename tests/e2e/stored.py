"""driftd's checkpoint store, looked at and damaged from the outside."""
import contextlib
import sqlite3

# Of the log line of a start that went on from the checkpoint before the newest.
FELL_BACK = "the newest checkpoint is damaged; driftd goes on from the one before it"

# What of a checkpoint can be damaged.
PARTS = ("unit", "merger", "hub")


def _open(data_dir):
    return contextlib.closing(sqlite3.connect(data_dir / "state.db", isolation_level=None))


def generations(data_dir):
    if not (data_dir / "state.db").exists():
        return 0
    with _open(data_dir) as db:
        if not db.execute("SELECT 1 FROM sqlite_master WHERE name='generation'").fetchone():
            return 0
        return db.execute("SELECT count(*) FROM generation").fetchone()[0]


def newest(data_dir):
    """The number of the newest checkpoint, 0 when there is none; each is newer by one."""
    if generations(data_dir) == 0:
        return 0
    with _open(data_dir) as db:
        return db.execute("SELECT max(number) FROM generation").fetchone()[0]


def wait_checkpoint(service):
    """Waits for a checkpoint that was begun after now: the next one may have begun already."""
    first = newest(service.data_dir)
    service.wait(lambda: newest(service.data_dir) >= first + 2, "two checkpoints")


def _flip(blob):
    at = len(blob) // 2
    return blob[:at] + bytes([blob[at] ^ 16]) + blob[at + 1:]


def damage(data_dir, part, crc=False, every=False):
    """Damages a part of the newest checkpoint, or of `every` one; driftd must not run."""
    with _open(data_dir) as db:
        numbers = [row[0] for row in db.execute("SELECT number FROM generation ORDER BY number DESC")]
        for number in numbers if every else numbers[:1]:
            if part == "hub":
                if crc:
                    db.execute("UPDATE generation SET crc=crc+1 WHERE number=?", [number])
                else:
                    hub = db.execute("SELECT hub FROM generation WHERE number=?", [number]).fetchone()[0]
                    db.execute("UPDATE generation SET hub=? WHERE number=?", [_flip(hub), number])
                continue
            row = db.execute(f"SELECT partition, state FROM unit WHERE generation=? AND partition {'<' if part == 'merger' else '>='} 0 "
                             "ORDER BY partition", [number]).fetchone()
            assert row, f"no {part} in checkpoint {number}"
            if crc:
                db.execute("UPDATE unit SET crc=crc+1 WHERE generation=? AND partition=?", [number, row[0]])
            else:
                state = db.execute("SELECT bytes FROM state WHERE id=?", [row[1]]).fetchone()[0]
                db.execute("UPDATE state SET bytes=? WHERE id=?", [_flip(state), row[1]])


def damage_newest(data_dir, rng, but=None):
    """Damages a part of the newest checkpoint, at random, and returns the checkpoint's time. None, and nothing is done, when there is
    none before it, when it has no unit yet, or when it is that of the time `but`, which was damaged already."""
    if generations(data_dir) < 2:
        return None
    newest = "(SELECT max(number) FROM generation)"
    with _open(data_dir) as db:
        at = db.execute(f"SELECT at FROM generation WHERE number={newest}").fetchone()[0]
        kinds = {row[0] >= 0 for row in db.execute(f"SELECT partition FROM unit WHERE generation={newest}")}
    if at == but or kinds != {True, False}:
        return None
    damage(data_dir, rng.choice(PARTS), crc=rng.random() < 0.5)
    return at
