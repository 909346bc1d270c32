#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# Backups of a mounted store under load: each is a state that the store had,
# not older than the call. And backups that end before they are complete:
# by a signal, by a full disk, by the end of the mount.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_disk.sh"
rounds=${KVFS_BACKUP_ROUNDS:-3}
STORE=$T/store
# Copies to another file system are copied, not linked.
make_disk ext4 64M

ctl()
{
	"$KVFSCTL_BIN" "$@" || fail "kvfsctl $*: exit status $?"
}

# Each step makes file N, then replaces "last" by one that says N; what is
# acknowledged stands in $T/done.
writer()
{
	local n=0
	while [ ! -e "$T/stop" ]; do
		n=$((n + 1))
		{
			mkdir -p "$MNT/$1/$((n / 100))"
			printf '%08d%4000s' $n x >"$MNT/$1/$((n / 100))/$n"
			echo $n >"$MNT/$1/last.new"
			mv "$MNT/$1/last.new" "$MNT/$1/last"
			[ $((n % 7)) != 0 ] || rm "$MNT/$1/$((n / 100))/$n"
		} || exit 1
		echo $n >"$T/done.$1.new"
		mv "$T/done.$1.new" "$T/done.$1"
	done
}

# verify_copy MOUNT WRITER LEAST: steps 1..N without a gap, N at least LEAST;
# the next one may be half done.
verify_copy()
{
	local d=$1/$2 last
	last=$(cat "$d/last") || fail "no $d/last"
	[ "$last" -ge "$3" ] || fail "$d: $last is older than the call ($3)"
	find "$d" -name '[0-9]*' -type f -print0 | xargs -0 awk '
	    FNR == 1 { n = FILENAME; sub(".*/", "", n); print n, $1 + 0 }' |
	    awk -v last="$last" '
	    $1 != $2 { print "file", $1, "says", $2 }
	    $1 > last + 1 { print $1, "without the steps before it" }
	    $1 % 7 == 0 && $1 < last { print $1, "was removed before" }
	    { has[$1] = 1 }
	    END {
		for (n = 1; n <= last; n++)
			if (n % 7 != 0 && !(n in has))
				print n, "is missing"
	    }' >"$T/wrong"
	[ ! -s "$T/wrong" ] || fail "$d: $last steps: $(head "$T/wrong")"
}

check_copy()
{
	same "check of $1" "Problems: 0" "$(ctl check "$1")"
	mkdir -p "$T/copy.mnt"
	"$KVFS_BIN" "$1" "$T/copy.mnt" || fail "the copy $1 does not mount"
	verify_copy "$T/copy.mnt" a "$2"
	verify_copy "$T/copy.mnt" b "$3"
	ctl umount "$T/copy.mnt"
}

start_kvfs -o memtable=1M
mkdir "$MNT/a" "$MNT/b"
writer a &
writers=$!
writer b &
writers="$writers $!"
await "the writers" test -e "$T/done.a" -a -e "$T/done.b"
for round in $(seq "$rounds"); do
	least_a=$(cat "$T/done.a") least_b=$(cat "$T/done.b")
	# Two at the same time, one linked and one copied.
	"$KVFSCTL_BIN" backup "$MNT" "$T/linked" >"$T/out1" 2>&1 &
	first=$!
	ctl backup "$STORE" "$DISK/copied" >"$T/out2" || fail "$(cat "$T/out2")"
	wait $first || fail "two backups at the same time: $(cat "$T/out1")"
	grep -q '^Files linked: 0' "$T/out2" || fail "linked to another disk"
	check_copy "$T/linked" "$least_a" "$least_b"
	check_copy "$DISK/copied" "$least_a" "$least_b"
	rm -r "$T/linked" "$DISK/copied"
done
: >"$T/stop"
# shellcheck disable=SC2086
wait $writers || fail "a writer failed"

# A disk that is full on the way.
head -c 200M /dev/urandom >"$MNT/big"
"$KVFSCTL_BIN" backup "$MNT" "$DISK/full" >"$T/out" 2>"$T/err"
same "status on a full disk" 1 $?
grep -q '^kvfsctl: .*/full/.*: No space left' "$T/err" ||
    fail "a full disk: $(cat "$T/err")"
