/* SPDX-License-Identifier: ISC */
/* The kinds of values that options have: see struct option_type. */
#ifndef KVFS_FUSE_OPTIONS_OPTION_VALUE_H
#define KVFS_FUSE_OPTIONS_OPTION_VALUE_H

#include "fuse/options/option_table.h"

extern const struct option_type option_flag; /* bool: .sets */
extern const struct option_type option_word; /* bool: one of .words */
extern const struct option_type option_number; /* uint32_t */
extern const struct option_type option_size; /* uint64_t */
extern const struct option_type option_bound; /* the same, or 0: none */
extern const struct option_type option_name; /* char[OPTION_NAME_MAX] */
extern const struct option_type option_sync; /* of struct kv_options */
extern const struct option_type option_profile; /* profile.h */
extern const struct option_type option_ignored;

#endif
