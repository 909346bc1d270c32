/* SPDX-License-Identifier: ISC */
/*
 * The functions of a kind of target: target_direct.c and target_mount.c define
 * them, target.c calls them. Each is described at the function of the same name
 * in target.h.
 */
#ifndef KVFS_TOOLS_TARGET_OPS_H
#define KVFS_TOOLS_TARGET_OPS_H

#include "tools/target.h"

struct target_ops {
	int (*stat)(struct target *t, const char *key, struct stat *stp);
	int (*list)(struct target *t, const char *key, target_entry_fn fn,
	    void *arg);
	int (*readlink)(struct target *t, const char *key, char *buf,
	    size_t len);
	int (*open)(struct target *t, const char *key, bool create, mode_t mode,
	    struct target_file *f);
	ssize_t (*read)(struct target *t, struct target_file *f, void *buf,
	    size_t len, uint64_t off);
	ssize_t (*write)(struct target *t, struct target_file *f,
	    const void *buf, size_t len, uint64_t off);
	int (*copy_attributes)(struct target *t, struct target_file *f,
	    const char *key, const struct stat *like);
	int (*close_file)(struct target *t, struct target_file *f);
	int (*mkdir)(struct target *t, const char *key);
	int (*remove)(struct target *t, const char *key, bool directory);
	int (*rename)(struct target *t, const char *from, const char *to);
	int (*control)(struct target *t, const char *command, FILE *out);
	int (*backup_begin)(struct target *t);
	ssize_t (*backup_read)(struct target *t, void *buf, size_t len,
	    uint64_t off);
	void (*backup_end)(struct target *t);
	int (*store_dir)(struct target *t, char dir[PATH_MAX]);
	int (*lane)(struct target *t, bool reads, int *fdp);
	int (*close)(struct target *t);
};

/* The first member of the two kinds' structures. */
struct target {
	const struct target_ops *ops;
	bool is_mounted;
};

/* Open the store in a directory, which no other process has open. Reports
 * failures itself. */
int target_open_direct(const char *store, enum target_use use,
    struct target **tp);

#endif
