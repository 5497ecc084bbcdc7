#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "av/sound_inside.h"
#include "base/err.h"

static const char *after(const char *word, const char *prefix)
{
    size_t n = strlen(prefix);

    return strncmp(word, prefix, n) == 0 ? word + n : NULL;
}

static int unknown(const char *word, char why[static SOUND_WHY])
{
    snprintf(why, SOUND_WHY, "'%.60s' is not understood: see roost help meet join", word);
    return -ROOST_INVALID;
}

static int tone_new(struct sound_in **ret, const char *hz_word, int64_t now_us,
                    char why[static SOUND_WHY])
{
    char *end = NULL;
    double hz = strtod(hz_word, &end);

    if (end == hz_word || *end || !(hz >= 20 && hz <= 20000)) {
        snprintf(why, SOUND_WHY, "a tone has 20 to 20000 Hz, as in tone:440");
        return -ROOST_INVALID;
    }
    return sound_tone_new(ret, hz, now_us);
}

int sound_in_new(struct sound_in **ret, const char *word, int64_t now_us,
                 char why[static SOUND_WHY])
{
    const char *rest;

    snprintf(why, SOUND_WHY, "%s", err_text(ROOST_NOMEM));
    if (!*word)
        return unknown(word, why);
    if (strcmp(word, "none") == 0)
        return sound_tone_new(ret, 0, now_us);
    if (strcmp(word, "tone") == 0)
        return sound_tone_new(ret, 440, now_us);
    if ((rest = after(word, "tone:")))
        return tone_new(ret, rest, now_us, why);
    if ((rest = after(word, "file:")))
        return sound_file_in_new(ret, rest, true, now_us, why);
    if ((rest = after(word, "once:")))
        return sound_file_in_new(ret, rest, false, now_us, why);
    return sound_pulse_in_new(ret, strcmp(word, "default") == 0 ? NULL : word, why);
}

int sound_out_new(struct sound_out **ret, const char *word, int64_t now_us, int64_t buffer_us,
                  char why[static SOUND_WHY])
{
    const char *rest;

    snprintf(why, SOUND_WHY, "%s", err_text(ROOST_NOMEM));
    if (buffer_us <= 0)
        buffer_us = SOUND_BUFFER_US;
    if (buffer_us > SOUND_LATE_US)
        buffer_us = SOUND_LATE_US;
    if (!*word)
        return unknown(word, why);
    if (strcmp(word, "null") == 0)
        return sound_null_new(ret, NULL, now_us, buffer_us, why);
    if ((rest = after(word, "file:")))
        return sound_null_new(ret, rest, now_us, buffer_us, why);
    return sound_pulse_out_new(ret, strcmp(word, "default") == 0 ? NULL : word, buffer_us, why);
}

void sound_in_free(struct sound_in *s)
{
    if (s)
        s->kind->free(s);
}

void sound_out_free(struct sound_out *s)
{
    if (s)
        s->kind->free(s);
}

bool sound_in_read(struct sound_in *s, int64_t now_us, int16_t *pcm, uint32_t n, int64_t *ret_at_us)
{
    return s->kind->read(s, now_us, pcm, n, ret_at_us);
}

int64_t sound_in_due_us(struct sound_in *s, int64_t now_us, uint32_t n)
{
    return s->kind->due_us(s, now_us, n);
}

uint32_t sound_out_wants(struct sound_out *s, int64_t now_us)
{
    return s->kind->wants(s, now_us);
}

int64_t sound_out_due_us(struct sound_out *s, int64_t now_us, uint32_t n)
{
    return s->kind->due_us(s, now_us, n);
}

int64_t sound_out_heard_us(struct sound_out *s, int64_t now_us)
{
    return s->kind->heard_us(s, now_us);
}

void sound_out_write(struct sound_out *s, int64_t now_us, const int16_t *pcm, uint32_t n)
{
    s->kind->write(s, now_us, pcm, n);
}

void sound_in_look(struct sound_in *s, struct sound_look *ret)
{
    s->kind->look(s, ret);
}

void sound_out_look(struct sound_out *s, struct sound_look *ret)
{
    s->kind->look(s, ret);
}
