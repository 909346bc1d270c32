#!/bin/sh
# SPDX-License-Identifier: ISC
# MOUNT/.kvfs: there by name, not in listings; figures, options, actions.
. "$(dirname "$0")/lib.sh"

start_kvfs
c=$MNT/.kvfs

same "listing of the root" "" "$(ls -A "$MNT")"
same "listing of .kvfs" "backup check compact flush metrics options stats sync" \
    "$(echo $(ls "$c"))"
same "find does not enter it" 1 "$(find "$MNT" | wc -l)"

for key in Version Mountpoint Store Pid Options; do
	grep -q "^$key: ." "$c/stats" || fail "no $key in stats"
done
same "Mountpoint" "$MNT" "$(stat_value "$MNT" Mountpoint)"
same "Store" "$STORE" "$(stat_value "$MNT" Store)"
kill -0 "$(stat_value "$MNT" Pid)" || fail "Pid is no process"
if grep -vq '^[A-Z][^:]*: ' "$c/stats"; then
	fail "stats: not Key: value: $(grep -v '^[A-Z][^:]*: ' "$c/stats")"
fi

# The same for a monitor: each line is a comment or a figure, each family is
# declared once, and histograms add up.
echo x >"$MNT/timed"
cat "$c/metrics" >"$T/metrics"
if grep -Evq '^(# (HELP|TYPE) kvfs_|kvfs_[a-z_]+(\{[a-z]+="[^"]*"(,le="[^"]*")?\})? -?[0-9.e+-]+$)' \
    "$T/metrics"; then
	fail "metrics: $(grep -Ev '^(# |kvfs_[a-z_]+(\{.*\})? [0-9])' "$T/metrics")"
fi
same "families declared twice" "" \
    "$(sed -n 's/^# TYPE \([^ ]*\) .*/\1/p' "$T/metrics" | sort | uniq -d)"
same "figures without a family" "" "$(awk '
    $2 == "TYPE" { known[$3] = 1; next }
    /^#/ { next }
    { n = $1; sub(/\{.*/, "", n)
      h = n; sub(/_(bucket|sum|count)$/, "", h)
      if (!(n in known) && !(h in known)) print n }' "$T/metrics")"
for op in lookup create write flush; do
	n=$(sed -n "s/^kvfs_request_seconds_count{op=\"$op\"} //p" "$T/metrics")
	[ "${n:-0}" -gt 0 ] || fail "no request $op in metrics"
	same "last bucket of $op" "$n" "$(sed -n \
	    "s/^kvfs_request_seconds_bucket{op=\"$op\",le=\"+Inf\"} //p" \
	    "$T/metrics")"
done
grep -q '^kvfs_commit_seconds_sum [0-9]' "$T/metrics" || fail "no commits"
"$KVFSCTL_BIN" stat -m "$MNT" | grep -q '^kvfs_commits_total [1-9]' ||
    fail "kvfsctl stat -m"
# What the parts of the cache have is what the cache has.
echo 1 >"$c/flush"
cat "$c/check" >"$T/check"
"$KVFSCTL_BIN" stat "$MNT" >"$T/stats"
for part in warm hot; do
	grep -Eq "^Cache, $part part: [0-9]+ bytes, [0-9]+ hits, [0-9.]+ % of lookups, [0-9]+ returns\$" \
	    "$T/stats" || fail "no $part part in stats"
done
grep -q '^Cache promotions: [0-9]' "$T/stats" || fail "no promotions"
cat "$c/metrics" >"$T/metrics"
same "hits of the parts" "$(sed -n 's/^kvfs_cache_hits_total //p' \
    "$T/metrics")" "$(awk '/^kvfs_cache_part_hits_total[{]/ { n += $2 }
    END { print n + 0 }' "$T/metrics")"
same "parts" 2 "$(grep -c '^kvfs_cache_part_bytes{part=' "$T/metrics")"
rm "$MNT/timed"

# Options are read back as they were set.
option()
{
	sed -n "s/^$1=//p" "$c/options"
}
same "sync" interval:1000 "$(option sync)"
echo sync=full >"$c/options"
same "sync" full "$(option sync)"
echo sync=hybrid:10:500,flush=lazy,writeback=250 >"$c/options"
same "sync" hybrid:10:500 "$(option sync)"
same "flush" lazy "$(option flush)"
same "writeback" 250 "$(option writeback)"
echo wal_buffer=64K >"$c/options"
same "wal_buffer" 64K "$(option wal_buffer)"
echo profile=safe >"$c/options"
same "profile: sync" full "$(option sync)"
same "profile: flush" close "$(option flush)"
same "profile: wal_buffer" 0 "$(option wal_buffer)"
for bad in sync=maybe nonsense cache=1G flush=; do
	if echo "$bad" 2>/dev/null >"$c/options"; then
		fail "$bad was taken"
	fi
	refuses "Invalid argument" sh -c "echo $bad | tee $c/options"
done
same "sync after refusals" full "$(option sync)"

echo data >"$MNT/file"
for action in sync flush compact; do
	echo 1 >"$c/$action" || fail "$action"
done
same "file after compaction" data "$(cat "$MNT/file")"
same "check" "Problems: 0" "$(tail -n 1 "$c/check")"
grep -q '^Mode: ' "$c/sync" || fail "reading sync"

# Nothing in it can be changed, nor its name taken. Others than root are
# stopped by the mode of the directory first.
within="Operation not permitted"
[ "$(id -u)" = 0 ] || within="Permission denied"
refuses "$within" rm "$c/stats"
refuses "Operation not permitted" rmdir "$c"
refuses "Operation not permitted" mv "$c" "$MNT/other"
refuses "$within" mv "$MNT/file" "$c/file"
refuses "Operation not permitted" ln "$c/stats" "$MNT/stats"
refuses "$within" touch "$c/new"
refuses "Operation not permitted" chmod 777 "$c/options"
refuses "File exists" mkdir "$c"
[ ! -e "$c/none" ] || fail "a file that is not there"
# The same name is free elsewhere.
mkdir "$MNT/dir" && echo x >"$MNT/dir/.kvfs" || fail "dir/.kvfs"

# What a file cannot do fails, for root too, and so does a size.
refuses "Permission denied" dd if="$c/flush" iflag=direct status=none
cat "$c/flush" 2>/dev/null && fail "flush can be read"
for name in stats metrics check; do
	for how in conv=notrunc oflag=append,nofollow; do
		refuses "Permission denied" sh -c \
		    "echo 1 | dd of='$c/$name' $how status=none"
	done
done
refuses "Operation not permitted" truncate -s 100 "$c/options"
truncate -s 0 "$c/options" || fail "truncate to 0"
grep -q ^sync= "$c/options" || fail "truncate has an effect"
same "the year of stats" "$(date +%Y)" "$(date -r "$c/stats" +%Y)"

# Modes: figures for all, the rest for the owner.
same "mode of stats" 444 "$(stat -c %a "$c/stats")"
same "mode of options" 600 "$(stat -c %a "$c/options")"
if has_root && has_tool setpriv; then
	chmod 755 "$T"
	nobody="setpriv --reuid=65534 --regid=65534 --clear-groups"
	$nobody cat "$c/stats" >/dev/null || fail "stats for others"
	refuses "Permission denied" $nobody cat "$c/options"
	refuses "Permission denied" $nobody cat "$c/check"
fi
stop_kvfs

# On a read-only mount: look, but do not act.
start_kvfs -o ro
grep -qx ro "$c/options" || fail "ro in options"
same "check, read-only" "Problems: 0" "$(tail -n 1 "$c/check")"
stop_kvfs
