/* SPDX-License-Identifier: ISC */
/*
 * What the files of the control directory show and do; control_dir.c has the
 * list of files. All return 0 or a negative errno. They may take long: call
 * them without a lock.
 */
#ifndef KVFS_FUSE_CONTROL_CONTROL_REPORT_H
#define KVFS_FUSE_CONTROL_CONTROL_REPORT_H

#include <stdio.h>

#include "fuse/control/control.h"

int control_show_stats(struct control *c, FILE *out);
int control_show_metrics(struct control *c, FILE *out);
int control_show_options(struct control *c, FILE *out);
int control_show_check(struct control *c, FILE *out);
int control_show_sync(struct control *c, FILE *out);
/* Open a backup that has everything written before, returned owned. */
int control_open_backup(struct control *c, struct kv_backup **backupp);

int control_do_options(struct control *c, const char *text);
int control_do_flush(struct control *c, const char *text);
int control_do_compact(struct control *c, const char *text);
/* Reads of backups that are open now fail with ECANCELED. */
int control_end_backups(struct control *c, const char *text);

#endif
