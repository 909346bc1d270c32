#!/bin/bash
# SPDX-License-Identifier: ISC
# Many processes at once: each writes, reads back, renames and deletes its
# own files, and all append to one and take turns with a lock.
# KVFS_PROCS (50) says how many, KVFS_SECONDS (5) for how long.
. "$(dirname "$0")/lib.sh"
procs=${KVFS_PROCS:-50}
seconds=${KVFS_SECONDS:-5}
need flock

start_kvfs
mkdir "$MNT/own" "$MNT/shared"
: >"$MNT/shared/log"
echo 0 >"$MNT/shared/count"

one()
{
	local id=$1 dir=$MNT/own/$1 n=0 end=$((SECONDS + seconds)) count
	mkdir "$dir" || return 1
	while [ $SECONDS -lt $end ]; do
		n=$((n + 1))
		seq "$id" $((id + n)) >"$dir/tmp" || return 1
		mv "$dir/tmp" "$dir/file$((n % 5))" || return 1
		[ "$(head -n 1 "$dir/file$((n % 5))")" = "$id" ] || return 1
		[ "$(tail -n 1 "$dir/file$((n % 5))")" = $((id + n)) ] ||
		    return 1
		echo "$id $n" >>"$MNT/shared/log" || return 1
		(
			flock 9 || exit 1
			read -r count <"$MNT/shared/count" || exit 1
			echo $((count + 1)) >"$MNT/shared/count.new" &&
			    mv "$MNT/shared/count.new" "$MNT/shared/count"
		) 9>"$MNT/shared/lock" || return 1
		[ $((n % 7)) != 0 ] || rm "$dir/file$((n % 5))" || return 1
	done
	echo $n >"$T/done.$id"
}

for p in $(seq "$procs"); do
	one "$p" 2>"$T/err.$p" &
	pids[p]=$!
done
for p in $(seq "$procs"); do
	wait "${pids[p]}" || fail "process $p: $(cat "$T/err.$p")"
done
total=$(cat "$T"/done.* | awk '{ s += $1 } END { print s }')
verify()
{
	same "$1: lines of the common log" "$total" \
	    "$(wc -l <"$MNT/shared/log")"
	same "$1: lines that are whole" "$total" \
	    "$(grep -cx '[0-9]* [0-9]*' "$MNT/shared/log")"
	same "$1: the common count" "$total" "$(cat "$MNT/shared/count")"
	same "$1: directories" "$procs" "$(ls "$MNT/own" | wc -l)"
	same "$1: check" "Problems: 0" "$("$KVFSCTL_BIN" check "$MNT")"
}
verify "at the end"
remount
verify "after a remount"
rm -rf "$MNT/own" || fail "rm -rf"
stop_kvfs
