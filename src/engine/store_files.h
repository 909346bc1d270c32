/* SPDX-License-Identifier: ISC */
/*
 * Which files a store's directory has, by kind and number, for those that
 * take a store over as it lies there: recovery and repair.
 */
#ifndef KVFS_ENGINE_STORE_FILES_H
#define KVFS_ENGINE_STORE_FILES_H

#include <stdbool.h>

#include "engine/env.h"
#include "engine/filename.h"

struct number_list {
	uint64_t *v; /* owned */
	size_t count, cap;
};

struct store_files {
	struct number_list kinds[FILE_TEMP + 1]; /* each in order */
	bool foreign; /* and something that is none of the store's */
};

/* -ENOMEM leaves the list as it was. */
int number_list_add(struct number_list *l, uint64_t n);
/* Of a list in order. */
bool number_list_has(const struct number_list *l, uint64_t n);
void number_list_fini(struct number_list *l);

/* Read the directory; files starts zeroed, and is the caller's to end also
 * after an error. */
int store_files_list(struct env *env, const char *dir,
    struct store_files *files);
bool store_files_have(const struct store_files *files, enum file_kind kind);
/* The highest number of any file; 0 when there is none. */
uint64_t store_files_highest(const struct store_files *files);
void store_files_fini(struct store_files *files);

#endif
