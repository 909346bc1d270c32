#!/bin/bash
# SPDX-License-Identifier: ISC
# Root may mount a FUSE file system with -o suid,dev. With auto_unmount beside
# it these options are lost without a word: seen with libfuse 3.14.0-4 and
# squashfuse 0.1.105-1. For auto_unmount libfuse has fusermount3(1) mount in its
# place, root's mounts too; that sets nosuid and nodev unless it is told
# otherwise, and libfuse hands on only options that switch a flag on.
#
# What follows for who builds on libfuse: a daemon of root that wants these
# flags as its user gave them mounts by itself, and has something of its own
# that unmounts when it dies.
#
# Needs root, /dev/fuse and Debian 12's packages. Exit status 0: as described,
# 1: changed, 77: cannot run here.
set -u
packages='libfuse3-3=3.14.0-4 fuse3=3.14.0-4 squashfuse=0.1.105-1
libsquashfuse0=0.1.105-1 squashfs-tools=1:4.5.1-1'

[ "$(id -u)" = 0 ] && [ -e /dev/fuse ] || { echo "needs root and /dev/fuse"; exit 77; }
t=$(mktemp -d) || exit 1
trap 'umount "$t/mnt" 2>/dev/null; rm -rf "$t"' EXIT
chmod 755 "$t"
cd "$t" || exit 1
# shellcheck disable=SC2086
apt-get -qq download $packages 2>"$t/err" || { cat "$t/err"; exit 77; }
for deb in ./*.deb; do dpkg -x "$deb" root; done
export LD_LIBRARY_PATH=$t/root/lib/x86_64-linux-gnu:$t/root/usr/lib/x86_64-linux-gnu
export PATH=$t/root/bin:$t/root/usr/bin:$PATH
mkdir src mnt
echo hello >src/file
mksquashfs src image -quiet -no-progress >"$t/err" 2>&1 || { cat "$t/err"; exit 77; }

# The flags that a mount with these options has.
try() {
  squashfuse -o "$1" image mnt 2>"$t/err" || { cat "$t/err"; exit 77; }
  flags=$(awk -v m="$t/mnt" '$2 == m { print $4 }' /proc/self/mounts)
  echo "-o $1: $flags"
  umount mnt
}

try suid,dev
plain=$flags
try suid,dev,auto_unmount
auto=$flags
case $plain in
*nosuid* | *nodev* | '') ;;
*)
  case $auto in
  *nosuid,nodev*) exit 0 ;;
  esac
  ;;
esac
echo "changed: without '$plain', with auto_unmount '$auto'"
exit 1
