#!/bin/sh
# SPDX-License-Identifier: ISC
# No hole is told where data may be: in shared maps, in the write-back cache,
# in the kernel's; and holes are told where nobody can have put any.
. "$(dirname "$0")/lib.sh"
tool=${KVFS_BUILD:-$top/build}/tests/mount/posix_holes
[ -x "$tool" ] || fail "$tool: not built: make check-mount builds it"

for opts in defaults flush=lazy,writeback=60000 sync=full relatime \
    kernel_writeback kernel_writeback,flush=lazy; do
	start_kvfs -o "$opts"
	mkdir "$MNT/$opts"
	inexact=''
	case $opts in kernel_writeback*) inexact=inexact ;; esac
	"$tool" "$MNT/$opts" $inexact || fail "with $opts"
	# As a program that archives a file which another one writes.
	(
		printf 'some text' >&3
		tar -C "$MNT" -cSf "$T/a.tar" open
		cp --sparse=auto "$MNT/open" "$T/open.cp"
	) 3>"$MNT/open"
	same "tar -S with $opts" "some text" "$(tar -xOf "$T/a.tar" open)"
	same "cp with $opts" "some text" "$(cat "$T/open.cp")"
	stop_kvfs
done
