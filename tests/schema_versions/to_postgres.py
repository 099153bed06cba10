"""Prints SQL that makes, in an empty PostgreSQL database, the schema of a sample's version with the sample's rows.

Usage: to_postgres.py DUMP MIGRATIONS; DUMP is an SQLite dump (fixtures/schema), MIGRATIONS the folder of PostgreSQL's.
"""
import hashlib, pathlib, sqlite3, sys

dump, migrations = sys.argv[1:3]
sample = sqlite3.connect(":memory:")
sample.executescript(pathlib.Path(dump).read_text(encoding="utf-8"))
(version,) = sample.execute("SELECT max(version) FROM _sqlx_migrations").fetchone()


def literal(value):
    if value is None:
        return "NULL"
    if isinstance(value, bytes):
        return f"'\\x{value.hex()}'"
    if isinstance(value, (int, float)):
        return repr(value)
    return "'" + value.replace("'", "''") + "'"


# As sqlx keeps it.
print(
    "CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT NOT NULL, installed_on TIMESTAMPTZ NOT NULL DEFAULT now(), "
    "success BOOLEAN NOT NULL, checksum BYTEA NOT NULL, execution_time BIGINT NOT NULL);"
)
for file in sorted(pathlib.Path(migrations).glob("*.sql")):
    number, name = file.stem.split("_", 1)
    if int(number) <= version:
        text = file.read_text(encoding="utf-8")
        checksum = hashlib.sha384(text.encode()).hexdigest()
        print(text)
        print(f"INSERT INTO _sqlx_migrations VALUES ({int(number)}, '{name.replace('_', ' ')}', now(), true, '\\x{checksum}', 0);")
# Rows come table by table, whatever refers to what.
print("SET session_replication_role = replica;")
names = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> '_sqlx_migrations'"
for (table,) in sample.execute(names).fetchall():
    columns = [name for (_, name, *_) in sample.execute(f"PRAGMA table_info({table})")]
    for row in sample.execute(f"SELECT {', '.join(columns)} FROM {table}"):
        print(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join(map(literal, row))});")
    # New rows are numbered after these.
    if number := next((name for (_, name, kind, _, _, key) in sample.execute(f"PRAGMA table_info({table})") if key and kind == "INTEGER"), None):
        print(
            f"SELECT setval(CAST(s AS regclass), (SELECT max({number}) FROM {table})) "
            f"FROM pg_get_serial_sequence('{table}', '{number}') AS s WHERE s IS NOT NULL;"
        )
