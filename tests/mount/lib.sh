# SPDX-License-Identifier: ISC
# shellcheck shell=sh
#
# Sourced by the mount tests: a private directory with a store and a
# mountpoint in it, and a trap that leaves no mount, process or file behind.
#
#   start_kvfs [args]   mount $STORE at $MNT; PID is the daemon
#   stop_kvfs           unmount, and wait until the daemon has ended
#   remount [args]      both
#   expect_error STATUS TEXT command...
#                       it fails with STATUS and one line that has TEXT
#   same WHAT A B       two strings are equal
#   fail message        end the test
#   need_root, need TOOL...
#                       skip the test where it cannot run
#   has_root, has_tool TOOL, has_affinity
#                       ask the same for a part of it: where the answer is
#                       no the test counts as skipped, though the rest ran
#
# KVFS_BIN and KVFSCTL_BIN name the programs. Exit status 77: skipped.
# tests/README.md lists every reason for which a test may be.

set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
KVFS_BIN=${KVFS_BIN:-${KVFS:-$top/build/kvfs}}
KVFSCTL_BIN=${KVFSCTL_BIN:-${KVFSCTL:-$top/build/kvfsctl}}
export KVFS_BIN KVFSCTL_BIN

skip()
{
	echo "SKIP: $(basename "$0"): $*"
	exit 77
}

# What this run of the test had to leave out.
WITHOUT=

has_root()
{
	[ "$(id -u)" = 0 ] && return 0
	WITHOUT="$WITHOUT root"
	return 1
}

has_tool()
{
	command -v "$1" >/dev/null && return 0
	WITHOUT="$WITHOUT $1"
	return 1
}

# Whether kvfs can answer on the processor of its caller.
has_affinity()
{
	[ "$(nproc)" -gt 1 ] && chrt -i 0 sh -c 'chrt -o -p 0 $$' 2>/dev/null &&
	    return 0
	WITHOUT="$WITHOUT affinity"
	return 1
}

need_root()
{
	has_root || skip "needs root"
}

need()
{
	for tool; do
		has_tool "$tool" || skip "$tool is not installed"
	done
}

fail()
{
	echo "FAIL: $(basename "$0"): $*" >&2
	exit 1
}

(: <>/dev/fuse) 2>/dev/null || skip "/dev/fuse cannot be opened"
[ -x "$KVFS_BIN" ] || fail "$KVFS_BIN: not built"

T=$(mktemp -d "${TMPDIR:-/tmp}/kvfs-test.XXXXXX") || exit 1
# Resolved, as the daemon shows it.
T=$(cd "$T" && pwd -P)
STORE=$T/store
MNT=$T/mnt
PID=
mkdir "$MNT"

# Wait until a process that is not a child of ours has ended. One that has
# ended and that nobody has waited for yet has no program any more.
wait_gone()
{
	timeout 60 sh -c "while [ -L /proc/$1/exe ] &&
	    readlink /proc/$1/exe >/dev/null; do sleep 0.02; done" 2>/dev/null ||
	    fail "process $1 does not end"
}

is_mounted()
{
	grep -q " $1 fuse.kvfs " /proc/self/mounts
}

unmount()
{
	if [ "$(id -u)" = 0 ]; then
		umount "$1"
	else
		fusermount3 -u "$1"
	fi
}

cleanup()
{
	status=$?
	trap - EXIT INT TERM
	cd /
	# One that was stopped answers nobody.
	[ -z "$PID" ] || kill -CONT "$PID" 2>/dev/null
	for m in $(sed -n "s,^[^ ]* \(${T}[^ ]*\) fuse.*,\1,p" \
	    /proc/self/mounts); do
		# Names from /proc are escaped; ours hold nothing to escape.
		pid=$(sed -n 's/^Pid: //p' "$m/.kvfs/stats" 2>/dev/null)
		umount -l "$m" 2>/dev/null || fusermount3 -uz "$m"
		[ -z "$pid" ] || wait_gone "$pid"
	done
	[ -z "$PID" ] || wait_gone "$PID"
	rm -rf "$T"
	[ $status -ne 0 ] || echo "ok: $(basename "$0")"
	[ $status -ne 0 ] || [ -z "$WITHOUT" ] ||
	    skip "all but the parts that need$WITHOUT"
	exit $status
}
trap cleanup EXIT
trap 'exit 1' INT TERM

stat_value()
{
	sed -n "s/^$2: //p" "$1/.kvfs/stats"
}

start_kvfs()
{
	"$KVFS_BIN" "$STORE" "$MNT" "$@" || fail "kvfs $*: exit status $?"
	PID=$(stat_value "$MNT" Pid)
	[ -n "$PID" ] || fail "no Pid in $MNT/.kvfs/stats"
}

stop_kvfs()
{
	unmount "$MNT" || fail "cannot unmount $MNT"
	wait_gone "$PID"
	PID=
}

remount()
{
	stop_kvfs
	start_kvfs "$@"
}

expect_error()
{
	want=$1
	text=$2
	shift 2
	"$@" >"$T/out" 2>"$T/err"
	got=$?
	[ $got -eq "$want" ] ||
	    fail "$*: exit status $got, not $want: $(cat "$T/err")"
	[ "$(wc -l <"$T/err")" -eq 1 ] ||
	    fail "$*: not one line: $(cat "$T/err")"
	grep -q '^kvfs: ' "$T/err" || fail "$*: $(cat "$T/err")"
	grep -qF -- "$text" "$T/err" ||
	    fail "$*: expected \"$text\": $(cat "$T/err")"
}

# The command fails for the reason that strerror gives.
refuses()
{
	text=$1
	shift
	if out=$(LC_ALL=C "$@" 2>&1); then
		fail "$*: succeeded, but should say: $text"
	fi
	case $out in
	*"$text"*) ;;
	*) fail "$*: expected \"$text\": $out" ;;
	esac
}

same()
{
	[ "$2" = "$3" ] || fail "$1: expected '$2', got '$3'"
}
