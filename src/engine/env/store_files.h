/* SPDX-License-Identifier: ISC */
/*
 * The files in a store's directory, by kind and number: operations on one of
 * them, and a list of all of them, for recovery and repair.
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
	struct number_list kinds[FILE_TEMP + 1]; /* each sorted */
	bool foreign; /* there are other files, too */
};

/* On -ENOMEM the list is unchanged. */
int number_list_add(struct number_list *l, uint64_t n);
/* l has to be sorted. */
bool number_list_has(const struct number_list *l, uint64_t n);
void number_list_fini(struct number_list *l);

/* Read the directory. files is zeroed before; the caller ends it with
 * store_files_fini(), also after an error. */
int store_files_list(struct env_dir *dir, struct store_files *files);
bool store_files_have(const struct store_files *files, enum file_kind kind);
/* The highest number of any file; 0 if there is none. */
uint64_t store_files_highest(const struct store_files *files);
void store_files_fini(struct store_files *files);

#endif
