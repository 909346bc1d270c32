/* SPDX-License-Identifier: ISC */
#ifndef KVFS_FUSE_CONTROL_REPORT_MEMORY_H
#define KVFS_FUSE_CONTROL_REPORT_MEMORY_H

struct control;
struct report;

/* Memory by user, the budget, and what is resident. */
void control_report_memory(struct control *c, struct report *r);

#endif
