#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
#
# The manuals are well formed, have the sections that every manual has, and
# name each option and command that --help names, and no other.
cd "$(dirname "$0")/../.." || exit 1
status=0
problem() {
  echo "$*"
  status=1
}
same() {
  local what=$1
  diff <(sort -u <<<"$2") <(sort -u <<<"$3") ||
    problem "$what: --help (<) and the manual (>) differ"
}

[ -x "${KVFS:?}" ] && [ -x "${KVFSCTL:?}" ] || exit 1
for m in man/*.[0-9]; do
  mandoc -Tlint -W warning "$m" || problem "$m: mandoc complains"
  case $m in
    *.[18])
      for s in 'EXIT STATUS' EXAMPLES 'SEE ALSO'; do
        grep -qx "\.Sh $s" "$m" || problem "$m: no section $s"
      done
      ;;
  esac
done

# kvfsctl: a command is a line "  NAME  what it does" below "Commands:" in
# --help and ".It Cm NAME ..." in the manual.
help=$("$KVFSCTL" --help) || problem 'kvfsctl --help fails'
commands=$(awk '/^Commands:/ { on = 1; next } /^$/ { on = 0 }
  on { print $1 }' <<<"$help")
[ -n "$commands" ] || problem 'kvfsctl --help lists no command'
same 'kvfsctl commands' "$commands" \
  "$(sed -n 's/^\.It Cm \([a-z]*\).*/\1/p' man/kvfsctl.1)"
for c in $commands; do
  usage=$("$KVFSCTL" "$c" --help) || problem "kvfsctl $c --help fails"
  same "options of kvfsctl $c" \
    "$(sed -n 's/^ *-\([a-zA-Z0-9]\) .*/\1/p' <<<"$usage")" \
    "$(awk -v c="$c" '/^\.It Cm / { on = $3 == c }
      /^\.Sh / { on = 0 } on && /^\.It Fl / { print $3 }' man/kvfsctl.1)"
done

# kvfs: what stands behind -o in --help is ".It Cm NAME" in OPTIONS.
help=$("$KVFS" --help) || problem 'kvfs --help fails'
same 'kvfs mount options' \
  "$(sed -n 's/^ \{2,\}-o \([a-z_]*\).*/\1/p' <<<"$help")" \
  "$(sed -n 's/^\.It Cm \([a-z_]*\).*/\1/p' man/kvfs.1)"

# Those that change while mounted have an asterisk in both, and are what
# "kvfsctl set" names.
live=$(sed -n 's/^ \{2,\}-o \([a-z_]*\)=[A-Z]* \*.*/\1/p' <<<"$help")
[ -n "$live" ] || problem 'kvfs --help marks no option'
same 'kvfs mount options that can change' "$live" \
  "$(sed -n 's/^\.It Cm \([a-z_]*\) .*Pq \*$/\1/p' man/kvfs.1)"
same 'options of kvfsctl set' "$live" \
  "$("$KVFSCTL" set --help | sed -n 's/^ *\([a-z_]*\)=.*/\1/p')"
# What it says of their values is what the daemon says of a bad one.
for o in $live; do
  same "values of kvfsctl set $o" \
    "$("$KVFS" /nowhere /nowhere -o "$o=@" 2>&1 |
      sed -n 's/.*: bad value: \(give\|use\) //p')" \
    "$("$KVFSCTL" set --help | sed -n "s/^ *$o=[A-Z]* *//p")"
done

exit $status
