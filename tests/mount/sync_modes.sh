#!/bin/bash
# SPDX-License-Identifier: ISC
# What each sync mode does to the disk, seen by strace, and what it promises,
# seen in .kvfs/stats. All modes are set on the live mount.
. "$(dirname "$0")/lib.sh"
need strace
tracer=
deadline_seconds=30

end_tracer()
{
	local status=$?
	[ -z "$tracer" ] || kill "$tracer" 2>/dev/null
	(exit $status)
	cleanup
}
trap end_tracer EXIT

await()
{
	local what=$1 end=$((SECONDS + deadline_seconds))
	shift
	until "$@"; do
		[ $SECONDS -lt $end ] ||
		    fail "$what: not within $deadline_seconds seconds"
		sleep 0.02
	done
}

is_traced()
{
	kill -0 "$tracer" 2>/dev/null || skip "strace: $(cat "$T/strace.err")"
	! grep -qx 'TracerPid:	0' /proc/"$PID"/task/*/status
}

# Traces every call by which the daemon could make something durable.
trace()
{
	strace -f -y -p "$PID" -o "$T/trace" \
	    -e trace=fdatasync,fsync,sync_file_range,msync,syncfs,sync \
	    2>"$T/strace.err" &
	tracer=$!
	await "strace" is_traced
}

# How often log files were synced since the mark.
mark()
{
	marked=$(wc -l <"$T/trace")
}

log_syncs()
{
	tail -n +$((marked + 1)) "$T/trace" | grep -c 'sync[a-z_]*([0-9]*<.*\.log>'
}

set_options()
{
	echo "$1" >"$MNT/.kvfs/options" || fail "options: $1"
}

not_durable()
{
	stat_value "$MNT" "Changes not durable"
}

commits_not_durable()
{
	stat_value "$MNT" "Commits not durable"
}

is_durable()
{
	[ "$(not_durable)" = 0 ]
}

waiting()
{
	stat_value "$MNT" "Write-back bytes"
}

nothing_waits()
{
	[ "$(waiting)" = 0 ]
}

expect_syncs()
{
	local n
	n=$(log_syncs)
	[ "$n" -ge "$2" ] && [ "$n" -le "$3" ] ||
	    fail "$1: $n syncs of the log, not $2 to $3:
$(tail -n +$((marked + 1)) "$T/trace")"
}

start_kvfs -o sync=off
trace

what="sync=off"
mark
for i in $(seq 50); do
	echo "$i" >"$MNT/off$i"
done
sync "$MNT/off1" "$MNT" || fail "$what: sync"
dd if=/dev/zero of="$MNT/off.dsync" bs=1k count=3 oflag=dsync status=none
expect_syncs "$what" 0 0
[ "$(not_durable)" -gt 0 ] || fail "$what: durable"
# What was committed without a sync is synced now.
set_options sync=checkpoint
same "$what: after leaving it" 0 "$(not_durable)"

what="sync=checkpoint"
mark
for i in $(seq 50); do
	echo "$i" >"$MNT/checkpoint$i"
done
expect_syncs "$what" 0 0
[ "$(not_durable)" -gt 0 ] || fail "$what: durable"
echo 1 >"$MNT/.kvfs/flush"
same "$what: after a flush" 0 "$(not_durable)"

# Where only fsync makes anything durable: what each kind of it does.
for what in file data directory root dsync sync; do
	rm -rf "$MNT/dir" && mkdir -p "$MNT/dir/sub" &&
	    echo "$what" >"$MNT/dir/file" || fail "$what"
	[ "$(not_durable)" -gt 0 ] || fail "fsync of $what: durable before"
	mark
	case $what in
	file) sync "$MNT/dir/file" ;;
	data) sync -d "$MNT/dir/file" ;;
	directory) sync "$MNT/dir/sub" ;;
	root) sync "$MNT" ;;
	dsync) echo "$what" |
	    dd of="$MNT/dir/file" conv=notrunc oflag=dsync status=none ;;
	sync) echo "$what" |
	    dd of="$MNT/dir/file" conv=notrunc oflag=sync status=none ;;
	esac || fail "fsync of $what"
	same "fsync of $what: not durable" 0 "$(not_durable)"
	# Of the log before it too, if that was left meanwhile.
	expect_syncs "fsync of $what" 1 2
done

# An fsync of what is durable costs nothing.
mark
for i in $(seq 30); do
	sync "$MNT/dir/file" "$MNT/dir" "$MNT" || fail "sync"
done
expect_syncs "fsync again" 0 0

# Contents that wait are nobody's but the file's own, and the root's.
set_options flush=lazy,writeback=3600000
echo lazy >"$MNT/lazy1"
echo lazy >"$MNT/lazy2"
sync "$MNT/dir"
both=$(waiting)
[ "$both" -gt 0 ] || fail "flush=lazy: nothing waits"
sync "$MNT/lazy1"
same "flush=lazy: waiting after fsync of one of two" $((both / 2)) "$(waiting)"
sync "$MNT"
same "flush=lazy: waiting after fsync of the root" 0 "$(waiting)"
same "flush=lazy: not durable" 0 "$(not_durable)"
# No longer than writeback=MS.
set_options writeback=100,sync=interval:100
echo lazy >"$MNT/lazy3"
await "writeback=100" nothing_waits
await "sync=interval after write-back" is_durable
set_options flush=close,writeback=1000

what="sync=every:10"
set_options sync=every:10
mark
for i in $(seq 30); do
	mkdir "$MNT/every$i"
	[ "$(not_durable)" -lt 20 ] || # a mkdir is up to two changes
	    fail "$what: $(not_durable) changes are not durable"
done
expect_syncs "$what" 3 4

what="sync=hybrid:10:3600000"
set_options sync=hybrid:10:3600000
mark
for i in $(seq 30); do
	mkdir "$MNT/hybrid$i"
done
expect_syncs "$what" 3 4
what="sync=hybrid:1000000:200"
set_options sync=hybrid:1000000:200
mkdir "$MNT/hybrid"
await "$what" is_durable

# At most one sync an interval while there is something to do, none after.
what="sync=interval:400"
set_options sync=interval:400
mark
start=$(date +%s%N)
until [ $((($(date +%s%N) - start) / 1000000)) -ge 2000 ]; do
	echo "$start" >"$MNT/interval"
done
n=$(log_syncs)
ms=$((($(date +%s%N) - start) / 1000000))
echo "$what: $n syncs in $ms ms"
# And one for the edges, and one for a log that was left.
[ "$n" -ge 1 ] && [ "$n" -le $((ms / 400 + 2)) ] ||
    fail "$what: $n syncs in $ms ms"
await "$what" is_durable
# A single change that nothing follows.
mark
start=$(date +%s%N)
mkdir "$MNT/single"
await "$what: a single change" is_durable
ms=$((($(date +%s%N) - start) / 1000000))
echo "$what: a single change was durable after $ms ms"
expect_syncs "$what: a single change" 1 1
mark
# Idle for some intervals: that is the subject.
sleep 1
expect_syncs "$what: idle" 0 0

# Every change is durable before its reply.
what="sync=full"
set_options sync=full
durable()
{
	local before after
	before=$(stat_value "$MNT" "Last change")
	"$@" || fail "$what: $*"
	same "$what: not durable after $*" 0 "$(not_durable)"
	after=$(stat_value "$MNT" "Last change")
	[ "$after" -gt "$before" ] || fail "$what: $* changed nothing"
}
write_file()
{
	echo contents >"$1"
}
mark
durable touch "$MNT/full"
durable write_file "$MNT/full"
durable write_file "$MNT/full2"
durable mkdir "$MNT/full.d"
durable ln "$MNT/full" "$MNT/full.d/link"
durable ln -s target "$MNT/full.d/symlink"
durable mv "$MNT/full2" "$MNT/full.d/moved"
durable chmod 600 "$MNT/full"
durable truncate -s 3 "$MNT/full"
durable rm "$MNT/full.d/link"
durable rm -r "$MNT/full.d"
expect_syncs "$what" 11 40

kill "$tracer"
wait "$tracer" 2>/dev/null
tracer=
# What would be lost is told: three commits, until something syncs them.
what="commits not durable"
set_options sync=checkpoint
"$KVFSCTL_BIN" sync "$MNT" || fail "$what: sync"
same "$what: after a sync" 0 "$(commits_not_durable)"
for i in 1 2 3; do
	mkdir "$MNT/counted.$i" || fail "$what: mkdir"
done
same "$what: after three" 3 "$(commits_not_durable)"
"$KVFSCTL_BIN" sync "$MNT" || fail "$what: sync"
same "$what: after another sync" 0 "$(commits_not_durable)"

same "check" "Problems: 0" "$("$KVFSCTL_BIN" check "$MNT")"
stop_kvfs
