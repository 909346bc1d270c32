#!/bin/bash
# SPDX-License-Identifier: ISC
# Maildir: eight deliver at once, by link and by rename, two others move what
# is new to cur. No message is lost, torn or there twice.
. "$(dirname "$0")/lib.sh"
DELIVER=8
MESSAGES=12

# One line names the message, the others are many of the same.
message()
{
	echo "$1"
	for ((line = 0; line < $2 * 40; line++)); do
		echo "$1 line $line"
	done
}

deliver()
{
	for ((m = 0; m < MESSAGES; m++)); do
		name=$1.$m
		message "$name" "$m" >"tmp/$name" || return 1
		if [ $((m % 2)) = 0 ]; then
			ln "tmp/$name" "new/$name" && rm "tmp/$name"
		else
			mv -n "tmp/$name" "new/$name"
		fi || return 1
	done
}

# Each name is moved by one of the two: the other one misses it. What was
# delivered before the file all-delivered appeared is listed after it.
move_new()
{
	while :; do
		last=
		[ -e all-delivered ] && last=yes
		for path in new/*; do
			[ "$path" = 'new/*' ] && continue
			text=$(cat "$path" 2>/dev/null) || continue
			name=${path#new/}
			[ "$text" = "$(message "$name" "${name#*.}")" ] ||
			    { echo "torn: $name" >>"$T/bad"; return 1; }
			mv "$path" "cur/$name:2,S" 2>/dev/null &&
			    echo "$name" >>"$T/moved.$1"
		done
		[ -z "$last" ] || return 0
	done
}

start_kvfs
mkdir "$MNT/mail" || fail "mkdir"
cd "$MNT/mail" || fail "cd"
mkdir tmp new cur || fail "mkdir"
movers=
for who in 1 2; do
	move_new $who &
	movers="$movers $!"
done
writers=
for ((who = 0; who < DELIVER; who++)); do
	deliver $who &
	writers="$writers $!"
done
for pid in $writers; do
	wait "$pid" || fail "delivering"
done
touch all-delivered
for pid in $movers; do
	wait "$pid" || fail "moving: $(cat "$T/bad")"
done

expected()
{
	for ((who = 0; who < DELIVER; who++)); do
		for ((m = 0; m < MESSAGES; m++)); do
			echo "$who.$m"
		done
	done | sort
}

verify()
{
	same "left in tmp and new" "" "$(find tmp new -type f)"
	same "in cur" "$(expected)" \
	    "$(find cur -type f | sed 's,^cur/\(.*\):2\,S$,\1,' | sort)"
	same "moved" "$(expected)" "$(sort "$T"/moved.*)"
	same "with two names" "" "$(find cur -type f -links +1)"
	for path in cur/*; do
		name=${path#cur/}
		name=${name%:2,S}
		message "$name" "${name#*.}" | cmp - "$path" ||
		    fail "contents of $name"
	done
}

verify
cd / && remount
cd "$MNT/mail" || fail "cd"
verify
cd / && stop_kvfs
