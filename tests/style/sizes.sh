#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
#
# No part of src grows beyond what one reads at a sitting: 400 lines a
# source, 150 a header, 20 members a struct. And a part is tested alone: no
# test includes a source, or makes the struct of the whole engine.
cd "$(dirname "$0")/../.." || exit 1
status=0

# complain WHAT LINES: fail with the lines, if there are any.
complain() {
  [ -z "$2" ] && return
  printf '%s:\n%s\n' "$1" "$2"
  status=1
}

# longer_than LIMIT PATTERN: files of that name with more lines.
longer_than() {
  find src include -name "$2" -exec wc -l {} + |
    awk -v limit="$1" '$2 != "total" && $1 > limit { print $2 ": " $1 " lines" }'
}

# Structs with more members, those of structs inside included. By the layout
# that .clang-format gives, a struct begins and ends at column 0.
structs_above() {
  find src include -name '*.[ch]' -exec awk -v limit="$1" '
    function uncomment(s) {
      while (1) {
        if (in_comment) {
          if (!match(s, /\*\//)) return ""
          s = substr(s, RSTART + 2)
          in_comment = 0
        }
        if (!match(s, /\/\*/)) return s
        rest = substr(s, RSTART + 2)
        s = substr(s, 1, RSTART - 1)
        in_comment = 1
        if (match(rest, /\*\//)) {
          s = s " " substr(rest, RSTART + 2)
          in_comment = 0
        }
      }
    }
    FNR == 1 { in_comment = inside = 0 }
    { line = uncomment($0) }
    !inside && line ~ /^(static |typedef |const )*(struct|union) [a-z0-9_]+ \{/ {
      match(line, /(struct|union) [a-z0-9_]+/)
      name = substr(line, RSTART, RLENGTH)
      inside = 1
      body = ""
      sub(/^[^{]*\{/, "", line)
    }
    inside && line ~ /^\}/ {
      # What stands in parentheses belongs to one member.
      while (gsub(/\([^()]*\)/, "", body)) { }
      members = gsub(/[;,]/, "", body)
      if (members > limit) print FILENAME ": " name ": " members " members"
      inside = 0
    }
    inside { body = body " " line }' {} +
}

# The search finds what is there.
[ -n "$(longer_than 300 '*.c')" ] && [ -n "$(structs_above 15)" ] || {
  echo 'no source or struct of a fair size is found any more'
  status=1
}

complain 'sources above 400 lines' "$(longer_than 400 '*.c')"
complain 'headers above 150 lines' "$(longer_than 150 '*.h')"

# Tables of options and of statistics list what there is. A struct that is
# no longer above the limit has to go from here.
tables=$(sort <<'LIST'
src/engine/state/store_stats.h: struct db_stats
src/fuse/options/options.h: struct options
LIST
)
found=$(structs_above 20 | sort)
names=$(sed 's/: [0-9]* members$//' <<<"$found")
complain 'structs with more than 20 members' \
  "$(grep -vFf <(comm -12 <(echo "$names") <(echo "$tables")) <<<"$found")"
complain 'no longer above 20 members' \
  "$(comm -13 <(echo "$names") <(echo "$tables"))"

complain 'tests that include a source' \
  "$(grep -rnE '#[[:space:]]*include.*\.c[">]' tests --include='*.[ch]')"
complain 'tests that make the struct of the whole engine' "$(grep -rnE \
  '\bstruct db [a-z_]+( =.*)?;|sizeof\((struct db|\*db)\)' tests --include='*.[ch]')"
exit $status
