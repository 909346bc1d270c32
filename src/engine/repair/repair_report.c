/* SPDX-License-Identifier: ISC */
/* The report of a repair; see repair_report.h. */
#include "engine/repair/repair_report.h"

#include <limits.h>
#include <stdarg.h>
#include <string.h>

#include "engine/key/key.h"

/* Length of a reason: a path and what is wrong there. */
#define WHY_MAX (PATH_MAX + 200)
#define KEY_TEXT 200

static void
count_loss(struct repair_report *r)
{
	if (r->losses < INT_MAX)
		r->losses++;
}

void
repair_lost(struct repair_report *r, const char *fmt, ...)
{
	char why[WHY_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	count_loss(r);
	line_list_add(&r->lost, "%s", why);
}

/* As much of a key as fits, as text; for callers that have no better name for
 * it. */
static const char *
key_text(const struct kv_key *key, char text[KEY_TEXT])
{
	const uint8_t *p = key->name.data;
	size_t n = (size_t)snprintf(text, KEY_TEXT, "%u/%llu", key->space,
	    (unsigned long long)key->group);

	if (key->name.len != 0)
		text[n++] = '/';
	for (size_t i = 0; i < key->name.len; i++) {
		if (n > KEY_TEXT - 8) {
			strlcpy(text + n, "...", KEY_TEXT - n);
			return text;
		}
		if (p[i] <= ' ' || p[i] == '\\' || p[i] >= 0x7f)
			n += (size_t)snprintf(text + n, KEY_TEXT - n, "\\x%02x",
			    p[i]);
		else
			text[n++] = (char)p[i];
	}
	text[n] = '\0';
	return text;
}

/* Decode a user key. An empty one stands for the place before all keys. */
static struct kv_key
decode_user(struct slice user)
{
	if (user.len < KEY_PREFIX_LEN)
		return (struct kv_key){ 0 };
	return key_decode(user);
}

void
repair_lost_value(struct repair_report *r, struct slice user, const char *fmt,
    ...)
{
	char why[WHY_MAX], text[KEY_TEXT];
	struct kv_key key = decode_user(user);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	count_loss(r);
	if (r->lost_key != NULL)
		r->lost_key(r->lost_arg, &key, NULL, why);
	else
		line_list_add(&r->lost, "%s: value of %s", why,
		    key_text(&key, text));
}

void
repair_lost_range(struct repair_report *r, struct slice from, struct slice to,
    const char *fmt, ...)
{
	char why[WHY_MAX], first_text[KEY_TEXT], last_text[KEY_TEXT];
	struct kv_key first = decode_user(from), last = decode_user(to);
	const uint8_t *p = last.name.data;
	va_list ap;

	/* The limit of a range is its last key and a NUL: show the key. */
	if (last.name.len != 0 && p[last.name.len - 1] == '\0')
		last.name.len--;
	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	count_loss(r);
	if (r->lost_key != NULL)
		r->lost_key(r->lost_arg, &first, &last, why);
	else
		line_list_add(&r->lost,
		    "%s: what it held of keys from %s to %s", why,
		    key_text(&first, first_text), key_text(&last, last_text));
}

void
repair_note(struct repair_report *r, const char *fmt, ...)
{
	char text[WHY_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	line_list_add(&r->notes, "%s", text);
}
