/* SPDX-License-Identifier: ISC */
/*
 * What the files of the control directory say and do; control_dir.c is
 * their form. All return 0 or a negative errno.
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
/* With everything that was written before. */
int control_open_backup(struct control *c, struct kv_backup **backupp);

int control_do_options(struct control *c, const char *text);
int control_do_flush(struct control *c, const char *text);
int control_do_compact(struct control *c, const char *text);
/* Those that are open give ECANCELED from now on. */
int control_end_backups(struct control *c, const char *text);

#endif
