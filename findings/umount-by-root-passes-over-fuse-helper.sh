#!/bin/bash
# SPDX-License-Identifier: ISC
# A FUSE file system of a type of its own (fuse.NAME) may have a helper,
# umount.fuse.NAME, that umount(8) of util-linux runs in its place. Seen with
# util-linux 2.38.1-5+deb12u3 and fuse2fs 1.47.0-2+b2 (type fuse.ext4): root's
# "umount DIR" does not run it, "umount -l DIR" does. Without an option
# umount(8) asks statfs(2) for the type, to spare itself the mount table, and
# statfs(2) knows no more than "fuse": so umount.fuse is looked for.
#
# What follows for users: see mount.kvfs(8), on unmounting as root.
#
# Needs root, /dev/fuse, overlayfs and Debian 12's packages. Exit status 0: as
# described, 1: changed, 77: cannot run here.
set -u
self=$(readlink -f "$0")
packages='mount=2.38.1-5+deb12u3 libmount1=2.38.1-5+deb12u3
fuse2fs=1.47.0-2+b2 libfuse2=2.9.9-6+b1'

[ "$(id -u)" = 0 ] && [ -e /dev/fuse ] || { echo "needs root and /dev/fuse"; exit 77; }
if [ "${1:-}" != inside ]; then
  t=$(mktemp -d) || exit 1
  trap 'rm -rf "$t"' EXIT
  chmod 755 "$t"
  cd "$t" || exit 1
  # shellcheck disable=SC2086
  apt-get -qq download $packages 2>"$t/err" || { cat "$t/err"; exit 77; }
  for deb in ./*.deb; do dpkg -x "$deb" root; done
  unshare -m --propagation private "$self" inside "$t"
  exit
fi

t=$2
lib=$t/root/lib/x86_64-linux-gnu:$t/root/usr/lib/x86_64-linux-gnu
umount8() { LD_LIBRARY_PATH=$lib "$t/root/bin/umount" "$@"; }
mkdir "$t/helpers" "$t/mnt"
printf '#!/bin/sh\necho "helper: $*" >>%s\nexec umount -i "$1"\n' "$t/said" \
  >"$t/helpers/umount.fuse.ext4"
chmod 755 "$t/helpers/umount.fuse.ext4"
mount -t overlay -o "lowerdir=$t/helpers:/usr/sbin" none /usr/sbin ||
  { echo "no overlayfs"; exit 77; }
truncate -s 8M "$t/img" && mkfs.ext4 -q "$t/img" || exit 77

try() {
  : >"$t/said"
  LD_LIBRARY_PATH=$lib "$t/root/usr/bin/fuse2fs" "$t/img" "$t/mnt" 2>"$t/err" ||
    { cat "$t/err"; exit 77; }
  grep -q " $t/mnt fuse.ext4 " /proc/self/mounts ||
    { echo "the type is not fuse.ext4"; exit 77; }
  umount8 "$@" "$t/mnt"
  echo "umount $*: ${said:=$(cat "$t/said")}"
}

said=; try
plain=$said
said=; try -l
lazy=$said
[ -z "$plain" ] && [ -n "$lazy" ] && exit 0
echo "changed: plain '$plain', lazy '$lazy'"
exit 1
