#!/bin/sh
# SPDX-License-Identifier: ISC
# max_size bounds the store: df shows it, writing and creating beyond it
# fail with ENOSPC, deleting works, and its space comes back.
. "$(dirname "$0")/lib.sh"

start_kvfs -o max_size=48M,compression=none
same "df" 49152 "$(df -k --output=size "$MNT" | tail -n 1 | tr -d ' ')"
n=0
while head -c 4194304 /dev/urandom >"$MNT/f$n" 2>"$T/err"; do
	n=$((n + 1))
	[ $n -lt 50 ] || fail "no bound"
done
grep -q "No space left" "$T/err" || fail "$(cat "$T/err")"
[ $n -ge 8 ] || fail "only $n files of 4 MiB in 48 MiB"
used=$(du -sk "$STORE" | cut -f 1)
[ "$used" -le 53000 ] || fail "the store takes $used KiB"
refuses "No space left" sh -c "i=0; while : >$MNT/empty\$i; do
	i=\$((i + 1)); [ \$i -lt 300000 ] || exit 0; done"
for i in $(seq 0 $((n - 1))); do
	same "f$i" 4194304 "$(stat -c %s "$MNT/f$i")"
done

# Half of it goes; the store gives the space back once it is left alone.
for i in $(seq 0 2 $n); do
	rm -f "$MNT/f$i"
done
rm -f "$MNT"/empty*
head -c 1048576 /dev/urandom >"$MNT/g" 2>/dev/null
timeout 60 sh -c "until [ \$(df -k --output=avail $MNT | tail -n 1) -gt 12000 ]
do sleep 0.1; done" || fail "no space came back: $(df -k "$MNT")"
head -c 8388608 /dev/urandom >"$MNT/h" || fail "writing again"

# Changed while mounted, and gone with the mount.
"$KVFSCTL_BIN" set "$MNT" max_size=2G || fail "set max_size"
same "df after set" 2097152 \
    "$(df -k --output=size "$MNT" | tail -n 1 | tr -d ' ')"
"$KVFSCTL_BIN" check "$MNT" >"$T/report" || fail "check: $(cat "$T/report")"
remount
[ "$(df -k --output=size "$MNT" | tail -n 1)" -gt 2097152 ] ||
    fail "max_size is in force without being asked for"
