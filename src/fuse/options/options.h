/* SPDX-License-Identifier: ISC */
/*
 * The command line and the mount options of kvfs, parsed and printed by one
 * table (option_table.h). Does not use libfuse, so that it can be tested
 * alone. No threads: the caller locks.
 *
 * If an option is given twice, the last one counts, as with mount(8). A
 * profile sets sync, flush and wal_buffer where these are not given; the
 * memory budget sets its parts likewise (budget.h).
 */
#ifndef KVFS_FUSE_OPTIONS_OPTIONS_H
#define KVFS_FUSE_OPTIONS_OPTIONS_H

#include <stdbool.h>
#include <stdio.h>

#include "fs/fs.h"
#include "kvfs/store.h"

/* Size of a name in the mount table, with its NUL. */
#define OPTION_NAME_MAX 1024

struct options {
	/* The command line; the strings are borrowed from argv. */
	const char *store; /* NULL: the default place of the mountpoint */
	const char *mountpoint;
	/* What the mount table shows; empty: the store, and kvfs. */
	char fsname[OPTION_NAME_MAX], subtype[OPTION_NAME_MAX];
	bool help, version, foreground, debug;
	char *remount; /* owned: the list of options, if it asks for a remount,
	                  else NULL. It is not parsed into the fields below. */

	struct kv_options kv;
	struct fs_options fs;

	bool read_only;
	bool nosuid, nodev, noexec;
	bool allow_other;
	bool auto_unmount;
	bool kernel_writeback;
	bool noxattr;
	/* The memory budget, and those of its parts that are no options. */
	uint64_t memory_bytes;
	uint64_t inode_bytes; /* for inodes that the kernel refers to */
	uint32_t request_bytes; /* the largest read or write */
	unsigned threads;
	unsigned max_background;
	unsigned spin_us;
	bool affinity;

	/* Private: what was given. */
	int profile; /* profile.h; -1: none */
	unsigned given; /* GIVEN_* of option_table.h */
};

/* Set the defaults; that of allow_other depends on the effective user. */
void options_init(struct options *o);

/*
 * Parse the command line. -EINVAL: wrong usage, and one line was logged. With
 * help or version set nothing else is checked.
 */
int options_parse(struct options *o, int argc, char **argv);

/* Parse the argument of -o. -EINVAL, logged. */
int options_parse_list(struct options *o, const char *list);

/*
 * Parse changes of options while mounted: text holds them separated by
 * commas, blanks or newlines. -EINVAL, logged: wrong, or an option that
 * cannot change while mounted; o is unchanged then.
 */
int options_change(struct options *o, const char *text);

/*
 * Set in the running store the options in which wanted differs from now; may
 * wait for the disk. 0 or a negative errno; in both cases now becomes what is
 * in force.
 */
int options_apply(struct kv *kv, struct options *now,
    const struct options *wanted);

/* Print "name=value" and sep for each option; flags without a value. */
void options_print(const struct options *o, FILE *out, const char *sep);
void options_usage(FILE *out);

#endif
