"""MariaDB with one database and one user who logs in over TCP; it can do TLS, its authority is `ca`."""
import getpass
import os
import subprocess

import pymysql

from . import certificates
from .process import Process, ServerError, free_port


class MariaDB(Process):
    name = "mariadb"
    database, user, password = "plant", "driftd", "s3cret-of-the-test"

    def __init__(self, *options):
        super().__init__()
        self._options = options
        self.port = free_port()
        self._tls = certificates.make(self.dir / "tls")
        self.ca = self._tls.ca
        self._data, self._socket = self.dir / "data", self.dir / "s.sock"
        done = subprocess.run(
            ["mariadb-install-db", "--no-defaults", f"--datadir={self._data}", "--skip-test-db",
             "--auth-root-authentication-method=normal", f"--user={getpass.getuser()}", self._own_tables()],
            capture_output=True, text=True, timeout=120, check=False)
        if done.returncode != 0:
            raise ServerError(f"mariadb-install-db failed:\n{done.stdout}{done.stderr}")
        self._prepared = False

    def _own_tables(self):
        """A server that starts removes the temporary tables in that folder, also those of another one."""
        return f"--tmpdir={self.dir}"

    def argv(self):
        return ["mariadbd", "--no-defaults", f"--datadir={self._data}", f"--socket={self._socket}", self._own_tables(),
                f"--port={self.port}", "--bind-address=127.0.0.1", "--skip-name-resolve",
                f"--ssl-ca={self.ca}", f"--ssl-cert={self._tls.certificate}", f"--ssl-key={self._tls.key}", *self._options,
                *(["--user=root"] if os.geteuid() == 0 else [])]

    def administer(self, *statements):
        """As root."""
        with pymysql.connect(unix_socket=str(self._socket), user="root") as connection:
            for statement in statements:
                connection.cursor().execute(statement)

    def ready(self):
        self.administer()
        if not self._prepared:
            self.administer(f"CREATE DATABASE {self.database}",
                            f"CREATE USER {self.user}@'127.0.0.1' IDENTIFIED BY '{self.password}'",
                            f"GRANT ALL ON {self.database}.* TO {self.user}@'127.0.0.1'")
            self._prepared = True
        return True

    def connect(self):
        """As driftd would: over TCP, with the password."""
        return pymysql.connect(host="127.0.0.1", port=self.port, user=self.user, password=self.password,
                               database=self.database)

    def execute(self, sql, *parameters):
        with self.connect() as connection:
            cursor = connection.cursor()
            cursor.execute(sql, parameters)
            connection.commit()
            return cursor.fetchall()

    def load(self, table, columns, rows, batch=5000):
        """Inserts rows (tuples) into an existing table in multi-row statements; returns how many."""
        statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join(['%s'] * len(columns))})"
        rows = list(rows)
        with self.connect() as connection:
            cursor = connection.cursor()
            for at in range(0, len(rows), batch):
                cursor.executemany(statement, rows[at:at + batch])
            connection.commit()
        return len(rows)
