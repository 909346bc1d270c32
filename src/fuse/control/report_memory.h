/* SPDX-License-Identifier: ISC */
#ifndef KVFS_FUSE_CONTROL_REPORT_MEMORY_H
#define KVFS_FUSE_CONTROL_REPORT_MEMORY_H

struct control;
struct report;

/* Report the memory of each part, the budget, and the resident size. */
void control_report_memory(struct control *c, struct report *r);

#endif
