/* sound_inside.h - what the kinds of microphones and speakers have in common. */
#pragma once

#include "av/sound.h"

struct sound_in {
    const struct sound_in_kind *kind;
};
struct sound_out {
    const struct sound_out_kind *kind;
};

struct sound_in_kind {
    void (*free)(struct sound_in *s);
    bool (*read)(struct sound_in *s, int64_t now_us, int16_t *pcm, uint32_t n, int64_t *ret_at_us);
    int64_t (*due_us)(struct sound_in *s, int64_t now_us, uint32_t n);
    void (*look)(struct sound_in *s, struct sound_look *ret);
};
struct sound_out_kind {
    void (*free)(struct sound_out *s);
    uint32_t (*wants)(struct sound_out *s, int64_t now_us);
    int64_t (*due_us)(struct sound_out *s, int64_t now_us, uint32_t n);
    int64_t (*heard_us)(struct sound_out *s, int64_t now_us);
    void (*write)(struct sound_out *s, int64_t now_us, const int16_t *pcm, uint32_t n);
    void (*look)(struct sound_out *s, struct sound_look *ret);
};

/* What lies longer is dropped; whoever is so late has lost more than sound. */
#define SOUND_LATE_US 200000

static inline int64_t sound_us_of(int64_t samples)
{
    return samples * 125 / 6;
}
static inline int64_t sound_samples_of(int64_t us)
{
    return us * 6 / 125;
}

/* Each is made by its word; the sentence is written when something is wrong. */
int sound_tone_new(struct sound_in **ret, double hz, int64_t now_us);
int sound_file_in_new(struct sound_in **ret, const char *path, bool again, int64_t now_us,
                      char why[static SOUND_WHY]);
int sound_null_new(struct sound_out **ret, const char *path_or_null, int64_t now_us,
                   int64_t buffer_us, char why[static SOUND_WHY]);
int sound_pulse_in_new(struct sound_in **ret, const char *device_or_null,
                       char why[static SOUND_WHY]);
int sound_pulse_out_new(struct sound_out **ret, const char *device_or_null, int64_t buffer_us,
                        char why[static SOUND_WHY]);
