/* SPDX-License-Identifier: ISC */
/* The insides of options.c and option_table.c: one row for each option. */
#ifndef KVFS_FUSE_OPTIONS_OPTION_TABLE_H
#define KVFS_FUSE_OPTIONS_OPTION_TABLE_H

#include <stddef.h>
#include <stdint.h>

enum option_id {
	OPT_PROFILE,
	OPT_SYNC,
	OPT_FLUSH,
	OPT_WRITEBACK,
	OPT_WRITEBACK_SIZE,
	OPT_WAL_BUFFER,
	OPT_COMPRESSION,
	OPT_MEMORY,
	OPT_CACHE,
	OPT_MEMTABLE,
	OPT_COMPACTION_THREADS,
	OPT_MAX_SIZE,
	OPT_RO,
	OPT_RW,
	OPT_NOATIME,
	OPT_RELATIME,
	OPT_NOXATTR,
	OPT_ACL,
	OPT_NOACL,
	OPT_THREADS,
	OPT_SPIN,
	OPT_AFFINITY,
	OPT_NOAFFINITY,
	OPT_MAX_BACKGROUND,
	OPT_KERNEL_WRITEBACK,
	OPT_ALLOW_OTHER,
	OPT_AUTO_UNMOUNT,
	OPT_SUID,
	OPT_NOSUID,
	OPT_DEV,
	OPT_NODEV,
	OPT_EXEC,
	OPT_NOEXEC,
	OPT_FSNAME,
	OPT_SUBTYPE,
	OPT_IGNORED, /* of mount(8), without meaning here */
};

/* The longest value of an option, and its NUL. */
#define OPTION_VALUE_MAX 4096

/* May change while mounted. */
#define LIVE 1u

struct option_spec {
	const char *name;
	const char *arg; /* NULL: takes no value */
	enum option_id id;
	unsigned flags;
	const char *help;
};

/* In the order of --help; rows without help are mount(8)'s. */
extern const struct option_spec option_specs[];
extern const size_t option_count;

/* "64M", "1000"; buf holds 32 bytes. */
void option_format_size(uint64_t n, char *buf, size_t len);

#endif
