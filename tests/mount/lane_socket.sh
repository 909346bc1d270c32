#!/bin/bash
# SPDX-License-Identifier: ISC
# The daemon's socket for bulk work: who may use it, clients and daemons that
# are killed, many at once, others at work in the same directories, the end.
. "$(dirname "$0")/lib.sh"
need tar
# Root's is in /run/kvfs; here each user has a place of the test's own, too.
chmod 755 "$T"
export XDG_RUNTIME_DIR=$T/run
mkdir -m 700 "$T/run"

mkdir "$T/src"
for i in $(seq 400); do
	echo "file $i" >"$T/src/$i"
done
head -c 2000000 /dev/urandom >"$T/src/large"
tar -C "$T/src" -cf "$T/a.tar" .

start_kvfs
LANE=$(stat_value "$MNT" Lane)
[ -S "$LANE" ] || fail "no socket at '$LANE'"
same "who can write there" 0 \
    "$(find "$(dirname "$LANE")" -maxdepth 0 -perm /022 | wc -l)"

# Others may not, and get one line.
if has_root && has_tool setpriv; then
	stop_kvfs
	start_kvfs -o allow_other
	LANE=$(stat_value "$MNT" Lane)
	chmod 777 "$MNT"
	other="setpriv --reuid 65534 --regid 65534 --clear-groups"
	for c in "load $MNT" "dump $MNT"; do
		# shellcheck disable=SC2086
		$other "$KVFSCTL_BIN" $c <"$T/a.tar" >"$T/out" 2>"$T/err"
		same "status of $c as another user" 1 $?
		same "$c as another user" "kvfsctl: $MNT: only the owner of \
the mount and root may do that" "$(cat "$T/err")"
	done
	same "what another user has loaded" 0 "$(ls "$MNT" | wc -l)"
	# Not even by the socket itself.
	chmod 711 "$(dirname "$LANE")"
	chmod 777 "$LANE"
	$other "$KVFSCTL_BIN" load "$MNT" <"$T/a.tar" 2>"$T/err"
	same "status at an open socket" 1 $?
	grep -q 'only the owner' "$T/err" || fail "an open socket: $(cat "$T/err")"
	chmod 700 "$(dirname "$LANE")"
fi

# Others use the same directory: they see whole files only, and no error.
mkdir "$MNT/d"
(
	while [ ! -e "$T/stop" ]; do
		for f in "$MNT"/d/1?; do
			[ -e "$f" ] || continue
			c=$(cat "$f") || echo "cat $f"
			[ "$c" = "file ${f##*/}" ] || echo "$f has $c"
		done
		ls "$MNT/d" >/dev/null || echo ls
	done
) >"$T/reader" 2>&1 &
reader=$!
(
	i=0
	while [ ! -e "$T/stop" ]; do
		i=$((i + 1))
		echo mine >"$MNT/d/mine" && mv "$MNT/d/mine" "$MNT/d/mine-$((i % 9))" ||
		    echo "writer $i"
	done
) >"$T/writer" 2>&1 &
writer=$!
for i in 1 2 3; do
	"$KVFSCTL_BIN" load "$MNT" d <"$T/a.tar" || fail "load $i beside others"
done
touch "$T/stop"
wait $reader $writer
[ ! -s "$T/reader" ] || fail "a reader: $(head -3 "$T/reader")"
[ ! -s "$T/writer" ] || fail "a writer: $(head -3 "$T/writer")"
same "files of three loads" 401 \
    "$(find "$MNT/d" -type f ! -name 'mine*' | wc -l)"

# Several at once, in one directory and in others.
pids=
for i in 1 2 3 4; do
	mkdir -p "$MNT/p$((i / 2))"
	"$KVFSCTL_BIN" load "$MNT" p$((i / 2)) <"$T/a.tar" &
	pids="$pids $!"
done
for p in $pids; do
	wait "$p" || fail "one of several loads"
done
diff -r "$T/src" "$MNT/p1" || fail "several at once"

