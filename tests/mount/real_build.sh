#!/bin/bash
# SPDX-License-Identifier: ISC
# kvfs builds on a mount of itself, what was built runs there, and make
# finds nothing to do afterwards.
. "$(dirname "$0")/lib.sh"

start_kvfs
mkdir "$MNT/src" || fail "mkdir"
(cd "$top" && tar cf - Makefile include src) | (cd "$MNT/src" && tar xf -) ||
    fail "copying the sources"
make -C "$MNT/src" -s NODEPS=1 CC="${CC:-cc}" CFLAGS=-O1 SAN= \
    -j "$(nproc)" all >"$T/log" 2>&1 || fail "$(tail -n 20 "$T/log")"
built=$(find "$MNT/src/build" -name kvfsctl -type f)
"$built" --help >"$T/help" || fail "what was built does not run"
grep -q '^usage: kvfsctl' "$T/help" || fail "what was built says nothing"
"$built" umount "$T" 2>/dev/null && fail "unmounted what is none"
sum=$(sha256sum <"$built")
remount
same "what was built" "$sum" "$(sha256sum <"$built")"
make -C "$MNT/src" NODEPS=1 CC="${CC:-cc}" CFLAGS=-O1 SAN= all >"$T/log" ||
    fail "make again"
grep -q 'Nothing to be done' "$T/log" || fail "builds again: $(cat "$T/log")"
stop_kvfs
