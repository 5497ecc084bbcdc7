/* depot_scene.h - the depot's threads, asked as a worker, the loop and the hub ask them. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "server/depot.h"
#include "test.h"

enum { WORDS_MAX = 16, SIZE = 3 * TREE_BLOCK + 100, ANNA = 7, BEN = 8 };

/* On the heap, and lost when a CHECK fails: its threads may still use it. */
struct scene {
    char dir[64];
    uv_loop_t loop;
    struct depot *depot;
    int event, waited_ms;
    struct hub_depot_word words[WORDS_MAX];
    unsigned n_words;
    struct depot_job *looked; /* the loop's last answer */
    uint8_t body[SIZE], root[TREE_HASH];
};

/* With so many places: of all, of one account. Its depot has two threads. */
void scene_begin(struct scene **ret, uint32_t most, uint32_t most_account);
void scene_end(struct scene *s);
void scene_depot(struct scene *s, uint32_t most, uint32_t most_account);
void scene_depot_end(struct scene *s);
struct depot_job *scene_answer(struct scene *s);
struct depot_job *scene_job(int what, struct opened *opened);
/* Runs the loop until a word of that kind came; how many there were before is forgotten. */
struct hub_depot_word scene_word(struct scene *s, int what);
struct hub_depot scene_grant(const struct scene *s, int what, uint64_t file, uint64_t account,
                             uint8_t token);
/* What the hub says and what a worker asks come by different ways. Numbers of parcels are even
 * here, so that one thread has all of it, and has heard what was said when it answers the loop. */
void scene_put(struct scene *s, struct hub_depot g);
void scene_bar(struct scene *s, uint64_t account, uint64_t room);
/* What the token opens: 0 and *ret, or why not. Asked as a worker does. */
int scene_open(struct scene *s, uint8_t token, struct opened **ret, struct depot_job **ret_job);
int64_t scene_wish(struct scene *s, struct opened *o, struct wish w);
int64_t scene_lay_out(struct scene *s, struct opened *o);
int64_t scene_write(struct scene *s, struct opened *o, unsigned block, bool wrong);
/* The last wish of a parcel: its answer waits for the hub. */
struct depot_job *scene_finish(struct scene *s, struct opened *o);
void scene_shut(struct scene *s, struct opened *o);
/* Sent, whole, and an event. */
void scene_keep(struct scene *s, uint64_t file);
struct opened *scene_open_as_loop(struct scene *s, uint64_t file);
/* A piece as HTTPS asks for it. */
int64_t scene_read(struct scene *s, struct opened *o, uint64_t at, uint32_t len, uint8_t *bytes);
void scene_path(const struct scene *s, const char *suffix, char ret[static 256]);
bool scene_is_there(const struct scene *s, const char *suffix);
void scene_flip(const struct scene *s, long at);
