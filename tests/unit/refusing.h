/* refusing.h - requests written out in one expression, for stories about what is refused. */
#pragma once

#include <string.h>

#include "asking.h"

/* One request; its error. */
#define TRY(v, CASE, field, Type, name, ...)                                                       \
    reply_code(                                                                                    \
        ASK(v, CASE, field,                                                                        \
            (&(Type){ .base = PROTOBUF_C_MESSAGE_INIT(&name##__descriptor), __VA_ARGS__ })))
#define TO(room_name)                                                                              \
    .target = &(Roost__Target)                                                                     \
    {                                                                                              \
        .base = PROTOBUF_C_MESSAGE_INIT(&roost__target__descriptor), .name = room_name             \
    }
#define AT(number)                                                                                 \
    .target = &(Roost__Target)                                                                     \
    {                                                                                              \
        .base = PROTOBUF_C_MESSAGE_INIT(&roost__target__descriptor), .room = number                \
    }

/* Of so many bytes, 69999 at most; until the next. */
static inline char *of_length(size_t n)
{
    static char text[70000];

    memset(text, 'a', n);
    text[n] = '\0';
    return text;
}
