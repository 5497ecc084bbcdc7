/* meet_show.h - people in meetings, and meetings, for people and as JSON. Pure:
 * appends to a buf; everything that others wrote is cleaned here.
 */
#pragma once

#include "cli/json.h"
#include "cli/show.h"

/* Whether somebody is a guest, by who is there; no ticket, or not there: not known. */
/* What is said, wherever a meeting is shown, of one whose voices the server could hear. */
#define MEET_UNSEALED "NOT SEALED END TO END"

enum meet_kind { MEET_IS_UNKNOWN, MEET_IS_ACCOUNT, MEET_IS_GUEST };
enum meet_kind meet_kind_of(const struct roost_ticket *there, uint64_t account);
/* What somebody is called there; NULL: not there. */
const char *meet_name_of(const struct roost_ticket *there, uint64_t account);

/* --- JSON: keys of roost-json(5) --- */

/* here: whether it is known who is connected; else that key is null. */
void meet_json_attendee_fields(struct json *j, const struct roost_attendee *a, bool here);
void meet_json_meeting_fields(struct json *j, const struct roost_meeting *m);
void meet_json_attendee(struct json *j, const char *key, const struct roost_attendee *a, bool here);
void meet_json_attendees(struct json *j, const char *key, const struct roost_attendee *list,
                         size_t n, bool here);
void meet_json_meeting(struct json *j, const char *key, const struct roost_meeting *m);
/* Into an object that has begun: meeting, you, link, attendees, waiting. */
void meet_json_ticket(struct json *j, const struct roost_ticket *t, const char *server);
/* Likewise: action, old_name, meeting, attendees. */
void meet_json_met(struct json *j, const struct roost_message *m);

void meet_json_number(struct json *j, const char *key, uint64_t n); /* 0: null */
/* true, false or null */
void meet_json_kind(struct json *j, const char *key, enum meet_kind kind);

/* --- for people --- */

/* "host, guest, muted, hand up": what is to be said of somebody. */
void meet_marks(struct buf *b, const struct roost_attendee *a, const struct roost_meeting *m,
                uint64_t me);
/* "locked, microphones locked, …"; "" for a meeting as usual. */
void meet_settings(struct buf *b, const struct roost_meeting *m);
/* "204 816" */
void meet_code(struct buf *b, const char *code);
/* Who is in and who waits, a line each. */
void meet_roster(const struct show *s, const struct roost_ticket *t, struct buf *out);
/* One dim line: "14:05 - words"; `words` is cleaned here. at_ms 0: without the time. */
void meet_line(const struct show *s, uint64_t at_ms, const char *words, struct buf *out);
