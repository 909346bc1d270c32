#!/bin/sh
# SPDX-License-Identifier: ISC
# System calls that shell tools do not make, with the options that change
# who keeps contents; and what they left is there after a remount.
. "$(dirname "$0")/lib.sh"
tool=${KVFS_BUILD:-$top/build}/tests/mount/posix_calls
[ -x "$tool" ] || fail "$tool: not built: make check-mount builds it"
chmod 755 "$T"
# The program leaves out what other users may not.
has_root || :

attributes()
{
	(cd "$MNT/$opts" &&
	    find . -exec stat -c "%n %f %h %u %g %s %b %y %z" {} + |
	    sort)
}

for opts in defaults flush=lazy,writeback=60000 relatime kernel_writeback; do
	start_kvfs -o "$opts"
	mkdir -m 777 "$MNT/$opts"
	case $opts in
	kernel_writeback) what=inexact ;;
	relatime) what=relatime ;;
	*) what='' ;;
	esac
	"$tool" "$MNT/$opts" $what || fail "with $opts"
	# Several in one tick of the kernel's clock, which then has no news.
	for n in $(seq 50); do
		echo first >"$MNT/$opts/twice$n"
		echo again >>"$MNT/$opts/twice$n"
	done
	attributes >"$T/before"
	stop_kvfs
	start_kvfs -o "$opts"
	attributes >"$T/after"
	diff "$T/before" "$T/after" ||
	    fail "attributes differ after a remount with $opts"
	"$KVFSCTL_BIN" check "$MNT" >"$T/report" ||
	    fail "check: $(cat "$T/report")"
	stop_kvfs
done
