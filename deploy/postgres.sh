#!/bin/sh
# PostgreSQL with two roles: tertulia_owner owns the tables and changes them, tertulia reads and writes their rows.
# The superuser has no password and exists on the container's own socket alone.
set -eu
umask 077
cluster=/var/lib/postgresql/tertulia-$(postgres -V | tr -dc '0-9.' | cut -d. -f1)
secrets=/secrets/passwords.sql

# one statement a line
alone() { postgres --single -D "$1" -c log_min_messages=fatal -c exit_on_error=on "$2" >/dev/null; }

if [ ! -d "$cluster" ]; then
    draft=/var/lib/postgresql/draft # a start that was cut short is begun anew
    rm -rf "$draft"
    initdb -D "$draft" --username=postgres --auth=peer --encoding=UTF8 --locale=C --data-checksums >/dev/null
    alone "$draft" postgres <<'SQL'
CREATE ROLE tertulia_owner LOGIN;
CREATE ROLE tertulia LOGIN;
CREATE DATABASE tertulia OWNER tertulia_owner;
REVOKE ALL ON DATABASE tertulia FROM PUBLIC;
GRANT CONNECT ON DATABASE tertulia TO tertulia;
SQL
    alone "$draft" tertulia <<'SQL'
ALTER DEFAULT PRIVILEGES FOR ROLE tertulia_owner GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO tertulia;
ALTER DEFAULT PRIVILEGES FOR ROLE tertulia_owner GRANT USAGE ON SEQUENCES TO tertulia;
SQL
    cat >"$draft/pg_hba.conf" <<'HBA'
local all      postgres                        peer
host  tertulia tertulia_owner,tertulia samenet scram-sha-256
HBA
    mv "$draft" "$cluster"
fi
alone "$cluster" postgres <"$secrets"
exec postgres -D "$cluster" -c listen_addresses='*' -c unix_socket_directories="$PGHOST" "$@"
