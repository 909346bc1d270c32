/* SPDX-License-Identifier: ISC */
/* profile=NAME: sets of options by a name. */
#ifndef KVFS_FUSE_OPTIONS_PROFILE_H
#define KVFS_FUSE_OPTIONS_PROFILE_H

struct options;

/* What o->profile becomes: -1, there is none of that name. */
int profile_find(const char *name);

/* Fill in what o->profile says, if that is one, where nothing else was
 * given. */
void profile_apply(struct options *o);

#endif
