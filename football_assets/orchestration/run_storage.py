"""Runs, events and schedules in SQLite as Dagster keeps them, with connections that stay open. `dagster.yaml` names it.

Dagster's own opens and closes a connection three to five times an event, and waits for the disk as often: two thirds of
what an event costs, and a run has hundreds. Files and tables are the same: either storage reads what the other wrote.
"""

import os
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, ClassVar

from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from dagster._serdes import ConfigurableClassData
from sqlalchemy import Connection, Engine, QueuePool, create_engine, event

_KEPT = 16  # files that stay open: the index and those of the latest runs
_BUSY_SECONDS = 60  # another process may write for so long


class LocalStorage(DagsterSqliteStorage):
    """Dagster's SQLite storage, its event log with connections that stay open."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(base_dir, inst_data)
        folder = Path(self._event_log_storage.path_for_shard("any")).parent
        self._event_log_storage = LocalEventLog(str(folder))

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> "LocalStorage":
        """The storage that `dagster.yaml` describes."""
        return cls(str(config_value["base_dir"]), inst_data)


class LocalEventLog(SqliteEventLogStorage):
    """Dagster's event log, a file a run and an index, each with one connection that stays open.

    What a process has written survives its crash. A machine that loses power may lose the last events, not the file.
    """

    _of_parents: ClassVar[list[OrderedDict[str, Engine]]] = []  # never closed here: they are their process's

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._pid = os.getpid()
        self._engines: OrderedDict[str, Engine] = OrderedDict()
        super().__init__(base_dir, inst_data)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock:
            engine = self._engine(shard)
            if shard not in self._initialized_dbs:
                self._initdb(engine)
                self._initialized_dbs.add(shard)
            with engine.connect() as connection:
                own: Any = connection.connection.dbapi_connection
                before = own.total_changes
                with connection.begin():
                    yield connection
                has_written = own.total_changes > before
            if has_written:
                # What is written goes to the file beside (`-wal`) for a while; the UI watches this one.
                with suppress(FileNotFoundError):  # another process has wiped it since
                    os.utime(self.path_for_shard(shard))

    def _engine(self, shard: str) -> Engine:
        if self._pid != os.getpid():  # a fork must not touch its parent's connections
            self._of_parents.append(self._engines)
            self._pid, self._engines = os.getpid(), OrderedDict()
        if shard not in self._engines:
            engine = create_engine(
                self.conn_string_for_shard(shard),
                poolclass=QueuePool,
                pool_size=1,
                max_overflow=-1,  # setting up a file takes several, which close again
                connect_args={"timeout": _BUSY_SECONDS, "check_same_thread": False},
            )
            event.listen(engine, "connect", _wait_for_the_disk_less_often)
            self._engines[shard] = engine
        self._engines.move_to_end(shard)
        while len(self._engines) > _KEPT:
            self._engines.popitem(last=False)[1].dispose()
        return self._engines[shard]

    def wipe(self) -> None:
        """Remove all runs' files and empty the index."""
        self._close()
        super().wipe()

    def dispose(self) -> None:
        """Close the connections."""
        super().dispose()
        self._close()

    def _close(self) -> None:
        with self._db_lock:
            while self._engines:
                self._engines.popitem()[1].dispose()


def _wait_for_the_disk_less_often(connection: Any, _: object) -> None:
    connection.execute("pragma synchronous = normal").close()
