#!/bin/bash
# SPDX-License-Identifier: ISC
# A time before 1970 with a fraction of a second moves by one second between
# GNU tar and libarchive, in each direction, though both write a decimal number
# to the pax header: seen with libarchive 3.6.2-1+deb12u5 and GNU tar
# 1.34+dfsg-1.2+deb12u1. For half a second past 23:00:00 on the last day of 1969
# GNU tar writes mtime=-3599.5, the number that it is; libarchive writes the
# seconds, rounded down, and the fraction without its sign, mtime=-3600.5, and
# reads in the same way. So each restores its own archives exactly.
#
# What follows for who reads and writes pax archives by libarchive: correct such
# times, in both directions, or archives do not compare equal with tar's.
#
# Needs Debian 12's packages. Exit status 0: as described, 1: changed, 77:
# cannot run here.
set -u
export LC_ALL=C TZ=UTC
t=$(mktemp -d) || exit 1
trap 'rm -rf "$t"' EXIT
chmod 755 "$t"
cd "$t" || exit 1
apt-get -qq download libarchive-tools=3.6.2-1+deb12u5 \
  libarchive13=3.6.2-1+deb12u5 tar=1.34+dfsg-1.2+deb12u1 2>err ||
  { cat err; exit 77; }
for p in ./*.deb; do dpkg -x "$p" root; done
libs=$(dirname "$(find "$t/root" -name 'libarchive.so.13' | head -n 1)")
gnu() { root/bin/tar "$@" 2>/dev/null; }
bsd() { LD_LIBRARY_PATH=$libs root/usr/bin/bsdtar "$@"; }
bsd --version || exit 77

touch -d '1969-12-31 23:00:00.5' file
gnu --format=pax -cf gnu.tar file
bsd --format=pax -cf bsd.tar file
for writer in gnu bsd; do
  echo "$writer writes $(grep -ao 'mtime=-[0-9.]*' $writer.tar)"
  for reader in gnu bsd; do
    mkdir $writer.$reader
    $reader -xf $writer.tar -C $writer.$reader
    time=$(stat -c %.1Y $writer.$reader/file)
    echo "$reader reads $time of it"
    seen="${seen:-} $time"
  done
done
[ "$seen" = " -3599.5 -3598.5 -3600.5 -3599.5" ] && exit 0
echo "changed"
exit 1
