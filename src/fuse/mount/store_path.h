/* SPDX-License-Identifier: ISC */
/*
 * The path of the store: as given, or the fixed default of a mountpoint. Logs
 * what is wrong with it. One thread.
 */
#ifndef KVFS_FUSE_MOUNT_STORE_PATH_H
#define KVFS_FUSE_MOUNT_STORE_PATH_H

/*
 * *pathp: the default store of a mountpoint, returned owned: below
 * /var/lib/kvfs for root, else $XDG_DATA_HOME/kvfs or ~/.local/share/kvfs;
 * its name is store_path_escape() of the mountpoint.
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
 * *pathp: the absolute path of the store, returned owned. given NULL means
 * the default. The directory is made unless read_only; for the default, its
 * parents too. Refuses a store inside the mountpoint and the reverse, and
 * waits for another process that has the store open, for a bounded time. A
 * negative errno, logged.
 */
int store_path_prepare(const char *given, const char *mountpoint, int read_only,
    char **pathp);

#endif
