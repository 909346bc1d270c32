#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
#
# No function of src has a name of one word: "watcher_run" can be searched
# for, and says whose it is, where "run" would stand in every second file.
# A definition or declaration is found by the layout that .clang-format
# gives: its name stands before the first parenthesis of a line that begins
# at column 0.
cd "$(dirname "$0")/../.." || exit 1

found=$(find src include -name '*.[ch]' -exec awk '
    /^[a-z]/ && !/^(typedef|else|return) / && match($0, /^[^(]*\(/) {
      name = substr($0, 1, RLENGTH - 1)
      if (name ~ /=/) next
      sub(/^.*[^A-Za-z0-9_]/, "", name)
      if (name ~ /^[a-z][a-z0-9]*$/) print FILENAME " " name
    }' {} + | sort -u)

# Names that the C library demands; a line that is no longer true must go.
known=$(sort -u <<'LIST'
src/fuse/main.c main
src/tools/kvfsctl.c main
LIST
)

new=$(comm -23 <(echo "$found") <(echo "$known"))
gone=$(comm -13 <(echo "$found") <(echo "$known"))
[ -z "$new" ] || printf 'functions with a name of one word:\n%s\n' "$new"
[ -z "$gone" ] || printf 'no such function any more:\n%s\n' "$gone"
[ -z "$new$gone" ]