# A client that is killed, with a file half sent: what is there is whole, and
# the daemon goes on.
mkdir "$MNT/killed"
mkfifo "$T/fifo"
"$KVFSCTL_BIN" load "$MNT" killed <"$T/fifo" 2>/dev/null &
client=$!
exec 4>"$T/fifo"
head -c 1500000 "$T/a.tar" >&4
kill -9 $client
wait $client 2>/dev/null
exec 4>&-
for f in "$MNT"/killed/*; do
	[ ! -f "$f" ] || cmp -s "$f" "$T/src/${f##*/}" || fail "half of $f"
done
"$KVFSCTL_BIN" load "$MNT" killed <"$T/a.tar" || fail "load after a kill"
diff -r "$T/src" "$MNT/killed" || fail "after a killed client"

# The mount is in use while a client works; a forced end tells the client.
"$KVFSCTL_BIN" load "$MNT" killed <"$T/fifo" 2>"$T/err" &
client=$!
exec 4>"$T/fifo"
head -c 100000 "$T/a.tar" >&4
until find "/proc/$client/fd" -lname 'socket:*' 2>/dev/null | grep -q .; do :; done
unmount "$MNT" 2>"$T/out" && fail "unmounted under a client"
kill "$PID"
wait_gone "$PID"
exec 4>&-
wait $client
same "status of a client whose mount has ended" 1 $?
[ ! -e "$LANE" ] || fail "the socket was left"
PID=

# A daemon that is killed in the middle: the store is whole, each file too, and
# the socket that it left is removed by the next one.
start_kvfs
LANE=$(stat_value "$MNT" Lane)
mkdir "$MNT/crash"
"$KVFSCTL_BIN" load "$MNT" crash <"$T/fifo" 2>"$T/err" &
client=$!
exec 4>"$T/fifo"
head -c 1800000 "$T/a.tar" >&4
kill -9 "$PID"
wait_gone "$PID"
exec 4>&-
wait $client
same "status of a client whose daemon was killed" 1 $?
umount -l "$MNT" 2>/dev/null || fusermount3 -uz "$MNT"
# Its socket is left, unless another daemon has started since.
"$KVFSCTL_BIN" check "$STORE" >"$T/out" || fail "check: $(cat "$T/out")"
start_kvfs
[ ! -e "$LANE" ] || fail "a stale socket stays"
for f in "$MNT"/crash/*; do
	[ ! -f "$f" ] || cmp -s "$f" "$T/src/${f##*/}" || fail "half of $f"
done
same "nothing without a name is left" "Problems: 0" \
    "$("$KVFSCTL_BIN" check "$MNT")"

# What is no message at all is dropped.
if has_tool python3; then
	LANE=$(stat_value "$MNT" Lane)
	python3 - "$LANE" <<-'END' || fail "nonsense was not dropped"
	import socket, struct, sys
	for bytes in (b"GET / HTTP/1.0\r\n\r\n", struct.pack("<II", 4, 1),
	    struct.pack("<III", 4, 1, 99), b"\xff" * 5000):
	    s = socket.socket(socket.AF_UNIX)
	    s.settimeout(20)
	    s.connect(sys.argv[1])
	    s.sendall(bytes)
	    s.shutdown(socket.SHUT_WR)
	    try:
	        while s.recv(4096): pass
	    except ConnectionResetError: pass
	END
fi
same "it still works" "" "$("$KVFSCTL_BIN" load "$MNT" crash <"$T/a.tar" 2>&1)"

# A read-only mount takes none.
remount -o ro
"$KVFSCTL_BIN" load "$MNT" <"$T/a.tar" 2>"$T/err"
same "status on a read-only mount" 1 $?
same "its line" "kvfsctl: $MNT: the store is read-only" "$(cat "$T/err")"
"$KVFSCTL_BIN" dump "$MNT" crash | tar tf - >/dev/null ||
    fail "dump of a read-only mount"
