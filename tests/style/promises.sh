#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
#
# tests/promises.md has each mount option, sync mode and file of the manuals
# in a row of its own kind, and names tests that are there.
cd "$(dirname "$0")/../.." || exit 1
table=tests/promises.md
status=0
problem() {
  echo "$table: $*"
  status=1
}
# Tagged items of a section of a manual: NAME of ".It Cm NAME ...", ".It Pa".
items() {
  awk -v section="$2" '/^\.Sh / { on = substr($0, 5) == section }
    on && /^\.It (Cm|Pa) / { print $3 }' "$1"
}
promises() {
  sed -n "s/^| \(.*\) | .*/\1/p" "$table"
}

options=$(items man/kvfs.1 'MOUNT OPTIONS')
modes=$(awk '/^\.Sh / { on = /DURABILITY/ } on && /^\.It [a-z]/ { print $2 }' \
  man/kvfs.1)
files=$(items man/kvfs.1 FILES | sed -n 's,^[a-z]*$,&,p')
others=$(items man/mount.kvfs.8 FILES)
[ "$(wc -w <<<"$options")" -gt 40 ] || problem 'no options in kvfs(1)'
[ "$(wc -w <<<"$modes")" = 6 ] || problem 'no sync modes in kvfs(1)'
[ "$(wc -w <<<"$files")" -gt 7 ] || problem 'no control files in kvfs(1)'
[ -n "$others" ] || problem 'no files in mount.kvfs(8)'
while read -r name; do
  promises | grep -qF "\`$name\`" || problem "no row has \`$name\`"
done < <(printf '%s\n' $options $modes $files $others)

named=$(grep -o '`\(unit\|mount\)/[a-z_.]*`' "$table" | tr -d '`' | sort -u)
[ "$(wc -w <<<"$named")" -gt 20 ] || problem 'names no tests'
for test in $named; do
  case $test in
    unit/*) [ -e "tests/$test.c" ] || problem "no test $test" ;;
    *) [ -x "tests/$test" ] || problem "no test $test" ;;
  esac
done
grep '^|' "$table" | grep -v '^| promise | tests |$\|^|---|---|$' |
  grep -vE '`(unit|mount)/[a-z_.]+` \|$' && problem 'a promise has no test'
exit $status
