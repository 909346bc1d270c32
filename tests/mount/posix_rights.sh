#!/bin/sh
# SPDX-License-Identifier: ISC
# Whose set-id bits and capabilities go by which change, and who may set
# which extended attribute: as on ext4, however contents are kept.
. "$(dirname "$0")/lib.sh"
tool=${KVFS_BUILD:-$top/build}/tests/mount/posix_rights
[ -x "$tool" ] || fail "$tool: not built: make check-mount builds it"
need_root # to be somebody else
chmod 755 "$T"

for opts in defaults kernel_writeback noacl flush=lazy; do
	start_kvfs -o "$opts"
	mkdir -m 777 "$MNT/$opts"
	"$tool" "$MNT/$opts" || fail "with $opts"
	"$KVFSCTL_BIN" check "$MNT" >"$T/report" ||
	    fail "check: $(cat "$T/report")"
	stop_kvfs
done
