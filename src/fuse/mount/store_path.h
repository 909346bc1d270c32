/* SPDX-License-Identifier: ISC */
/*
 * Where the store is: as given, or the fixed place that belongs to a
 * mountpoint. Logs what is wrong with it.
 */
#ifndef KVFS_FUSE_MOUNT_STORE_PATH_H
#define KVFS_FUSE_MOUNT_STORE_PATH_H

/*
 * The place of mountpoint's own store, returned owned in *pathp: below
 * /var/lib/kvfs for root, else $XDG_DATA_HOME/kvfs or ~/.local/share/kvfs,
 * named as store_path_escape() says.
 */
int store_path_default(const char *mountpoint, char **pathp);

/*
 * A file name for an absolute path, returned owned: "/" between parts
 * becomes "-"; bytes other than letters, digits, ":", "_" and "." become
 * "\xHH", so that it can be turned back. A name over 255 bytes keeps its
 * first 200 and ends in "~" and the 16 digits of a hash of the path.
 */
char *store_path_escape(const char *path);

/*
 * The absolute path of the store, returned owned. given NULL means the
 * default place. Made, with its parents for the default place, unless
 * read_only. Refuses a store inside the mountpoint and the reverse, and one
 * that another process has open.
 */
int store_path_prepare(const char *given, const char *mountpoint, int read_only,
    char **pathp);

#endif