same "lines about a full disk" 1 "$(wc -l <"$T/err")"
[ ! -e "$DISK/full" ] || fail "a full disk: $(ls -a "$DISK/full")"

# Stopped on the way: its first file is there, the manifest is not. One that
# was faster than we look is made again.
stop_backup()
{
	local end=$((SECONDS + deadline_seconds))
	while [ $SECONDS -lt $end ]; do
		rm -rf "$1"
		# A shell's background jobs ignore SIGINT.
		env --default-signal=INT \
		    "$KVFSCTL_BIN" backup "$MNT" "$1" >"$T/out" 2>"$T/err" &
		tool_pid=$!
		until compgen -G "$1/*.s*" >"$T/glob"; do
			kill -0 $tool_pid || fail "$(cat "$T/err")"
		done
		kill -STOP $tool_pid
		await "the stop" grep -q '^State:.[TZ]' /proc/$tool_pid/status
		compgen -G "$1/MANIFEST-*" >"$T/glob" || return 0
		kill -CONT $tool_pid
		wait $tool_pid
	done
	fail "no backup could be stopped on its way"
}
umount "$DISK"
make_disk ext4 512M
for signal in TERM INT HUP KILL; do
	stop_backup "$DISK/$signal"
	kill -$signal $tool_pid
	kill -CONT $tool_pid
	wait $tool_pid
	got=$?
	same "status after SIG$signal" $((128 + $(kill -l $signal))) $got
	[ "$signal" = KILL ] || [ ! -e "$DISK/$signal" ] ||
	    fail "SIG$signal left $(ls "$DISK/$signal")"
done
# What a killed one left is no store, and in nobody's way.
"$KVFSCTL_BIN" check "$DISK/KILL" >"$T/out" 2>&1 && fail "half a backup opens"
"$KVFS_BIN" "$DISK/KILL" "$T/copy.mnt" 2>"$T/err" && fail "half a backup mounts"
"$KVFSCTL_BIN" backup "$MNT" "$DISK/KILL" 2>"$T/err" && fail "over half of one"
rm -r "$DISK/KILL"

# A backup is that of its first use.
hold_backup()
{
	exec 5<"$MNT/.kvfs/backup" || fail "cannot hold a backup"
	head -c 1 <&5 >"$T/out.5" || fail "cannot hold a backup"
}

# The end of the mount ends it; until then it holds the mount. The other
# backup shows when the end has come: O_DIRECT passes what was read ahead.
stop_backup "$DISK/unmounted"
hold_backup
"$KVFSCTL_BIN" umount "$MNT" 2>"$T/err.umount" 5<&- &
umount_pid=$!
is_ended()
{
	! dd bs=64k count=1 iflag=direct status=none <&5 >"$T/out.5" 2>"$T/err.5"
}
await "the end of a backup" is_ended
grep -q 'canceled' "$T/err.5" || fail "$(cat "$T/err.5")"
exec 5<&-
kill -CONT $tool_pid
wait $tool_pid
same "status after the unmount" 1 $?
grep -q 'the mount is being ended' "$T/err" || fail "$(cat "$T/err")"
[ ! -e "$DISK/unmounted" ] || fail "$(ls "$DISK/unmounted")"
wait $umount_pid || fail "kvfsctl umount: $(cat "$T/err.umount")"
wait_gone "$PID"
start_kvfs

# The end of the daemon ends it.
stop_backup "$DISK/ended"
kill -TERM "$PID"
wait_gone "$PID"
kill -CONT $tool_pid
wait $tool_pid
same "status after the daemon ended" 1 $?
grep -q 'the daemon of this mount is gone' "$T/err" || fail "$(cat "$T/err")"
[ ! -e "$DISK/ended" ] || fail "$(ls "$DISK/ended")"
PID=

# What a backup held goes when it ends.
start_kvfs
hold_backup
rm "$MNT/big"
ctl compact "$MNT"
held=$(du -s --block-size=1M "$STORE" | cut -f 1)
[ "$held" -ge 200 ] || fail "a backup that is being read lost its files"
exec 5<&-
gone_again()
{
	ctl compact "$MNT"
	[ "$(du -s --block-size=1M "$STORE" | cut -f 1)" -lt 200 ]
}
await "room" gone_again
stop_kvfs
