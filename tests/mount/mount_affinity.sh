#!/bin/bash
# SPDX-License-Identifier: ISC
# A program that is alone is answered on its processor; others that want the
# processors, or the mount, are not held up, and no thread stays bound.
. "$(dirname "$0")/lib.sh"
hogs=

end_hogs()
{
	[ -z "$hogs" ] || kill $hogs 2>/dev/null
	[ -z "$hogs" ] || wait $hogs 2>/dev/null
	hogs=
}
trap 'status=$?; end_hogs; (exit $status); cleanup' EXIT

answered()
{
	stat_value "$MNT" "Requests answered beside the caller"
}

# Policies of the daemon's threads that are not the normal one.
odd_policies()
{
	local stat
	for stat in /proc/"$PID"/task/*/stat; do
		# Field 41; the name may hold blanks.
		sed 's/.*) //' "$stat" | cut -d' ' -f39
	done | grep -cv '^0$'
}

# Many requests, one after the other, of one process.
one_by_one()
{
	find "$MNT/tree" -type f -exec touch -c {} +
}

start_kvfs
mkdir "$MNT/tree"
(cd "$MNT/tree" && seq 2000 | sed 's/^/file-/' | xargs touch)
one_by_one
if has_affinity; then
	[ "$(answered)" -gt 500 ] || fail "only $(answered) requests of thousands"
fi
same "policies" 0 "$(odd_policies)"

# Twice as many busy processes as processors, and one program on the mount;
# then eight programs at once.
for _ in $(seq $((2 * $(nproc)))); do
	while :; do :; done &
	hogs="$hogs $!"
done
export MNT
export -f one_by_one
for i in 1 2 3; do
	timeout 120 bash -c one_by_one || fail "$i: held up"
done
end_hogs
pids=
for i in 1 2 3 4 5 6 7 8; do
	(
		mkdir "$MNT/$i"
		cd "$MNT/$i" || exit 1
		seq 300 | xargs touch && seq 300 | xargs rm
	) &
	pids="$pids $!"
done
for pid in $pids; do
	wait "$pid" || fail "one of eight failed"
done
same "left over" "" "$(find "$MNT"/[1-8] -type f)"
same "policies after company" 0 "$(odd_policies)"
stop_kvfs

start_kvfs -o noaffinity
one_by_one
same "with noaffinity" 0 "$(answered)"
stop_kvfs
