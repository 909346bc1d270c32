/* SPDX-License-Identifier: ISC */
/*
 * Mount options, one row each. From the row follow how a value is parsed,
 * checked and printed, what --help says, and how it changes while mounted;
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

/* The longest value of an option, and its NUL. */
#define OPTION_VALUE_MAX 4096

/* A kind of value; option_value.h has all. */
struct option_type {
	/* Take a value, or NULL where none was given. -EINVAL: a bad one,
	 * and a line that says so was logged. */
	int (*parse)(struct options *o, const struct option_spec *spec,
	    const char *value);
	/* The value now; "" when there is none to print. */
	void (*format)(const struct options *o, const struct option_spec *spec,
	    char *buf, size_t len);
};

enum {
	/* May change while mounted. */
	OPTION_LIVE = 1 << 0,
	/* May stand without its value. */
	OPTION_VALUE_IS_OPTIONAL = 1 << 1,
	/* The row before says the same, or it is a default that is not worth
	 * a word: it is not printed. */
	OPTION_IS_SILENT = 1 << 2,
};

/* Options of which others have to know that they were given. */
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
	const char *arg; /* what stands behind "="; NULL: takes no value */
	const struct option_type *type;
	size_t offset; /* of its field in struct options */
	uint64_t min, max; /* of a number or a size */
	const char *words[2]; /* that stand for true and false */
	bool sets; /* what a flag makes of its field */
	unsigned flags; /* OPTION_* */
	unsigned given; /* GIVEN_* */
	/* Have the running store take the value over, which may wait for its
	 * disk; NULL: the store has no part in it. */
	int (*apply)(struct kv *kv, const struct options *o);
	const char *help; /* NULL: of mount(8), changes nothing */
	const char *standard; /* the default, where no value says it */
};

/* In the order of --help. */
extern const struct option_spec option_specs[];
extern const size_t option_count;

#endif
