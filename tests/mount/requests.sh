#!/bin/bash
# SPDX-License-Identifier: ISC
# The requests that common calls cost, in each mode, are those of
# doc/requests.md. A section "## `-o OPTIONS`" there has the rows that differ
# from those of the first table. KVFS_PRINT=1 prints the tables as they are.
. "$(dirname "$0")/lib.sh"
doc=$top/doc/requests.md
case $(uname -r) in
6.18*) ;;
*) skip "the kernel is not Linux 6.18, of which the table is" ;;
esac

# Rows of the section that begins with the line $1.
section()
{
	awk -v head="$1" '
		/^## / { inside = $0 == head; next }
		inside && /^\| / && !/^\| call / { print }' "$doc"
}

# measure [OPTIONS]: the table of a fresh store.
measure()
{
	start_kvfs "$@"
	mkdir "$MNT/dir"
	for i in $(seq 0 39); do
		cp /bin/true "$MNT/dir/file-$i" || fail "copy a program"
	done
	# So that its pages are not there.
	remount "$@"
	"${KVFS_BUILD:-$top/build}/tests/mount/request_counts" "$MNT" >"$T/got" ||
	    fail "request_counts with $*"
	stop_kvfs
	rm -rf "$STORE"
}

# Rows of $2 that are not in $1: what differs.
differing()
{
	grep -vxFf "$1" "$2"
}

measure
cp "$T/got" "$T/default"
section "## By default" >"$T/want"
[ -s "$T/want" ] || fail "$doc has no table"
if [ -n "${KVFS_PRINT:-}" ]; then
	cat "$T/default"
else
	diff -u "$T/want" "$T/default" >&2 || fail "by default"
fi
for mode in relatime noxattr flush=lazy sync=full kernel_writeback; do
	measure -o "$mode"
	differing "$T/default" "$T/got" >"$T/differs"
	section "## \`-o $mode\`" >"$T/want"
	if [ -n "${KVFS_PRINT:-}" ]; then
		printf '\n## `-o %s`\n\n' "$mode"
		cat "$T/differs"
	else
		diff -u "$T/want" "$T/differs" >&2 || fail "-o $mode"
	fi
done
