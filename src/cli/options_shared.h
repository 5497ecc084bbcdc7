/* options_shared.h - options that several commands of the table (commands.c) take, said once. */
#pragma once

#include "cli/cmd.h"

#define NEW_PASSWORD                                                                               \
    {                                                                                              \
        "new-password-file", 0, "FILE",                                                            \
            "the first line is the new password; else "                                            \
            "$ROOST_NEW_PASSWORD, else asked"                                                      \
    }
#define YES                                                                                        \
    {                                                                                              \
        "yes", 'y', NULL, "do not ask"                                                             \
    }
#define SOUND                                                                                      \
    { "mic", 'm', "MIC", "where sound comes from" },                                               \
        { "speaker", 'S', "SPEAKER", "where it goes" },                                            \
        { "codec", 'c', "NAME", "opus, or pcm: plain samples" },                                   \
        { "frame", 'f', "MS", "of sound in a frame: opus 10, 20 or 60; pcm 5 or 20" },             \
        { "bitrate", 'b', "KBIT", "a second at most, 8 to 96 (32); less on a bad path" },          \
        { "music", 'M', NULL, "for music rather than words" },                                     \
        { "ptt", 'p', NULL, "push to talk: /talk, /hush, or an empty line" },                      \
        { "muted", 0, NULL, "nothing is sent before /unmute" },                                    \
        { "for", 0, "SECONDS", "leave after so long" },                                            \
        { "stats", 0, "FILE", "write figures, a JSON object a second" },                           \
    {                                                                                              \
        "record", 'R', "FILE", "write everybody's voice, as WebM"                                  \
    }

#define GUEST_NAME                                                                                 \
    {                                                                                              \
        "name", 'n', "NAME", "as the guest of this name"                                           \
    }
#define TRANSFER                                                                                   \
    { "word", 'w', "WORD", "both sides know it; else $ROOST_WORD, else asked" },                   \
        { "cc", 0, "NAME", "congestion control: reno, cubic or bbr" },                             \
        { "trace", 0, "FILE", "write down every event of the session" },                           \
    {                                                                                              \
        "csv", 0, "FILE", "write down its figures, ten times a second"                             \
    }
#define SERVE                                                                                      \
    { "serve", 0, NULL, "be the side that waits" },                                                \
        { "listen", 'l', "[ADDRESS]:PORT", "where to wait (:5005)" },                              \
        { "to", 't', "HOST:PORT", "where the other side waits" },                                  \
    {                                                                                              \
        "trace", 0, NULL, "draw the packets as a time line"                                        \
    }
#define TCP_UDP                                                                                    \
    { "tcp", 0, NULL, "over connections (if nothing is said)" },                                   \
    {                                                                                              \
        "udp", 0, NULL, "over datagrams"                                                           \
    }
#define ROLE                                                                                       \
    {                                                                                              \
        "role", 0, "ROLE", "user, moderator or admin"                                              \
    }
