#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
#
# A picture of what bench_engine -o wrote: a line for each step, on it a
# point for each store, how many times as good as RocksDB it was. Needs
# gnuplot.
#
#   tests/bench/bench_plot.sh FILE.tsv FILE.svg
set -eu -o pipefail
if [ $# != 2 ]; then
  sed -n '7s/^# *//p' "$0" >&2
  exit 2
fi
tsv=$1 svg=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Rates of every profile; of what is better when it is less the figures, and
# the stalls and memory of a few steps that are named here. Points beyond
# the limit are drawn on it.
awk -F '\t' -v work="$work" -v limit=32 '
  function clamp(x) { return x > limit ? limit : x < 1 / limit ? 1 / limit : x }
  function is_shown(metric, step) {
    if (metric == "rate" || metric == "figure") return 1
    if (step !~ /^(overwrite for long|get, larger than cache)$/) return 0
    return metric == "p99.9" || metric == "resident, peak" ||
      step ~ /^over/ && metric == "max"
  }
  function add(row, label) {
    if (row in rows) return
    rows[row] = 1
    # Rates first, then what is better when it is less, in each profile.
    order[++count] = row
    name[row] = label
  }
  NR == 1 { next }
  is_shown($3, $2) {
    row = $1 "\t" $5 "\t" $2 "\t" $3
    add(row, $2 ($3 == "rate" ? "" : $3 == "figure" ? ", " $4 : ": " $3))
    better[row] = $5
    value[row, $6] = $7; low[row, $6] = $8; high[row, $6] = $9
    if (!($6 in stores)) { stores[$6] = 1; store[++nstores] = $6 }
    group = $1 "\t" $5
    if (!(group in groups)) { groups[group] = 1; groupname[++ngroups] = group }
  }
  END {
    tics = ""
    for (g = 1; g <= ngroups; g++) {
      split(groupname[g], part, "\t")
      heading = 0
      for (i = 1; i <= count; i++) {
        row = order[i]
        if (index(row, groupname[g] "\t") != 1) continue
        base = value[row, "rocksdb"]
        if (base + 0 == 0) continue
        if (!heading) {
          heading = 1
          y++
          tics = tics sprintf("%s\"{/:Bold %s%s}\" %d", tics == "" ? "" : ", ",
            part[1], part[2] == "less" ? ", less is better" : "", y)
        }
        y++
        tics = tics sprintf(", \"%s\" %d", name[row], y)
        for (s = 1; s <= nstores; s++) {
          if (value[row, store[s]] + 0 == 0) continue
          v = value[row, store[s]]; l = low[row, store[s]]
          h = high[row, store[s]]
          if (better[row] == "less") {
            v = base / v; t = l; l = base / h; h = t > 0 ? base / t : limit
          } else {
            v /= base; l /= base; h /= base
          }
          print clamp(v), y, clamp(l), clamp(h) >(work "/" store[s])
        }
      }
    }
    if (y == 0) {
      print "bench_plot: no step that RocksDB did" >"/dev/stderr"
      exit 1
    }
    print "set ytics (" tics ")" >(work "/rows.gp")
    printf "rows = %d\n", y >(work "/rows.gp")
    for (s = 1; s <= nstores; s++) list = list " " store[s]
    print "stores = \"" substr(list, 2) "\"" >(work "/rows.gp")
    printf "limit = %d\n", limit >(work "/rows.gp")
  }' "$tsv"

cat >"$work/plot.gp" <<'E2'
load work."/rows.gp"
set terminal svg size 980, 130 + 17 * rows font "sans-serif,12" \
  background rgb "white"
set output svg
set title "Times as good as RocksDB: right is better"
set xlabel "Medians, and from the worst to the best round. Points on the \
edge lie beyond it." font ",11"
set logscale x 2
set xrange [1.0 / limit : limit]
set yrange [rows + 0.7 : 0.3]
set xtics ("1/32" 1.0/32, "1/16" 1.0/16, "1/8" 1.0/8, "1/4" 1.0/4, \
  "1/2" 1.0/2, "1" 1, "2" 2, "4" 4, "8" 8, "16" 16, "32" 32)
set grid x y lc rgb "#e0e0e0" lt 1
set key outside top center horizontal reverse Left width -2 samplen 2
set style line 1 lc rgb "#d62728" pt 7 ps 0.8 lw 1.5
set style line 2 lc rgb "#777777" pt 2 ps 0.6
set style line 3 lc rgb "#1f77b4" pt 4 ps 0.6
set style line 4 lc rgb "#2ca02c" pt 8 ps 0.7
set style line 5 lc rgb "#9467bd" pt 12 ps 0.7
style(s) = s eq "kvfs" ? 1 : s eq "rocksdb" ? 2 : s eq "leveldb" ? 3 : \
  s eq "lmdb" ? 4 : 5
plot for [s in stores] work."/".s using 1:2:3:4 with xerrorbars \
  ls style(s) title s noenhanced
E2
gnuplot -e "work='$work'; svg='$work/out.svg'" "$work/plot.gp"
# Only a whole one takes the old one's place.
mv "$work/out.svg" "$svg"
