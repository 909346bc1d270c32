#!/bin/sh
# SPDX-License-Identifier: ISC
# Each way to get it wrong: one line that says what and why, and the exit
# status; 2 for misuse, 1 for what cannot be done.
. "$(dirname "$0")/lib.sh"

kvfs=$KVFS_BIN

expect_error 2 "no mountpoint" "$kvfs"
expect_error 2 "one operand too many" "$kvfs" a b c
expect_error 2 "unknown option" "$kvfs" -x "$MNT"
expect_error 2 "unknown option" "$kvfs" --nonsense "$MNT"
expect_error 2 "needs an argument" "$kvfs" "$STORE" "$MNT" -o
expect_error 2 "cahce=1M: unknown option" "$kvfs" "$STORE" "$MNT" -o cahce=1M
expect_error 2 "cache=12Q: bad value" "$kvfs" "$STORE" "$MNT" -o cache=12Q
expect_error 2 "memory=1M: bad value" "$kvfs" "$STORE" "$MNT" -o memory=1M
expect_error 2 "give memory=87M" "$kvfs" "$STORE" "$MNT" \
    -o memory=64M,cache=64M
expect_error 2 "cache=0: bad value" "$kvfs" "$STORE" "$MNT" -o cache=0
expect_error 2 "cache=-1: bad value" "$kvfs" "$STORE" "$MNT" -o cache=-1
expect_error 2 "bad value" "$kvfs" "$STORE" "$MNT" \
    -o cache=99999999999999999999G
expect_error 2 "sync=maybe: bad value" "$kvfs" "$STORE" "$MNT" -o sync=maybe
expect_error 2 "flush=never: bad value" "$kvfs" "$STORE" "$MNT" -o flush=never
expect_error 2 "needs a value" "$kvfs" "$STORE" "$MNT" -o cache
expect_error 2 "takes no value" "$kvfs" "$STORE" "$MNT" -o ro=1
expect_error 2 "threads=0: bad value" "$kvfs" "$STORE" "$MNT" -o threads=0
[ ! -e "$STORE" ] || fail "misuse made a store"

expect_error 1 "No such file or directory" "$kvfs" "$STORE" "$T/none"
echo x >"$T/file"
expect_error 1 "not a directory" "$kvfs" "$STORE" "$T/file"
expect_error 1 "not a directory" "$kvfs" "$T/file" "$MNT"
expect_error 1 "make its parent directory" "$kvfs" "$T/no/such/store" "$MNT"
expect_error 1 "inside of the mountpoint" "$kvfs" "$MNT/store" "$MNT"
mkdir "$STORE" "$STORE/mnt"
expect_error 1 "inside of the store" "$kvfs" "$STORE" "$STORE/mnt"
rmdir "$STORE/mnt" "$STORE"
expect_error 1 "" "$kvfs" "$STORE" "$MNT" -o ro

start_kvfs
expect_error 1 "mounted there already (store $STORE)" "$kvfs" "$STORE" "$MNT"
expect_error 1 "mounted there already" "$kvfs" "$T/other" "$MNT"
mkdir "$T/mnt2"
expect_error 1 "in use by process $PID, mounted at $MNT" \
    "$kvfs" "$STORE" "$T/mnt2"
stop_kvfs

# In the foreground the same lines and statuses.
expect_error 1 "not a directory" "$kvfs" -f "$STORE" "$T/file"

# A store that is none: something else lies there.
mkdir "$T/junk"
echo hello >"$T/junk/CURRENT"
expect_error 1 "" "$kvfs" "$T/junk" "$MNT"
! is_mounted "$MNT" || fail "junk was mounted"

# Without rights, as another user who cannot open the device.
if has_root && has_tool setpriv; then
	chmod 755 "$T"
	cp "$KVFS_BIN" "$T/kvfs"
	mknod -m 600 "$T/fuse" c 10 229 || fail mknod
	# A device of its own, wherever the machine lets everybody in.
	# shellcheck disable=SC2016 # $0 is the inner shell's
	expect_error 1 "/dev/fuse: Permission denied" unshare -m sh -c '
	    mount --bind "$0/fuse" /dev/fuse &&
	    exec setpriv --reuid=65534 --regid=65534 --clear-groups \
	        "$0/kvfs" "$1" "$2"' "$T" "$STORE" "$MNT"
fi

# Help and version go to stdout, with status 0.
"$kvfs" --help 2>"$T/err" | grep -q '^usage: kvfs' || fail "--help"
[ ! -s "$T/err" ] || fail "--help writes to stderr"
"$kvfs" -h >/dev/null || fail "-h: exit status $?"
"$kvfs" --version | grep -q '^kvfs [0-9]' || fail "--version"
"$kvfs" -V >/dev/null || fail "-V: exit status $?"
