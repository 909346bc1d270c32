#!/bin/bash
# SPDX-License-Identifier: ISC
# kvfsctl builds on a mount, what was built runs there, and make finds nothing
# to do afterwards.
. "$(dirname "$0")/lib.sh"

start_kvfs
mkdir "$MNT/src" || fail "mkdir"
(cd "$top" && tar cf - Makefile include src) | (cd "$MNT/src" && tar xf -) ||
    fail "copying the sources"
build()
{
	make -C "$MNT/src" NODEPS=1 CC=cc CFLAGS=-O0 SAN= "$@" build/kvfsctl
}
build -s -j "$(nproc)" >"$T/log" 2>&1 || fail "$(tail -n 20 "$T/log")"
built=$MNT/src/build/kvfsctl
"$built" --help >"$T/help" || fail "what was built does not run"
grep -q '^usage: kvfsctl' "$T/help" || fail "what was built says nothing"
"$built" umount "$T" 2>/dev/null && fail "unmounted what is none"
sum=$(sha256sum <"$built")
remount
same "what was built" "$sum" "$(sha256sum <"$built")"
build >"$T/log" || fail "make again"
grep -q 'is up to date' "$T/log" || fail "builds again: $(cat "$T/log")"
stop_kvfs
