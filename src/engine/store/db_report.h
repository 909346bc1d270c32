/* SPDX-License-Identifier: ISC */
/* Reports about the store. Threading: any thread. */
#ifndef KVFS_ENGINE_STORE_DB_REPORT_H
#define KVFS_ENGINE_STORE_DB_REPORT_H

#include <stdio.h>

#include "kvfs/store.h"
#include "util/report.h"

struct db;

/* Functions of kv.h. */
int db_report(struct kv *kv, enum report_format format, FILE *out);
void db_memory(struct kv *kv, struct kv_memory *memoryp);

#endif
