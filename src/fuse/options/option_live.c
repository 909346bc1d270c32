/* SPDX-License-Identifier: ISC */
/* Options that change while the store is open; see options.h. */
#include <string.h>

#include "fuse/options/option_table.h"
#include "fuse/options/options.h"

static int
apply_option(struct kv *kv, const struct option_spec *spec, struct options *now,
    const struct options *wanted)
{
	char have[OPTION_VALUE_MAX], want[OPTION_VALUE_MAX];
	int rc;

	spec->type->format(now, spec, have, sizeof(have));
	spec->type->format(wanted, spec, want, sizeof(want));
	if (strcmp(have, want) == 0)
		return 0;
	rc = spec->apply(kv, wanted);
	return rc < 0 ? rc : spec->type->parse(now, spec, want);
}

int
options_apply(struct kv *kv, struct options *now, const struct options *wanted)
{
	int rc = 0;

	for (size_t i = 0; i < option_count && rc == 0; i++)
		if (option_specs[i].apply != NULL)
			rc = apply_option(kv, &option_specs[i], now, wanted);
	return rc;
}
