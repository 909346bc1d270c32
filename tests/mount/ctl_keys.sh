#!/bin/sh
# SPDX-License-Identifier: ISC
# get, put, del, ls and scan say the same whether the store is mounted or
# not, and whether it is named by its mountpoint or its directory.
. "$(dirname "$0")/lib.sh"

ctl()
{
	command=$1
	shift
	"$KVFSCTL_BIN" "$command" "$@"
}

# Exit status 1 and this one line.
ctl_fails()
{
	text=$1
	shift
	"$KVFSCTL_BIN" "$@" >"$T/out" 2>"$T/err"
	same "status of $*" 1 $?
	same "message of $*" "kvfsctl: $text" "$(cat "$T/err")"
	[ ! -s "$T/out" ] || fail "$*: wrote to standard output"
}

# Everything, on the store that $1 names; leaves it as it was.
all_commands()
{
	at=$1

	ctl put "$at" plain hello || fail "put"
	same "get" hello "$(ctl get "$at" plain)"
	ctl put "$at" plain "a longer value" || fail "put over"
	same "get after put over" "a longer value" "$(ctl get "$at" plain)"
	ctl put "$at" plain short || fail "put over"
	same "get of a shorter value" short "$(ctl get "$at" plain)"
	ctl put "$at" plain "" || fail "put of nothing"
	same "get of an empty value" "" "$(ctl get "$at" plain)"

	# Values of any bytes and length stream through.
	head -c 3000000 /dev/urandom >"$T/big"
	ctl put "$at" big <"$T/big" || fail "put of standard input"
	ctl get "$at" big | cmp - "$T/big" || fail "big value differs"
	: | ctl put "$at" big || fail "put of empty input"
	same "size after put of empty input" 0 "$(ctl get "$at" big | wc -c)"

	# Directories come with -p only.
	ctl_fails "users/42: No such file or directory" put "$at" users/42 Ada
	ctl put -p "$at" users/by/name/42 Ada || fail "put -p"
	ctl put -p "$at" users/by/name/43 Eve || fail "put -p again"
	same "get in a directory" Ada "$(ctl get "$at" users/by/name/42)"
	same "get with many slashes" Ada "$(ctl get "$at" /users//by/name/42)"
	ctl_fails "users: Is a directory" put "$at" users x
	ctl_fails "users: Is a directory" get "$at" users
	ctl_fails "plain/x: Not a directory" get "$at" plain/x
	ctl_fails "missing: No such file or directory" get "$at" missing
	ctl_fails "../x: Invalid argument" get "$at" ../x

	# Byte order of whole paths: "-" and "." stand before "/".
	ctl put "$at" users-old 1
	ctl put "$at" users.txt 2
	ctl put "$at" users0 3
	same "ls" "big plain users users-old users.txt users0" \
	    "$(echo $(ctl ls "$at"))"
	same "ls of a directory" "42 43" "$(echo $(ctl ls "$at" users/by/name))"
	same "ls of a key" plain "$(ctl ls "$at" plain)"
	same "ls -l" "-rw-r--r-- 3 42" "$(ctl ls -l "$at" users/by/name |
	    awk '$7 == "42" || $8 == "42" { print $1, $5, $NF }')"
	ctl_fails "missing: No such file or directory" ls "$at" missing
	same "scan" "big plain users-old users.txt users/by/name/42 \
users/by/name/43 users0" "$(echo $(ctl scan "$at"))"
	same "scan of a directory" "users/by/name/42 users/by/name/43" \
	    "$(echo $(ctl scan "$at" users/))"
	same "scan of half a name" "users/by/name/42 users/by/name/43" \
	    "$(echo $(ctl scan "$at" users/b))"
	same "scan of nothing" "" "$(ctl scan "$at" zebra)"
	same "scan -n" "big plain" "$(echo $(ctl scan -n 2 "$at"))"
	same "scan -l" "           3 users/by/name/42" \
	    "$(ctl scan -l "$at" users/by/name/42)"
	same "scan -v" "users/by/name/42	3
Ada" "$(ctl scan -v "$at" users/by/name/42)"
	same "scan -0" 7 "$(ctl scan -0 "$at" | tr -dc '\0' | wc -c)"

	ctl_fails "users: Is a directory" del "$at" users
	ctl_fails "missing: No such file or directory" del "$at" missing
	ctl del "$at" plain big users-old users.txt users0 || fail "del"
	ctl_fails "plain: No such file or directory" get "$at" plain
	ctl del -r "$at" users || fail "del -r"
	same "ls at the end" "" "$(ctl ls "$at")"
}

umask 022
start_kvfs
all_commands "$MNT"
all_commands "$STORE"

# What the tool writes through a mount, tools see, and the reverse.
ctl put -p "$STORE" a/b "from kvfsctl"
same "cat of a put" "from kvfsctl" "$(cat "$MNT/a/b")"
chmod 600 "$MNT/a/b"
ctl put "$MNT" a/b again
same "mode after put" 600 "$(stat -c %a "$MNT/a/b")"
ln -s a "$MNT/link"
ln -s "$T" "$MNT/out"
mkfifo "$MNT/pipe"
ctl_fails "link/b: symbolic links are not followed" get "$MNT" link/b
ctl_fails "link: symbolic links are not followed" get "$MNT" link
ctl_fails "out/big: symbolic links are not followed" get "$MNT" out/big
ctl_fails "link: symbolic links are not followed" put "$MNT" link x
ctl_fails "pipe: Invalid argument" get "$MNT" pipe
same "ls -l of a link" "link -> a" \
    "$(ctl ls -l "$MNT" | sed -n 's/.* \(link -> .*\)/\1/p')"
stop_kvfs

same "get after the unmount" again "$(ctl get "$STORE" a/b)"
same "mode after the unmount" -rw------- \
    "$(ctl ls -l "$STORE" a/b | cut -c1-10)"
ctl put "$STORE" a/b third
same "mode after put, not mounted" -rw------- \
    "$(ctl ls -l "$STORE" a/b | cut -c1-10)"
ctl_fails "link/b: symbolic links are not followed" get "$STORE" link/b
ctl_fails "link: symbolic links are not followed" get "$STORE" link
ctl_fails "link: symbolic links are not followed" put "$STORE" link x
ctl_fails "pipe: Invalid argument" get "$STORE" pipe
same "ls -l of a link" "link -> a" \
    "$(ctl ls -l "$STORE" | sed -n 's/.* \(link -> .*\)/\1/p')"
ctl del "$STORE" link out pipe
ctl del -r "$STORE" a
all_commands "$STORE"

start_kvfs
same "listing of what is left" "" "$(ls -A "$MNT")"
stop_kvfs

# A copy without the lock file is a store all the same.
ctl put "$STORE" key value
rm "$STORE/LOCK"
same "get without a lock file" value "$(ctl get "$STORE" key)"
