/* SPDX-License-Identifier: ISC */
/*
 * The command line and the mount options of kvfs, from one table that also
 * prints --help. Knows nothing of libfuse, so that it can be tested alone.
 *
 * An option given twice counts as given last, as with mount(8). A profile
 * fills in sync, flush and wal_buffer where they are not given, and the
 * budget of memory its parts (budget.h).
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
	char *remount; /* owned: the list, when it asks for a remount; else
	                  NULL. Nothing of it is in the fields below. */

	struct kv_options kv;
	struct fs_options fs;

	bool read_only;
	bool nosuid, nodev, noexec;
	bool allow_other;
	bool auto_unmount;
	bool kernel_writeback;
	bool noxattr;
	/* The budget, and parts of it that are no option of their own. */
	uint64_t memory_bytes;
	uint64_t inode_bytes; /* of inodes that the kernel makes us keep */
	uint32_t request_bytes; /* the largest read or write */
	unsigned threads;
	unsigned max_background;
	unsigned spin_us;
	bool affinity;

	/* Insides: what was given. */
	int profile; /* profile.h; -1: none */
	unsigned given; /* GIVEN_* of option_table.h */
};

/* The defaults; allow_other follows the effective user. */
void options_init(struct options *o);

/*
 * Parse the command line. -EINVAL: misuse, and one line saying so was
 * logged. With help or version set nothing else is checked.
 */
int options_parse(struct options *o, int argc, char **argv);

/* Parse a list as it follows -o. */
int options_parse_list(struct options *o, const char *list);

/*
 * Change the options of a mounted kvfs that can change: text holds them
 * separated by commas, blanks or newlines. On -EINVAL o is unchanged and a
 * line was logged.
 */
int options_change(struct options *o, const char *text);

/*
 * Have the running store take over what of wanted differs from now, which
 * may wait for its disk; now becomes what is in force, whatever the result:
 * 0, or a negative errno.
 */
int options_apply(struct kv *kv, struct options *now,
    const struct options *wanted);

/* "name=value" each, and then sep; flags stand alone. */
void options_print(const struct options *o, FILE *out, const char *sep);
void options_usage(FILE *out);

#endif
