#!/bin/sh
# SPDX-License-Identifier: ISC
# kvfsctl batch and get of many keys: the same mounted or not.
. "$(dirname "$0")/lib.sh"

ctl()
{
	"$KVFSCTL_BIN" "$@"
}

# On the store that $1 names; leaves it empty.
all_of_it()
{
	at=$1
	printf 'put a 3\nabc\n\nput with blank 4\n1\n23\nput empty 0\n\n' |
	    ctl batch "$at" || fail "batch"
	same "a value" abc "$(ctl get "$at" a)"
	same "a key with a blank, a value with a break" "1
23" "$(ctl get "$at" 'with blank')"
	same "get of many" "abcabc" "$(ctl get "$at" a empty a)"
	printf 'a\t3\nabc\nempty\t0\n\n' >"$T/want"
	ctl get -v "$at" a empty | cmp - "$T/want" || fail "get -v"
	same "get -0" "abcabc" "$(printf 'a\0empty\0a\0' | ctl get -0 "$at")"
	ctl get "$at" a nope empty >"$T/out" 2>"$T/err"
	same "status of a missing one" 1 $?
	same "its line" "kvfsctl: nope: No such file or directory" \
	    "$(cat "$T/err")"
	same "the others" abc "$(cat "$T/out")"

	# Failures name the line, and the rest is done.
	printf 'put a 2\nx\n\nput no/dir 1\n1\ndel nope\nput b 1\n2\n' |
	    ctl batch "$at" 2>"$T/err"
	same "status of failures" 1 $?
	same "lines of failures" "kvfsctl: line 4: no/dir: No such file or \
directory
kvfsctl: line 6: nope: No such file or directory" "$(sort "$T/err")"
	same "the rest" 2 "$(ctl get "$at" b)"

	# One step, or nothing.
	printf 'put a 1\n9\nput b 1\n9\ndel nope\n' |
	    ctl batch --atomic "$at" 2>"$T/err"
	same "status of one step that fails" 1 $?
	same "its line" "kvfsctl: line 5: nope: No such file or directory" \
	    "$(cat "$T/err")"
	same "nothing was done" 2 "$(ctl get "$at" b)"
	printf 'put a 1\n9\ndel b\nput c/d 1\n7\n' | ctl batch -ap "$at" ||
	    fail "batch -a"
	same "one step" 97 "$(ctl get "$at" a c/d)"
	ctl get "$at" b >"$T/out" 2>&1 && fail "b is still there"

	# A text that is wrong ends there.
	for text in 'put a' 'put a x' 'put a 5\nabc' 'put a 1\nabc' 'pot a 1' \
	    'put ../a 0\n' 'del /' 'put  3\nabc'; do
		# shellcheck disable=SC2059
		printf "put ok 1\n1\n$text\n" | ctl batch "$at" 2>"$T/err" &&
		    fail "accepted: $text"
		same "one line about: $text" 1 "$(wc -l <"$T/err")"
		grep -q 'line 3: ' "$T/err" || fail "$text: $(cat "$T/err")"
		ctl del "$at" ok || fail "what was before: $text"
	done
	same "a after wrong texts" 9 "$(ctl get "$at" a)"

	# Many, and large ones, with NULs at the ends of lines.
	seq 3000 | awk '{ printf "put k/%d 4\n%04d\n", $1, $1 % 10000 }' |
	    ctl batch -p "$at" || fail "many"
	same "many" 0017 "$(ctl get "$at" k/17)"
	ctl scan -0 "$at" k/ | ctl get -0 "$at" | wc -c >"$T/out"
	same "get of many" 12000 "$(cat "$T/out")"
	head -c 5000000 /dev/urandom >"$T/big"
	{
		printf 'put big 5000000\0'
		cat "$T/big"
		printf '\0'
	} | ctl batch -0 -a "$at" || fail "a large value"
	ctl get "$at" big a >"$T/out"
	head -c 5000000 "$T/out" | cmp - "$T/big" || fail "a large value differs"
	ctl check "$at" >"$T/out" || fail "check: $(cat "$T/out")"
	ctl del -r "$at" a big c empty k 'with blank' || fail "del"
}

start_kvfs
all_of_it "$MNT"

# Mode and attributes of what is replaced; the kernel sees the new value.
echo old >"$MNT/m"
chmod 640 "$MNT/m"
cat "$MNT/m" >/dev/null
exec 3<"$MNT/m"
printf 'put m 3\nnew\n' | ctl batch "$MNT" || fail "batch over a file"
same "the new value" new "$(cat "$MNT/m")"
same "its mode" 640 "$(stat -c %a "$MNT/m")"
same "who has it open" old "$(cat <&3)"
exec 3<&-
rm "$MNT/m"
truncate -s 100000 "$MNT/hole"
same "holes are zeros" 200000 "$(ctl get "$MNT" hole hole | tr -d a | wc -c)"
rm "$MNT/hole"
stop_kvfs
all_of_it "$STORE"
