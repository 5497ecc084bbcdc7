/* course.h - what the scenarios of course share: which are wanted, and what is said of each. */
#pragma once

#include "sim/road.h"

bool course_wants(const char *name);
/* "ok NAME: what came of it", or FAIL; counted. */
__attribute__((format(printf, 3, 4))) void verdict(bool ok, const char *name, const char *format,
                                                   ...);
/* Nothing arrived that was not sent, and no session ended. */
bool course_is_sound(const struct road *r);

void course_paths(void);   /* what paths do: course_paths.c */
void course_enemies(void); /* beside those who keep to nothing: course_enemies.c */
