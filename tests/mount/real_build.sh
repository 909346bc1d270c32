#!/bin/bash
# SPDX-License-Identifier: ISC
# Sources compile and link on a mount, what was built runs there, and make
# finds nothing to do afterwards. KVFS_TEST_FULL=1: all of kvfsctl.
. "$(dirname "$0")/lib.sh"

start_kvfs
mkdir "$MNT/src" || fail "mkdir"
(cd "$top" && tar cf - Makefile include src tests/mount/*.c) |
    (cd "$MNT/src" && tar xf -) || fail "copying the sources"
cd "$MNT/src" || fail "cd"
mapfile -t targets < <(printf '%s\n' src/{util,kv}/*.c | sed 's,.*,build/&,; s,c$,o,')
targets+=(build/tests/mount/{posix_calls,posix_holes,list_churn})
[ -z "${KVFS_TEST_FULL:-}" ] || targets+=(build/kvfsctl)
build()
{
	make -C "$MNT/src" NODEPS=1 CC=cc CFLAGS=-O0 SAN= "$@" "${targets[@]}"
}
build -s -j "$(nproc)" >"$T/log" 2>&1 || fail "$(tail -n 20 "$T/log")"
cd / || fail "cd"
built=$MNT/src/build/tests/mount/posix_holes
"$built" "$MNT" >"$T/log" || fail "what was built: $(cat "$T/log")"
sum=$(sha256sum <"$built")
remount
same "what was built" "$sum" "$(sha256sum <"$built")"
build >"$T/log" || fail "make again"
same "what make finds to do" "${#targets[@]}" \
    "$(grep -c 'is up to date' "$T/log")"
stop_kvfs
