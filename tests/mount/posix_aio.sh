#!/bin/sh
# SPDX-License-Identifier: ISC
# Asynchronous O_DIRECT writes and reads through the kernel's cache agree.
. "$(dirname "$0")/lib.sh"
tool=${KVFS_BUILD:-$top/build}/tests/mount/aio_reread
[ -x "$tool" ] || fail "$tool: not built: make check-mount builds it"

for opts in defaults kernel_writeback sync=full,threads=2; do
	start_kvfs -o "$opts"
	"$tool" "$MNT/file" 300 || fail "with $opts"
	stop_kvfs
done
