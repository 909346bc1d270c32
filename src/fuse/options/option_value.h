/* SPDX-License-Identifier: ISC */
/* The types of options' values; see struct option_type. The comments tell the
 * type of the field. */
#ifndef KVFS_FUSE_OPTIONS_OPTION_VALUE_H
#define KVFS_FUSE_OPTIONS_OPTION_VALUE_H

#include "fuse/options/option_table.h"

extern const struct option_type option_flag; /* bool: .sets */
extern const struct option_type option_word; /* bool: one of .words */
extern const struct option_type option_choice; /* an enum: .min */
extern const struct option_type option_number; /* uint32_t */
extern const struct option_type option_size; /* uint64_t */
extern const struct option_type option_bound; /* uint64_t; 0: no bound */
extern const struct option_type option_name; /* char[OPTION_NAME_MAX] */
extern const struct option_type option_sync; /* fields of kv_options */
extern const struct option_type option_profile; /* int; see profile.h */
extern const struct option_type option_ignored;

#endif
