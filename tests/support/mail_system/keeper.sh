#!/bin/sh
# Keeps one server of the lab: starts it in its own process group, waits until its own standard input closes (the test has dropped
# it, or died), then ends the whole group. It ends by itself when the server does.
# Usage: keeper.sh PID-FILE PREPARE-COMMAND CLEAN-COMMAND SERVER [ARGUMENT...]
set -u
pid_file=$1
prepare=$2
clean=$3
shift 3
# Postfix closes every possible descriptor when it starts: a second and more where the limit is a million.
ulimit -n 4096
sh -c "$prepare" || exit 1
: >"$pid_file"
# A pipe to ourselves would keep `read` waiting: nothing below inherits standard input.
(
    setsid sh -c 'echo $$ >"$0"; exec "$@"' "$pid_file" "$@" </dev/null
    kill -s TERM $$ 2>/dev/null
) </dev/null &
leader=$!
stop() {
    trap '' TERM INT HUP
    server=$(cat "$pid_file")
    if [ -n "$server" ]; then
        kill -s TERM -- "-$server" 2>/dev/null
        (sleep 3; kill -s KILL -- "-$server") </dev/null >/dev/null 2>&1 &
        impatient=$!
        wait "$leader" 2>/dev/null
        kill -s KILL "$impatient" 2>/dev/null
        # Whatever outlived its leader.
        kill -s KILL -- "-$server" 2>/dev/null
    fi
    sh -c "$clean"
    exit 0
}
trap stop TERM INT HUP
read -r _
stop
