#!/bin/bash
# SPDX-License-Identifier: ISC
# Callers that exec, fork, are stopped, traced, frozen or dead, or that are in
# another PID namespace than the daemon, hold up neither themselves nor others.
. "$(dirname "$0")/lib.sh"
tool=${KVFS_BUILD:-$top/build}/tests/mount/odd_callers
[ -x "$tool" ] || fail "$tool: not built"
bound=30
group=

# A daemon that stands still would hold up the cleanup too.
stand_still()
{
	[ -z "$PID" ] || kill -KILL "$PID"
	fail "$*"
}

end_group()
{
	[ -n "$group" ] || return
	echo 0 >"$group/cgroup.freeze"
	[ -z "$user" ] || kill -KILL "$user"
	wait 2>/dev/null
	rmdir "$group"
	umount "$T/cgroup"
	group=
}
user=
trap 'status=$?; end_group; (exit $status); cleanup' EXIT

answers()
{
	timeout -s KILL 10 ls "$MNT" >/dev/null || stand_still "$1: no answer"
}

# try KIND OPTIONS
try()
{
	mkdir "$MNT/$1"
	timeout -s KILL $bound "$tool" "$1" "$MNT/$1" ||
	    stand_still "$1, kvfs $2: exit status $?"
	answers "$1"
}

# The same by a cgroup, whose processes stop wherever they are.
try_frozen()
{
	mkdir "$T/cgroup" "$MNT/frozen"
	mount -t cgroup2 none "$T/cgroup" || fail "cgroup2"
	group=$T/cgroup/kvfs-test.$$
	mkdir "$group" || fail "$group"
	(
		while :; do
			echo line >>"$MNT/frozen/log"
			/bin/true 9>"$MNT/frozen/open"
		done
	) &
	user=$!
	echo $user >"$group/cgroup.procs" || fail "cgroup.procs"
	for i in $(seq 10); do
		echo 1 >"$group/cgroup.freeze"
		timeout 10 sh -c "until grep -q 'frozen 1' $group/cgroup.events; do
			:; done" || stand_still "frozen: $i: it does not freeze"
		echo "$i" >"$MNT/frozen/$i" || fail "frozen: $i"
		answers frozen
		echo 0 >"$group/cgroup.freeze"
		touch "$MNT/frozen/again" || fail "frozen: $i"
	done
	end_group
}

kinds="exec threads vfork stop trace zombie"
! has_root || kinds="$kinds pidns"
for options in "" "-o sync=full" "-o relatime,kernel_writeback"; do
	rm -rf "$STORE"
	start_kvfs $options
	for kind in $kinds; do
		try "$kind" "$options"
	done
	if [ "$(id -u)" = 0 ] && [ -z "$options" ]; then
		try_frozen
	fi
	if [ -z "$options" ] && has_affinity; then
		[ "$(stat_value "$MNT" "Requests answered beside the caller")" \
		    -gt 0 ] || fail "nobody was alone"
	fi
	stop_kvfs
done

# The daemon in a PID namespace: callers have no number there.
if has_root; then
	unshare --pid --fork "$KVFS_BIN" -f "$STORE" "$MNT" &
	until [ -e "$MNT/.kvfs/stats" ]; do
		kill -0 $! 2>/dev/null || fail "kvfs in a PID namespace"
	done
	mkdir "$MNT/numberless"
	for kind in exec stop; do
		timeout -s KILL $bound "$tool" $kind "$MNT/numberless" ||
		    stand_still "$kind, callers without a number: $?"
	done
	unmount "$MNT"
	wait $! || fail "kvfs in a PID namespace: exit status $?"
fi
