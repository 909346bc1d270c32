/* SPDX-License-Identifier: ISC */
/*
 * A store's files, by kind and number, in its directory: what is done with
 * one, and which there are, for those that take a store over as it lies
 * there.
 */
#ifndef KVFS_ENGINE_ENV_STORE_FILES_H
#define KVFS_ENGINE_ENV_STORE_FILES_H

#include <stdbool.h>

#include "engine/env/env.h"
#include "engine/env/filename.h"

/* As the functions of env.h. */
int store_file_open(struct env_dir *dir, enum file_kind kind, uint64_t number,
    unsigned flags, struct env_file **filep);
int store_file_unlink(struct env_dir *dir, enum file_kind kind,
    uint64_t number);
int store_file_rename(struct env_dir *dir, enum file_kind from_kind,
    uint64_t from, enum file_kind to_kind, uint64_t to);

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
int store_files_list(struct env_dir *dir, struct store_files *files);
bool store_files_have(const struct store_files *files, enum file_kind kind);
/* The highest number of any file; 0 when there is none. */
uint64_t store_files_highest(const struct store_files *files);
void store_files_fini(struct store_files *files);

#endif
