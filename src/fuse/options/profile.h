/* SPDX-License-Identifier: ISC */
/* profile=NAME: sets of options by a name. */
#ifndef KVFS_FUSE_OPTIONS_PROFILE_H
#define KVFS_FUSE_OPTIONS_PROFILE_H

struct options;

/* The number for o->profile; -1: there is no profile of this name. */
int profile_find(const char *name);

/* Set the options of o->profile, if it is not -1, that were not given. */
void profile_apply(struct options *o);

#endif
