/* SPDX-License-Identifier: ISC */
/* Parsing and printing values of options; see option_value.h. */
#include "fuse/options/option_value.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "fuse/options/option_size.h"
#include "fuse/options/options.h"
#include "fuse/options/profile.h"
#include "util/log.h"

static void *
field_of(struct options *o, const struct option_spec *spec)
{
	return (char *)o + spec->offset;
}

static const void *
const_field_of(const struct options *o, const struct option_spec *spec)
{
	return (const char *)o + spec->offset;
}

static int
refuse_value(const struct option_spec *spec, const char *value,
    const char *hint)
{
	log_error("-o %s=%s: bad value: %s", spec->name, value, hint);
	return -EINVAL;
}

/* For types without a value to print. */
static void
format_nothing(const struct options *o, const struct option_spec *spec,
    char *buf, size_t len)
{
	(void)o;
	(void)spec;
	(void)len;
	buf[0] = '\0';
}

/* ---- Flags and words ---- */

static int
parse_flag(struct options *o, const struct option_spec *spec, const char *value)
{
	(void)value;
	*(bool *)field_of(o, spec) = spec->sets;
	return 0;
}

const struct option_type option_flag = { parse_flag, format_nothing };

static int
parse_word(struct options *o, const struct option_spec *spec, const char *value)
{
	bool *field = field_of(o, spec);
	char hint[64];

	if (strcmp(value, spec->words[0]) == 0) {
		*field = true;
	} else if (strcmp(value, spec->words[1]) == 0) {
		*field = false;
	} else {
		snprintf(hint, sizeof(hint), "use %s or %s", spec->words[0],
		    spec->words[1]);
		return refuse_value(spec, value, hint);
	}
	return 0;
}

static void
format_word(const struct options *o, const struct option_spec *spec, char *buf,
    size_t len)
{
	const bool *field = const_field_of(o, spec);

	strlcpy(buf, spec->words[*field ? 0 : 1], len);
}

const struct option_type option_word = { parse_word, format_word };

/* An option without a value, one of several that set the same field. */
static int
parse_choice(struct options *o, const struct option_spec *spec,
    const char *value)
{
	(void)value;
	*(unsigned *)field_of(o, spec) = (unsigned)spec->min;
	return 0;
}

const struct option_type option_choice = { parse_choice, format_nothing };

/* ---- Numbers and sizes ---- */

static int
parse_number(struct options *o, const struct option_spec *spec,
    const char *value)
{
	char hint[128];
	uint64_t n;

	if (!option_parse_size(value, false, &n) || n < spec->min ||
	    n > spec->max) {
		snprintf(hint, sizeof(hint),
		    "give a number from %" PRIu64 " to %" PRIu64, spec->min,
		    spec->max);
		return refuse_value(spec, value, hint);
	}
	*(uint32_t *)field_of(o, spec) = (uint32_t)n;
	return 0;
}

static void
format_number(const struct options *o, const struct option_spec *spec,
    char *buf, size_t len)
{
	const uint32_t *field = const_field_of(o, spec);

	snprintf(buf, len, "%" PRIu32, *field);
}

const struct option_type option_number = { parse_number, format_number };

static int
take_size(struct options *o, const struct option_spec *spec, const char *value,
    uint64_t min)
{
	char hint[128], low[32], high[32];
	uint64_t n;

	if (option_parse_size(value, true, &n) && n >= min && n <= spec->max) {
		*(uint64_t *)field_of(o, spec) = n;
		return 0;
	}
	option_format_size(min, low, sizeof(low));
	option_format_size(spec->max, high, sizeof(high));
	snprintf(hint, sizeof(hint), "give a size from %s to %s", low, high);
	return refuse_value(spec, value, hint);
}

static int
parse_size(struct options *o, const struct option_spec *spec, const char *value)
{
	return take_size(o, spec, value, spec->min);
}

static void
format_size(const struct options *o, const struct option_spec *spec, char *buf,
    size_t len)
{
	const uint64_t *field = const_field_of(o, spec);

	option_format_size(*field, buf, len);
}

const struct option_type option_size = { parse_size, format_size };

static int
parse_bound(struct options *o, const struct option_spec *spec,
    const char *value)
{
	char hint[128], low[32];
	uint64_t n;

	if (!option_parse_size(value, true, &n) || (n != 0 && n < spec->min)) {
		option_format_size(spec->min, low, sizeof(low));
		snprintf(hint, sizeof(hint),
		    "give 0 for no bound, or at least %s", low);
		return refuse_value(spec, value, hint);
	}
	return take_size(o, spec, value, 0);
}

const struct option_type option_bound = { parse_bound, format_size };

/* ---- Others ---- */

/* A name for the mount table: any text that fits. */
static int
parse_name(struct options *o, const struct option_spec *spec, const char *value)
{
	if (value[0] == '\0')
		return refuse_value(spec, value, "give a name");
	if (strlen(value) >= OPTION_NAME_MAX)
		return refuse_value(spec, "...", "give a shorter name");
	strlcpy(field_of(o, spec), value, OPTION_NAME_MAX);
	return 0;
}

static void
format_name(const struct options *o, const struct option_spec *spec, char *buf,
    size_t len)
{
	strlcpy(buf, const_field_of(o, spec), len);
}

const struct option_type option_name = { parse_name, format_name };

/* "sync" without a value is the option of mount(8). */
static int
parse_sync(struct options *o, const struct option_spec *spec, const char *value)
{
	if (value == NULL) {
		o->kv.sync = KV_SYNC_FULL;
		return 0;
	}
	if (kv_options_parse_sync(&o->kv, value) == 0)
		return 0;
	return refuse_value(spec, value,
	    "use full, every:N, interval:MS, hybrid:N:MS, checkpoint or off");
}

static void
format_sync(const struct options *o, const struct option_spec *spec, char *buf,
    size_t len)
{
	(void)spec;
	kv_options_format_sync(&o->kv, buf, len);
}

const struct option_type option_sync = { parse_sync, format_sync };

static int
parse_profile(struct options *o, const struct option_spec *spec,
    const char *value)
{
	o->profile = profile_find(value);
	return o->profile >= 0 ?
	    0 :
	    refuse_value(spec, value, "use safe, balanced or fast");
}

const struct option_type option_profile = { parse_profile, format_nothing };

static int
parse_nothing(struct options *o, const struct option_spec *spec,
    const char *value)
{
	(void)o;
	(void)spec;
	(void)value;
	return 0;
}

const struct option_type option_ignored = { parse_nothing, format_nothing };
