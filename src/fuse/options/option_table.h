/* SPDX-License-Identifier: ISC */
/*
 * Mount options, one row each. The row decides how a value is parsed, checked
 * and printed, what --help says, and how it changes while mounted;
 * tests/style/manuals.sh compares kvfs(1) and kvfsctl(1) with it.
 */
#ifndef KVFS_FUSE_OPTIONS_OPTION_TABLE_H
#define KVFS_FUSE_OPTIONS_OPTION_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kv;
struct options;
struct option_spec;

/* Bytes of the longest value of an option, with its NUL. */
#define OPTION_VALUE_MAX 4096

/* A kind of value; option_value.h has all. */
struct option_type {
	/* Store the value in o; NULL if none was given. -EINVAL, logged: it is
	 * not valid. */
	int (*parse)(struct options *o, const struct option_spec *spec,
	    const char *value);
	/* Print the current value to buf; "" when there is none. */
	void (*format)(const struct options *o, const struct option_spec *spec,
	    char *buf, size_t len);
};

enum {
	/* May change while mounted. */
	OPTION_LIVE = 1 << 0,
	/* May be given without its value. */
	OPTION_VALUE_IS_OPTIONAL = 1 << 1,
	/* It is not printed: the row before says the same, or it is a default
	 * of no interest. */
	OPTION_IS_SILENT = 1 << 2,
};

/* Options whose presence decides about other options. */
enum {
	GIVEN_SYNC = 1 << 0,
	GIVEN_FLUSH = 1 << 1,
	GIVEN_WAL_BUFFER = 1 << 2,
	GIVEN_ACL = 1 << 3,
	GIVEN_MEMORY = 1 << 4,
	GIVEN_CACHE = 1 << 5,
	GIVEN_MEMTABLE = 1 << 6,
	GIVEN_WRITEBACK_SIZE = 1 << 7,
};

struct option_spec {
	const char *name;
	const char *arg; /* placeholder for its value; NULL: has no value */
	const struct option_type *type;
	size_t offset; /* of its field in struct options */
	uint64_t min, max; /* of a number or a size; min: of a choice */
	const char *words[2]; /* for true and false */
	bool sets; /* the value that a flag gives to its field */
	unsigned flags; /* OPTION_* */
	unsigned given; /* GIVEN_* */
	/* Set the value in the running store; may wait for the disk. NULL: the
	 * store does not use it. */
	int (*apply)(struct kv *kv, const struct options *o);
	const char *help; /* NULL: an option of mount(8) without effect */
	const char *standard; /* the default, if it is no value to print */
};

/* In the order of --help. */
extern const struct option_spec option_specs[];
extern const size_t option_count;

#endif
