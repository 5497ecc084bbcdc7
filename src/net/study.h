/* study.h - what one writes down to look into it later: packets as pcap, and keys.
 *
 * Off unless it is asked for. The datagrams are as they are on the wire, sealed, with the
 * addresses as this program sees them; who has the keys too can open them: with
 * share/wireshark/roost.lua Wireshark does. The file of keys is readable by its owner only,
 * is added to, and holds a line each:
 *
 *     ROOST_DATAGRAMS session secret       in hex; the session of wire/packet.h
 *     CLIENT_TRAFFIC_SECRET_0 ...          as TLS libraries write them (control)
 *
 * Lines leave at once, so a program that is watched can be looked into. One thread.
 */
#pragma once

#include <stdio.h>

#include "net/udp.h"

struct study {
    FILE *pcap, *keys;  /* NULL: not asked for */
    union address mine; /* of the socket */
    union address last_peer,
        source;       /* where that was sent from: a socket may sit on all addresses */
    int64_t source_s; /* ... when that was looked up */
    bool failed;      /* something could not be written; then nothing more is */
};

/* Names may be NULL. 0; -ROOST_IO: errno says why, and *ret_name which. */
int study_open(struct study *s, const char *pcap, const char *keys, const char **ret_name);
/* -ROOST_IO: something of it could not be written. */
int study_close(struct study *s);
/* What passes through the socket is written down from now on. */
void study_socket(struct study *s, struct udp *u);
void study_keys(struct study *s, uint32_t session, const uint8_t secret[static 32]);
void study_line(struct study *s, const char *line); /* of TLS, without its end */

/* Connections: what this program wrote and read, with the headers that it could have had. The
 * system's own segments, repetitions and acknowledgements are not seen from here, so numbers
 * begin at 1000 and 5000, and a segment is what was written at once, cut at STUDY_SEGMENT. */
enum { STUDY_SEGMENT = 1448 };

struct study_stream {
    bool known;
    union address mine, peer;
    uint32_t sent, heard; /* the next number each way */
};

void study_opened(struct study *s, struct study_stream *t, int fd, bool from_here);
void study_bytes(struct study *s, struct study_stream *t, bool out, const uint8_t *bytes,
                 size_t len);
void study_closed(struct study *s, struct study_stream *t, bool out);
