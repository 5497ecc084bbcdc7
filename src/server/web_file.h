/* web_file.h - a kept file over HTTPS, for browsers, curl and players, with Range: by the token of
 * a ticket, or because the hub says that a session may have it.
 *
 * The depot's threads look the token up and read, a piece at a time; the next piece is asked for
 * when the one before has left for the socket, so who does not read costs one piece.
 */
#pragma once

#include "server/depot.h"
#include "wire/http.h"

enum { WEB_FILE_PIECE = 64 * 1024 };

struct peer;
struct web_file;

/* Asks for it; without a token web_file_granted does. NULL: it cannot be asked for now. */
struct web_file *web_file_new(struct peer *p, const struct http_request *q, uint64_t file,
                              const uint8_t *token);
/* The hub says yes; takes the name. False: it was another file, or cannot be asked for now. */
bool web_file_granted(struct web_file *f, struct hub_depot *grant);
/* What was asked for is closed, at once or when the answer comes. */
void web_file_free(struct web_file *f);
bool web_file_is_idle(const struct web_file *f); /* wants to be asked for the next piece */
bool web_file_is_over(const struct web_file *f);
/* The head was sent: nothing else can be said any more. */
bool web_file_is_begun(const struct web_file *f);
int web_file_next(struct web_file *f);

/* An answer. 0: `ret` is to be sent (NULL: nothing yet); else the status to refuse with (extra:
 * header lines), or to end the connection if it has begun. */
unsigned web_file_on_job(struct web_file *f, struct depot_job *j, struct blob **ret,
                         const char **extra);
/* An answer for somebody who has gone. */
void web_file_on_stray(struct depot *d, struct depot_job *j);
