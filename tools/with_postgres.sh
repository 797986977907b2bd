#!/usr/bin/env bash
# Runs a command with a PostgreSQL server of its own, on a socket in a temporary folder, which is gone afterwards.
#
# usage: tools/with_postgres.sh COMMAND...      the command finds the server in OPENVET_TEST_POSTGRES
set -euo pipefail

initdb=$(command -v initdb || true)
for each in /usr/lib/postgresql/*/bin/initdb; do
    if [ -x "$each" ]; then initdb=$each; fi
done
[ -n "$initdb" ] || { echo "there is no PostgreSQL server here (apt-get install postgresql)" >&2; exit 1; }
bin=$(dirname "$initdb")

folder=$(mktemp -d)
as=()
if [ "$(id -u)" = 0 ]; then # it refuses to run as root
    as=(setpriv --reuid=nobody --regid=nogroup --clear-groups env HOME="$folder")
    chown nobody:nogroup "$folder"
fi
cd "$folder"
stop() {
    "${as[@]}" "$bin/pg_ctl" -D "$folder/data" -m immediate stop >/dev/null 2>&1 || true
    rm -rf "$folder"
}
trap stop EXIT

"${as[@]}" "$initdb" -D "$folder/data" -U openvet --auth=trust --encoding=UTF8 --no-locale >/dev/null
"${as[@]}" "$bin/pg_ctl" -D "$folder/data" -w -l "$folder/log" -o "-k $folder -c listen_addresses='' -c max_connections=200" start >/dev/null
cd "$OLDPWD"
export OPENVET_TEST_POSTGRES="postgresql://openvet@/postgres?host=$folder"
"$@"
