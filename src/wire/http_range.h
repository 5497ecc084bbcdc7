/* http_range.h - which bytes of a file a request wants (RFC 9110, section 14).
 *
 * One range is understood; several, other units, and what cannot be read are as if nothing was
 * asked for. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum http_range { HTTP_RANGE_ALL, HTTP_RANGE_PART, HTTP_RANGE_NONE /* 416 */ };

/* range, if_range: the headers, or NULL; etag: with its quotes. Bytes from *at to before *end. */
enum http_range http_range(const char *range, const char *if_range, const char *etag, uint64_t size,
                           uint64_t *at, uint64_t *end);
